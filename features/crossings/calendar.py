"""Hour and day of the crossing."""

import numpy as np
import pyarrow as pa

from features.declaration import calendar, derived, lookup, own
from features.formulas import Numbers, day_of_week, hour_of_day, present

GROUP = "calendar"

_public_holiday = lookup("public_holiday", of=calendar, per="day")
_day_on_record = lookup("status", of=calendar, per="day")


def _holiday(name: pa.Array, status: pa.Array) -> Numbers:
    """Whether the day has a holiday's name; null where the day is not on record."""
    return np.where(present(status) == 1, present(name), np.nan)


hour_of_crossing = derived(
    hour_of_day,
    own("expected_at"),
    doc="Local hour of the crossing, 0 to 23.",
    unit="hour",
    texts={"ar": "ساعة العبور: {value}", "fr": "Heure du passage : {value}", "en": "Hour of the crossing: {value}"},
)

weekday_of_crossing = derived(
    day_of_week,
    own("expected_at"),
    doc="Local day of the week, 1 Monday to 7 Sunday.",
    unit="day of the week",
    texts={
        "ar": "يوم العبور من الأسبوع: {value}",
        "fr": "Jour de la semaine : {value}",
        "en": "Day of the week: {value}",
    },
)

on_public_holiday = derived(
    _holiday,
    _public_holiday,
    _day_on_record,
    returns="boolean",
    doc="Whether the crossing falls on a public holiday.",
    unit="yes or no",
    texts={"ar": "يوم عطلة رسمية: {value}", "fr": "Jour férié : {value}", "en": "Public holiday: {value}"},
)

in_ramadan = lookup(
    "ramadan",
    of=calendar,
    per="day",
    doc="Whether the crossing falls in Ramadan.",
    unit="yes or no",
    texts={"ar": "خلال شهر رمضان: {value}", "fr": "Pendant le ramadan : {value}", "en": "In Ramadan: {value}"},
)

in_school_holiday = lookup(
    "school_holiday",
    of=calendar,
    per="day",
    doc="Whether the crossing falls in the school holidays.",
    unit="yes or no",
    texts={
        "ar": "خلال العطلة المدرسية: {value}",
        "fr": "Pendant les vacances scolaires : {value}",
        "en": "In the school holidays: {value}",
    },
)

in_ferry_season = lookup(
    "ferry_season",
    of=calendar,
    per="day",
    doc="Whether the crossing falls in the summer ferry season.",
    unit="yes or no",
    texts={
        "ar": "خلال موسم العبور البحري الصيفي: {value}",
        "fr": "Pendant la saison des ferries : {value}",
        "en": "In the ferry season: {value}",
    },
)

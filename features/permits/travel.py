"""The permit holder's crossings: whether they are still in the country, and how much of the time they were away."""

import numpy as np

from features.declaration import (
    EVER,
    count,
    crossings,
    days,
    days_in_a_row,
    days_present,
    derived,
    last,
    own,
    permits,
    smallest,
    time_since,
    window,
)
from features.formulas import Numbers, days_after, difference, is_one_of

GROUP = "travel"

days_since_last_exit = window(
    time_since,
    of=crossings.where(direction="exit"),
    per="traveller",
    last=days(1826),
    doc="How many days ago the permit holder last left the country, within five years.",
    unit="days",
    texts={
        "ar": "منذ آخر خروج: {value}",
        "fr": "Dernière sortie il y a {value}",
        "en": "Last left {value} before",
    },
)

days_since_last_entry = window(
    time_since,
    of=crossings.where(direction="entry"),
    per="traveller",
    last=days(1826),
    doc="How many days ago the permit holder last entered the country, within five years.",
    unit="days",
    texts={
        "ar": "منذ آخر دخول: {value}",
        "fr": "Dernière entrée il y a {value}",
        "en": "Last entered {value} before",
    },
)

abroad_on_record = derived(
    is_one_of("exit"),
    window(last("direction"), of=crossings, per="traveller", last=days(1826)),
    returns="boolean",
    doc="Whether the permit holder's last recorded crossing was an exit; null without any crossing.",
    unit="yes or no",
    showable=True,
    texts={
        "ar": "آخر عبور مسجل خروج: {value}",
        "fr": "Dernier passage enregistré : une sortie ({value})",
        "en": "Last recorded crossing is an exit: {value}",
    },
)

exits_last_365_days = window(
    count,
    of=crossings.where(direction="exit"),
    per="traveller",
    last=days(365),
    doc="How often the permit holder left the country in the 365 days before.",
    unit="exits",
    texts={
        "ar": "عدد مرات الخروج خلال السنة السابقة: {value}",
        "fr": "Sorties en 365 jours : {value}",
        "en": "Exits in 365 days: {value}",
    },
)

exits_last_60_days = window(
    count,
    of=crossings.where(direction="exit"),
    per="traveller",
    last=days(60),
    doc="How often the permit holder left the country in the 60 days before.",
    unit="exits",
    texts={
        "ar": "عدد مرات الخروج خلال الستين يوما السابقة: {value}",
        "fr": "Sorties en 60 jours : {value}",
        "en": "Exits in 60 days: {value}",
    },
)

days_present_last_365_days = window(
    days_present(365),
    of=crossings,
    per="traveller",
    last=days(1826),
    role="fact",
    doc="On how many of the last 365 local days, the day itself among them, the permit holder was in the country, by "
    "the crossings on record. Days of entry and of exit count; of an entry whose exit is not on record only its own "
    "day does, unless it is the last crossing.",
    unit="days",
    texts={
        "ar": "أيام الحضور بالبلاد خلال 365 يوما: {value}",
        "fr": "Jours de présence sur 365 : {value}",
        "en": "Days in the country, of 365: {value}",
    },
)

days_present_in_a_row = window(
    days_in_a_row,
    of=crossings,
    per="traveller",
    last=days(1826),
    role="fact",
    doc="For how many local days in a row, up to the day itself, the permit holder has been in the country, by the "
    "crossings on record; 0 where they are not in it.",
    unit="days",
    texts={
        "ar": "أيام الحضور المتتالية بالبلاد: {value}",
        "fr": "Jours de présence d'affilée : {value}",
        "en": "Days in the country in a row: {value}",
    },
)

entries_beyond_exits_last_5_years = derived(
    difference,
    window(count, of=crossings.where(direction="entry"), per="traveller", last=days(1826)),
    window(count, of=crossings.where(direction="exit"), per="traveller", last=days(1826)),
    doc="How many more entries than exits of the permit holder are on record in the five years before. Other than 0 or "
    "1, crossings are missing from the records: a gap in the data, not a fault.",
    unit="crossings",
    texts={
        "ar": "الفارق بين عدد مرات الدخول والخروج المسجلة: {value}",
        "fr": "Entrées enregistrées de plus que de sorties : {value}",
        "en": "Entries on record beyond exits: {value}",
    },
)

_days_held = derived(
    days_after,
    own("as_of"),
    window(smallest("valid_from"), of=permits.where(state=("granted", "renewed")), per="permit file", last=EVER),
)


def _abroad_in_a_row(abroad: Numbers, since_exit: Numbers, held: Numbers) -> Numbers:
    """Days since the exit or since the permit began, whichever is shorter; 0 for someone in the country."""
    return np.where(abroad == 1, np.minimum(since_exit, held), np.where(np.isnan(abroad), np.nan, 0.0))


days_abroad_while_holding_permit = derived(
    _abroad_in_a_row,
    "abroad_on_record",
    "days_since_last_exit",
    _days_held,
    role="fact",
    doc="How many days ago the permit holder left, where the last crossing on record is an exit, counted from the "
    "first day of the file's first permit where that came later; 0 where it is an entry, null without any crossing.",
    unit="days",
    texts={
        "ar": "أيام الغياب عن البلاد مع حمل رخصة إقامة: {value}",
        "fr": "Jours à l'étranger en détenant le titre : {value}",
        "en": "Days abroad while holding the permit: {value}",
    },
)


def _abroad_of_the_year(present: Numbers, earlier: Numbers, held: Numbers) -> Numbers:
    """365 less the days present; null where the permit is younger, or nothing tells where the year began."""
    return np.where((earlier > 0) & (held >= 364), 365.0 - present, np.nan)


days_abroad_last_365_days_while_holding_permit = derived(
    _abroad_of_the_year,
    "days_present_last_365_days",
    derived(
        difference,
        window(count, of=crossings, per="traveller", last=days(1826)),
        window(count, of=crossings, per="traveller", last=days(365)),
    ),
    _days_held,
    role="fact",
    doc="On how many of the last 365 local days the permit holder was abroad, by the crossings on record. Null where "
    "the file's first permit began within them, or no crossing before them tells whether the holder was here.",
    unit="days",
    texts={
        "ar": "أيام الغياب عن البلاد خلال 365 يوما مع حمل رخصة إقامة: {value}",
        "fr": "Jours à l'étranger sur 365 en détenant le titre : {value}",
        "en": "Days abroad, of 365, while holding the permit: {value}",
    },
)

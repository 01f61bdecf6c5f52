"""When in the year the permit ends."""

import numpy as np

from features.declaration import calendar, derived, lookup, own
from features.formulas import Numbers

GROUP = "calendar"


def _month(day: Numbers) -> Numbers:
    """Month of the year, 1 to 12."""
    months = np.full(len(day), np.nan)
    known = ~np.isnan(day)
    months[known] = day[known].astype("datetime64[D]").astype("datetime64[M]").astype(np.int64) % 12 + 1
    return months


month_of_permit_end = derived(
    _month,
    own("valid_to"),
    doc="Month in which the permit ends, 1 to 12.",
    unit="month",
    texts={"ar": "شهر انتهاء الرخصة: {value}", "fr": "Mois d'expiration : {value}", "en": "Month of the end: {value}"},
)

permit_ends_in_ramadan = lookup(
    "ramadan",
    of=calendar,
    per="day",
    doc="Whether the permit ends in Ramadan, when offices work shorter hours.",
    unit="yes or no",
    texts={
        "ar": "تنتهي الرخصة خلال شهر رمضان: {value}",
        "fr": "Le titre expire pendant le ramadan : {value}",
        "en": "Permit ends in Ramadan: {value}",
    },
)

"""The Hijri calendar as Umm al-Qura computes it, for whole arrays of days.

Tunisia announces months after sighting the moon, so a computed month may begin one day off; `near_a_turn` tells where
that would matter.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

import numpy as np
import numpy.typing as npt
from hijridate import Hijri

from records.errors import BadInput

Days = npt.NDArray[np.datetime64]
Flags = npt.NDArray[np.bool_]
Numbers = npt.NDArray[np.int64]

FIRST_YEAR, LAST_YEAR = 1343, 1500
MUHARRAM, RABI_AL_AWWAL, RAMADAN, SHAWWAL, DHU_AL_HIJJA = 1, 3, 9, 10, 12

# Feast → its Hijri month, first day and last day.
EIDS = {"fitr": (SHAWWAL, 1, 3), "adha": (DHU_AL_HIJJA, 10, 12)}


def hijri(days: Days) -> tuple[Numbers, Numbers, Numbers]:
    """Hijri year, month (1 to 12) and day (1 to 30) of each Gregorian day.

    >>> hijri(np.array(["2024-03-11"], dtype="datetime64[D]"))
    (array([1445]), array([9]), array([1]))

    BadInput for days outside 1343 to 1500 AH (1 August 1924 to 16 November 2077), which Umm al-Qura does not cover.
    """
    wanted = np.asarray(days, dtype="datetime64[D]")
    starts = _month_starts()
    if wanted.size and (np.isnat(wanted).any() or wanted.min() < starts[0] or wanted.max() >= starts[-1]):
        raise BadInput(
            f"The Umm al-Qura calendar covers {starts[0]} to {starts[-1] - 1}. Give days inside that time, "
            "and none missing."
        )
    month = np.searchsorted(starts, wanted, side="right") - 1
    day = (wanted - starts[month]).astype(np.int64) + 1
    return FIRST_YEAR + month // 12, month % 12 + 1, day


def first_day(year: int, month: int) -> np.datetime64:
    """The Gregorian day on which a Hijri month begins.

    >>> first_day(1445, RAMADAN)
    np.datetime64('2024-03-11')
    """
    if not (FIRST_YEAR <= year <= LAST_YEAR and 1 <= month <= 12):
        raise BadInput(
            f"There is no month {month} of {year} AH here. Years go from {FIRST_YEAR} to {LAST_YEAR}, "
            "months from 1 to 12."
        )
    return np.datetime64(_month_starts()[(year - FIRST_YEAR) * 12 + month - 1])


def ramadan(days: Days) -> Flags:
    """Whether each day lies in Ramadan."""
    return np.asarray(hijri(days)[1] == RAMADAN)


def eid(days: Days) -> npt.NDArray[np.object_]:
    """Which Eid each day belongs to: 'fitr' (1 to 3 Shawwal), 'adha' (10 to 12 Dhu al-Hijja) or None."""
    _, month, day = hijri(days)
    which = np.full(month.shape, None, dtype=object)
    for name, (of_month, first, last) in EIDS.items():
        which[(month == of_month) & (day >= first) & (day <= last)] = name
    return which


def near_a_turn(days: Days, of: Callable[[Days], npt.NDArray[np.generic]]) -> Flags:
    """Whether `of(day)` would be another if the month had been announced one day earlier or later than computed."""
    here = of(days)
    day = np.timedelta64(1, "D")
    return np.asarray((of(days - day) != here) | (of(days + day) != here))


@cache
def _month_starts() -> Days:
    """First Gregorian day of every month, and of the month after the last."""
    firsts = [
        Hijri(year, month, 1).to_gregorian() for year in range(FIRST_YEAR, LAST_YEAR + 1) for month in range(1, 13)
    ]
    after = firsts[-1].toordinal() + Hijri(LAST_YEAR, 12, 1).month_length() - firsts[0].toordinal()
    start = np.datetime64(firsts[0].isoformat(), "D")
    return start + np.array([f.toordinal() - firsts[0].toordinal() for f in firsts] + [after], dtype="timedelta64[D]")

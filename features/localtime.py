"""Local days and hours of the authority, vectorised. The zone's own history of offsets is honoured."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from functools import cache
from itertools import pairwise
from typing import Final, TypeAlias
from zoneinfo import ZoneInfo

import numpy as np
import numpy.typing as npt

Numbers: TypeAlias = npt.NDArray[np.float64]

ZONE: Final = ZoneInfo("Africa/Tunis")
HOUR_US: Final = 3_600_000_000
DAY_US: Final = 24 * HOUR_US
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


@cache
def _changes() -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Instants from which an offset holds, 1970 to 2099, and the offsets; both in microseconds. The first holds before.

    Looks at every hour of the days whose offset differs from the day before; offsets change on whole hours.
    """
    daily = [(hour, _offset(hour)) for hour in range(0, 130 * 8766, 24)]
    since, offsets = [0], [daily[0][1]]
    for (before, old), (after, new) in pairwise(daily):
        if old == new:
            continue
        for hour in range(before + 1, after + 1):
            if _offset(hour) != offsets[-1]:
                since.append(hour * HOUR_US)
                offsets.append(_offset(hour))
    return np.array(since), np.array(offsets)


def _offset(hour: int) -> int:
    """Offset from UTC at an hour since 1970, in microseconds."""
    return ((_EPOCH + timedelta(hours=hour)).astimezone(ZONE).utcoffset() or timedelta(0)) // timedelta(microseconds=1)


def _offset_us(instants: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    since, offsets = _changes()
    return offsets[np.maximum(np.searchsorted(since, instants, side="right") - 1, 0)]


def _local_us(instants: Numbers) -> Numbers:
    known = ~np.isnan(instants)
    local = np.full(len(instants), np.nan)
    us = instants[known].astype(np.int64)
    local[known] = us + _offset_us(us)
    return local


def local_day(instants: Numbers) -> Numbers:
    """Microseconds since 1970 → local day, in days since 1970-01-01."""
    return np.floor(_local_us(instants) / DAY_US)


def local_hour(instants: Numbers) -> Numbers:
    """Microseconds since 1970 → local hour, 0 to 23."""
    return np.floor(_local_us(instants) / HOUR_US) % 24


def midnight_us(days: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """Days since 1970-01-01 → the instant the local day begins, in microseconds since 1970 (UTC)."""
    distinct, where = np.unique(days, return_inverse=True)
    starts = np.empty(len(distinct), np.int64)
    for k, day in enumerate(distinct.tolist()):
        on = date(1970, 1, 1) + timedelta(days=day)
        starts[k] = (datetime(on.year, on.month, on.day, tzinfo=ZONE) - _EPOCH) // timedelta(microseconds=1)
    return starts[where.reshape(-1)]

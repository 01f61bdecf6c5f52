"""Local days and hours of the authority, vectorised. The zone's own history of offsets is honoured."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Final, TypeAlias
from zoneinfo import ZoneInfo

import numpy as np
import numpy.typing as npt

Numbers: TypeAlias = npt.NDArray[np.float64]

ZONE: Final = ZoneInfo("Africa/Tunis")
HOUR_US: Final = 3_600_000_000
DAY_US: Final = 24 * HOUR_US
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


def _offset_us(instants: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """Offset of local time from UTC. Offsets change on whole hours at most, so one look per distinct hour is exact."""
    hours, where = np.unique(instants // HOUR_US, return_inverse=True)
    offsets = np.empty(len(hours), np.int64)
    for k, hour in enumerate(hours.tolist()):
        offset = (_EPOCH + timedelta(hours=hour)).astimezone(ZONE).utcoffset() or timedelta(0)
        offsets[k] = offset // timedelta(microseconds=1)
    return offsets[where.reshape(-1)]


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

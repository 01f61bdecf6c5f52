"""Local days and hours of the authority, vectorised. The zone's own history of offsets is honoured."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from functools import cache
from itertools import pairwise
from typing import Final, TypeAlias
from zoneinfo import ZoneInfo

import numpy as np
import numpy.typing as npt

from features.columns import Ints
from features.kernels.clock import HOUR, hours

Numbers: TypeAlias = npt.NDArray[np.float64]

ZONE: Final = ZoneInfo("Africa/Tunis")
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


@cache
def _changes() -> tuple[Ints, Ints]:
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
                since.append(hour * HOUR)
                offsets.append(_offset(hour))
    return np.array(since), np.array(offsets)


def _offset(hour: int) -> int:
    """Offset from UTC at an hour since 1970, in microseconds."""
    return ((_EPOCH + timedelta(hours=hour)).astimezone(ZONE).utcoffset() or timedelta(0)) // timedelta(microseconds=1)


def day_cells(instants: Ints) -> Ints:
    """Microseconds since 1970 → local day, in days since 1970-01-01."""
    return hours(instants, *_changes()) // 24


def hour_cells(instants: Ints) -> Ints:
    """Microseconds since 1970 → local hour, 0 to 23."""
    return hours(instants, *_changes()) % 24


def _of_known(cells_of: Callable[[Ints], Ints], instants: Numbers) -> Numbers:
    known = ~np.isnan(instants)
    found = np.full(len(instants), np.nan)
    found[known] = cells_of(instants[known].astype(np.int64))
    return found


def local_day(instants: Numbers) -> Numbers:
    """As `day_cells`, of float64 with NaN for null."""
    return _of_known(day_cells, instants)


def local_hour(instants: Numbers) -> Numbers:
    """As `hour_cells`, of float64 with NaN for null."""
    return _of_known(hour_cells, instants)


def midnight_us(days: Ints) -> Ints:
    """Days since 1970-01-01 → the instant the local day begins, in microseconds since 1970 (UTC)."""
    distinct, where = np.unique(days, return_inverse=True)
    starts = np.array([_midnight(day) for day in distinct.tolist()], np.int64)
    return starts[where.reshape(-1)]


@cache
def _midnight(day: int) -> int:
    on = date(1970, 1, 1) + timedelta(days=day)
    return (datetime(on.year, on.month, on.day, tzinfo=ZONE) - _EPOCH) // timedelta(microseconds=1)

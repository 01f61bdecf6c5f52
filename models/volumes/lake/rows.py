"""What is read of the lake: rows as they were known at a moment, by the days and hours of the place's clock."""

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol
from zoneinfo import ZoneInfo

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from records.errors import BadInput


class Known(Protocol):
    """A lake that answers with the version of each row that was known at a moment."""

    def as_known(self, table: str, at: datetime, columns: Sequence[str] | None = None) -> pa.Table: ...


def before_today(rows: pa.Table, as_of: datetime, zone: str) -> tuple[pa.Table, np.ndarray, np.datetime64]:
    """Rows that happened on whole days before `as_of`, their local days (datetime64[D]), and the day of `as_of`."""
    today, day = local_day(as_of, zone), local_days(rows["happened_at"], zone)
    before = day < today
    return rows.filter(pa.array(before)), day[before], today


def local_day(moment: datetime, zone: str) -> np.datetime64:
    """The local day of a moment; BadInput where it has no time zone."""
    if moment.tzinfo is None:
        raise BadInput(f"The moment {moment} has no time zone. Write it with one, as in 2026-01-31T06:00+01:00.")
    return np.datetime64(moment.astimezone(ZoneInfo(zone)).date())


def local_days(moments: pa.ChunkedArray, zone: str) -> np.ndarray:
    """Local days (datetime64[D]) of moments."""
    return clock(moments, zone).astype("datetime64[D]")


def clock(moments: pa.ChunkedArray, zone: str) -> np.ndarray:
    """Moments as the place's clock shows them (datetime64[us]), NaT where unknown."""
    local = pc.local_timestamp(pc.cast(moments, pa.timestamp("us", zone)))
    return np.asarray(local.to_numpy()).astype("datetime64[us]")


def codes(column: pa.ChunkedArray) -> tuple[np.ndarray, tuple[str, ...]]:
    """A number for each value, and the values that they stand for, ascending."""
    names, numbers = np.unique(column.to_numpy(zero_copy_only=False).astype(str), return_inverse=True)
    return numbers, tuple(str(name) for name in names)

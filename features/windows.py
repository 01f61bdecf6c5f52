"""From declared rows to kernels: which interval each row is seen in, and what a query makes of the rows it sees.

A version of a row is seen from the moment it has both happened and is known, until it leaves the window or a correction
replaces it. Rows at the very instant of a query are not seen: a row enters one microsecond after it happened.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Final

import numpy as np
import pyarrow as pa

from features import kernels
from features.columns import NEVER, Ints, Numbers, Values, codes, values
from features.declaration import Aggregate
from features.localtime import DAY_US, midnight_us

MILLION: Final = 1_000_000


@dataclass(frozen=True)
class Asks:
    """Queries sorted by (entity, at); `row` is where the answer goes, of `rows` in all. Those without entity are left out."""

    entity: Ints
    at: Ints
    row: Ints
    rows: int


def asks(entity: Ints, at: Ints) -> Asks:
    order = np.lexsort((at, entity))
    order = order[np.searchsorted(entity[order], 0) :]
    return Asks(entity[order], at[order], order, len(entity))


@dataclass(frozen=True)
class Stream:
    """Versions of rows, each of an entity; `table` has their columns."""

    entity: Ints
    happened: Ints
    known: Ints
    superseded: Ints
    table: pa.Table

    def column(self, name: str) -> Values:
        return values(self.table.column(name))

    def of(self, rows: np.ndarray[tuple[int], np.dtype[np.bool_]]) -> Stream:
        """Those of the rows that are marked."""
        if rows.all():
            return self
        return Stream(
            self.entity[rows],
            self.happened[rows],
            self.known[rows],
            self.superseded[rows],
            self.table.filter(pa.array(rows)),
        )


@dataclass(frozen=True)
class Intervals:
    """Rows in the order they enter and in the order they leave."""

    entering: Ints
    leaving: Ints
    entity: Ints
    enter: Ints
    leave: Ints

    def sides(self, brought: Ints) -> tuple[Ints, ...]:
        """Arguments of a kernel: entity, instant and what is brought, by entering and by leaving."""
        i, o = self.entering, self.leaving
        return self.entity[i], self.enter[i], brought[i], self.entity[o], self.leave[o], brought[o]


def seen(stream: Stream, enter: Ints, leave: Ints) -> Intervals:
    """Intervals of the rows that are seen at any moment."""
    ever = np.flatnonzero(leave > enter)
    entity, enter, leave = stream.entity, enter, leave
    entering = ever[np.lexsort((enter[ever], entity[ever]))]
    leaving = ever[np.lexsort((leave[ever], entity[ever]))]
    return Intervals(entering, leaving, entity, enter, leave)


def in_window(stream: Stream, width: timedelta | None) -> Intervals:
    """Seen while happened_at lies in [t - width, t)."""
    enter = np.maximum(stream.happened + 1, stream.known)
    if width is None:
        return seen(stream, enter, stream.superseded)
    gone = stream.happened + width // timedelta(microseconds=1) + 1
    return seen(stream, enter, np.minimum(gone, stream.superseded))


def as_stated(stream: Stream) -> Intervals:
    """Seen while known."""
    return seen(stream, stream.known, stream.superseded)


def on_days(stream: Stream, since: str, until: str) -> Intervals:
    """Seen while known and the local day lies in [since, until]; without `until`, without end."""
    first, last = stream.column(since), stream.column(until)
    begun = np.where(np.isnan(first), np.iinfo(np.int64).max, 0).astype(np.int64)
    given = ~np.isnan(first)
    begun[given] = midnight_us(first[given].astype(np.int64))
    ended = np.full(len(last), NEVER)
    closed = ~np.isnan(last)
    ended[closed] = midnight_us(last[closed].astype(np.int64) + 1)
    return seen(stream, np.maximum(begun, stream.known), np.minimum(ended, stream.superseded))


def _spread(answers: Numbers, at: Asks) -> Numbers:
    """Answers in the order of the rows that asked; null where there was no entity to ask about."""
    out = np.full(at.rows, np.nan)
    out[at.row] = answers
    return out


def aggregated(how: Aggregate, stream: Stream, width: timedelta | None, at: Asks) -> Values:
    """One value per asked row."""
    if how.name == "share":
        return _share(how, stream, width, at)
    if how.column is not None:
        held = stream.column(how.column)
        stream = stream.of(~np.isnan(held) if isinstance(held, np.ndarray) else held.is_valid().to_numpy(False))
    intervals = in_window(stream, width)
    match how.name:
        case "count":
            return _spread(_totals(intervals, np.zeros(len(stream.entity), np.int64), at)[0], at)
        case "sum":
            return _spread(_totals(intervals, _millionths(stream, how), at)[1] / MILLION, at)
        case "mean":
            number, sums = _totals(intervals, _millionths(stream, how), at)
            return _spread(_over(sums, MILLION * number), at)
        case "distinct":
            number, different = codes(stream.column(how.column or ""))
            found = kernels.distincts(at.entity, at.at, *intervals.sides(number), len(different))
            return _spread(found.astype(np.float64), at)
        case "min":
            return newest(stream, intervals, at, how.column or "", by="value", smallest=True)
        case "max":
            return newest(stream, intervals, at, how.column or "", by="value")
        case "last":
            return newest(stream, intervals, at, how.column or "")
        case "time_since":
            since = _spread((at.at - _highest(stream.happened, intervals, at)) / DAY_US, at)
            return since
        case _:
            return _mean_gap(stream, intervals, at)


def _totals(intervals: Intervals, brought: Ints, at: Asks) -> tuple[Numbers, Numbers]:
    number, sums = kernels.totals(at.entity, at.at, *intervals.sides(brought))
    return number.astype(np.float64), sums.astype(np.float64)


def _over(part: Numbers, all_: Numbers) -> Numbers:
    return np.divide(part, all_, out=np.full(len(part), np.nan), where=all_ != 0)


def _millionths(stream: Stream, how: Aggregate) -> Ints:
    held = stream.column(how.column or "")
    if not isinstance(held, np.ndarray):
        raise TypeError(f"{how.name} of '{how.column}', which is text.")
    return np.round(held * MILLION).astype(np.int64)


def _share(how: Aggregate, stream: Stream, width: timedelta | None, at: Asks) -> Numbers:
    known = np.ones(len(stream.entity), np.bool_)
    met = np.ones(len(stream.entity), np.int64)
    for name, allowed in how.conditions:
        column = stream.table.column(name)
        known &= column.is_valid().to_numpy()
        met &= meeting(stream.table, name, allowed)
    met = met[known]
    number, sums = _totals(in_window(stream.of(known), width), met, at)
    return _spread(_over(sums, number), at)


def meeting(table: pa.Table, name: str, allowed: tuple[str | int | float | bool, ...]) -> Ints:
    """1 where the column has one of the allowed values, 0 elsewhere and where it is null."""
    import pyarrow.compute as pc

    column = table.column(name)
    found = pc.is_in(column, value_set=pa.array(list(allowed)).cast(column.type), skip_nulls=True)
    return np.asarray(found.to_numpy(), dtype=np.int64)


def _highest(of: Ints, intervals: Intervals, at: Asks) -> Numbers:
    """The highest of the instants seen; NaN where none is."""
    order = np.argsort(of, kind="stable")
    rank = np.empty(len(of), np.int64)
    rank[order] = np.arange(len(of))
    best = kernels.highest(at.entity, at.at, *intervals.sides(rank))
    out = np.full(len(best), np.nan)
    out[best >= 0] = of[order[best[best >= 0]]]
    return out


def _mean_gap(stream: Stream, intervals: Intervals, at: Asks) -> Numbers:
    number, _ = _totals(intervals, np.zeros(len(stream.entity), np.int64), at)
    spanned = _highest(stream.happened, intervals, at) + _highest(-stream.happened, intervals, at)
    return _spread(np.where(number >= 2, _over(spanned / DAY_US, np.maximum(number - 1, 1)), np.nan), at)


def newest(
    stream: Stream, intervals: Intervals, at: Asks, column: str, *, by: str = "time", smallest: bool = False
) -> Values:
    """A column of the row that comes last among those seen: by time (then what was known later, then the larger value),
    or by value."""
    number, different = codes(stream.column(column))
    order = np.lexsort((number, stream.known, stream.happened)) if by == "time" else np.argsort(number, kind="stable")
    order = order[::-1] if smallest else order
    rank = np.empty(len(order), np.int64)
    rank[order] = np.arange(len(order))
    best = kernels.highest(at.entity, at.at, *intervals.sides(rank))
    chosen = np.full(len(best), -1, np.int64)
    chosen[best >= 0] = number[order[best[best >= 0]]]
    if isinstance(different, np.ndarray):
        held = np.append(different, np.nan)
        return _spread(held[chosen], at)
    spread = np.full(at.rows, -1, np.int64)
    spread[at.row] = chosen
    return different.take(pa.array(spread, mask=spread < 0))


def any_seen(stream: Stream, intervals: Intervals, at: Asks) -> Numbers:
    """1 where a row is seen, 0 where none is."""
    number, _ = _totals(intervals, np.zeros(len(stream.entity), np.int64), at)
    return _spread((number > 0).astype(np.float64), at)

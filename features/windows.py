"""From declared rows to kernels: which interval each row is seen in, and what a query makes of the rows it sees.

A version of a row is seen from the moment it has both happened and is known, until it leaves the window or a correction
replaces it. Rows at the very instant of a query are not seen: a row enters one microsecond after it happened.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Final, TypeAlias

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from features import kernels
from features.columns import NEVER, Ints, Numbers, Values, codes, values
from features.declaration import Aggregate, Value
from features.localtime import DAY_US, midnight_us
from records.errors import BadInput

Flags: TypeAlias = npt.NDArray[np.bool_]

MILLION: Final = 1_000_000


@dataclass(frozen=True)
class Asks:
    """Queries of a spine of `rows` rows; `row` is where each answer goes. Rows without an entity ask nothing."""

    queries: kernels.Queries
    row: Ints
    rows: int


def asks(entity: Ints, at: Ints, in_time: Ints) -> Asks:
    """entity: one number per row, -1 for none; at: microseconds; in_time: row numbers in the order of `at`."""
    order = in_time[np.argsort(entity[in_time], kind="stable")]
    order = order[np.searchsorted(entity[order], 0) :]
    return Asks(kernels.Queries(entity[order], at[order]), order, len(entity))


@dataclass(frozen=True)
class Stream:
    """Versions of rows, sorted by entity and by when they happened; each is row number `row` of `table`."""

    entity: Ints
    happened: Ints
    known: Ints
    superseded: Ints
    row: Ints
    table: pa.Table

    def column(self, name: str) -> Values:
        held = values(self.table.column(name))
        return held[self.row] if isinstance(held, np.ndarray) else held.take(pa.array(self.row))

    def of(self, rows: Flags) -> Stream:
        """Those of the rows that are marked."""
        if rows.all():
            return self
        kept = (self.entity[rows], self.happened[rows], self.known[rows], self.superseded[rows], self.row[rows])
        return Stream(*kept, self.table)


@dataclass(frozen=True)
class Intervals:
    """When each row is seen: from `enter` until before `leave`; and the rows ever seen, in the order of either end."""

    entity: Ints
    enter: Ints
    leave: Ints
    entering: Ints
    leaving: Ints

    def sides(self, brought: Ints) -> tuple[kernels.Side, kernels.Side]:
        """What a kernel sweeps over; brought: one number per row."""
        i, o = self.entering, self.leaving
        return (
            kernels.Side(self.entity[i], self.enter[i], brought[i]),
            kernels.Side(self.entity[o], self.leave[o], brought[o]),
        )


def in_window(stream: Stream, width: timedelta | None) -> Intervals:
    """Seen while happened_at lies in [t - width, t)."""
    on_time = stream.happened + 1
    enter = np.maximum(on_time, stream.known)
    in_full = np.full(len(enter), NEVER) if width is None else on_time + width // timedelta(microseconds=1)
    leave = np.minimum(in_full, stream.superseded)
    ever = leave > enter
    entering = _ordered(stream.entity, enter, ever, enter == on_time)
    leaving = _ordered(stream.entity, leave, ever, leave == in_full)
    return Intervals(stream.entity, enter, leave, entering, leaving)


def _ordered(entity: Ints, at: Ints, ever: Flags, in_order: Flags) -> Ints:
    """Row numbers by (entity, at), of rows of which most, those in order, already are: only the others are sorted."""
    others = np.flatnonzero(ever & ~in_order)
    others = others[np.lexsort((at[others], entity[others]))]
    return kernels.merged(entity, at, np.flatnonzero(ever & in_order), others)


def as_stated(stream: Stream) -> Intervals:
    """Seen while known."""
    return _between(stream, stream.known, stream.superseded)


def _between(stream: Stream, enter: Ints, leave: Ints) -> Intervals:
    ever = np.flatnonzero(leave > enter)
    entering = ever[np.lexsort((enter[ever], stream.entity[ever]))]
    leaving = ever[np.lexsort((leave[ever], stream.entity[ever]))]
    return Intervals(stream.entity, enter, leave, entering, leaving)


def on_days(stream: Stream, since: str, until: str) -> Intervals:
    """Seen while known and the local day lies in [since, until]; without `until`, without end."""
    first, last = stream.column(since), stream.column(until)
    begun = np.where(np.isnan(first), np.iinfo(np.int64).max, 0).astype(np.int64)
    given = ~np.isnan(first)
    begun[given] = midnight_us(first[given].astype(np.int64))
    ended = np.full(len(last), NEVER)
    closed = ~np.isnan(last)
    ended[closed] = midnight_us(last[closed].astype(np.int64) + 1)
    return _between(stream, np.maximum(begun, stream.known), np.minimum(ended, stream.superseded))


def _spread(answers: Numbers, at: Asks) -> Numbers:
    """Answers in the order of the rows that asked; null where there was no entity to ask about."""
    out = np.full(at.rows, np.nan)
    out[at.row] = answers
    return out


def aggregated(how: Aggregate, stream: Stream, width: timedelta | None, at: Asks) -> Values:
    """One value per row of the spine; null where the row asks nothing, or an aggregate of no rows is undefined."""
    if how.conditions:
        return _share(how, stream, width, at)
    if how.column is None:
        return _of_rows(how.name, stream, in_window(stream, width), at)
    held = stream.column(how.column)
    stream = stream.of(~np.isnan(held) if isinstance(held, np.ndarray) else np.asarray(held.is_valid().to_numpy(False)))
    return _of_column(how.name, how.column, stream, in_window(stream, width), at)


def _of_rows(name: str, stream: Stream, intervals: Intervals, at: Asks) -> Numbers:
    if name == "time_since":
        return _spread((at.queries.at - _latest(stream.happened, intervals, at)) / DAY_US, at)
    number, _ = _totals(intervals, np.zeros(len(stream.entity), np.int64), at)
    if name == "count":
        return _spread(number, at)
    spanned = _latest(stream.happened, intervals, at) + _latest(-stream.happened, intervals, at)
    return _spread(np.where(number >= 2, _over(spanned / DAY_US, np.maximum(number - 1, 1)), np.nan), at)


def _of_column(name: str, column: str, stream: Stream, intervals: Intervals, at: Asks) -> Values:
    if name in ("min", "max", "last"):
        return newest(stream, intervals, at, column, by="time" if name == "last" else "value", smallest=name == "min")
    if name == "distinct":
        number, different = codes(stream.column(column))
        found = kernels.distincts(at.queries, *intervals.sides(number), len(different))
        return _spread(found.astype(np.float64), at)
    held = stream.column(column)
    if not isinstance(held, np.ndarray):
        raise BadInput(f"A window takes the {name} of '{column}', which is text. Count its distinct values instead.")
    rows, sums = _totals(intervals, np.round(held * MILLION).astype(np.int64), at)
    return _spread(sums / MILLION if name == "sum" else _over(sums, MILLION * rows), at)


def _totals(intervals: Intervals, brought: Ints, at: Asks) -> tuple[Numbers, Numbers]:
    number, sums = kernels.totals(at.queries, *intervals.sides(brought))
    return number.astype(np.float64), sums.astype(np.float64)


def _over(part: Numbers, whole: Numbers) -> Numbers:
    return np.asarray(np.divide(part, whole, out=np.full(len(part), np.nan), where=whole != 0))


def _share(how: Aggregate, stream: Stream, width: timedelta | None, at: Asks) -> Numbers:
    known = np.ones(len(stream.entity), np.bool_)
    met = np.ones(len(stream.entity), np.bool_)
    for name, allowed in how.conditions:
        known &= stream.table.column(name).is_valid().to_numpy()[stream.row]
        met &= meeting(stream.table, name, allowed)[stream.row]
    number, sums = _totals(in_window(stream.of(known), width), met[known].astype(np.int64), at)
    return _spread(_over(sums, number), at)


def meeting(table: pa.Table, name: str, allowed: tuple[Value, ...]) -> Flags:
    """Where the column has one of the allowed values; false where it is null."""
    column = table.column(name)
    found = pc.is_in(column, value_set=pa.array(list(allowed)).cast(column.type), skip_nulls=True)
    return np.asarray(found.to_numpy(), dtype=np.bool_)


def _ranked(order: Ints) -> Ints:
    rank = np.empty(len(order), np.int64)
    rank[order] = np.arange(len(order))
    return rank


def _latest(of: Ints, intervals: Intervals, at: Asks) -> Numbers:
    """The latest of the instants seen; NaN where none is."""
    order = np.argsort(of, kind="stable")
    best = kernels.highest(at.queries, *intervals.sides(_ranked(order)), len(order))
    out = np.full(len(best), np.nan)
    out[best >= 0] = of[order[best[best >= 0]]]
    return out


def newest(
    stream: Stream, intervals: Intervals, at: Asks, column: str, *, by: str = "time", smallest: bool = False
) -> Values:
    """A column of the row that comes last among those seen: by time (then by what was known later, then by the larger
    value), or by value."""
    number, different = codes(stream.column(column))
    order = np.lexsort((number, stream.known, stream.happened)) if by == "time" else np.argsort(number, kind="stable")
    order = order[::-1] if smallest else order
    best = kernels.highest(at.queries, *intervals.sides(_ranked(order)), len(order))
    chosen = np.full(len(best), -1, np.int64)
    chosen[best >= 0] = number[order[best[best >= 0]]]
    if isinstance(different, np.ndarray):
        return _spread(np.append(different, np.nan)[chosen], at)
    spread = np.full(at.rows, -1, np.int64)
    spread[at.row] = chosen
    return different.take(pa.array(spread, mask=spread < 0))


def any_seen(stream: Stream, intervals: Intervals, at: Asks) -> Numbers:
    """1 where a row is seen, 0 where none is."""
    number, _ = _totals(intervals, np.zeros(len(stream.entity), np.int64), at)
    return _spread((number > 0).astype(np.float64), at)

"""What a stream's readings say, all in one call: for one traveller, calls from outside cost more than the answers."""

from __future__ import annotations

from enum import IntEnum
from typing import Any, Final, NamedTuple

import numpy as np

from features.columns import NEVER, NULL, Flags, Ints, Numbers
from features.compiling import compiled
from features.kernels import aggregates, conditions, presence, sights
from features.kernels.sights import Sight

MILLION: Final = 1_000_000
THOUSAND: Final = 1_000
DAY: Final = 86_400_000_000

KIND, WINDOW, PART, COLUMN, MET, MORE, PLACE = range(7)
FIELDS: Final = 7
"""What a reading is told by: what is made of the rows, in which window, of which of them (`taking_part`), of which
column (`INSTANTS`: when they happened), which of them a share counts or are arrivals, and where its answer goes. `MORE`
says of how many days, or whether a column's numbers have fractions, or that it has no numbers and the row's place is
the answer (`A_ROW`)."""
A_ROW: Final = -1
INSTANTS: Final = -1


class Kind(IntEnum):
    ANY = 0
    COUNT = 1
    DAYS_IN_A_ROW = 2
    DAYS_PRESENT = 3
    DISTINCT = 4
    LAST = 5
    MAX = 6
    MEAN = 7
    MEAN_GAP = 8
    MIN = 9
    SHARE = 10
    SUM = 11
    TIME_SINCE = 12
    TREND = 13


NEAR: Final = 1 << 14
"""Of how many rows and queries it should be that something is worked out at once: that stays near the processor."""


@compiled
def answered(
    near: int,
    readings: Ints,
    parts: Ints,
    widths: Ints,
    stated: Ints,
    plain: Ints,
    ask_start: Ints,
    at: Ints,
    ask_row: Ints,
    today: Ints,
    row_start: Ints,
    happened: Ints,
    known: Ints,
    superseded: Ints,
    columns: Ints,
    out: Numbers,
) -> None:
    """One row of `out` for each of `readings`, and for each of the counts of all rows (`plain`), at the places that
    asked; NaN where nothing can be said, and at places that asked nothing.

    near: see `NEAR`. columns: of the rows, one row each. parts: see `conditions.taking_part`. widths, stated, plain:
    see `sights.seen`. today: the local day of each query, where a reading is of days.
    """
    if len(at) < out.shape[1]:
        out[:] = np.nan
    first, entities = 0, len(row_start) - 1
    while first < entities:
        after = first + 1
        while after < entities and row_start[after] - row_start[first] + ask_start[after] - ask_start[first] < near:
            after += 1
        asked, until = ask_start[first], ask_start[after]
        begin, end = row_start[first], row_start[after]
        some = _Some(
            ask_start[first : after + 1] - asked,
            at[asked:until],
            ask_row[asked:until],
            today[asked:until],
            row_start[first : after + 1] - begin,
            happened[begin:end],
            known[begin:end],
            superseded[begin:end],
            (begin, end),
        )
        _of_some(some, readings, parts, widths, stated, plain, columns, out)
        first = after


class _Some(NamedTuple):
    """Queries and rows of some entities; of all rows, which `stated` and `columns` have, theirs are those from
    `rows[0]` up to `rows[1]`."""

    ask_start: Ints
    at: Ints
    ask_row: Ints
    today: Ints
    row_start: Ints
    happened: Ints
    known: Ints
    superseded: Ints
    rows: tuple[int, int]


@compiled
def _of_some(  # noqa: PLR0912 - one branch for each kind
    some: _Some, readings: Ints, parts: Ints, widths: Ints, stated: Ints, plain: Ints, columns: Ints, out: Numbers
) -> None:
    """See `answered`."""
    ask_start, at, ask_row, today, row_start, happened, known, superseded, rows = some
    seen = sights.seen(ask_start, at, ask_row, row_start, happened, known, superseded, widths, stated, rows, plain, out)
    does, every = conditions.taking_part(parts, columns, rows)
    coded, code = -1, happened[:0]
    for n in range(len(readings)):
        of, to = readings[n], out[readings[n, PLACE]]
        kind, column = of[KIND], happened if of[COLUMN] == INSTANTS else columns[of[COLUMN], rows[0] : rows[1]]
        part = does[of[PART], : 0 if every[of[PART]] else len(happened)]
        sight = sights.sight(seen, len(widths), of[WINDOW])
        if kind == Kind.DISTINCT:
            if of[COLUMN] != coded:
                coded, code = of[COLUMN], aggregates.codes(row_start, column)
            _put(aggregates.distincts(ask_start, row_start, sight, part, code), ask_row, to)
        elif kind == Kind.TREND:
            brought = _brought(column, of[MORE] == 1, THOUSAND)
            _put(aggregates.trends(ask_start, row_start, sight, part, happened, brought), ask_row, to)
        elif kind in (Kind.DAYS_PRESENT, Kind.DAYS_IN_A_ROW):
            present, in_a_row = presence.presence(
                ask_start, today, row_start, sight, part, happened, known, column, does[of[MET]], of[MORE]
            )
            _put(present if kind == Kind.DAYS_PRESENT else in_a_row, ask_row, to)
        elif kind == Kind.LAST:
            _take(
                column,
                aggregates.newest(ask_start, row_start, sight, part, happened, known, column),
                of,
                rows[0],
                ask_row,
                to,
            )
        elif kind == Kind.MAX:
            _take(column, aggregates.largest(ask_start, row_start, sight, part, column), of, rows[0], ask_row, to)
        elif kind == Kind.MIN:
            _take(column, aggregates.largest(ask_start, row_start, sight, part, ~column), of, rows[0], ask_row, to)
        elif kind == Kind.TIME_SINCE:
            newest = aggregates.newest(ask_start, row_start, sight, part, happened, known, happened)
            _since(at, happened, newest, ask_row, to)
        elif kind == Kind.MEAN_GAP:
            newest = aggregates.newest(ask_start, row_start, sight, part, happened, known, happened)
            oldest = aggregates.oldest(ask_start, row_start, sight, part)
            _mean_gap(happened, _number(ask_start, row_start, sight, part), newest, oldest, ask_row, to)
        elif kind in (Kind.ANY, Kind.COUNT):
            number = _number(ask_start, row_start, sight, part)
            _put(np.minimum(number, 1) if kind == Kind.ANY else number, ask_row, to)
        else:
            unit = 1 if kind == Kind.SHARE else MILLION
            brought = does[of[MET]].astype(np.int64) if kind == Kind.SHARE else _brought(column, of[MORE] == 1, MILLION)
            counts, sums = aggregates.totals(ask_start, row_start, sight, part, brought)
            if kind == Kind.SUM:
                _put(sums / MILLION, ask_row, to)
            else:
                _average(counts, sums, unit, ask_row, to)


@compiled
def _number(ask_start: Ints, row_start: Ints, sight: Sight, part: Flags) -> Ints:
    """How many of the rows that take part each query sees."""
    if len(part) == 0:
        return (sight[2] - sight[3]).astype(np.int64)
    return aggregates.totals(ask_start, row_start, sight, part, row_start[:0])[0]


@compiled
def _brought(column: Ints, fractions: bool, unit: int) -> Ints:
    """What rows bring in whole parts of a unit, so that sums are exact whatever the order."""
    brought, cell = np.zeros(len(column), np.int64), np.empty(1, np.int64)
    for k in range(len(column)):
        if column[k] != NULL:
            brought[k] = np.int64(np.rint(_value(column[k], fractions, cell) * unit))
    return brought


@compiled
def _value(of: int, fractions: bool, cell: Ints) -> float:
    """The number behind a cell that is not null (see `features.cells`); `cell` is a place to work in."""
    if not fractions:
        return float(of)
    cell[0] = of ^ NEVER if of < 0 else of
    return cell.view(np.float64)[0]  # type: ignore[no-any-return]


@compiled
def _put(found: Any, row: Ints, to: Numbers) -> None:
    for k in range(len(row)):
        to[row[k]] = found[k]


@compiled
def _take(column: Ints, chosen: Ints, of: Ints, begin: int, row: Ints, to: Numbers) -> None:
    """The value of the row chosen for each query (-1: none), or where the row is."""
    cell = np.empty(1, np.int64)
    for k in range(len(row)):
        place = chosen[k]
        if place < 0:
            to[row[k]] = np.nan
        elif of[MORE] == A_ROW:
            to[row[k]] = begin + place
        else:
            to[row[k]] = np.nan if column[place] == NULL else _value(column[place], of[MORE] == 1, cell)


@compiled
def _since(at: Ints, happened: Ints, newest: Ints, row: Ints, to: Numbers) -> None:
    """Days from the row chosen for each query (-1: none) to the query."""
    for k in range(len(row)):
        to[row[k]] = np.nan if newest[k] < 0 else (at[k] - happened[newest[k]]) / DAY


@compiled
def _mean_gap(happened: Ints, number: Ints, newest: Ints, oldest: Ints, row: Ints, to: Numbers) -> None:
    """Mean days from one row to the next."""
    for k in range(len(row)):
        to[row[k]] = np.nan
        if number[k] >= 2:
            to[row[k]] = (happened[newest[k]] - happened[oldest[k]]) / DAY / (number[k] - 1)


@compiled
def _average(counts: Ints, sums: Ints, unit: int, row: Ints, to: Numbers) -> None:
    """Means of what was summed in parts of a unit; nothing where there is nothing to average."""
    for k in range(len(row)):
        to[row[k]] = np.nan if counts[k] == 0 else sums[k] / (unit * counts[k])

"""From declared histories to kernels: which interval each row is seen in, and what a query makes of the rows it sees.

A version of a row is seen from the moment it has both happened and is known (where a window looks ahead, what is known
before it happens is seen ahead of that), until it leaves the window or a correction replaces it. All that is declared
over the rows of one table per one entity is computed from one `Stream`: rows and queries are grouped once, and how far
each window has come is worked out once.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Final

import numpy as np
import pyarrow as pa

from features.cells import numbers
from features.columns import NEVER, NULL, Flags, Ints, Numbers, Places, Values
from features.declaration import crossings
from features.histories import History
from features.kernels import aggregates, answers, numbering, presence, sights
from features.kernels.sights import Grouped, Sight
from features.localtime import DAY_US, day_cells, midnight_us
from features.readings import Around, PartKey, Reading, When, Where, allowed

MILLION: Final = 1_000_000
THOUSAND: Final = 1_000
_ALL: Final = np.empty(0, np.bool_)
_NOTHING: Final = np.empty(0, np.int64)
_STRAIGHT: Final = np.empty(0, np.int32)


@dataclass(frozen=True)
class Stream:
    """The rows of one table and the queries about them, grouped by entity.

    Of `asked` rows that ask, query q is row `asks.row[q]`, as of `at[q]`; row k is row `rows.row[k]` of the history.
    """

    asks: Grouped
    asked: int
    rows: Grouped
    history: History
    sights: dict[When, Sight] = field(default_factory=dict)
    columns: dict[str, Ints] = field(default_factory=dict)
    codes: dict[str, Ints] = field(default_factory=dict)
    parts: dict[PartKey, Flags] = field(default_factory=dict)

    @property
    def ask_start(self) -> Ints:
        return self.asks.start

    @property
    def at(self) -> Ints:
        return self.asks.at

    @property
    def row_start(self) -> Ints:
        return self.rows.start

    @property
    def happened(self) -> Ints:
        return self.rows.at

    @property
    def known(self) -> Ints:
        return self.rows.then

    @cached_property
    def superseded(self) -> Ints:
        return self._of_rows(self.history.superseded)

    def _of_rows(self, held: Ints) -> Ints:
        return held if self.rows.straight else held[self.rows.row]

    def column(self, name: str) -> Ints:
        held = self.columns.get(name)
        if held is None:
            held = self.columns[name] = self._of_rows(self.history.column(name))
        return held

    def part(self, of: Reading) -> Flags:
        """Which rows take part; empty where all do."""
        if not of.where and not of.there:
            return _ALL
        part = self.parts.get(of.part)
        if part is None:
            part = met(self.column, of.where)
            for name in of.there:
                if answers.gaps(self.column(name)):
                    there = self.column(name) != NULL
                    part = there if part is _ALL else part & there
            self.parts[of.part] = part
        return part

    def spread(self, found: Numbers | Ints | Places) -> Numbers:
        """Answers in the order of the rows that asked; null where there was no entity to ask about."""
        if self.asks.straight:
            return found.astype(np.float64)
        return answers.spread(found, self.asks.row, self.asked)


def met(column: Callable[[str], Ints], where: Where) -> Flags:
    """Which rows have an allowed value in each of the columns named; empty where nothing is named."""
    part = _ALL
    for name, values in where:
        found = answers.among(column(name), values)
        part = found if part is _ALL else part & found
    return part


def grouped(asked: Sequence[Ints], at: Ints, held: Sequence[Ints], kept: Flags, history: History) -> Stream:
    """The stream of an entity that has one cell per part of its name: `asked` by queries at `at`, `held` by rows.

    kept: which rows are in it (empty: all). Rows of entities nobody asks about, or without one, are left out.
    """
    count, ask, row = numbering.numbered(asked[0], held[0])
    for one, other in zip(asked[1:], held[1:], strict=True):
        _, further, beside = numbering.numbered(one, other)
        count, ask, row = numbering.numbered(_paired(ask, further), _paired(row, beside))
    if len(kept):
        row[~kept] = -1
    rows = sights.in_groups(row, count, history.happened, history.known)
    if len(ask) == len(row) and (ask == row).all() and (at == history.happened).all():
        asks = rows  # each row asks about itself, as in training
    elif count == len(ask):
        place = np.arange(count + 1)
        asks = Grouped(True, place, place[:count], at, at)  # each about another, as at a booth
    else:
        asks = sights.in_groups(ask, count, at, at)
    return Stream(asks, len(at), rows, history)


def _paired(number: Places, further: Places) -> Ints:
    return np.where((number < 0) | (further < 0), NULL, number.astype(np.int64) << 32 | further)


@dataclass(frozen=True, eq=False)
class Looks:
    """What some readings need to know of when rows are seen, worked out once.

    `plain` are the counts in which all rows take part, with their place among the `widths`; `swept` the widths of the
    other windows; `stated` all that enters and leaves otherwise.
    """

    readings: tuple[Reading, ...]
    widths: Ints
    plain: Mapping[int, int]
    of_plain: Ints
    swept: Mapping[When, int]
    stated: tuple[When, ...]


def looks(readings: Sequence[Reading]) -> Looks:
    """The looks of some readings of one stream."""
    widths = list(dict.fromkeys(r.when for r in readings if isinstance(r.when, int)))
    plain = {
        k: widths.index(r.when)
        for k, r in enumerate(readings)
        if r.name == "count" and not r.where and not r.there and isinstance(r.when, int)
    }
    swept: dict[When, int] = {
        r.when: widths.index(r.when) for k, r in enumerate(readings) if k not in plain and isinstance(r.when, int)
    }
    stated = tuple(dict.fromkeys(r.when for r in readings if not isinstance(r.when, int)))
    return Looks(
        tuple(readings), np.array(widths, np.int64), plain, np.array(list(plain.values()), np.int64), swept, stated
    )


def read(stream: Stream, of: Looks) -> list[Values]:
    """One array per reading, with one value per row that asked; null where nothing can be said."""
    counted = _look(stream, of)
    return [counted[k] if k in counted else _READ[r.name](stream, r) for k, r in enumerate(of.readings)]


def _look(stream: Stream, of: Looks) -> dict[int, Numbers]:
    """Work out what is seen when, for all windows at once; and the plain counts, which are no more than that."""
    s = stream
    for when in of.stated:
        s.sights[when] = _sight(sights.sight(s.ask_start, s.at, s.row_start, *_stated(s, when)), 0)
    if not len(of.widths):
        return {}
    # Where they need not be brought into order, it is as quick to look whether any was superseded later.
    superseded = s.superseded if s.rows.straight or s.history.corrected else _NOTHING
    found = sights.sights(
        s.ask_start, s.at, s.asks.row, s.row_start, s.happened, s.known, superseded, of.widths, of.of_plain, s.asked
    )
    for when, width in of.swept.items():
        s.sights[when] = _sight(found[:5], width)
    return dict(zip(of.plain, found[5], strict=True))


def _sight(found: tuple[Flags, Places, Places, Places, Places], width: int) -> Sight:
    straight, entering, entered, leaving, left = found
    first = _STRAIGHT if straight[0] else entering
    return first, _STRAIGHT if straight[width + 1] else leaving[width], entered, left[width]


def _stated(s: Stream, when: When) -> tuple[Ints, Ints]:
    """When rows enter and leave."""
    if isinstance(when, Around):
        return _around(s, when)
    return _on_days(s, *when) if isinstance(when, tuple) else (s.known, s.superseded)


def _around(s: Stream, when: Around) -> tuple[Ints, Ints]:
    """What is announced is seen once it is known and near enough; what is known only as it happens, after that, so that
    what is asked about at that very instant does not see itself."""
    near = NULL if when.ahead == NEVER else s.happened + 1 - when.ahead
    past = NEVER if when.back == NEVER else s.happened + 1 + when.back
    enter = np.maximum(np.where(s.known < s.happened, near, s.happened + 1), s.known)
    return enter, np.minimum(past, s.superseded)


def _on_days(stream: Stream, since: str, until: str) -> tuple[Ints, Ints]:
    """Seen while known and the local day lies in [since, until]; without `until`, without end."""
    first, last = stream.column(since), stream.column(until)
    begun, ended = np.full(len(first), NEVER), np.full(len(last), NEVER)
    begun[first != NULL] = midnight_us(first[first != NULL])
    ended[last != NULL] = midnight_us(last[last != NULL] + 1)
    return np.maximum(begun, stream.known), np.minimum(ended, stream.superseded)


def _count(s: Stream, r: Reading) -> Numbers:
    return s.spread(_number(s, r))


def _number(s: Stream, r: Reading) -> Ints | Places:
    part, sight = s.part(r), s.sights[r.when]
    if not len(part):
        _, _, entered, left = sight
        return entered - left
    return aggregates.totals(s.ask_start, s.row_start, sight, part, _NOTHING)[0]


def _any(s: Stream, r: Reading) -> Numbers:
    return s.spread((_number(s, r) > 0).astype(np.int64))


def _of_numbers(s: Stream, r: Reading, unit: int) -> Ints:
    """What rows bring in whole parts of a unit, so that sums are exact whatever the order."""
    assert r.column is not None  # noqa: S101 - aggregates of a number name its column
    held = numbers(s.column(r.column), fractions=r.fractions)
    return np.round(np.where(np.isnan(held), 0.0, held) * unit).astype(np.int64)


def _sum(s: Stream, r: Reading) -> Numbers:
    brought = _of_numbers(s, r, MILLION)
    _, sums = aggregates.totals(s.ask_start, s.row_start, s.sights[r.when], s.part(r), brought)
    return s.spread(sums / MILLION)


def _mean(s: Stream, r: Reading) -> Numbers:
    brought = _of_numbers(s, r, MILLION)
    counts, sums = aggregates.totals(s.ask_start, s.row_start, s.sights[r.when], s.part(r), brought)
    return answers.averaged(counts, sums, MILLION, s.asks.row, s.asked)


def _share(s: Stream, r: Reading) -> Numbers:
    brought = met(s.column, r.met).astype(np.int64)
    counts, sums = aggregates.totals(s.ask_start, s.row_start, s.sights[r.when], s.part(r), brought)
    return answers.averaged(counts, sums, 1, s.asks.row, s.asked)


def _distinct(s: Stream, r: Reading) -> Numbers:
    assert r.column is not None  # noqa: S101 - what is distinct is a column
    if r.column not in s.codes:
        s.codes[r.column] = aggregates.codes(s.row_start, s.column(r.column))
    found = aggregates.distincts(s.ask_start, s.row_start, s.sights[r.when], s.part(r), s.codes[r.column])
    return s.spread(found)


def _newest(s: Stream, r: Reading) -> Ints:
    column = s.happened if r.column is None else s.column(r.column)
    return aggregates.newest(s.ask_start, s.row_start, s.sights[r.when], s.part(r), s.happened, s.known, column)


def _oldest(s: Stream, r: Reading) -> Ints:
    return aggregates.oldest(s.ask_start, s.row_start, s.sights[r.when], s.part(r))


def _time_since(s: Stream, r: Reading) -> Numbers:
    return answers.since(s.at, s.happened, _newest(s, r), s.asks.row, s.asked)


def _at(column: Ints, rows: Ints) -> Ints:
    """Cells at some rows; NULL where the row is -1."""
    return np.append(column, NULL)[rows]


def _mean_gap(s: Stream, r: Reading) -> Numbers:
    number = _number(s, r)
    days = (_at(s.happened, _newest(s, r)) - _at(s.happened, _oldest(s, r))) / DAY_US
    return s.spread(np.where(number >= 2, days / np.maximum(number - 1, 1), np.nan))


def _last(s: Stream, r: Reading) -> Values:
    return _values(s, r, _newest(s, r))


def _largest(s: Stream, r: Reading) -> Values:
    assert r.column is not None  # noqa: S101 - what is largest is a column
    found = aggregates.largest(s.ask_start, s.row_start, s.sights[r.when], s.part(r), s.column(r.column))
    return _values(s, r, found)


def _smallest(s: Stream, r: Reading) -> Values:
    assert r.column is not None  # noqa: S101 - what is smallest is a column
    turned = ~s.column(r.column)
    return _values(s, r, aggregates.largest(s.ask_start, s.row_start, s.sights[r.when], s.part(r), turned))


def _values(s: Stream, r: Reading, rows: Ints) -> Values:
    """A column at the rows chosen for each query (-1: none)."""
    assert r.column is not None  # noqa: S101 - a value is one of a column
    if not r.text:
        return s.spread(numbers(_at(s.column(r.column), rows), fractions=r.fractions))
    words = s.history.texts(r.column, s.rows.row[rows[rows >= 0]])
    place = np.full(s.asked, -1, np.int64)
    place[s.asks.row[rows >= 0]] = np.arange(len(words))
    return words.take(pa.array(place, mask=place < 0))


def _trend(s: Stream, r: Reading) -> Numbers:
    brought = _of_numbers(s, r, THOUSAND)
    return s.spread(aggregates.trends(s.ask_start, s.row_start, s.sights[r.when], s.part(r), s.happened, brought))


_ARRIVING: Final = allowed(crossings, (("direction", ("entry",)),))


def _presence(s: Stream, r: Reading) -> tuple[Ints, Ints]:
    arriving = met(s.column, _ARRIVING)
    days = (day_cells(s.at), s.column("local_day"))
    return presence.presence(
        s.ask_start, days[0], s.row_start, s.sights[r.when], s.part(r), s.happened, s.known, days[1], arriving, r.days
    )


def _days_present(s: Stream, r: Reading) -> Numbers:
    return s.spread(_presence(s, r)[0])


def _days_in_a_row(s: Stream, r: Reading) -> Numbers:
    return s.spread(_presence(s, r)[1])


_READ: Final[Mapping[str, Callable[[Stream, Reading], Values]]] = {
    "any": _any,
    "count": _count,
    "days_in_a_row": _days_in_a_row,
    "days_present": _days_present,
    "distinct": _distinct,
    "last": _last,
    "max": _largest,
    "mean": _mean,
    "mean_gap": _mean_gap,
    "min": _smallest,
    "share": _share,
    "sum": _sum,
    "time_since": _time_since,
    "trend": _trend,
}

"""From declared histories to kernels: which interval each row is seen in, and what a query makes of the rows it sees.

A version of a row is seen from the moment it has both happened and is known (where a window looks ahead, what is known
before it happens is seen ahead of that), until it leaves the window or a correction replaces it. All that is declared
over the rows of one table per one entity is computed from one `Stream`: rows and queries are grouped once, and one call
answers all of it (`features.kernels.answers`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Final, NamedTuple

import numpy as np
import pyarrow as pa

from features.columns import NEVER, NULL, Flags, Ints, Numbers, Places, Values
from features.declaration import crossings
from features.histories import History
from features.kernels import answers, conditions, grouping, numbering
from features.kernels.answers import A_ROW, INSTANTS, Kind
from features.kernels.grouping import Grouped
from features.localtime import day_cells, midnight_us
from features.readings import Around, Reading, When, Where, allowed

_ALL: Final = np.empty(0, np.bool_)
_NOTHING: Final = np.empty(0, np.int64)
_NOWHERE: Final = np.empty((0, 0), np.int64)


class Stream(NamedTuple):
    """The rows of one table and the queries about them, grouped by entity.

    Of `asked` rows that ask, query q is row `asks.row[q]`, as of `asks.at[q]`; row k is row `rows.row[k]` of the
    history.
    """

    asks: Grouped
    asked: int
    rows: Grouped
    history: History

    @property
    def superseded(self) -> Ints:
        held, rows = self.history, self.rows
        if rows.straight:
            return held.superseded
        return held.superseded.take(rows.row) if held.corrected else np.full(len(rows.row), NEVER)

    def columns(self, names: Sequence[str]) -> Ints:
        """One row for each of the columns named."""
        found = np.empty((len(names), len(self.rows.at)), np.int64)
        for place, name in zip(found, names, strict=True):
            if self.rows.straight:
                place[:] = self.history.column(name)
            else:
                self.history.column(name).take(self.rows.row, out=place, mode="clip")
        return found


def met(column: Callable[[str], Ints], where: Where) -> Flags:
    """Which rows have an allowed value in each of the columns named; empty where nothing is named."""
    part = _ALL
    for name, values in where:
        cells = column(name)
        part = part if len(part) else np.ones(len(cells), np.bool_)
        conditions.restrict(part, cells, values)
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
    rows = grouping.in_groups(row, count, history.happened, history.known)
    if len(ask) == len(row) and (ask == row).all() and (at == history.happened).all():
        asks = rows  # each row asks about itself, as in training
    elif count == len(ask):
        place = np.arange(count + 1)
        asks = Grouped(True, place, place[:count], at, at)  # each about another, as at a booth
    else:
        asks = grouping.in_groups(ask, count, at, at)
    return Stream(asks, len(at), rows, history)


def _paired(number: Places, further: Places) -> Ints:
    return np.where((number < 0) | (further < 0), NULL, number.astype(np.int64) << 32 | further)


@dataclass(frozen=True, eq=False)
class Looks:
    """What some readings look at, as `features.kernels.answers` is told of it.

    `columns` are those read of the rows; `stated` the windows whose rows state when they enter and leave.
    """

    readings: tuple[Reading, ...]
    columns: tuple[str, ...]
    stated: tuple[When, ...]
    told: Ints
    parts: Ints
    widths: Ints
    plain: Ints


_ARRIVING: Final = allowed(crossings, (("direction", ("entry",)),))
_OF_DAYS: Final = ("days_in_a_row", "days_present")


def looks(readings: Sequence[Reading]) -> Looks:
    """The looks of some readings of one stream."""
    telling = _Telling()
    widths = list(dict.fromkeys(r.when for r in readings if isinstance(r.when, int)))
    stated = list(dict.fromkeys(r.when for r in readings if not isinstance(r.when, int)))
    windows = [*widths, *stated]
    plain, told = [], []
    for place, r in enumerate(readings):
        window = windows.index(r.when)
        if r.name == "count" and not r.where and not r.there and window < len(widths):
            plain.append((window, place))
        else:
            told.append(telling.of(r, window, place))
    for when in stated:
        for name in when if isinstance(when, tuple) else ():
            telling.column(name)
    told.sort(key=lambda of: (of[answers.KIND], of[answers.COLUMN]))  # what is distinct is numbered once a column
    return Looks(
        tuple(readings),
        tuple(telling.columns),
        tuple(stated),
        np.array(told, np.int64).reshape(-1, answers.FIELDS),
        _laid_out(list(telling.parts)),
        np.array(widths, np.int64),
        np.array(plain, np.int64).reshape(-1, 2),
    )


@dataclass
class _Telling:
    """Columns and parts, numbered as they are met."""

    columns: list[str] = field(default_factory=list)
    parts: dict[tuple[int, ...], int] = field(default_factory=dict)

    def of(self, r: Reading, window: int, place: int) -> tuple[int, ...]:
        """The reading as told: see `answers.KIND` and what follows it."""
        column, met, more = r.column, r.met, int(r.fractions)
        if r.name in _OF_DAYS:
            column, met, more = "local_day", _ARRIVING, r.days
        if r.text:
            more = A_ROW
        part, counted = self.part(r.where, r.there), self.part(met)
        return Kind[r.name.upper()], window, part, self.column(column) if column else INSTANTS, counted, more, place

    def column(self, name: str) -> int:
        if name not in self.columns:
            self.columns.append(name)
        return self.columns.index(name)

    def part(self, where: Where, there: Iterable[str] = ()) -> int:
        said = [cell for name, values in where for cell in (self.column(name), len(values), *values.tolist())]
        said += [cell for name in there for cell in (self.column(name), 0)]
        return self.parts.setdefault(tuple(said), len(self.parts))


def _laid_out(said: Sequence[tuple[int, ...]]) -> Ints:
    """Parts one after the other, behind where each begins and the last ends."""
    begins = np.cumsum([len(said) + 1, *map(len, said)])
    return np.concatenate([begins, *(np.array(part, np.int64) for part in said)])


def read(s: Stream, of: Looks) -> list[Values]:
    """One array per reading, with one value per row that asked; null where nothing can be said."""
    asks, rows, columns, superseded = s.asks, s.rows, s.columns(of.columns), s.superseded
    out = np.empty((len(of.readings), s.asked))
    answers.answered(
        answers.NEAR,
        of.told,
        of.parts,
        of.widths,
        _stated(rows, superseded, columns, of) if of.stated else _NOWHERE,
        of.plain,
        asks.start,
        asks.at,
        asks.row,
        day_cells(asks.at) if "local_day" in of.columns else _NOTHING,
        rows.start,
        rows.at,
        rows.then,
        superseded,
        columns,
        out,
    )
    return [_texts(s, r, found) if r.text else found for r, found in zip(of.readings, out, strict=True)]


def _texts(s: Stream, r: Reading, found: Numbers) -> pa.Array:
    """The words of the rows found."""
    assert r.column is not None  # noqa: S101 - a value is one of a column
    there = np.flatnonzero(~np.isnan(found))
    words = s.history.texts(r.column, s.rows.row[found[there].astype(np.int64)])
    place = np.full(s.asked, -1, np.int64)
    place[there] = np.arange(len(words))
    return words.take(pa.array(place, mask=place < 0))


def _stated(rows: Grouped, superseded: Ints, columns: Ints, of: Looks) -> Ints:
    """When rows enter and leave, one row each, of the windows in which they state it."""
    known = rows.then
    found: list[Ints] = []
    for when in of.stated:
        if isinstance(when, Around):
            found += _around(rows.at, known, superseded, when)
        elif isinstance(when, tuple):
            since, until = (columns[of.columns.index(name)] for name in when)
            found += [np.maximum(_midnights(since), known), np.minimum(_midnights(until, 1), superseded)]
        else:
            found += [known, superseded]
    return np.stack(found)


def _around(happened: Ints, known: Ints, superseded: Ints, when: Around) -> tuple[Ints, Ints]:
    """What is announced is seen once it is known and near enough; what is known only as it happens, after that, so that
    what is asked about at that very instant does not see itself."""
    near = NULL if when.ahead == NEVER else happened + 1 - when.ahead
    past = NEVER if when.back == NEVER else happened + 1 + when.back
    enter = np.maximum(np.where(known < happened, near, happened + 1), known)
    return enter, np.minimum(past, superseded)


def _midnights(days: Ints, later: int = 0) -> Ints:
    """The instants at which local days, or days that much later, begin; NEVER for null."""
    found, there = np.full(len(days), NEVER), days != NULL
    found[there] = midnight_us(days[there] + later)
    return found

"""What features need of a lake, and what they make of it: versions of rows as columns of cells."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Final, Protocol, TypeAlias

import numpy as np
import pyarrow as pa

from features.cells import cells
from features.columns import NEVER, NULL, Ints, instants
from features.localtime import day_cells, hour_cells

TIMES: Final = ("happened_at", "known_at", "superseded_at")
Texts: TypeAlias = Callable[[str, Ints], pa.Array]


class Histories(Protocol):
    """Every version of every row, with the moment it was superseded (`superseded_at`, null while current), of some
    person buckets or of all."""

    @property
    def buckets(self) -> int: ...

    def size(self, table: str) -> int:
        """About how many rows a table has."""
        ...

    def history(
        self, table: str, columns: Sequence[str] | None = None, *, buckets: Sequence[int] | None = None
    ) -> pa.Table: ...


@dataclass(frozen=True)
class History:
    """Versions of rows of one table, in no promised order. `texts` gives the words of a text column at some rows."""

    happened: Ints
    known: Ints
    superseded: Ints
    columns: Mapping[str, Ints]
    texts: Texts

    def __len__(self) -> int:
        return len(self.happened)

    @cached_property
    def corrected(self) -> bool:
        """Whether any version was ever superseded."""
        return bool(self.superseded.min(initial=NEVER) != NEVER)

    def column(self, name: str) -> Ints:
        """Cells of a column, declared or computed from when the row happened."""
        return COMPUTED_CELLS[name](self) if name in COMPUTED_CELLS else self.columns[name]

    def take(self, rows: Ints) -> History:
        return History(
            self.happened.take(rows),
            self.known.take(rows),
            self.superseded.take(rows) if self.corrected else np.full(len(rows), NEVER),
            {name: column.take(rows) for name, column in self.columns.items()},
            lambda name, chosen: self.texts(name, rows[chosen]),
        )


COMPUTED_CELLS: Final[Mapping[str, Callable[[History], Ints]]] = {
    "happened_at": lambda rows: rows.happened,
    "known_at": lambda rows: rows.known,
    "local_hour": lambda rows: hour_cells(rows.happened),
    "local_day": lambda rows: day_cells(rows.happened),
}


def of_arrow(rows: pa.Table) -> History:
    """The history in a table with happened_at, known_at and superseded_at."""
    happened, known, superseded = (instants(rows.column(name)) for name in TIMES)
    names = [name for name in rows.column_names if name not in TIMES]

    def texts(name: str, chosen: Ints) -> pa.Array:
        found = rows.column(name).take(pa.array(chosen))
        return found.cast(pa.string()).combine_chunks() if isinstance(found, pa.ChunkedArray) else found

    return History(happened, known, superseded, {name: cells(rows.column(name)) for name in names}, texts)


def joined(one: History, other: History) -> History:
    """The rows of both, which have the same columns."""
    if not len(other):
        return one
    size = len(one)

    def texts(name: str, chosen: Ints) -> pa.Array:
        first = chosen < size
        order = np.empty(len(chosen), np.int64)
        order[np.concatenate([np.flatnonzero(first), np.flatnonzero(~first)])] = np.arange(len(chosen))
        parts = [one.texts(name, chosen[first]), other.texts(name, chosen[~first] - size)]
        return pa.concat_arrays(parts).take(pa.array(order))

    return History(
        np.concatenate([one.happened, other.happened]),
        np.concatenate([one.known, other.known]),
        np.concatenate([one.superseded, other.superseded]),
        {name: np.concatenate([column, other.columns[name]]) for name, column in one.columns.items()},
        texts,
    )


def matched(asked: Ints, held: Ints) -> tuple[Ints, Ints]:
    """Each place of `asked` with each place of `held` that has the same cell, in order of the former; nulls match
    nothing."""
    by_value = np.argsort(held, kind="stable")
    ordered = held[by_value]
    first, after = np.searchsorted(ordered, asked), np.searchsorted(ordered, asked, side="right")
    times = np.where(asked == NULL, 0, after - first)
    within = np.arange(times.sum()) - np.repeat(np.cumsum(times) - times, times)
    return np.repeat(np.arange(len(asked)), times), by_value[np.repeat(first, times) + within]


def paired(rows: History, others: History, on: str) -> History:
    """Each version of a row with each version of its neighbour, for as long as both were known.

    Columns that both have are those of `rows`.
    """
    left, right = matched(rows.column(on), others.column(on))
    known = np.maximum(rows.known[left], others.known[right])
    gone = np.minimum(rows.superseded[left], others.superseded[right])
    both = known < gone
    left, right = left[both], right[both]
    own, theirs = rows.take(left), others.take(right)
    return History(
        own.happened,
        known[both],
        gone[both],
        {**theirs.columns, **own.columns},
        lambda name, chosen: (own if name in rows.columns else theirs).texts(name, chosen),
    )


def none_of(columns: Sequence[str]) -> History:
    """A history without rows."""
    empty = np.empty(0, np.int64)
    return History(
        empty, empty, empty, dict.fromkeys(columns, empty), lambda name, chosen: pa.nulls(len(chosen), pa.string())
    )

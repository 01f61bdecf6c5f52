"""What is usual among similar subjects, frozen with a model when it is trained.

A value says little by itself: twelve entries in 90 days are many for one who flies in winter and few for a commuter by
land. So every observed value is compared with those of similar subjects: crossings of the same mode and season,
permits of the same category. A cell of too few subjects gives way to a wider one (the same mode in any season, then
all), and where even that is too small nothing is compared.

What is kept are rounded quantiles of numbers and shares of truth values and words, each backed by several subjects:
some hundred kilobytes for a model, and nobody's record.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from functools import cached_property
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from features.declaration import SubjectKind
from models.risk.encoding import is_text
from models.risk.expressions import numbers

LEAST: Final = 200  # subjects in a cell, and with a known value, for a comparison
BEYOND: Final = 5  # subjects beyond a quantile that is kept, and of a word that is named
LEVELS: Final = (0.01, 0.02, *(n / 20 for n in range(1, 20)), 0.98, 0.99)
ROWS: Final = 20_000  # subjects a reference is made from, at most
BY: Final[Mapping[SubjectKind, tuple[str, ...]]] = {"crossing": ("mode", "season"), "permit": ("category",)}
SEASONS: Final = ("winter", "spring", "summer", "autumn")
_DIGITS: Final = 4  # of a quantile: whole numbers below 10,000 stay what they are, and nobody's exact value is kept


@dataclass(frozen=True)
class Place:
    """Where a value stands among known values of similar subjects.

    Of a number, at least the share `lower` has a lower value and at least `higher` a higher one; of a truth value or a
    word, `same` has the same, 0 where hardly anyone has.
    """

    lower: float | None = None
    higher: float | None = None
    same: float | None = None


NOWHERE: Final = Place()


@dataclass(frozen=True)
class Cell:
    """`rows` subjects alike in `key`: `quantiles` at LEVELS (None where few lie beyond), `shares` of other values."""

    key: tuple[str, ...]
    rows: int
    quantiles: Mapping[str, tuple[float | None, ...]]
    shares: Mapping[str, Mapping[str, float]]

    def place(self, name: str, value: Any) -> Place | None:
        """Where `value` of feature `name` stands; None where it is missing or nothing is known of it here."""
        if value is None:
            return None
        if name in self.shares:
            return Place(same=self.shares[name].get(str(value), 0.0))
        if name not in self._kept:
            return None
        levels, at = self._kept[name]
        below, up_to = bisect_left(at, value), bisect_right(at, value)
        lower = levels[below - 1] if below else 0.0
        return Place(lower, round(1 - levels[up_to], 2) if up_to < len(at) else 0.0)

    @cached_property
    def _kept(self) -> Mapping[str, tuple[tuple[float, ...], tuple[float, ...]]]:
        """Levels and quantiles of each number."""
        pairs = {
            name: [(level, q) for level, q in zip(LEVELS, at, strict=True) if q is not None]
            for name, at in self.quantiles.items()
        }
        return {name: (tuple(p[0] for p in each), tuple(p[1] for p in each)) for name, each in pairs.items()}


@dataclass(frozen=True)
class Peers:
    """The cells of similar subjects; a key that is shorter than `by` is wider, and () is everyone."""

    by: tuple[str, ...]
    cells: Mapping[tuple[str, ...], Cell] = field(default_factory=dict)

    def of(self, rows: pa.Table) -> list[Cell | None]:
        """The narrowest cell of each row of `rows` (as_of and the columns of `by` but the season)."""
        found = []
        for key in _keys(rows, self.by):
            widths = range(len(self.by), -1, -1)
            found.append(next((self.cells[key[:w]] for w in widths if key[:w] in self.cells), None))
        return found

    def as_json(self) -> dict[str, Any]:
        return {"by": list(self.by), "levels": list(LEVELS), "cells": [asdict(cell) for cell in self.cells.values()]}

    @classmethod
    def from_json(cls, written: Mapping[str, Any]) -> Peers:
        cells = (
            Cell(tuple(c["key"]), c["rows"], {n: tuple(q) for n, q in c["quantiles"].items()}, c["shares"])
            for c in written["cells"]
        )
        return cls(tuple(written["by"]), {cell.key: cell for cell in cells})


def peers(kind: SubjectKind, values: pa.Table, names: Sequence[str]) -> Peers:
    """The reference of features `names`, from a sample of all subjects that are scored, checked or not.

    `values` has as_of, a column per feature, and what subjects of this kind are told apart by (mode, or category).
    """
    by = BY[kind]
    alike: dict[tuple[str, ...], list[int]] = {}
    for row, key in enumerate(_keys(values, by)):
        for width in range(len(by) + 1):
            alike.setdefault(key[:width], []).append(row)
    wide_first = sorted(alike.items(), key=lambda each: (len(each[0]), each[0]))
    cells = {key: _cell(key, values.take(rows), names) for key, rows in wide_first if len(rows) >= LEAST}
    return Peers(by, cells)


def season(moment: datetime) -> str:
    """The season of a moment, by whole months."""
    return SEASONS[moment.astimezone(UTC).month % 12 // 3]


def _keys(rows: pa.Table, by: tuple[str, ...]) -> list[tuple[str, ...]]:
    columns = [
        [season(moment) for moment in rows["as_of"].to_pylist()]
        if name == "season"
        else ["" if value is None else str(value) for value in rows[name].to_pylist()]
        for name in by
    ]
    return list(zip(*columns, strict=True))


def _cell(key: tuple[str, ...], rows: pa.Table, names: Sequence[str]) -> Cell:
    quantiles, shares = {}, {}
    for name in names:
        column = rows.column(name)
        if is_text(column.type) or pa.types.is_boolean(column.type):
            known = column.drop_null()
            if len(known) >= LEAST:
                counted = {str(c["values"]): c["counts"] for c in pc.value_counts(known).to_pylist()}
                shares[name] = {v: round(n / len(known), 3) for v, n in sorted(counted.items()) if n >= BEYOND}
        else:
            found = numbers(column)
            found = found[~np.isnan(found)]
            if len(found) >= LEAST:
                at = np.quantile(found, LEVELS, method="inverted_cdf")
                quantiles[name] = tuple(
                    float(f"{q:.{_DIGITS}g}") if len(found) * min(level, 1 - level) >= BEYOND else None
                    for level, q in zip(LEVELS, at, strict=True)
                )
    return Cell(key, rows.num_rows, quantiles, shares)

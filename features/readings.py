"""What a declaration makes of a stream of rows: which it looks at, for how long, and what it takes from them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Final, TypeAlias

import numpy as np

from features.cells import cell
from features.columns import NEVER, Ints
from features.declaration import EVER, Conditions, InForce, Lookup, Rows, Window
from features.lineage import column_type
from records.schema import Type

_CHOSEN: Final = ("last", "min", "max")
"""Aggregates whose value is that of one row, and so may be a text."""


@dataclass(frozen=True)
class Around:
    """So far back from a moment, and so far ahead of it, in microseconds (NEVER: without end)."""

    back: int
    ahead: int


When: TypeAlias = "int | Around | tuple[str, str] | None"
"""A width in microseconds (NEVER: ever); one that looks ahead too; the columns of a statement's first and last day;
None for as long as known."""
Where: TypeAlias = tuple[tuple[str, Ints], ...]


@dataclass(frozen=True, eq=False)
class Reading:
    """What one declaration makes of a stream, ready to be swept.

    `where` are the conditions a row must meet, `there` the columns it must have, `met` those of a share.
    """

    name: str
    when: When
    where: Where
    there: tuple[str, ...]
    column: str | None = None
    text: bool = False
    fractions: bool = False
    met: Where = ()
    days: int = 0

    @property
    def back(self) -> int:
        """How far before a query it looks, in microseconds (NEVER: without beginning)."""
        if isinstance(self.when, Around):
            return self.when.back
        return self.when if isinstance(self.when, int) else NEVER


def reading(of: Window | Lookup | InForce, common: Conditions) -> Reading:
    """The reading of a declaration over a stream whose rows all meet the conditions `common`."""
    conditions = tuple(c for c in of.of.conditions if c not in common)
    where = allowed(of.of, conditions)
    if isinstance(of, InForce):
        return Reading("any", (of.since, of.until), where, ())
    if isinstance(of, Lookup):
        return Reading("last", None, where, (), of.column, *_kind(of.of, of.column))
    how = of.aggregate
    back = _microseconds(of.last)
    when = Around(back, _microseconds(of.ahead)) if of.looks_ahead else back
    there = tuple(name for name, _ in how.conditions) or ((how.column,) if how.column else ())
    text, fractions = _kind(of.of, how.column)
    shared = allowed(of.of, how.conditions)
    return Reading(
        how.name,
        when,
        where,
        there,
        how.column,
        text and how.name in _CHOSEN,
        fractions,
        shared,
        how.days,
    )


def _microseconds(width: timedelta | None) -> int:
    return NEVER if width is EVER else width // timedelta(microseconds=1)


def _kind(rows: Rows, column: str | None) -> tuple[bool, bool]:
    """Whether a column holds texts, and whether numbers with fractions."""
    kind = column_type(rows, column) if column else Type.INTEGER
    return kind is Type.STRING, kind is Type.NUMBER


def allowed(rows: Rows, conditions: Conditions) -> Where:
    """Conditions with their values as cells."""
    return tuple(
        (name, np.array([cell(v, number=column_type(rows, name) is Type.NUMBER) for v in values], np.int64))
        for name, values in conditions
    )

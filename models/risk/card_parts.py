"""What cards are made of: fields of lines and tables, whose words are said in the reader's language."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date

from evidence.intervals import Interval


@dataclass(frozen=True)
class Word:
    """A name that each language says in its own way: `kind` band, metric, place, feature, group …"""

    kind: str
    name: str


@dataclass(frozen=True)
class Line:
    """The sentence `card.KEY`, filled with `values`."""

    key: str
    values: Mapping[str, Value] = field(default_factory=dict)


Value = str | int | float | date | Interval | Word | tuple[Line, ...] | None
"""Lines in a cell are said one after the other, with a plus between them."""
Rows = tuple[tuple[Value, ...], ...]


@dataclass(frozen=True)
class Field:
    """One heading of the card, `card.KEY`. `head` are the keys of the columns of `rows`, `card.head.KEY`; `about` fills
    the heading in where it has places."""

    key: str
    lines: tuple[Line, ...] = ()
    head: tuple[str, ...] = ()
    rows: Rows = ()
    about: Mapping[str, Value] = field(default_factory=dict)

    @property
    def empty(self) -> bool:
        return not (self.lines or self.rows) or any(v is None for line in self.lines for v in line.values.values())

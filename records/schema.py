"""The words a table is declared in.

A table is declared once, in one file of `records/tables`. Everything that needs to know a table reads that declaration:
the door that validates a supply, the lake, the vault, the data dictionary, the sample world and the tests.

Three places a column can live in (`Place`):

* ``lake``: kept in the lake, readable by every room above;
* ``vault``: an identity attribute; kept encrypted in the identity vault, never in the lake;
* ``door``: only needed on the way in (a direct identifier that becomes a keyed pseudonym); kept nowhere.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

import pyarrow as pa


class Tier(StrEnum):
    """Who may read a column, and for what. Derived things inherit the highest tier of what they read."""

    FREE = "free"
    RESTRICTED = "restricted"  # a gate: decides which rule applies, or protects; never points, never a model
    PROHIBITED = "prohibited"  # who someone is: joined only to audit outcomes

    @property
    def rank(self) -> int:
        return list(Tier).index(self)


class Place(StrEnum):
    LAKE = "lake"
    VAULT = "vault"
    DOOR = "door"


class Personal(StrEnum):
    """Class of personal data, as the register of processing activities names it."""

    NONE = "none"
    PSEUDONYM = "pseudonym"
    BEHAVIOUR = "behaviour"
    IDENTITY = "identity"


class Type(StrEnum):
    STRING = "string"
    INTEGER = "integer"
    NUMBER = "number"
    BOOLEAN = "boolean"
    INSTANT = "instant"
    DAY = "day"

    @property
    def arrow(self) -> pa.DataType:
        return _ARROW[self]


_ARROW: Mapping[Type, pa.DataType] = {
    Type.STRING: pa.string(),
    Type.INTEGER: pa.int64(),
    Type.NUMBER: pa.float64(),
    Type.BOOLEAN: pa.bool_(),
    Type.INSTANT: pa.timestamp("us", tz="UTC"),
    Type.DAY: pa.date32(),
}


@dataclass(frozen=True)
class Pseudonym:
    """A column made at the door from direct identifiers: a keyed hash of `domain` and the first complete alternative.

    `alternatives` are tuples of column names; the first whose values are all present is used. A row where none is
    complete gets null.
    """

    domain: str
    alternatives: tuple[tuple[str, ...], ...]


@dataclass(frozen=True)
class Gate:
    """A column computed inside the vault at the door; `article` is the legal basis that lets it be computed."""

    name: str
    article: str


@dataclass(frozen=True)
class Column:
    """One declared column. `values` closes the list; `minimum`/`maximum` bound numbers and include their ends."""

    name: str
    type: Type
    meaning: str
    unit: str | None = None
    required: bool = False
    values: tuple[str, ...] | None = None
    minimum: float | None = None
    maximum: float | None = None
    tier: Tier = Tier.FREE
    personal: Personal = Personal.NONE
    place: Place = Place.LAKE
    pseudonym: Pseudonym | None = None
    gate: Gate | None = None

    @property
    def made(self) -> bool:
        """Made at the door, so never expected in a supply."""
        return self.pseudonym is not None or self.gate is not None


@dataclass(frozen=True)
class Table:
    """One declared table.

    `key` identifies what a row states; the same key with other content is a correction. `subject` names the column
    whose pseudonym decides the person bucket (None: reference data, one bucket). Every table has the columns
    `happened_at` and `known_at`. `retention_days` is None for reference data that is kept. `engine_made` is what the
    engine wrote itself: never an input, so that nothing computed depends on it.
    """

    name: str
    meaning: str
    key: tuple[str, ...]
    columns: tuple[Column, ...]
    subject: str | None = None
    retention_days: int | None = None
    engine_made: bool = False

    def __post_init__(self) -> None:
        names = [c.name for c in self.columns]
        doubles = sorted({n for n in names if names.count(n) > 1})
        if doubles:
            raise ValueError(f"Table '{self.name}' declares {', '.join(doubles)} twice. Keep one declaration of each.")
        missing = [k for k in (*self.key, *([self.subject] if self.subject else [])) if k not in names]
        if missing:
            raise ValueError(
                f"Table '{self.name}' uses {', '.join(missing)} as key or subject but declares no such column."
            )
        held = [c.name for c in self.columns if c.name in NEVER_HELD]
        if held:
            raise ValueError(
                f"Table '{self.name}' declares {', '.join(held)}. Ethnicity, religion, opinions, health and biometrics "
                "are not held at all. Remove the column."
            )
        leaking = [
            c.name
            for c in self.columns
            if c.place is Place.LAKE and (c.tier is Tier.PROHIBITED or c.personal is Personal.IDENTITY)
        ]
        if leaking:
            raise ValueError(
                f"Table '{self.name}' would put {', '.join(leaking)} in the lake. Prohibited and identity columns "
                "live in the vault (place=Place.VAULT) or end at the door (place=Place.DOOR)."
            )

    def column(self, name: str) -> Column:
        """The declared column `name`; KeyError with the columns there are otherwise."""
        for column in self.columns:
            if column.name == name:
                return column
        raise KeyError(
            f"Table '{self.name}' has no column '{name}'. Columns: {', '.join(c.name for c in self.columns)}."
        )

    @property
    def lake_columns(self) -> tuple[Column, ...]:
        return tuple(c for c in self.columns if c.place is Place.LAKE)

    @property
    def supplied_columns(self) -> tuple[Column, ...]:
        """What a supply may bring: every column that is not made at the door."""
        return tuple(c for c in self.columns if not c.made)

    @property
    def lake_schema(self) -> pa.Schema:
        """Arrow schema of the table in the lake, without the lake's own bookkeeping columns."""
        return pa.schema([pa.field(c.name, c.type.arrow, nullable=True) for c in self.lake_columns])


NEVER_HELD = frozenset(
    {
        "ethnicity",
        "race",
        "religion",
        "opinion",
        "political_opinion",
        "union",
        "health",
        "fingerprint",
        "face",
        "iris",
        "dna",
    }
)

HAPPENED_AT = Column("happened_at", Type.INSTANT, "When it took place", required=True)
KNOWN_AT = Column("known_at", Type.INSTANT, "When the authority could first have seen it", required=True)

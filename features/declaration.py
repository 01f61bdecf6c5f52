"""The words a feature is declared in.

    entries_last_90_days = window(
        count, of=crossings.where(direction="entry"), per="traveller", last=days(90),
        doc="How often the traveller entered in the 90 days before.", unit="entries", texts={...},
    )

The name is the name of the variable, the subject kind is the folder, the reason group is the file's `GROUP`. A
declaration is also an operand of another one, by name or as it stands. Nothing is computed here.

What a value may rest on, for a subject as of t:

* `window`: rows of an entity's history that happened in [t - last, t) and were known at t; with `ahead`, also those
  announced (known before they happen) for [t, t + ahead);
* `lookup`: the newest statement about an entity known at t, whenever it takes effect;
* `in_force`: whether a statement known at t holds on the local day of t;
* `own`: a column of the event itself, as known at t;
* `derived`: a row-wise formula over other declarations.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, Literal, TypeAlias

from records.schema import Tier

SubjectKind: TypeAlias = Literal["crossing", "permit"]
ValueType: TypeAlias = Literal["number", "boolean", "string", "day", "instant"]
Role: TypeAlias = Literal["model", "fact"]
Value: TypeAlias = str | int | float | bool
Conditions: TypeAlias = tuple[tuple[str, tuple[Value, ...]], ...]

LANGUAGES = ("ar", "fr", "en")


def days(number: float) -> timedelta:
    return timedelta(days=number)


def hours(number: float) -> timedelta:
    return timedelta(hours=number)


EVER = None


def _conditions(given: Mapping[str, Value | tuple[Value, ...]]) -> Conditions:
    return tuple(sorted((name, v if isinstance(v, tuple) else (v,)) for name, v in given.items()))


@dataclass(frozen=True)
class Rows:
    """Rows of one table whose columns have one of the given values.

    `beside` is another table and the column they share: its columns are then read as if they were this table's, for as
    long as both rows were known.
    """

    table: str
    conditions: Conditions = ()
    beside: tuple[str, str] | None = None

    def where(self, **conditions: Value | tuple[Value, ...]) -> Rows:
        """These rows alone. A condition on a column that already has one takes its place."""
        return Rows(self.table, _conditions({**dict(self.conditions), **conditions}), self.beside)

    def with_(self, other: Rows, *, on: str) -> Rows:
        """The same rows with the columns of `other` where both have the same `on`."""
        return Rows(self.table, self.conditions, (other.table, on))


alerts = Rows("alerts")
calendar = Rows("calendar")
checks = Rows("checks")
crossings = Rows("crossings").where(kind="actual")
offices = Rows("offices")
permits = Rows("permits")
posts = Rows("posts")
services = Rows("services")


@dataclass(frozen=True)
class Aggregate:
    """What a window makes of its rows. Rows whose `column` is missing do not take part."""

    name: Literal[
        "count",
        "sum",
        "mean",
        "distinct",
        "min",
        "max",
        "last",
        "time_since",
        "mean_gap",
        "share",
        "trend",
        "days_present",
        "days_in_a_row",
    ]
    column: str | None = None
    conditions: Conditions = ()
    days: int = 0


count = Aggregate("count")
"""How many rows; 0 where there are none."""
time_since = Aggregate("time_since")
"""Days from the newest row to t; null where there is none."""
mean_gap = Aggregate("mean_gap")
"""Mean days between one row and the next; null below two rows."""


def total(column: str) -> Aggregate:
    """Sum; 0 where there are no rows. Kept in whole millionths, so that it is exact whatever the order."""
    return Aggregate("sum", column)


def mean(column: str) -> Aggregate:
    """Mean; null where there are no rows."""
    return Aggregate("mean", column)


def distinct(column: str) -> Aggregate:
    """How many different values; 0 where there are no rows."""
    return Aggregate("distinct", column)


def smallest(column: str) -> Aggregate:
    return Aggregate("min", column)


def largest(column: str) -> Aggregate:
    return Aggregate("max", column)


def last(column: str) -> Aggregate:
    """The value of the row that happened last; of two at one instant, the one known later, then the larger value (of
    texts, the one with the larger fingerprint)."""
    return Aggregate("last", column)


def trend(column: str) -> Aggregate:
    """How fast a number rises, per day: the least-squares slope over the minutes at which rows happened, of values in
    whole thousandths; null below two different minutes."""
    return Aggregate("trend", column)


def days_present(of_last: int) -> Aggregate:
    """On how many of the last `of_last` local days (that of t is the last) the traveller was in the country.

    Over crossings: a stay runs from an entry to the next crossing if that is an exit, first and last day included. An
    entry or exit that lacks the other counts its own day; a stay still open runs to the day of t. The window says how
    far back crossings are looked at. 0 without crossings.
    """
    return Aggregate("days_present", "direction", days=of_last)


days_in_a_row = Aggregate("days_in_a_row", "direction")
"""How many local days in the country, one after the other, end with the day of t; 0 where that day is none. See
`days_present`."""


def share(**conditions: Value | tuple[Value, ...]) -> Aggregate:
    """Share of rows that meet the conditions, of those where their columns are known; null where there are none."""
    return Aggregate("share", None, _conditions(conditions))


@dataclass(frozen=True)
class Window:
    aggregate: Aggregate
    of: Rows
    per: tuple[str, ...]
    last: timedelta | None
    ahead: timedelta | None = timedelta(0)

    @property
    def looks_ahead(self) -> bool:
        return self.ahead != timedelta(0)


@dataclass(frozen=True)
class Lookup:
    column: str
    of: Rows
    per: tuple[str, ...]


@dataclass(frozen=True)
class InForce:
    of: Rows
    per: tuple[str, ...]
    since: str
    until: str


@dataclass(frozen=True)
class Own:
    column: str


@dataclass(frozen=True)
class Derived:
    """`formula` takes one array per operand (numbers, booleans, days and instants as float64 with NaN for null, days
    since 1970 and microseconds since 1970; strings as Arrow arrays) and returns an array of the same length."""

    formula: Callable[..., Any]
    of: tuple[Operand, ...]
    returns: ValueType


Expression: TypeAlias = Window | Lookup | InForce | Own | Derived
Operand: TypeAlias = "str | Window | Lookup | InForce | Own | Derived"


@dataclass(frozen=True)
class Feature:
    """One declared thing. What follows `showable` is filled in when the catalogue is assembled.

    `showable` marks what the law lets oversight name as what would have changed a score: something a person can put
    right or have corrected. Where no declaration says so, it is not.
    """

    expression: Expression
    doc: str = ""
    unit: str = ""
    texts: Mapping[str, str] = field(default_factory=dict, hash=False)
    role: Role = "model"
    showable: bool = False
    name: str = ""
    subject_kind: SubjectKind = "crossing"
    group: str = ""
    type: ValueType = "number"
    reads: tuple[str, ...] = ()
    tier: Tier = Tier.FREE


Texts: TypeAlias = Mapping[str, str]


def _per(per: str | tuple[str, ...]) -> tuple[str, ...]:
    return (per,) if isinstance(per, str) else per


def _operand(given: str | Feature) -> Operand:
    return given.expression if isinstance(given, Feature) else given


def window(
    aggregate: Aggregate,
    *,
    of: Rows,
    per: str | tuple[str, ...],
    last: timedelta | None,
    ahead: timedelta | None = timedelta(0),
    doc: str = "",
    unit: str = "",
    texts: Texts | None = None,
    role: Role = "model",
    showable: bool = False,
) -> Feature:
    """An aggregate over the rows of an entity's history in the time before; `last=EVER` sets no beginning.

    `ahead` takes in what was announced: `last=days(2), ahead=days(7)` also sees rows that happen in the 7 days from the
    moment on and are known already; `ahead=EVER`, whenever they happen; `last=days(0)` sees only these. An announcement
    is seen from when it is known until a correction replaces it, or it lies further back than `last`. The announcement
    of a crossing and the crossing itself are two records: count travellers with distinct("subject").
    """
    return Feature(Window(aggregate, of, _per(per), last, ahead), doc, unit, texts or {}, role, showable)


def lookup(
    column: str,
    *,
    of: Rows,
    per: str | tuple[str, ...],
    doc: str = "",
    unit: str = "",
    texts: Texts | None = None,
    role: Role = "model",
    showable: bool = False,
) -> Feature:
    """What the newest statement known says about an entity, for instance the origin of a service."""
    return Feature(Lookup(column, of, _per(per)), doc, unit, texts or {}, role, showable)


def in_force(
    *,
    of: Rows,
    per: str | tuple[str, ...],
    since: str = "valid_from",
    until: str = "valid_to",
    doc: str = "",
    unit: str = "yes or no",
    texts: Texts | None = None,
    role: Role = "fact",
) -> Feature:
    """Whether a statement about the entity holds today: `since` <= today <= `until`; no end means without end."""
    return Feature(InForce(of, _per(per), since, until), doc, unit, texts or {}, role)


def own(
    column: str,
    *,
    doc: str = "",
    unit: str = "",
    texts: Texts | None = None,
    role: Role = "model",
    showable: bool = False,
) -> Feature:
    """A column of the event itself, as known at as_of."""
    return Feature(Own(column), doc, unit, texts or {}, role, showable)


def derived(
    formula: Callable[..., Any],
    *of: str | Feature,
    returns: ValueType = "number",
    doc: str = "",
    unit: str = "",
    texts: Texts | None = None,
    role: Role = "model",
    showable: bool = False,
) -> Feature:
    """A row-wise formula (see `features/formulas.py`) over other features, by name or as declared."""
    return Feature(Derived(formula, tuple(_operand(o) for o in of), returns), doc, unit, texts or {}, role, showable)

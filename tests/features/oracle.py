"""The engine said slowly: what a feature is for one subject as of its moment, in loops over dict rows.

Inside, a day is days since 1970, an instant microseconds since 1970, yes and no are 1 and 0, and null is None: what
formulas take. A row is a version of a fact, as the lake holds it, and needs only the columns it has a value for.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from fractions import Fraction
from itertools import count, pairwise, zip_longest
from operator import itemgetter
from typing import Any, TypeAlias
from zoneinfo import ZoneInfo

import numpy as np
import pyarrow as pa

from features.cells import cells
from features.declaration import Aggregate, Derived, Feature, InForce, Lookup, Operand, Own, SubjectKind, Window
from features.declaration import Rows as DeclaredRows
from features.entities import TRAVELLER, entity
from features.lineage import Catalogue, type_of
from records.tables import table as declared

Row: TypeAlias = Mapping[str, Any]
Rows: TypeAlias = Mapping[str, Sequence[Row]]
Cell: TypeAlias = "str | int | float | None"

ZONE = ZoneInfo("Africa/Tunis")
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)
MINUTE_US = 60 * 1_000_000
DAY_US = 24 * 60 * MINUTE_US


@dataclass(frozen=True)
class Asked:
    """One row of a spine, and all that may answer it; `known` remembers what of each table was known by then."""

    row: Row
    rows: Rows
    kind: SubjectKind
    catalogue: Catalogue
    known: dict[str, list[Row]] = field(default_factory=dict)

    @property
    def at(self) -> datetime:
        moment: datetime = self.row["as_of"]
        return moment


def value(feature: Feature, spine_row: Row, rows: Rows, catalogue: Catalogue) -> bool | Cell:
    """The value of a feature for one row of a spine; rows: by table, every version there is, in any order."""
    return values([feature.name], spine_row, rows, catalogue)[feature.name]


def values(names: Iterable[str], spine_row: Row, rows: Rows, catalogue: Catalogue) -> dict[str, bool | Cell]:
    """As `value`, of several features of a catalogue."""
    found: dict[str, bool | Cell] = {}
    asked = None
    for name in names:
        feature = catalogue[name]
        asked = asked or Asked(spine_row, rows, feature.subject_kind, catalogue)
        cell = _value(feature.expression, asked)
        found[name] = cell == 1 if feature.type == "boolean" and cell is not None else cell
    return found


def differing(found: pa.Table, spine: pa.Table, rows: Rows, catalogue: Catalogue) -> dict[str, tuple[Any, Any]]:
    """Name → what was found and what the oracle says, of the features that do not say the same."""
    names = [name for name in catalogue if name in found.column_names]
    expected = [values(names, row, rows, catalogue) for row in spine.to_pylist()]
    both = {name: (found.column(name).to_pylist(), [row[name] for row in expected]) for name in names}
    return {name: (one, other) for name, (one, other) in both.items() if not all(map(same, one, other))}


def same(found: bool | Cell, expected: bool | Cell) -> bool:
    """Whether they are the same; of fractions, but for the last bits."""
    if isinstance(found, float) and not found.is_integer() and isinstance(expected, float):
        return math.isclose(found, expected, rel_tol=1e-12)
    return found == expected


def _value(of: Operand, asked: Asked) -> Cell:
    match of:
        case str():
            return _value(asked.catalogue[of].expression, asked)
        case Own():
            return _cell(asked.row, of.column)
        case Derived():
            return _scalar(of.formula(*(_array(_value(o, asked), _type(o, asked)) for o in of.of)))
    rows = _of_entity(of.of, of.per, asked)
    return None if rows is None else _of_rows(of, rows, asked.at)


def _of_rows(of: Window | Lookup | InForce, rows: list[Row], at: datetime) -> Cell:
    match of:
        case Window():
            return _aggregate(of.aggregate, [r for r in rows if _within(r, of, at)], at)
        case Lookup():
            return _newest(rows, of.column)
        case InForce():
            return int(any(_holds(_cell(r, of.since), _cell(r, of.until), _local_day(at)) for r in rows))


def _type(of: Operand, asked: Asked) -> str:
    return type_of(asked.catalogue[of].expression if isinstance(of, str) else of, asked.kind)


def _array(cell: Cell, kind: str) -> Any:
    if kind == "string":
        return pa.array([cell], pa.string())
    return np.array([np.nan if cell is None else cell], np.float64)


def _scalar(array: Any) -> Cell:
    [found] = array.tolist()
    return None if isinstance(found, float) and np.isnan(found) else found


def _cell(row: Row, column: str) -> Cell:
    if column == "local_hour":
        return int(row["happened_at"].astimezone(ZONE).hour)
    if column == "local_day":
        return _local_day(row["happened_at"])
    held = row.get(column)
    if isinstance(held, datetime):
        return (held - EPOCH) // MICROSECOND
    if isinstance(held, date):
        return (held - EPOCH.date()).days
    return int(held) if isinstance(held, bool) else held


def _local_day(moment: datetime) -> int:
    return (moment.astimezone(ZONE).date() - EPOCH.date()).days


# Which rows


def _known(table: str, asked: Asked) -> list[Row]:
    """The version of each fact that was known last, of those known by then."""

    def fact(row: Row) -> tuple[Any, ...]:
        return tuple(row.get(k) for k in declared(table).key)

    if table not in asked.known:
        known = sorted((r for r in asked.rows.get(table, ()) if r["known_at"] <= asked.at), key=itemgetter("known_at"))
        newest = {fact(r): r["known_at"] for r in known}
        asked.known[table] = [r for r in known if r["known_at"] == newest[fact(r)]]
    return asked.known[table]


def _joined(of: DeclaredRows, asked: Asked) -> list[Row]:
    """The rows, each with each neighbour where it has one to be beside; the row's own columns come first."""
    rows = _known(of.table, asked)
    if of.beside is None:
        return rows
    table, on = of.beside
    own = declared(of.table).lake_columns
    return [
        {**other, **{c.name: row.get(c.name) for c in own}, "known_at": max(row["known_at"], other["known_at"])}
        for row in rows
        for other in _known(table, asked)
        if row.get(on) is not None and row.get(on) == other.get(on)
    ]


def _of_entity(of: DeclaredRows, per: tuple[str, ...], asked: Asked) -> list[Row] | None:
    """The declared rows of what the event names; None where it names nothing."""
    rows = [r for r in _joined(of, asked) if all(_cell(r, name) in allowed for name, allowed in of.conditions)]
    for name in per:
        named = _value(entity(name).asked[asked.kind], asked)
        if named is None:
            return None
        these = _person(str(named), asked) if name == TRAVELLER else {named}
        rows = [r for r in rows if _cell(r, entity(name).column) in these]
    return rows


def _person(subject: str, asked: Asked) -> set[Cell]:
    """The subjects that white links make one person with `subject`. About a pair what was said last counts, and of two
    things said at once the one that parts."""
    said: dict[frozenset[str], str] = {}
    for link in sorted(_known("links", asked), key=lambda r: (r["known_at"], r["state"] != "white")):
        if link["state"] != "yellow":
            said[frozenset((link["first_subject"], link["second_subject"]))] = link["state"]
    joined = [pair for pair, state in said.items() if state == "white"]
    person: set[Cell] = {subject}
    while more := {name for pair in joined if pair & person for name in pair} - person:
        person |= more
    return person


def _within(row: Row, of: Window, at: datetime) -> bool:
    """Whether a known row happened in the time before, or was announced for the time ahead."""
    happened: datetime = row["happened_at"]
    if happened < at:
        return of.last is None or happened >= at - of.last
    announced: bool = row["known_at"] < happened
    return announced and (of.ahead is None or happened < at + of.ahead)


# What is made of them


def _holds(since: Any, until: Any, today: int) -> bool:
    return since is not None and since <= today and (until is None or today <= until)


def _newest(rows: list[Row], column: str) -> Cell:
    """What the row that happened last says; of several, the one known last, then the one that says the larger."""

    def order(row: Row) -> tuple[Any, ...]:
        said = _cell(row, column)
        size = cells(pa.array([said])).item() if isinstance(said, str) else said
        return row["happened_at"], row["known_at"], said is not None, size or 0

    return _cell(max(rows, key=order), column) if rows else None


def _aggregate(how: Aggregate, rows: list[Row], at: datetime) -> Cell:  # noqa: PLR0911 - one line for each aggregate
    if how.conditions:
        rows = [r for r in rows if all(_cell(r, name) is not None for name, _ in how.conditions)]
        met = [r for r in rows if all(_cell(r, name) in allowed for name, allowed in how.conditions)]
        return len(met) / len(rows) if rows else None
    if how.column:
        rows = [r for r in rows if _cell(r, how.column) is not None]
    said: list[Any] = [_cell(r, how.column) for r in rows] if how.column else []
    moments: list[Any] = [_cell(r, "happened_at") for r in rows]
    match how.name:
        case "count":
            return len(rows)
        case "sum":
            return sum(_in_parts(said, 1_000_000)) / 1_000_000
        case "mean":
            return sum(_in_parts(said, 1_000_000)) / (1_000_000 * len(said)) if said else None
        case "distinct":
            return len(set(said))
        case "min":
            return min(said, default=None)
        case "max":
            return max(said, default=None)
        case "last":
            return _newest(rows, how.column or "")
        case "time_since":
            return ((at - EPOCH) // MICROSECOND - max(moments)) / DAY_US if rows else None
        case "mean_gap":
            gaps = [later - earlier for earlier, later in pairwise(sorted(moments))]
            return sum(gaps) / len(gaps) / DAY_US if gaps else None
        case "trend":
            slope = _slope([m // MINUTE_US for m in moments], _in_parts(said, 1_000))
            return None if slope is None else float(slope * 1440 / 1_000)
        case "days_present":
            today = _local_day(at)
            return len(_days_present(rows, today) & set(range(today - how.days + 1, today + 1)))
        case "days_in_a_row":
            days = _days_present(rows, _local_day(at))
            return next(n for n in count() if _local_day(at) - n not in days)
    raise AssertionError(f"The oracle does not know the aggregate {how.name}.")


def _in_parts(numbers: list[float], of_one: int) -> list[int]:
    return [round(n * of_one) for n in numbers]


def _slope(x: list[int], y: list[int]) -> Fraction | None:
    """Least squares; None where all x are one."""
    if len(set(x)) < 2:
        return None
    middle, level = Fraction(sum(x), len(x)), Fraction(sum(y), len(y))
    rise = sum((a - middle) * (b - level) for a, b in zip(x, y, strict=True))
    return rise / sum((a - middle) ** 2 for a in x)


def _days_present(rows: list[Row], today: int) -> set[int]:
    """Local days in the country: from an entry to the exit that follows, or to today where nothing follows; the day
    alone where another entry follows, and of an exit. At one instant exits come before entries."""
    ordered = sorted(rows, key=lambda r: (r["happened_at"], r["known_at"], r["direction"] == "entry"))
    days: set[int] = set()
    for row, following in zip_longest(ordered, ordered[1:]):
        first = until = _local_day(row["happened_at"])
        if row["direction"] == "entry" and following is None:
            until = today
        elif row["direction"] == "entry" and following["direction"] == "exit":
            until = _local_day(following["happened_at"])
        days |= set(range(first, until + 1))
    return days

"""Why a feature has its value: the very rows it was computed from, and how the value follows from them.

Slow and obvious on purpose: one subject, one moment, rows read one after the other, and nothing of the engine's
insides. What comes out is held against the engine's own answer.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from functools import cached_property
from math import isclose
from typing import Any, Final, TypeAlias

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from features.by_hand import Plain, Row, local_day, made, order, said
from features.catalogue import features
from features.declaration import Derived, InForce, Lookup, Operand, Own, SubjectKind, ValueType, Window
from features.engine import compute
from features.entities import TRAVELLER, entity
from features.histories import Histories
from features.lineage import Catalogue, row_columns, type_of
from features.localtime import ZONE
from features.wording import formula_name, in_words
from records.links import persons
from records.pseudonyms import bucket_of
from records.tables import tables

Leaf: TypeAlias = Window | Lookup | InForce

_TIMES: Final = ("happened_at", "known_at", "superseded_at")
_LINK_COLUMNS: Final = ("first_subject", "second_subject", "state", "known_at")
_INSTANT: Final = pa.timestamp("us", tz="UTC")
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


class Disagreement(RuntimeError):
    """The engine and the rows say different things of one feature: one of the two is wrong."""


@dataclass(frozen=True)
class Explained:
    """What one declaration says of the subject, and from what.

    `asked` is whose rows were looked at: entity → what names it in this event (every subject of the person). `rows`
    are those that the value was made from, as known at the moment, oldest first; each is a version of a row of `table`
    with its times, its key and the columns read. A derived value has `parts` instead, and the `rule` of its formula.
    """

    name: str
    words: str
    value: Plain
    how: str = ""
    rule: str = ""
    table: str = ""
    asked: Mapping[str, tuple[Plain, ...]] = field(default_factory=dict)
    rows: Sequence[Row] = ()
    parts: tuple[Explained, ...] = ()


def explained(
    name: str, kind: SubjectKind, spine: pa.Table, lake: Histories, *, catalogue: Catalogue | None = None
) -> Explained:
    """Feature `name` of the only row of `spine`, as the engine computes it.

    BadInput as of the engine: for a name that no file declares, or a column that the spine lacks. Disagreement where
    the engine's value is not the one that follows from the rows.
    """
    [answer] = compute(spine, [name], lake, catalogue=catalogue).column(name).to_pylist()
    [row] = spine.to_pylist()
    found = reckoned(name, kind, row, lake, catalogue=catalogue)
    if not same(answer, found.value):
        raise Disagreement(
            f"For '{name}' of {row['subject']} as of {said(row['as_of'])} the engine says {said(answer)}, and the rows "
            f"say {said(found.value)} ({found.how}). One of the two is wrong: do not use this feature, and tell its "
            "owner."
        )
    return found


def reckoned(
    name: str, kind: SubjectKind, row: Mapping[str, Any], lake: Histories, *, catalogue: Catalogue | None = None
) -> Explained:
    """Feature `name` of one row of a spine, from the rows of the lake alone."""
    return _Asking(row, kind, lake, features(kind) if catalogue is None else catalogue).explain(name)


def same(one: Plain, other: Plain) -> bool:
    """Whether two values are one; numbers up to what adding them up in another order changes."""
    if isinstance(one, float) and isinstance(other, float):
        return isclose(one, other, rel_tol=1e-9, abs_tol=1e-9)
    return one == other


@dataclass(frozen=True)
class _Asking:
    """One row of a spine, and all that may answer it."""

    row: Mapping[str, Any]
    kind: SubjectKind
    lake: Histories
    catalogue: Catalogue

    @property
    def at(self) -> datetime:
        moment: datetime = self.row["as_of"]
        return moment

    @cached_property
    def person(self) -> tuple[str, ...]:
        """Every subject that is one person with this one, as known at the moment."""
        links = persons(self.lake.history("links", _LINK_COLUMNS))
        [together] = links.together(pa.array([self.row["subject"]]), pa.array([self.at], _INSTANT))
        return together

    def explain(self, of: Operand) -> Explained:
        if isinstance(of, str):
            return replace(self.explain(self.catalogue[of].expression), name=of)
        if isinstance(of, Own):
            return Explained("", in_words(of), _number(self.row[of.column]))
        if isinstance(of, Derived):
            return self._derived(of)
        asked = {per: self._names(per) for per in of.per}
        lacking = [per for per, names in asked.items() if not names]
        if lacking:
            return Explained("", in_words(of), None, f"the event names no {' and no '.join(lacking)}")
        rows = self._rows(of, asked)
        value, how = self._made(of, rows)
        table = " beside ".join([of.of.table, *(of.of.beside or ())[:1]])
        return Explained("", in_words(of), value, how, table=table, asked=asked, rows=rows)

    def _derived(self, of: Derived) -> Explained:
        parts = tuple(self.explain(operand) for operand in of.of)
        types = [type_of(self.catalogue[o].expression if isinstance(o, str) else o, self.kind) for o in of.of]
        [made] = of.formula(*(_array(part.value, held) for part, held in zip(parts, types, strict=True))).tolist()
        how = f"{formula_name(of)}({', '.join(said(part.value) for part in parts)})"
        rule = " ".join((of.formula.__doc__ or "").split())
        return Explained("", in_words(of), _plain(made, of.returns), how, rule, parts=parts)

    def _names(self, per: str) -> tuple[Plain, ...]:
        """What the event names the entity by; nothing where it names none."""
        if per == TRAVELLER:
            return self.person
        named = self.explain(entity(per).asked[self.kind]).value
        return () if named is None else (named,)

    def _made(self, of: Leaf, rows: list[Row]) -> tuple[Plain, str]:
        if isinstance(of, Window):
            value, how = made(of.aggregate, rows, self.at)
            return _number(value), how
        if isinstance(of, Lookup):
            newest = max(rows, key=lambda row: order(row, of.column), default=None)
            if newest is None:
                return None, "nothing is known"
            return _number(newest[of.column]), f"of the row of {said(newest['happened_at'])}"
        today = local_day(self.at)
        holding = [
            row
            for row in rows
            if row[of.since] is not None
            and row[of.since] <= today
            and (row[of.until] is None or today <= row[of.until])
        ]
        return bool(holding), f"rows that hold on {today}: {len(holding):,} of {len(rows):,}"

    def _rows(self, of: Leaf, asked: Mapping[str, tuple[Plain, ...]]) -> list[Row]:
        """The rows that a value is made of, oldest first."""
        rows = [
            row
            for row in self._versions(of, asked)
            if all(row[entity(per).column] in names for per, names in asked.items())
            and all(row[name] in allowed for name, allowed in of.of.conditions)
        ]
        if isinstance(of, Window):
            # At the very moment and after it, what was announced is seen and nothing else.
            rows = [row for row in rows if row["happened_at"] < self.at or row["known_at"] < row["happened_at"]]
            needed = [of.aggregate.column, *(name for name, _ in of.aggregate.conditions)]
            rows = [row for row in rows if all(row[name] is not None for name in needed if name)]
        return sorted(rows, key=lambda row: (row["happened_at"], row["known_at"]))

    def _versions(self, of: Leaf, asked: Mapping[str, tuple[Plain, ...]]) -> Iterator[Row]:
        """The versions seen at the moment, each with each of its neighbours where the rows have any."""
        columns = [c for c in row_columns(of) if c not in _TIMES]
        wanted = {entity(per).column: names for per, names in asked.items()}
        if of.of.beside is None:
            yield from self._seen(of.of.table, columns, wanted, of)
            return
        table, on = of.of.beside
        beyond = [c for c in columns if c == on or not _declares(of.of.table, c)]
        own = {c: names for c, names in wanted.items() if _declares(of.of.table, c)}
        theirs = {c: names for c, names in wanted.items() if c not in own}
        if own:  # the side that the event names comes first, and says which rows of the other are wanted
            rows = self._seen(of.of.table, columns, own, of)
            others = self._seen(table, beyond, {on: tuple({row[on] for row in rows}), **theirs}, None)
        else:
            others = self._seen(table, beyond, theirs, None)
            rows = self._seen(of.of.table, columns, {on: tuple({row[on] for row in others})}, of)
        for other in others:
            for row in rows:
                if row[on] == other[on]:
                    gone = [end for end in (row["superseded_at"], other["superseded_at"]) if end]
                    known = max(row["known_at"], other["known_at"])
                    yield {**other, **row, "known_at": known, "superseded_at": min(gone, default=None)}

    def _seen(
        self, table: str, columns: Sequence[str], wanted: Mapping[str, Sequence[Plain]], of: Leaf | None
    ) -> list[Row]:
        """Rows of a table that have the wanted values, and were known and not corrected at the moment; those of a
        window had happened in it."""
        held = list(dict.fromkeys([*tables()[table].key, *(c for c in columns if _declares(table, c))]))
        at = pa.scalar(self.at, _INSTANT)
        found: list[Row] = []
        for bucket in self._buckets(table, wanted):
            rows = self.lake.history(table, list(dict.fromkeys([*_TIMES[:2], *held])), buckets=bucket)
            seen = pc.and_(
                pc.less_equal(rows["known_at"], at), pc.fill_null(pc.greater(rows["superseded_at"], at), True)
            )
            if isinstance(of, Window):
                if of.ahead is not None:
                    until = pa.scalar(self.at + of.ahead, _INSTANT)
                    seen = pc.and_(seen, pc.less(rows["happened_at"], until))
                if of.last is not None:
                    since = pa.scalar(self.at - of.last, _INSTANT)
                    seen = pc.and_(seen, pc.greater_equal(rows["happened_at"], since))
            for name in wanted:
                if name in held:
                    names = pa.array([n for n in wanted[name] if n is not None], rows.schema.field(name).type)
                    seen = pc.and_(seen, pc.is_in(rows[name], value_set=names))
            found += [
                _whole(row, columns)
                for row in rows.filter(seen).select(list(dict.fromkeys([*_TIMES, *held]))).to_pylist()
            ]
        return found

    def _buckets(self, table: str, wanted: Mapping[str, Sequence[Plain]]) -> Iterator[list[int] | None]:
        """One after the other, so that never more than one is in memory; for a person, only theirs."""
        subject = tables()[table].subject
        if subject is None:
            yield None
            return
        named = wanted.get(subject)
        numbers = (
            range(self.lake.buckets)
            if named is None
            else sorted(set(bucket_of(pa.array(named, pa.string()), self.lake.buckets).tolist()))
        )
        for number in numbers:
            yield [number]


def _declares(table: str, column: str) -> bool:
    return any(c.name == column for c in tables()[table].columns)


def _whole(row: dict[str, Any], columns: Sequence[str]) -> Row:
    """The row with what every history has besides the declared columns."""
    return {**row, "local_hour": row["happened_at"].astimezone(ZONE).hour} if "local_hour" in columns else row


def _array(value: Plain, held: ValueType) -> Any:
    """What a formula takes."""
    if held == "string":
        return pa.array([value], pa.string())
    number: Plain
    match value:
        case None:
            number = np.nan
        case datetime():
            number = (value - _EPOCH) // timedelta(microseconds=1)
        case date():
            number = (value - _EPOCH.date()).days
        case _:
            number = value
    return np.array([number], np.float64)


def _plain(found: Any, returns: ValueType) -> Plain:
    """What a formula gives."""
    if found is None or found != found:  # noqa: PLR0124 - NaN alone is not itself
        return None
    match returns:
        case "boolean":
            return bool(found == 1)
        case "day":
            return _EPOCH.date() + timedelta(days=found)
        case "instant":
            return _EPOCH + timedelta(microseconds=found)
    return _number(found)


def _number(value: Plain) -> Plain:
    return float(value) if isinstance(value, int) and not isinstance(value, bool) else value

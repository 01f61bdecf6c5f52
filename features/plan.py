"""What has to be done for some features, worked out once: an order of steps, each a column of the event, a formula, or
the reading of one stream. The same plan answers for a training set and for one traveller at a booth; only the source of
the rows differs.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from typing import Any, Protocol, TypeAlias, runtime_checkable

import numpy as np
import pyarrow as pa

from features import windows
from features.asked import Asked
from features.catalogue import features
from features.cells import cells, of_numbers
from features.columns import NEVER, NULL, Ints, Values
from features.declaration import (
    Conditions,
    Derived,
    Expression,
    InForce,
    Lookup,
    Operand,
    Own,
    SubjectKind,
    ValueType,
    Window,
)
from features.entities import TRAVELLER, entity
from features.histories import COMPUTED_CELLS, History, paired
from features.lineage import Catalogue, row_columns
from features.people import People
from features.readings import Reading, Where, allowed, reading
from records.errors import BadInput
from records.tables import tables

Leaf: TypeAlias = Window | Lookup | InForce


@runtime_checkable
class Source(Protocol):
    """Where rows come from: a part of the lake, or the live state."""

    def rows(self, table: str, columns: Sequence[str], by: str, keys: Ints, since: int) -> History:
        """The versions whose column `by` has one of the cells `keys`, of `since` and later; others do no harm."""
        ...

    def people(self, asked: Asked) -> People | None:
        """Who is asked about, where subjects have been linked; None where nobody asked about has."""
        ...


@dataclass(frozen=True, eq=False)
class OwnStep:
    slot: int
    column: str

    needs: tuple[int, ...] = ()
    personal: bool = False

    @property
    def gives(self) -> tuple[int, ...]:
        return (self.slot,)


@dataclass(frozen=True, eq=False)
class FormulaStep:
    slot: int
    formula: Callable[..., Any]
    needs: tuple[int, ...]
    personal: bool = False

    @property
    def gives(self) -> tuple[int, ...]:
        return (self.slot,)


@dataclass(frozen=True, eq=False)
class Name:
    """One part of an entity's name: the column of the rows that has it, and what the event asks, either a column of its
    own or a value worked out before."""

    column: str
    asked: str | None
    slot: int
    whole: bool
    traveller: bool


@dataclass(frozen=True, eq=False)
class StreamStep:
    """All that is declared over the rows of one table per one entity.

    `shared` where the rows belong to other people than the one asked about. `since` is how far before a query rows are
    looked at, in microseconds (NEVER: without beginning); what is known of later is looked at however late.
    """

    table: str
    columns: tuple[str, ...]
    beside: tuple[str, str, tuple[str, ...]] | None
    names: tuple[Name, ...]
    where: Where
    readings: tuple[Reading, ...]
    gives: tuple[int, ...]
    needs: tuple[int, ...]
    shared: bool
    since: int

    def asked_cells(self, asked: Asked, found: Mapping[int, Values], people: People | None) -> list[Ints]:
        """One array of cells per part of the entity's name."""
        return [_asked_cells(name, asked, found, people) for name in self.names]

    @cached_property
    def read_columns(self) -> tuple[str, ...]:
        """Columns that its rows have, those of their neighbours included."""
        return tuple(dict.fromkeys(column for _, _, columns in self.lookups for column in columns))

    @cached_property
    def personal(self) -> bool:
        """Whether it is about a traveller, who may be several subjects."""
        return any(name.traveller for name in self.names)

    @cached_property
    def looks(self) -> windows.Looks:
        return windows.looks(self.readings)

    @cached_property
    def door(self) -> int:
        """Which part of the entity's name rows are looked up by: the traveller, else one the rows have themselves."""
        order = sorted(range(len(self.names)), key=lambda k: not self.names[k].traveller)
        return next((k for k in order if self.names[k].column in self.columns), order[0])

    @cached_property
    def lookups(self) -> tuple[tuple[str, str, tuple[str, ...]], ...]:
        """Tables read, in order: by which column, and which columns of them."""
        first = self.names[self.door].column
        if self.beside is None:
            return ((self.table, first, self.columns),)
        table, on, columns = self.beside
        if first in self.columns:
            return ((self.table, first, self.columns), (table, on, columns))
        return ((table, first, columns), (self.table, on, self.columns))

    def rows(self, source: Source, asks: Sequence[Ints], at: Ints, people: People | None) -> History:
        """The rows of the entities asked about (and maybe others)."""
        since = NEVER if self.since == NEVER or not len(at) else int(at.min()) - self.since
        keys = asks[self.door]
        if people is not None and self.names[self.door].traveller:
            keys = people.subjects
        found: dict[str, History] = {}
        for table, by, columns in self.lookups:
            found[table] = source.rows(table, columns, by, keys, since if table == self.table else NEVER)
            if self.beside and len(found) == 1:
                keys = found[table].column(self.beside[1])
        history = found[self.table]
        if self.beside:
            history = paired(history, found[self.beside[0]], self.beside[1])
        if people is not None and self.personal:
            history = people.expanded(history)
        return history

    def read(self, asks: Sequence[Ints], at: Ints, history: History) -> list[Values]:
        """What the readings give, one array each."""
        held = [history.column(name.column) for name in self.names]
        kept = windows.met(history.column, self.where)
        return windows.read(windows.grouped(asks, at, held, kept, history), self.looks)


def _asked_cells(name: Name, asked: Asked, found: Mapping[int, Values], people: People | None) -> Ints:
    if name.traveller and people is not None:
        return people.person
    if name.asked is not None:
        return asked.cells(name.asked)
    value = found[name.slot]
    if not isinstance(value, np.ndarray):
        return cells(value)
    if not name.whole:
        return of_numbers(value)
    return np.where(np.isnan(value), NULL, np.nan_to_num(value).astype(np.int64))


Step: TypeAlias = OwnStep | FormulaStep | StreamStep


@dataclass(frozen=True, eq=False)
class Plan:
    """Steps in an order in which each finds what it needs; `results` are the slots of the features asked for."""

    kind: SubjectKind
    steps: tuple[Step, ...]
    results: Mapping[str, int]
    types: Mapping[str, ValueType]

    @cached_property
    def shared(self) -> tuple[StreamStep, ...]:
        return tuple(s for s in self.steps if isinstance(s, StreamStep) and s.shared)

    @cached_property
    def columns(self) -> Mapping[str, tuple[str, ...]]:
        """Columns read of each table."""
        return self.columns_of(self.steps)

    def columns_of(self, steps: Iterable[Step]) -> Mapping[str, tuple[str, ...]]:
        """Columns that some steps read of each table."""
        read: dict[str, set[str]] = {}
        for step in steps:
            if isinstance(step, StreamStep):
                for table, _, columns in step.lookups:
                    read.setdefault(table, set()).update(columns)
        return {table: tuple(sorted(names)) for table, names in read.items()}

    def asked_columns(self, steps: Sequence[Step]) -> tuple[str, ...]:
        """Columns of the event that some steps read."""
        read = ["as_of"]
        for step in steps:
            if isinstance(step, OwnStep):
                read.append(step.column)
            elif isinstance(step, StreamStep):
                read += [name.asked for name in step.names if name.asked]
        return tuple(dict.fromkeys(read))

    def answer(self, asked: Asked, source: Source, known: Mapping[int, Values] | None = None) -> dict[str, Values]:
        """One array per feature, one value per event asked about. `known` are values found before, by slot."""
        found = dict(known or {})
        self.run(self.steps, asked, source, found)
        return {name: found[slot] for name, slot in self.results.items()}

    def run(self, steps: Sequence[Step], asked: Asked, source: Source, found: dict[int, Values]) -> None:
        """Do the steps whose values are not yet found."""
        people = source.people(asked) if any(step.personal for step in steps) else None
        for step in steps:
            if isinstance(step, OwnStep):
                if step.slot not in found:
                    found[step.slot] = asked.values(step.column)
            elif isinstance(step, FormulaStep):
                if step.slot not in found:
                    found[step.slot] = step.formula(*(found[n] for n in step.needs))
            elif step.gives[0] not in found:
                asks = step.asked_cells(asked, found, people)
                history = step.rows(source, asks, asked.at, people)
                found.update(zip(step.gives, step.read(asks, asked.at, history), strict=True))

    def table(self, spine: pa.Table, answer: Mapping[str, Values]) -> pa.Table:
        """event, subject, as_of and one column per feature: float64, bool or string, null where undefined."""
        columns = {name: _arrow(value, self.types[name]) for name, value in answer.items()}
        return pa.table({**{c: spine.column(c) for c in ("event", "subject", "as_of")}, **columns})

    def towards(self, wanted: Iterable[int]) -> tuple[Step, ...]:
        """The steps that some slots rest on, in order."""
        needed = set(wanted)
        chosen: list[Step] = []
        for step in reversed(self.steps):
            if needed & set(step.gives):
                chosen.append(step)
                needed.update(step.needs)
        return tuple(reversed(chosen))


def _arrow(value: Values, kind: ValueType) -> pa.Array:
    if not isinstance(value, np.ndarray):
        return value
    nulls = np.isnan(value)
    return pa.array(value == 1 if kind == "boolean" else value, mask=nulls if nulls.any() else None)


def prepare(names: Iterable[str], kind: SubjectKind, catalogue: Catalogue | None = None) -> Plan:
    """The plan for some features of a catalogue, that of the house by default; BadInput for a name it does not have."""
    chosen = tuple(dict.fromkeys(names))
    return _of_the_house(chosen, kind) if catalogue is None else _made(chosen, kind, catalogue)


@lru_cache(maxsize=64)
def _of_the_house(names: tuple[str, ...], kind: SubjectKind) -> Plan:
    return _made(names, kind, features(kind))


def _made(names: Sequence[str], kind: SubjectKind, catalogue: Catalogue) -> Plan:
    for name in names:
        if name not in catalogue:
            raise BadInput(f"There is no {kind} feature '{name}'. Features: {', '.join(catalogue)}. Correct the name.")
    making = _Making(kind, catalogue)
    for name in names:
        making.collect(name)
    results = {name: making.slot(name) for name in names}
    return Plan(kind, tuple(making.steps), results, {name: catalogue[name].type for name in names})


StreamKey: TypeAlias = tuple[str, tuple[str, str] | None, tuple[str, ...]]


@dataclass(eq=False)
class _Making:
    """Leaves gathered by stream first; then steps, each after what it needs."""

    kind: SubjectKind
    catalogue: Catalogue
    leaves: dict[StreamKey, list[Leaf]] = field(default_factory=dict)
    slots: dict[Expression, int] = field(default_factory=dict)
    steps: list[Step] = field(default_factory=list)
    seen: set[Expression] = field(default_factory=set)

    def collect(self, of: Operand) -> None:
        expression = self._expression(of)
        if expression in self.seen:
            return
        self.seen.add(expression)
        if isinstance(expression, Derived):
            for operand in expression.of:
                self.collect(operand)
        elif not isinstance(expression, Own):
            self.leaves.setdefault(_stream_key(expression), []).append(expression)
            for name in expression.per:
                self.collect(entity(name).asked[self.kind])

    def slot(self, of: Operand) -> int:
        """The slot of a value; its steps are added where they are not there yet."""
        expression = self._expression(of)
        if expression in self.slots:
            return self.slots[expression]
        if isinstance(expression, Own):
            number = self._new(expression)
            self.steps.append(OwnStep(number, expression.column))
        elif isinstance(expression, Derived):
            needs = tuple(self.slot(o) for o in expression.of)
            number = self._new(expression)
            self.steps.append(FormulaStep(number, expression.formula, needs))
        else:
            self._stream(_stream_key(expression))
        return self.slots[expression]

    def _expression(self, of: Operand) -> Expression:
        return self.catalogue[of].expression if isinstance(of, str) else of

    def _new(self, expression: Expression) -> int:
        self.slots[expression] = len(self.slots)
        return self.slots[expression]

    def _stream(self, key: StreamKey) -> None:
        table, beside, per = key
        leaves = self.leaves[key]
        names = tuple(self._name(p) for p in per)
        common: Conditions = tuple(
            c for c in leaves[0].of.conditions if all(c in leaf.of.conditions for leaf in leaves)
        )
        readings = tuple(reading(leaf, common) for leaf in leaves)
        read = sorted({c for leaf in leaves for c in row_columns(leaf)} - set(COMPUTED_CELLS))
        own = [c.name for c in tables()[table].columns]
        columns = tuple(c for c in read if c in own)
        other = None
        if beside:
            theirs = [c.name for c in tables()[beside[0]].columns]
            other = (*beside, tuple(c for c in read if c == beside[1] or (c not in own and c in theirs)))
        shared = tables()[table].subject is not None and TRAVELLER not in per
        needs = tuple(name.slot for name in names if name.slot >= 0)
        gives = tuple(self._new(leaf) for leaf in leaves)
        self.steps.append(
            StreamStep(
                table,
                columns,
                other,
                names,
                allowed(leaves[0].of, common),
                readings,
                gives,
                needs,
                shared,
                max(r.back for r in readings),
            )
        )

    def _name(self, per: str) -> Name:
        asked = entity(per).asked[self.kind]
        traveller = per == TRAVELLER
        if isinstance(asked, Own):
            return Name(entity(per).column, asked.column, -1, True, traveller)
        whole = isinstance(asked, Derived) and asked.returns != "number"
        return Name(entity(per).column, None, self.slot(asked), whole, traveller)


def _stream_key(leaf: Leaf) -> StreamKey:
    return leaf.of.table, leaf.of.beside, leaf.per

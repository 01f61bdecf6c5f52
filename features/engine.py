"""Features of a spine's rows, each as of its own moment.

    compute(spine, ["entries_last_90_days"], lake)

What belongs to a person is computed per person bucket by one pure function (`of_bucket`); what cuts across persons
(post, service, document, sponsor, office, party) over the rows of those entities that are asked about.
The same functions serve a training set and one live row.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import TypeAlias

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from features import windows
from features.catalogue import features
from features.columns import Ints, Values, instants, matching, values, whole
from features.declaration import Derived, Feature, InForce, Lookup, Operand, Own, Rows, SubjectKind, Window
from features.entities import TRAVELLER, entity
from features.histories import Histories
from features.lineage import COMPUTED, Catalogue, row_columns
from features.localtime import local_hour
from features.people import People, belonging, people
from records.errors import BadInput
from records.links import persons
from records.pseudonyms import bucket_of
from records.tables import tables

History: TypeAlias = Window | Lookup | InForce

_TIMES = ("happened_at", "known_at", "superseded_at")
LINK_COLUMNS = ("first_subject", "second_subject", "state", "known_at")


def compute(spine: pa.Table, names: Iterable[str], lake: Histories, *, catalogue: Catalogue | None = None) -> pa.Table:
    """event, subject, as_of and one column per name (float64, bool or string, null where undefined), in spine order.

    BadInput for a name that no file declares, or a spine that lacks a column the features read.
    """
    kind = kind_of(spine)
    _refuse_naive(spine)
    known = features(kind) if catalogue is None else catalogue
    chosen = [_feature(name, known, kind) for name in dict.fromkeys(names)]
    tables_read = _Tables(lake)
    leaves = list(dict.fromkeys(e for f in chosen for e in _histories(f.expression, kind, known)))
    personal = [e for e in leaves if TRAVELLER in e.per]
    shared = tuple(e for e in leaves if TRAVELLER not in e.per)
    all_rows = _Asked(spine, kind, known, tables_read, shared)
    if personal:
        asked = {e: _value(e, all_rows) for e in _asked_elsewhere(personal, kind)}
        all_rows.values.update(_by_bucket(spine, personal, asked, all_rows))
    columns = {f.name: _arrow(_value(f.expression, all_rows), f) for f in chosen}
    return pa.table({**{c: spine.column(c) for c in ("event", "subject", "as_of")}, **columns})


def _refuse_naive(spine: pa.Table) -> None:
    held = spine.schema.field("as_of").type
    if not pa.types.is_timestamp(held) or held.tz is None:
        raise BadInput(
            f"Column 'as_of' is {held}, which is no instant without a time zone. Make it timestamp[us, UTC]."
        )


def kind_of(spine: pa.Table) -> SubjectKind:
    """Which kind of subject a spine's rows are: crossings have a direction, permits an end of validity."""
    for column, kind in (("direction", "crossing"), ("valid_to", "permit")):
        if column in spine.column_names:
            return "crossing" if kind == "crossing" else "permit"
    raise BadInput(
        "This spine has neither 'direction' nor 'valid_to', so its rows are neither crossings nor permits. "
        "Make it with features.spine.crossing_spine or permit_spine."
    )


def _feature(name: str, catalogue: Catalogue, kind: SubjectKind) -> Feature:
    if name not in catalogue:
        raise BadInput(f"There is no {kind} feature '{name}'. Features: {', '.join(catalogue)}. Correct the name.")
    return catalogue[name]


@dataclass(frozen=True)
class _Tables:
    """Reads of one computation. What no person bucket divides is read once, and so is what links bring from one bucket
    into another: the rows of the subjects `linked`."""

    lake: Histories
    linked: pa.Array = field(default_factory=lambda: pa.array([], pa.string()))
    read: dict[tuple[str, tuple[str, ...]], pa.Table] = field(default_factory=dict)

    def history(self, table: str, columns: tuple[str, ...], bucket: int | None) -> pa.Table:
        """The rows of a bucket and of every linked subject, or all rows where no bucket is named."""
        own = tables()[table].subject
        if own is None or bucket is None:
            return self._once(table, columns, lambda: self.lake.history(table, columns))
        rows = self.lake.history(table, columns, buckets=[bucket])
        if not len(self.linked):
            return rows
        linked = self._once(table, columns, lambda: self._of_linked(table, columns))
        others = np.asarray(bucket_of(whole(linked.column(own)), self.lake.buckets)) != bucket
        return pa.concat_tables([rows, linked.filter(pa.array(others))])

    def _of_linked(self, table: str, columns: tuple[str, ...]) -> pa.Table:
        own = tables()[table].subject
        parts = (self.lake.history(table, columns, buckets=[b]) for b in range(self.lake.buckets))
        return pa.concat_tables([p.filter(pc.is_in(p.column(own), value_set=self.linked)) for p in parts])

    def _once(self, table: str, columns: tuple[str, ...], read: Callable[[], pa.Table]) -> pa.Table:
        if (table, columns) not in self.read:
            self.read[table, columns] = read()
        return self.read[table, columns]


def _with_computed(rows: pa.Table, needed: Collection[str]) -> pa.Table:
    if "local_hour" not in needed:
        return rows
    happened = values(rows.column("happened_at"))
    assert isinstance(happened, np.ndarray)  # noqa: S101 - an instant, so numbers
    return rows.append_column("local_hour", pa.array(local_hour(happened)))


@dataclass(frozen=True)
class _Asked:
    """The rows of a spine (or of one bucket of it) that ask, and what has been computed for them so far."""

    spine: pa.Table
    kind: SubjectKind
    catalogue: Catalogue
    tables: _Tables
    leaves: tuple[History, ...]
    bucket: int | None = None
    persons: People | None = None
    values: dict[Operand, Values] = field(default_factory=dict)
    read: dict[str, pa.Table] = field(default_factory=dict)
    rows: dict[Rows, pa.Table] = field(default_factory=dict)
    streams: dict[tuple[Rows, tuple[str, ...]], tuple[windows.Stream, windows.Asks]] = field(default_factory=dict)

    @cached_property
    def at(self) -> Ints:
        return instants(self.spine.column("as_of"))

    @cached_property
    def in_time(self) -> Ints:
        """Row numbers in the order of as_of."""
        return np.argsort(self.at, kind="stable")


def _histories(of: Operand, kind: SubjectKind, catalogue: Catalogue) -> Iterator[History]:
    """Every window, lookup and in_force that a value rests on."""
    if isinstance(of, str):
        yield from _histories(catalogue[of].expression, kind, catalogue)
    elif isinstance(of, Derived):
        for operand in of.of:
            yield from _histories(operand, kind, catalogue)
    elif not isinstance(of, Own):
        for per in of.per:
            yield from _histories(entity(per).asked[kind], kind, catalogue)
        yield of


def _asked_elsewhere(personal: Sequence[History], kind: SubjectKind) -> list[Operand]:
    """What the personal histories ask about besides the traveller, such as the origin of the service."""
    return list(dict.fromkeys(entity(p).asked[kind] for e in personal for p in e.per if p != TRAVELLER))


def _by_bucket(
    spine: pa.Table, personal: Sequence[History], asked: Mapping[Operand, Values], all_rows: _Asked
) -> dict[Operand, Values]:
    lake = all_rows.tables.lake
    subject = whole(spine.column("subject"))
    bucket = np.asarray(bucket_of(subject, lake.buckets))
    known = persons(lake.history("links", LINK_COLUMNS))
    as_of = whole(spine.column("as_of"))
    numbers = np.unique(bucket).tolist() or [0]
    order: list[Ints] = [np.flatnonzero(bucket == number) for number in numbers]
    together = [people(subject.take(pa.array(rows)), as_of.take(pa.array(rows)), known) for rows in order]
    reads = _Tables(lake, _beyond(together, numbers, lake.buckets))
    found: list[dict[Operand, Values]] = []
    for number, rows, joined in zip(numbers, order, together, strict=True):
        part = _Asked(
            spine=spine.take(pa.array(rows)),
            kind=all_rows.kind,
            catalogue=all_rows.catalogue,
            tables=reads,
            leaves=tuple(personal),
            bucket=number,
            persons=joined,
            values={e: v[rows] if isinstance(v, np.ndarray) else v.take(pa.array(rows)) for e, v in asked.items()},
        )
        found.append(of_bucket(part, personal))
    back = np.argsort(np.concatenate(order))
    return {e: _joined([f[e] for f in found], back) for e in personal}


def _beyond(together: Sequence[People], numbers: Sequence[int], buckets: int) -> pa.Array:
    """The subjects that a bucket's persons have in other buckets."""
    far = []
    for joined, number in zip(together, numbers, strict=True):
        elsewhere = np.asarray(bucket_of(joined.subjects, buckets)) != number
        far.append(joined.subjects.filter(pa.array(elsewhere)))
    return pc.unique(pa.concat_arrays(far))


def _joined(parts: Sequence[Values], back: Ints) -> Values:
    if isinstance(parts[0], np.ndarray):
        return np.concatenate(parts)[back]
    return pa.concat_arrays(parts).take(pa.array(back))


def of_bucket(asked: _Asked, expressions: Sequence[History]) -> dict[Operand, Values]:
    """The values of one bucket's rows: reads that bucket's histories and those linked to them."""
    return {e: _value(e, asked) for e in expressions}


def _value(of: Operand, asked: _Asked) -> Values:
    if of not in asked.values:
        asked.values[of] = _computed(of, asked)
    return asked.values[of]


def _computed(of: Operand, asked: _Asked) -> Values:
    if isinstance(of, str):
        return _value(asked.catalogue[of].expression, asked)
    if isinstance(of, Own):
        if of.column not in asked.spine.column_names:
            raise BadInput(
                f"This spine has no column '{of.column}', which a feature reads. Columns: "
                f"{', '.join(asked.spine.column_names)}. Make it with features.spine."
            )
        return values(asked.spine.column(of.column))
    if isinstance(of, Derived):
        operands = [_value(o, asked) for o in of.of]
        result: Values = of.formula(*operands)
        return result
    stream, at = _stream(of.of, of.per, asked)
    if isinstance(of, Window):
        return windows.aggregated(of.aggregate, stream, of.last, at)
    if isinstance(of, Lookup):
        return windows.newest(stream, windows.as_stated(stream), at, of.column)
    return windows.any_seen(stream, windows.on_days(stream, of.since, of.until), at)


def _stream(of: Rows, per: tuple[str, ...], asked: _Asked) -> tuple[windows.Stream, windows.Asks]:
    """The rows of the entities asked about, and the queries, both under one numbering of entities."""
    if (of, per) not in asked.streams:
        asked.streams[of, per] = _numbered(_rows(of, asked), per, asked)
    return asked.streams[of, per]


def _numbered(rows: pa.Table, per: tuple[str, ...], asked: _Asked) -> tuple[windows.Stream, windows.Asks]:
    ask_entity = np.zeros(asked.spine.num_rows, np.int64)
    chosen: Ints = np.arange(rows.num_rows)
    row_entity = np.zeros(rows.num_rows, np.int64)
    for name in per:
        if name == TRAVELLER and asked.persons is not None:
            several, row_number = belonging(rows.column("subject"), asked.persons)
            chosen, row_entity = chosen[several], row_entity[several]
            ask_number = asked.persons.person
        else:
            ask_number, row_number = matching(values(rows.column(entity(name).column)), _asks_for(name, asked))
            row_number = row_number[chosen]
        size = int(max(ask_number.max(initial=-1), row_number.max(initial=-1))) + 1
        ask_entity = np.where((ask_entity >= 0) & (ask_number >= 0), ask_entity * size + ask_number, -1)
        kept = row_number >= 0
        chosen, row_entity = chosen[kept], row_entity[kept] * size + row_number[kept]
    by_entity = np.argsort(row_entity, kind="stable")
    chosen = chosen[by_entity]
    happened, known, superseded = (instants(rows.column(c))[chosen] for c in _TIMES)
    stream = windows.Stream(row_entity[by_entity], happened, known, superseded, chosen, rows)
    return stream, windows.asks(ask_entity, asked.at, asked.in_time)


def _asks_for(name: str, asked: _Asked) -> Values:
    return _value(entity(name).asked[asked.kind], asked)


def _rows(of: Rows, asked: _Asked) -> pa.Table:
    """The versions of the declared rows known before the last query, in the order they happened."""
    if of not in asked.rows:
        rows = _beside(of, asked) if of.beside else _read(of.table, asked)
        met = np.ones(rows.num_rows, np.bool_)
        for name, allowed in of.conditions:
            met &= windows.meeting(rows, name, allowed)
        asked.rows[of] = rows.filter(pa.array(met))
    return asked.rows[of]


def _read(table: str, asked: _Asked) -> pa.Table:
    """A table's versions known before the last query, of the persons asked about, in the order they happened."""
    if table not in asked.read:
        asked.read[table] = _known(table, asked)
    return asked.read[table]


def _known(table: str, asked: _Asked) -> pa.Table:
    own = [c.name for c in tables()[table].columns]
    needed = {"happened_at", "known_at"}
    for leaf in asked.leaves:
        held = [leaf.of.table, *(leaf.of.beside[:1] if leaf.of.beside else ())]
        if table in held:
            needed |= {c for c in row_columns(leaf) if c in own or (c in COMPUTED and table == leaf.of.table)}
    rows = asked.tables.history(table, tuple(sorted(needed - set(COMPUTED))), asked.bucket)
    kept = instants(rows.column("known_at")) <= asked.at.max(initial=0)
    if asked.persons is not None and tables()[table].subject is not None:
        kept &= pc.is_in(rows.column("subject"), value_set=asked.persons.subjects).to_numpy()
    chosen = np.flatnonzero(kept)
    in_time = np.argsort(instants(rows.column("happened_at"))[chosen], kind="stable")
    return _with_computed(rows.take(pa.array(chosen[in_time])), needed)


def _beside(of: Rows, asked: _Asked) -> pa.Table:
    """Each pair of versions of a row and of its neighbour, for as long as both were known."""
    assert of.beside is not None  # noqa: S101 - the caller asks only for rows that have a neighbour
    table, on = of.beside
    rows, others = _read(of.table, asked), _read(table, asked)
    number, other_number = matching(values(others.column(on)), values(rows.column(on)))
    by_number = np.argsort(other_number, kind="stable")
    ordered = other_number[by_number]
    first, after = np.searchsorted(ordered, number), np.searchsorted(ordered, number, side="right")
    times = np.where(number >= 0, after - first, 0)
    left = np.repeat(np.arange(rows.num_rows), times)
    right = by_number[np.repeat(first, times) + np.arange(times.sum()) - np.repeat(np.cumsum(times) - times, times)]
    pairs = rows.take(pa.array(left))
    for name in others.column_names:
        if name not in rows.column_names:
            pairs = pairs.append_column(name, others.column(name).take(pa.array(right)))
    known = np.maximum(instants(rows.column("known_at"))[left], instants(others.column("known_at"))[right])
    gone = np.minimum(instants(rows.column("superseded_at"))[left], instants(others.column("superseded_at"))[right])
    instant = pa.timestamp("us", tz="UTC")
    for name, moments in (("known_at", known), ("superseded_at", gone)):
        array = pa.array(moments, mask=moments == np.iinfo(np.int64).max).cast(instant)
        pairs = pairs.set_column(pairs.column_names.index(name), name, array)
    return pairs.filter(pa.array(known < gone))


def _arrow(value: Values, feature: Feature) -> pa.Array:
    if not isinstance(value, np.ndarray):
        return value
    nulls = np.isnan(value)
    if feature.type == "boolean":
        return pa.array(value == 1, mask=nulls)
    return pa.array(value, mask=nulls)

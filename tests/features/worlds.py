"""Small worlds for hypothesis: few persons, documents, posts and files, and few moments, so that everything meets
everything. Moments lie at the very edges of the catalogue's windows, and now and then on days when clocks change.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any, Final

import pyarrow as pa
from hypothesis import strategies as st

from features.catalogue import features
from features.declaration import Derived, Operand, SubjectKind, Window, days
from features.lineage import HOME
from features.spine import INSTANT, crossing_spine_of
from records.schema import Column, Type
from records.tables import table as declared
from tests.features.memory import at

Row = dict[str, Any]
Rows = dict[str, list[Row]]

KINDS: Final[tuple[SubjectKind, ...]] = ("crossing", "permit")
NOWS: Final = (
    at(400),
    datetime(2007, 3, 25, 1, tzinfo=UTC),  # clocks in Tunis go forward
    datetime(2008, 10, 26, 1, tzinfo=UTC),  # clocks in Tunis go back
)
MICROSECOND: Final = timedelta(microseconds=1)
HOUR: Final = timedelta(hours=1)

# What stands twice is drawn twice as often.
_NAMES: Final[dict[str, tuple[str | None, ...]]] = {
    **dict.fromkeys(("crossing_id", "alert_id", "check_id", "link_id"), tuple("123456789")),
    "subject": ("a", "a", "b", "c"),
    "first_subject": ("a", "b"),
    "second_subject": ("b", "c"),
    "document": ("d1", "d1", "d2", None),
    "party": ("p1", "p1", None),
    "service": ("s1", "s1", "s2", None),
    "sponsor": ("k1", "k1", None),
    "post": ("tunis", "tunis", "sfax"),
    "office": ("o1", "o1", "o2"),
    "file": ("f1", "f1", "f2"),
    "permit_file": ("f1", "f1", "f2", None),
    "origin": ("TUN", "TUN", "MRS", None),
    "finding": ("confirmed", "confirmed", "confirmed", "refuted"),
}


@dataclass(frozen=True)
class World:
    """`events` are asked about; `later` are rows known only after all their moments, whenever they happened."""

    kind: SubjectKind
    events: list[Row]
    past: Rows
    later: Rows = field(default_factory=dict)

    @property
    def spine(self) -> pa.Table:
        return spine(self.kind, self.events)

    @property
    def whole(self) -> Rows:
        return {t: [*self.past[t], *self.later.get(t, [])] for t in self.past}


def _widths(of: Operand) -> Iterator[timedelta]:
    if isinstance(of, Derived):
        for operand in of.of:
            yield from _widths(operand)
    elif isinstance(of, Window) and of.last is not None:
        yield of.last


_CATALOGUE: Final = [f for kind in KINDS for f in features(kind).values()]
_WHO_IS_WHO: Final = {f"links.{c}" for c in ("first_subject", "second_subject", "state")}
_READ: Final = {source for f in _CATALOGUE for source in f.reads} | _WHO_IS_WHO
_TABLES: Final = (*sorted({source.partition(".")[0] for source in _READ}),)
_AGO: Final = (timedelta(0), HOUR, *sorted({w for f in _CATALOGUE for w in _widths(f.expression)}))


@dataclass(frozen=True)
class Choice:
    """How a world comes about: `one` of some things, `several` rows (from least to most) of one of each pool."""

    one: Callable[[Sequence[Any]], Any]
    several: Callable[[Mapping[str, Sequence[Any]], int, int], list[Row]]


def chance(seed: int) -> Choice:
    """Spreads evenly."""
    random = Random(seed)  # noqa: S311 - a world, not a secret

    def several(pools: Mapping[str, Sequence[Any]], least: int, most: int) -> list[Row]:
        return [{n: random.choice(pool) for n, pool in pools.items()} for _ in range(random.randint(least, most))]

    return Choice(random.choice, several)


def _drawing(draw: st.DrawFn) -> Choice:
    """Can be made smaller. A row is drawn in one go, a byte for each cell, since drawing takes most of the time."""

    def row(pools: Mapping[str, Sequence[Any]]) -> st.SearchStrategy[Row]:
        named = list(pools.items())
        return st.binary(min_size=len(named), max_size=len(named)).map(
            lambda picks: {name: pool[pick % len(pool)] for (name, pool), pick in zip(named, picks, strict=True)}
        )

    return Choice(
        lambda pool: draw(st.sampled_from(pool)),
        lambda pools, least, most: draw(st.lists(row(pools), min_size=least, max_size=most)),
    )


def choice_of(draw: st.DrawFn) -> Choice:
    """Hypothesis chooses, or it lets chance choose."""
    seed = draw(st.one_of(st.none(), st.integers(0, 1 << 32)))
    return _drawing(draw) if seed is None else chance(seed)


@st.composite
def worlds(draw: st.DrawFn, kind: SubjectKind, *, later: bool = False) -> World:
    return world(kind, choice_of(draw), later=later)


def world(kind: SubjectKind, choice: Choice, *, later: bool = False) -> World:
    """Up to four subjects to assess, with up to fifteen rows of each table; none later unless asked for."""
    now = choice.one(NOWS)
    ago = [choice.one(_AGO[:3]), *(choice.one(_AGO) for _ in range(choice.one((1, 2, 3))))]
    size = choice.one((0, 5, 10))
    return World(
        kind,
        _events(kind, now, ago, choice),
        {t: _versions(t, now, ago, choice, size if declared(t).subject else 0) for t in _TABLES},
        {t: _versions(t, now, ago, choice, 0, later=True) for t in _TABLES} if later else {},
    )


def spine(kind: SubjectKind, events: list[Row]) -> pa.Table:
    """Events as a spine, in their order."""
    schema = declared(HOME[kind]).lake_schema
    if kind == "crossing":
        return crossing_spine_of(pa.Table.from_pylist(events, schema=schema))
    schema = schema.append(pa.field("event", pa.string())).append(pa.field("as_of", INSTANT))
    return pa.Table.from_pylist(events, schema=schema)


def settled(table: str, rows: list[Row]) -> list[Row]:
    """One version of a fact at one moment: two at once would have no order."""
    key = (*declared(table).key, "known_at")
    return list({tuple(r[k] for k in key): r for r in rows}.values())


def _versions(
    table: str, now: datetime, ago: Sequence[timedelta], choice: Choice, least: int, *, later: bool = False
) -> list[Row]:
    """Versions of facts: on time, late, long announced, just known or, if `later`, not yet known now; of two that have
    one key, one corrects the other."""
    lags = (now + MICROSECOND, now + HOUR) if later else (*[timedelta(0)] * 4, HOUR, days(30), -days(1), now)
    pools = {**_pools(table, now, ago), "happened_at": _moments(now, ago), "known_at": lags}

    def told(row: Row) -> Row:
        lag = row["known_at"]
        return {**row, "known_at": row["happened_at"] + lag if isinstance(lag, timedelta) else lag}

    return settled(table, [told(row) for row in choice.several(pools, least, least + 5)])


def _events(kind: SubjectKind, now: datetime, ago: Sequence[timedelta], choice: Choice) -> list[Row]:
    """Events of a spine, as of now or a moment before it; a crossing may be announced ahead."""
    as_of = [*[now] * 4, *(now - width for width in ago)]
    pools = {**_pools(HOME[kind], now, ago), "known_at": as_of, "ahead": (0, 0, 1, 24)}

    def told(row: Row, name: str) -> Row:
        known, hours = row["known_at"], row["ahead"]
        told = {"as_of": known, "happened_at": known + hours * HOUR, "kind": "advance" if hours else "actual"}
        return {**row, **told, "event": name, "crossing_id": name}

    return [told(row, f"e{k}") for k, row in enumerate(choice.several(pools, 1, 4))]


def _moments(now: datetime, ago: Sequence[timedelta]) -> list[datetime]:
    """When things happen in one world: a few times before now, or a microsecond beside one; some are still to come."""
    past = [now - width + near * MICROSECOND for near in (0, 0, 0, -1, 1) for width in ago]
    return [*past, now + HOUR, now + days(2)]


def _pools(table: str, now: datetime, ago: Sequence[timedelta]) -> dict[str, Sequence[Any]]:
    held = declared(table)
    wanted = {*held.key, *(c.name for c in held.lake_columns if f"{table}.{c.name}" in _READ)}
    return {c.name: _pool(c, now, ago) for c in held.lake_columns if c.name in wanted}


def _pool(column: Column, now: datetime, ago: Sequence[timedelta]) -> Sequence[Any]:
    if column.name in _NAMES:
        return [name for name in _NAMES[column.name] if name is not None or not column.required]
    plain: dict[Type, Sequence[Any]] = {
        Type.STRING: column.values or ("x", "y"),
        Type.INTEGER: (1, 2, 40),
        Type.NUMBER: (0.0, 0.1, 0.2, 3.0),
        Type.BOOLEAN: (True, False),
        Type.INSTANT: _moments(now, ago),
        Type.DAY: [now.date() + timedelta(days=n) for n in (0, -1, 1, -400)],
    }
    return plain[column.type] if column.required else (*plain[column.type], None)

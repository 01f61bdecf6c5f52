"""Small worlds for hypothesis: few persons, documents, posts and files, and few moments, so that everything meets
everything. Moments lie at the very edges of the catalogue's windows, and now and then on days when clocks change.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
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


@st.composite
def worlds(draw: st.DrawFn, kind: SubjectKind, *, later: bool = False) -> World:
    """Up to four subjects to assess, with up to fifteen rows of each table; none later unless asked for."""
    widths = st.lists(st.sampled_from(_AGO), min_size=1, max_size=3, unique=True)
    ago = [*draw(widths), draw(st.sampled_from(_AGO[:3]))]
    now = draw(st.sampled_from(NOWS))
    events = draw(st.lists(_events(kind, now, ago), min_size=1, max_size=4))
    return World(
        kind,
        [{**e, "event": f"e{k}", "crossing_id": f"e{k}"} for k, e in enumerate(events)],
        draw(_tables(now, ago, size=draw(st.sampled_from((0, 5, 10))), later=False)),
        draw(_tables(now, ago, size=0, later=True)) if later else {},
    )


def spine(kind: SubjectKind, events: list[Row]) -> pa.Table:
    """Events as a spine, in their order."""
    schema = declared(HOME[kind]).lake_schema
    if kind == "crossing":
        return crossing_spine_of(pa.Table.from_pylist(events, schema=schema))
    schema = schema.append(pa.field("event", pa.string())).append(pa.field("as_of", INSTANT))
    return pa.Table.from_pylist(events, schema=schema)


def drawn(pools: Mapping[str, Sequence[Any]]) -> st.SearchStrategy[Row]:
    """One of each pool. A row is drawn in one go, a byte for each cell, since drawing takes most of the time."""
    named = list(pools.items())
    return st.binary(min_size=len(named), max_size=len(named)).map(
        lambda picks: {name: pool[pick % len(pool)] for (name, pool), pick in zip(named, picks, strict=True)}
    )


def settled(table: str, rows: list[Row]) -> list[Row]:
    """One version of a fact at one moment: two at once would have no order."""
    key = (*declared(table).key, "known_at")
    return list({tuple(r[k] for k in key): r for r in rows}.values())


def _tables(now: datetime, ago: Sequence[timedelta], *, size: int, later: bool) -> st.SearchStrategy[Rows]:
    least = {t: size if declared(t).subject else 0 for t in _TABLES}
    lists = {t: st.lists(_versions(t, now, ago, later), min_size=n, max_size=n + 5) for t, n in least.items()}
    return st.fixed_dictionaries(lists).map(lambda held: {t: settled(t, rows) for t, rows in held.items()})


def _versions(table: str, now: datetime, ago: Sequence[timedelta], later: bool) -> st.SearchStrategy[Row]:
    """A version of a fact: on time, late, long announced, just known or, if `later`, not yet known now; where another
    has its key, one corrects the other."""
    lags = (now + MICROSECOND, now + HOUR) if later else (*[timedelta(0)] * 4, HOUR, days(30), -days(1), now)
    pools = {**_pools(table, now, ago), "happened_at": _moments(now, ago), "known_at": lags}

    def told(row: Row) -> Row:
        lag = row["known_at"]
        return {**row, "known_at": row["happened_at"] + lag if isinstance(lag, timedelta) else lag}

    return drawn(pools).map(told)


def _events(kind: SubjectKind, now: datetime, ago: Sequence[timedelta]) -> st.SearchStrategy[Row]:
    """Events of a spine, as of now or a moment before it; a crossing may be announced ahead."""
    as_of = [*[now] * 4, *(now - width for width in ago)]
    pools = {**_pools(HOME[kind], now, ago), "known_at": as_of, "ahead": (0, 0, 1, 24)}

    def told(row: Row) -> Row:
        known, hours = row["known_at"], row["ahead"]
        told = {"as_of": known, "happened_at": known + hours * HOUR, "kind": "advance" if hours else "actual"}
        return {**row, **told}

    return drawn(pools).map(told)


def _moments(now: datetime, ago: Sequence[timedelta]) -> list[datetime]:
    """When things happen in one world: a few times before now, or a microsecond beside one."""
    return [now - width + near * MICROSECOND for near in (0, 0, 0, -1, 1) for width in ago]


def _pools(table: str, now: datetime, ago: Sequence[timedelta]) -> dict[str, Sequence[Any]]:
    held = declared(table)
    wanted = {*held.key, *(c.name for c in held.lake_columns if f"{table}.{c.name}" in _READ)}
    return {c.name: _pool(c, now, ago) for c in held.lake_columns if c.name in wanted}


def _pool(column: Column, now: datetime, ago: Sequence[timedelta]) -> Sequence[Any]:
    if column.name in _NAMES:
        return _NAMES[column.name]
    plain: dict[Type, Sequence[Any]] = {
        Type.STRING: column.values or ("x", "y"),
        Type.INTEGER: (1, 2, 40),
        Type.NUMBER: (0.0, 0.1, 0.2, 3.0),
        Type.BOOLEAN: (True, False),
        Type.INSTANT: _moments(now, ago),
        Type.DAY: [now.date() + timedelta(days=n) for n in (0, -1, 1, -400)],
    }
    return plain[column.type] if column.required else (*plain[column.type], None)

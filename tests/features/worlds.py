"""Small worlds for hypothesis: a few persons, documents, posts and files, so that everything meets everything."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import Any

from hypothesis import strategies as st

from records.schema import Type
from records.tables import table as declared
from tests.features.memory import at

AS_OF = at(400)
Rows = dict[str, list[dict[str, Any]]]

_NAMES = {
    "subject": ("a", "b", "c"),
    "first_subject": ("a", "b"),
    "second_subject": ("b", "c"),
    "document": ("d1", "d2", None),
    "party": ("p1", None),
    "service": ("s1", "s2", None),
    "sponsor": ("k1", None),
    "post": ("tunis", "sfax"),
    "office": ("o1", "o2"),
    "file": ("f1", "f2"),
    "permit_file": ("f1", "f2", None),
    "origin": ("TUN", "MRS", None),
    "event": ("c1", "c2"),
    "linked_crossing": (None,),
}
_TABLES = ("crossings", "permits", "checks", "alerts", "services", "posts", "offices", "calendar", "links")


def _cell(name: str, type: Type, values: tuple[str, ...] | None, required: bool) -> st.SearchStrategy[Any]:
    if name in _NAMES:
        return st.sampled_from(_NAMES[name])
    if values is not None:
        return st.sampled_from(values if required else (*values, None))
    plain: dict[Type, st.SearchStrategy[Any]] = {
        Type.STRING: st.sampled_from(("x", "y")),
        Type.INTEGER: st.integers(1, 4),
        Type.NUMBER: st.sampled_from((0.1, 0.5, 3.0)),
        Type.BOOLEAN: st.booleans(),
        Type.INSTANT: st.integers(0, 500).map(at),
        Type.DAY: st.integers(-300, 600).map(lambda n: date(2024, 1, 1) + timedelta(days=n)),
    }
    return plain[type] if required else st.one_of(st.none(), plain[type])


@st.composite
def rows_of(draw: st.DrawFn, name: str, prefix: str, known: Callable[[datetime, int], datetime]) -> dict[str, Any]:
    """One row; happened on one of few days, with a minute or none, so that ties are common."""
    row = {c.name: draw(_cell(c.name, c.type, c.values, c.required)) for c in declared(name).lake_columns}
    happened = at(draw(st.sampled_from((0, 100, 300, 370, 399, 400))), minutes=draw(st.sampled_from((0, 0, 60))))
    row["happened_at"] = happened
    row["known_at"] = known(happened, draw(st.sampled_from((0, 0, 30, 3000))))
    for key in declared(name).key:
        if key.endswith("_id"):
            row[key] = f"{prefix}{draw(st.integers(0, 3))}"
    return row


def _world(prefix: str, known: Callable[[datetime, int], datetime], size: int) -> st.SearchStrategy[Rows]:
    return st.fixed_dictionaries({t: st.lists(rows_of(t, prefix, known), max_size=size) for t in _TABLES})


def pasts() -> st.SearchStrategy[Rows]:
    """Rows known soon after they happened, or much later."""
    return _world("p", lambda happened, minutes: happened + timedelta(minutes=minutes), 5).map(_settled)


def laters() -> st.SearchStrategy[Rows]:
    """Rows known only after AS_OF, whenever they happened; some correct rows of the past."""
    return _world("p", lambda happened, minutes: max(happened, AS_OF) + timedelta(minutes=minutes + 1), 3)


def _settled(world: Rows) -> Rows:
    """One version of a key at one known_at: two at once would have no order."""
    for name, rows in world.items():
        key = (*declared(name).key, "known_at")
        world[name] = list({tuple(r[k] for k in key): r for r in rows}.values())
    return world


def both(one: Rows, other: Rows) -> Rows:
    return {t: [*one[t], *other[t]] for t in one}


@st.composite
def crossings_to_assess(draw: st.DrawFn) -> list[dict[str, Any]]:
    """Up to four crossings, none of them announced, at most at AS_OF."""
    rows = draw(st.lists(rows_of("crossings", "e", lambda happened, _: happened), min_size=1, max_size=4))
    moments = draw(st.lists(st.sampled_from((300, 399, 400)), min_size=len(rows), max_size=len(rows)))
    return [
        {**row, "crossing_id": f"e{k}", "kind": "actual", "happened_at": at(day), "known_at": at(day)}
        for k, (row, day) in enumerate(zip(rows, moments, strict=True))
    ]


@st.composite
def permits_to_assess(draw: st.DrawFn) -> list[dict[str, Any]]:
    """Up to four permits at most at AS_OF, as rows of a permit spine."""
    rows = draw(st.lists(rows_of("permits", "e", lambda happened, _: happened), min_size=1, max_size=4))
    ends = st.sampled_from((date(2024, 12, 1), date(2025, 2, 1)))
    return [
        {
            **{k: v for k, v in row.items() if k not in ("happened_at", "known_at")},
            "event": f"e{k}",
            "valid_to": (end := draw(ends)),
            "as_of": datetime(end.year, end.month, end.day, tzinfo=UTC) - timedelta(days=60, hours=1),
        }
        for k, row in enumerate(rows)
    ]

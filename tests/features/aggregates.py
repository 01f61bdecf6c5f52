"""Every aggregate over the histories of several entities, and small histories for them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from typing import Any, TypeAlias

from hypothesis import strategies as st

from features.declaration import (
    EVER,
    Aggregate,
    Feature,
    Rows,
    count,
    crossings,
    days,
    days_in_a_row,
    days_present,
    derived,
    distinct,
    in_force,
    largest,
    last,
    lookup,
    mean,
    mean_gap,
    services,
    share,
    smallest,
    time_since,
    total,
    trend,
    window,
)
from tests.features.memory import catalogue
from tests.features.worlds import MICROSECOND, NOWS, Choice, Row, choice_of, settled

History: TypeAlias = "tuple[list[Row], dict[str, list[Row]]]"
"""Crossings to ask about, and the rows there are, by table."""

STEPS = (MICROSECOND, timedelta(seconds=30), timedelta(hours=1), timedelta(days=1))
"""How far apart things happen in one history; windows are four steps wide, so that rows lie on their edges."""
LATE = (0, 0, 0, 0, 0, 0, 1, 5, -2)
"""How many steps after it happened a row is known."""
FEW, MANY = ("a", "a", "b"), tuple(f"person {n}" for n in range(30))

SOURCES: dict[str, tuple[Rows, str | tuple[str, ...]]] = {
    "of_traveller": (crossings, "traveller"),
    "entries_of_traveller": (crossings.where(direction="entry"), "traveller"),
    "without_guardian_of_document": (crossings.where(declared_guardian=False), "document"),
    "of_both": (crossings.where(booth_wait_minutes=(0.1, 1.5, 7.0)), ("traveller", "document")),
    "of_journey": (crossings.with_(services, on="service"), ("traveller", "origin")),
    "at_post": (crossings, "post"),
}

AGGREGATES: dict[str, tuple[Aggregate, ...]] = {
    "count": (count,),
    "sum": (total("booth_wait_minutes"), total("party_size")),
    "mean": (mean("booth_wait_minutes"), mean("party_size")),
    "distinct": tuple(map(distinct, ("booth_wait_minutes", "party_size", "address_governorate", "subject"))),
    "min": tuple(map(smallest, ("booth_wait_minutes", "party_size", "declared_guardian", "document_issued_on"))),
    "max": tuple(map(largest, ("booth_wait_minutes", "party_size", "declared_guardian", "document_issued_on"))),
    "last": tuple(map(last, ("booth_wait_minutes", "party_size", "address_governorate", "document_issued_on"))),
    "time_since": (time_since,),
    "mean_gap": (mean_gap,),
    "share": (
        share(booth_wait_minutes=(0.1, 7.0)),
        share(direction="exit", party_size=(1, 2)),
        share(party_size=(0, 2)),
        share(party_size=(1, 64)),
        share(local_hour=(0, 1, 2, 3)),
    ),
    "trend": (trend("booth_wait_minutes"), trend("party_size")),
    "days_present": (days_present(1), days_present(3), days_present(400)),
    "days_in_a_row": (days_in_a_row,),
}


def _number(feature: Feature) -> Feature:
    """Days and instants as plain numbers, which a catalogue may hold."""
    return derived(lambda held: held + 0.0, feature)


def _windows(name: str, source: str) -> Iterator[tuple[str, Feature]]:
    of, per = SOURCES[source]
    for aggregate in AGGREGATES[name]:
        for n, width in enumerate((EVER, *(4 * step for step in STEPS))):
            if width is not EVER and width < days(aggregate.days):
                continue
            feature = window(aggregate, of=of.where(direction="exit") if n % 2 else of, per=per, last=width)
            what = f"{aggregate.column}_{dict(aggregate.conditions)}_{aggregate.days}_{n}"
            yield what, _number(feature) if aggregate.column == "document_issued_on" else feature


def _statements(source: str) -> Iterator[tuple[str, Feature]]:
    of, per = SOURCES[source]
    for column in ("booth_wait_minutes", "party_size", "address_governorate", "declared_guardian"):
        yield column, lookup(column, of=of, per=per)
    for column in ("document_issued_on", "happened_at", "known_at"):
        yield column, _number(lookup(column, of=of, per=per))
    yield "in_force", in_force(of=of, per=per, since="document_issued_on", until="document_expires_on")


def _announced(source: str) -> Iterator[tuple[str, Feature]]:
    """Windows that look ahead, so far back and so far ahead that rows lie on either edge."""
    of, per = SOURCES[source]
    sides = [(EVER, EVER), (days(0), EVER), *((k * step, 2 * step) for step in STEPS for k in (0, 4))]
    either = of.where(kind=("actual", "advance"))
    for name, (aggregate, *_) in AGGREGATES.items():
        if name not in ("time_since", "days_present", "days_in_a_row"):  # up to the moment
            for n, (back, ahead) in enumerate(sides):
                yield f"{name}_{n}", window(aggregate, of=either, per=per, last=back, ahead=ahead)


def _sources(name: str) -> Iterator[str]:
    """Days in the country are a traveller's."""
    for source, (_, per) in SOURCES.items():
        if "traveller" in per or not name.startswith("days"):
            yield source


CATALOGUES = {
    **{name: {source: catalogue(**dict(_windows(name, source))) for source in _sources(name)} for name in AGGREGATES},
    "announced": {source: catalogue(**dict(_announced(source))) for source in SOURCES},
    "lookup and in_force": {source: catalogue(**dict(_statements(source))) for source in SOURCES},
}


def crossing_pools(
    moments: Sequence[datetime], step: timedelta, subjects: Sequence[str], documents: Sequence[str | None]
) -> dict[str, Any]:
    """What a crossing may be made of."""
    now = moments[0]
    around = (now.date(), now.date() - days(1), now.date() + days(1), None)
    return {
        "subject": subjects,
        "document": documents,
        "service": ("s1", "s2", None),
        "post": ("tunis",),
        "direction": ("entry", "exit"),
        "declared_guardian": (False, True, None),
        "booth_wait_minutes": (0.1, 0.2, None, 1.5, -0.0, 0.0, 7.0, -3.25, 1e6),
        "party_size": (1, 64, None, 2, 0),  # 64: the first that is no bit of a whole number
        "address_governorate": ("x", "y", None, "z"),
        "document_issued_on": around,
        "document_expires_on": around,
        "happened_at": moments,
        "late": [lag * step for lag in LATE],
    }


def told(row: Row) -> Row:
    return {**row, "kind": "actual", "known_at": row["happened_at"] + row.get("late", timedelta(0))}


def history(choice: Choice) -> History:
    """None, short ones, and long ones with many rows at one instant."""
    now, step = choice.one(NOWS), choice.one(STEPS)
    moments = [now - k * step for k in range(choice.one((5, 14)))]
    pools = crossing_pools(moments, step, choice.one((FEW, FEW, MANY)), ("d1", "d1", "d2", None))
    ids = {"crossing_id": [str(n) for n in range(choice.one((4, 20, 200)))]}
    pools["late"] = choice.one((pools["late"], [timedelta(0)]))
    size = choice.one((0, 8, 40))
    rows = [told(row) for row in choice.several({**pools, **ids}, size, size + 5)]
    of_service = {"service": ("s1", "s2"), "origin": ("TUN", "MRS", None), "happened_at": moments, "known_at": moments}
    services = choice.several(of_service, 0, 4)
    asked = choice.several({**pools, "happened_at": (*moments[:6], now + days(3650)), "late": (timedelta(0),)}, 1, 6)
    events = [{**told(event), "crossing_id": f"e{k}"} for k, event in enumerate(asked)]
    return events, {"crossings": settled("crossings", rows), "services": settled("services", services)}


@st.composite
def histories(draw: st.DrawFn) -> History:
    return history(choice_of(draw))

"""Each aggregate by itself, through the engine's own door: what the oracle says, and cases anyone can read."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

import pytest
from hypothesis import HealthCheck, given, settings
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
from features.engine import compute
from tests.features.memory import Memory, at, catalogue, crossing
from tests.features.oracle import differing
from tests.features.worlds import MICROSECOND, NOWS, Row, drawn, settled, spine

STEPS = (MICROSECOND, timedelta(seconds=30), timedelta(hours=1), timedelta(days=1))
"""How far apart things happen in one history; windows are four steps wide, so that rows lie on their edges."""
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
    "sum": (total("booth_wait_minutes"), total("party_size"), total("declared_guardian")),
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


CATALOGUES = {
    **{name: [catalogue(**dict(_windows(name, source))) for source in SOURCES] for name in AGGREGATES},
    "lookup and in_force": [catalogue(**dict(_statements(source))) for source in SOURCES],
}


@st.composite
def histories(draw: st.DrawFn) -> tuple[list[Row], dict[str, list[Row]]]:
    """Crossings to ask about, and histories: none, short ones, and long ones with many rows at one instant."""
    now, step = draw(st.sampled_from(NOWS)), draw(st.sampled_from(STEPS))
    moments = [now - k * step for k in range(14)]
    today = now.date()
    of_crossing = {
        "subject": draw(st.sampled_from((FEW, FEW, MANY))),
        "document": ("d1", "d1", "d2", None),
        "service": ("s1", "s2", None),
        "post": ("tunis",),
        "direction": ("entry", "exit"),
        "declared_guardian": (False, True, None),
        "booth_wait_minutes": (0.1, 0.2, None, 1.5, -0.0, 0.0, 7.0, -3.25, 1e6),
        "party_size": (1, 2, None, 40),
        "address_governorate": ("x", "y", None, "z"),
        "document_issued_on": (today, today - days(1), today + days(1), None),
        "document_expires_on": (today, today - days(1), today + days(1), None),
        "happened_at": moments,
        "lag": (0, 0, 0, 0, 1, 5, -2),
    }
    ids = {"crossing_id": tuple(map(str, range(draw(st.sampled_from((4, 20, 200))))))}

    def known(row: Row) -> Row:
        return {**row, "kind": "actual", "known_at": row["happened_at"] + row["lag"] * step}

    size = draw(st.sampled_from((0, 8, 40)))
    rows = draw(st.lists(drawn({**of_crossing, **ids}).map(known), min_size=size, max_size=size + 5))
    of_service = {"service": ("s1", "s2"), "origin": ("TUN", "MRS", None), "happened_at": moments, "known_at": moments}
    told = draw(st.lists(drawn(of_service), max_size=4))
    asked = draw(
        st.lists(drawn({**of_crossing, "happened_at": (*moments[:6], now + days(3650))}), min_size=1, max_size=6)
    )
    events = [
        {**e, "crossing_id": f"e{k}", "kind": "actual", "known_at": e["happened_at"]} for k, e in enumerate(asked)
    ]
    return events, {"crossings": settled("crossings", rows), "services": settled("services", told)}


@pytest.mark.parametrize("name", CATALOGUES)
@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data(), history=histories(), buckets=st.sampled_from((1, 3)))
def test_an_aggregate_says_what_the_oracle_says(
    name: str, data: st.DataObject, history: tuple[list[Row], dict[str, list[Row]]], buckets: int
) -> None:
    asked, rows = history
    declared = data.draw(st.sampled_from(CATALOGUES[name]))
    events = spine("crossing", asked)
    assert not differing(compute(events, declared, Memory(rows, buckets), catalogue=declared), events, rows, declared)


def _answers(feature: Feature, rows: list[Row], *moments: datetime) -> list[bool | str | float | None]:
    """The feature of traveller a at each of the moments."""
    events = spine("crossing", [crossing(f"e{k}", "a", moment) for k, moment in enumerate(moments)])
    found = compute(events, ["it"], Memory({"crossings": rows}), catalogue=catalogue(it=feature))
    answers: list[bool | str | float | None] = found.column("it").to_pylist()
    return answers


def _of_a(aggregate: Aggregate, width: timedelta | None = EVER) -> Feature:
    return window(aggregate, of=crossings, per="traveller", last=width)


def test_a_window_includes_its_start_and_not_its_end() -> None:
    edges = (at(10), at(10) + MICROSECOND, at(15), at(15) + MICROSECOND)
    assert _answers(_of_a(count, days(5)), [crossing(1, "a", at(10))], *edges) == [0, 1, 1, 0]


def test_what_is_added_to_a_sum_can_be_taken_out_without_a_trace() -> None:
    rows = [crossing(k, "a", at(k), booth_wait_minutes=v) for k, v in enumerate([0.1, 1e6, 0.2])]
    assert _answers(_of_a(total("booth_wait_minutes"), days(2)), rows, at(3), at(4)) == [1000000.2, 0.2]


def test_of_two_at_one_instant_the_last_is_the_one_known_later_then_the_larger() -> None:
    rows = [
        crossing(k, "a", at(1), party_size=size, known_at=at(known))
        for k, (size, known) in enumerate([(5, 1), (7, 1), (6, 1), (2, 3)])
    ]
    assert _answers(_of_a(last("party_size")), rows, at(2), at(3)) == [7, 2]


def test_a_trend_is_a_slope_per_day() -> None:
    rows = [crossing(k, "a", at(k), party_size=3 + 2 * k) for k in range(4)]
    none_yet, one, two, one_left = _answers(_of_a(trend("party_size"), days(3)), rows, at(0), at(1), at(2), at(6))
    assert (none_yet, one, two, one_left) == (None, None, pytest.approx(2), None)
    tied = [crossing(k, "a", at(1, seconds=20 * k), party_size=k) for k in range(3)]
    assert _answers(_of_a(trend("party_size")), tied, at(2)) == [None]


def test_days_in_the_country() -> None:
    rows = [crossing(1, "a", at(1)), crossing(2, "a", at(4), direction="exit"), crossing(3, "a", at(6))]
    asked = (at(1), at(2), at(5), at(8))
    assert _answers(_of_a(days_present(365)), rows, *asked) == [0, 2, 4, 7]
    assert _answers(_of_a(days_present(3)), rows, *asked) == [0, 2, 2, 3]
    assert _answers(_of_a(days_in_a_row), rows, *asked) == [0, 2, 0, 3]


def test_an_entry_after_an_entry_and_an_exit_without_one_count_their_own_day() -> None:
    rows = [crossing(1, "a", at(1)), crossing(2, "a", at(5)), crossing(3, "a", at(6), direction="exit")]
    assert _answers(_of_a(days_present(365)), rows, at(9)) == [3]
    assert _answers(_of_a(days_present(365)), [*rows, crossing(4, "a", at(8), direction="exit")], at(9)) == [4]


def test_days_are_those_of_tunis_in_summer_too() -> None:
    evening, night = (datetime.fromisoformat(f"2007-06-01T2{hour}:30:00+00:00") for hour in (1, 2))
    rows = [crossing(1, "a", evening - timedelta(hours=1))]
    assert _answers(_of_a(days_present(365)), rows, evening, night) == [1, 2]

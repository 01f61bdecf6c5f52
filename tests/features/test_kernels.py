"""Each aggregate by itself, through the engine's own door: what the oracle says, and cases anyone can read."""

from __future__ import annotations

from datetime import datetime, timedelta
from itertools import groupby
from unittest.mock import patch

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from features.columns import NULL
from features.declaration import (
    EVER,
    Aggregate,
    Feature,
    count,
    crossings,
    days,
    days_in_a_row,
    days_present,
    distinct,
    last,
    total,
    trend,
    window,
)
from features.engine import compute
from features.kernels import answers, grouping, numbering
from features.kernels.answers import NEAR
from tests.features.aggregates import CATALOGUES, History, crossing_pools, histories, told
from tests.features.memory import Memory, at, catalogue, crossing
from tests.features.oracle import differing
from tests.features.worlds import MICROSECOND, Row, chance, spine


@pytest.mark.parametrize("name", CATALOGUES)
@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data(), history=histories(), buckets=st.sampled_from((1, 3)), near=st.sampled_from((1, 9, NEAR)))
def test_an_aggregate_says_what_the_oracle_says(
    name: str, data: st.DataObject, history: History, buckets: int, near: int
) -> None:
    asked, rows = history
    declared = CATALOGUES[name][data.draw(st.sampled_from(list(CATALOGUES[name])))]
    events = spine("crossing", asked)
    with patch.object(answers, "NEAR", near):
        found = compute(events, declared, Memory(rows, buckets), catalogue=declared)
    assert not differing(found, events, rows, declared)


def test_a_crowd_is_told_apart() -> None:
    """More persons and documents than the short histories have, in moments very close to each other and very far."""
    moments = [at(400 - 7300 * far) - near * MICROSECOND for far in (0, 1) for near in range(7)]
    persons, documents = ([f"{what} {n}" for n in range(80)] for what in ("person", "document"))
    pools = crossing_pools(moments, MICROSECOND, persons, documents)
    held, asked = (chance(seed).several(pools, size, size) for seed, size in ((1, 400), (2, 150)))
    rows = {"crossings": [{**told(row), "crossing_id": str(n)} for n, row in enumerate(held)]}
    events = spine("crossing", [{**told(row), "crossing_id": f"e{n}"} for n, row in enumerate(asked)])
    declared = catalogue(
        **{
            f"{how.name}_{'_'.join(per)}": window(
                how, of=crossings, per=per, last=4 * MICROSECOND if how is count else EVER
            )
            for how in (count, distinct("party_size"), last("booth_wait_minutes"))
            for per in (("traveller",), ("document",), ("traveller", "document"))
        }
    )
    for buckets in (1, 3):
        found = compute(events, declared, Memory(rows, buckets), catalogue=declared)
        assert not differing(found, events, rows, declared)


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


def test_a_window_that_looks_ahead_sees_what_is_announced_once_it_is_known_and_near() -> None:
    of = crossings.where(kind=("actual", "advance"))
    announced = crossing(1, "a", at(10), kind="advance", known_at=at(6))
    either, near, to_come = (
        window(count, of=of, per="traveller", last=back, ahead=ahead)
        for back, ahead in ((days(2), EVER), (days(2), days(3)), (days(0), days(3)))
    )
    edges = (at(6) - MICROSECOND, at(6), at(7), at(7) + MICROSECOND, at(10), at(10) + MICROSECOND, at(12), at(13))
    assert _answers(either, [announced], *edges) == [0, 1, 1, 1, 1, 1, 1, 0]
    assert _answers(near, [announced], *edges) == [0, 0, 0, 1, 1, 1, 1, 0]
    assert _answers(to_come, [announced], *edges) == [0, 0, 0, 1, 1, 0, 0, 0]


def test_what_is_known_only_as_it_happens_is_not_announced() -> None:
    of = crossings.where(kind=("actual", "advance"))
    feature = window(count, of=of, per="traveller", last=days(2), ahead=EVER)
    assert _answers(feature, [crossing(1, "a", at(10))], at(10), at(10) + MICROSECOND) == [0, 1]


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
    long_ago = [crossing(k, "a", at(0, minutes=k), party_size=(0, 1_000_000, 0, 3)[k % 4]) for k in range(40)]
    assert _answers(_of_a(trend("party_size")), long_ago, at(3650)) == _answers(
        _of_a(trend("party_size")), long_ago, at(1)
    )
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


def test_of_an_exit_and_an_entry_at_one_instant_the_exit_comes_first_whichever_is_told_first() -> None:
    rows = [crossing(1, "a", at(1)), crossing(2, "a", at(4)), crossing(3, "a", at(4), direction="exit")]
    for told_in in (rows, [rows[0], rows[2], rows[1]]):
        assert _answers(_of_a(days_present(365)), told_in, at(8)) == [8]


def test_days_are_those_of_tunis_in_summer_too() -> None:
    evening, night = (datetime.fromisoformat(f"2007-06-01T2{hour}:30:00+00:00") for hour in (1, 2))
    rows = [crossing(1, "a", evening - timedelta(hours=1))]
    assert _answers(_of_a(days_present(365)), rows, evening, night) == [1, 2]


_FEW = st.integers(-3, 3).map(lambda number: number << 40)


@given(st.lists(st.tuples(_FEW | st.just(NULL), st.integers(0, 6) | st.integers(-(2**60), 2**60)), max_size=40))
def test_rows_of_one_entity_lie_together_in_order_of_time(rows: list[tuple[int, int]]) -> None:
    entity, moments = np.array(rows, np.int64).reshape(-1, 2).T.copy()
    order = grouping.together(entity, moments).tolist()
    assert sorted(order) == list(range(len(rows)))
    groups = [(key, [rows[k][1] for k in held]) for key, held in groupby(order, key=lambda k: rows[k][0])]
    assert len(groups) == len({key for key, _ in rows})
    assert all(held == sorted(held) for _, held in groups)


@given(st.lists(_FEW | st.just(NULL), max_size=30), st.integers(1, 4))
def test_what_is_dealt_out_keeps_its_order_and_each_entity_to_one_heap(entities: list[int], heaps: int) -> None:
    begins, order = numbering.dealt(np.array(entities, np.int64), heaps)
    dealt = [order[begins[h] : begins[h + 1]].tolist() for h in range(heaps)]
    assert sorted(order.tolist()) == [k for k, cell in enumerate(entities) if cell != NULL]
    assert all(heap == sorted(heap) for heap in dealt)
    assert sum(len({entities[k] for k in heap}) for heap in dealt) == len(set(entities) - {NULL})

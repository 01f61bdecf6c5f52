"""Waits follow Erlang's formula in a steady state, and a booth more never makes anybody wait longer."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.volumes.desks.queue import (
    Service,
    erlang_c,
    fitted_service,
    steady_booths,
    steady_waits,
    travellers,
    waits,
)
from models.volumes.desks.staffing import (
    Plan,
    Promise,
    booths_within,
    promise_curve,
    roster,
)
from models.volumes.rhythm import LEVELS
from records.errors import BadInput

SINGLY = Service(1.25, spread=1.0)
DAY = np.array([0, 0, 0, 0, 0, 20, 60, 150, 300, 420, 300, 200, 100, 80, 120, 300, 350, 200, 100, 50, 30, 10, 0, 0])


def days(count: int = 10) -> np.ndarray:
    generator = np.random.default_rng(3)
    return generator.poisson(DAY * generator.gamma(20, 1 / 20, (count, 1)))


def planned(promise: Promise, most: int, groups: np.ndarray | None = None) -> Plan:
    curve = promise_curve(days(), Service(), promise, most=most, groups=groups, quantiles=[promise.quantile])
    return curve[0][1]


@pytest.mark.parametrize(("arrivals", "booths"), [(30, 1), (100, 3), (450, 10)])
def test_the_simulation_is_erlangs_in_a_steady_state(arrivals: int, booths: int) -> None:
    counts = np.random.default_rng(1).poisson(arrivals, (1, 600_000 // arrivals))
    found = waits(travellers(counts, SINGLY), np.full(counts.shape[1], booths), limit=2.0)
    average, over = steady_waits(arrivals, booths, SINGLY, limit=2.0)
    assert (found.average * found.came).sum() / found.came.sum() == pytest.approx(average, rel=0.12)
    assert found.over.sum() / found.came.sum() == pytest.approx(over, rel=0.12)


def test_erlang_c_by_hand() -> None:
    assert erlang_c(0.5, 1) == pytest.approx(0.5)  # one booth: as often taken as it is busy
    assert erlang_c(1.0, 2) == pytest.approx(1 / 3)
    assert erlang_c(3.0, 2) == 1.0
    assert steady_waits(500, 2, SINGLY) == (np.inf, 1.0)
    assert steady_waits(0, 0, SINGLY) == (0.0, 0.0)
    enough = steady_booths(200, SINGLY, 5, 0.95, 40)
    assert steady_waits(200, enough, SINGLY, 5)[1] <= 0.05 < steady_waits(200, enough - 1, SINGLY, 5)[1]


@settings(max_examples=30)
@given(
    counts=st.lists(st.integers(0, 60), min_size=4, max_size=4),
    booths=st.lists(st.integers(0, 4), min_size=4, max_size=4),
    more=st.integers(0, 3),
    groups=st.booleans(),
)
def test_a_booth_more_never_makes_anybody_wait_longer(
    counts: list[int], booths: list[int], more: int, groups: bool
) -> None:
    who = travellers(np.array([counts]), Service(), np.full(4, 2) if groups else None)
    few, many = np.array(booths), np.array(booths)
    many[more] += 1
    before, after = waits(who, few, 5.0), waits(who, many, 5.0)
    assert before.came.tolist() == [counts]
    assert (after.average <= before.average + 1e-9).all()
    assert (after.maximum <= before.maximum + 1e-9).all()
    assert (after.over <= before.over).all()


def test_the_promise_is_kept_with_no_more_booths_than_it_takes() -> None:
    plan = planned(Promise(), 40)
    assert plan.kept.all()
    assert (plan.in_time >= 0.95).all()
    assert (plan.booths[DAY == 0] == 0).all()
    harder = planned(Promise(minutes=5), 40)
    assert harder.booth_hours > plan.booth_hours
    groups = planned(Promise(), 40, np.ceil(DAY / 120).astype(int))
    assert groups.booth_hours > plan.booth_hours  # flights come at once, single travellers do not


def test_hours_in_which_no_plan_keeps_the_promise_are_said() -> None:
    plan = planned(Promise(), 3)
    assert plan.booths.max() == 3
    assert not plan.kept[9]
    assert plan.kept[5]


def test_the_promise_costs_more_the_surer_it_is() -> None:
    curve = promise_curve(days(), Service(), Promise(), most=40, quantiles=(0.5, 0.8, 0.95))
    cost = [plan.booth_hours for _, plan in curve]
    assert cost == sorted(cost)
    assert curve[0][1].share_in_time < curve[-1][1].share_in_time


def test_a_service_is_found_again_in_the_waits_it_made() -> None:
    counts = np.tile(DAY, 8).astype(float)
    booths = np.maximum(np.ceil(counts / 55), 1).astype(int)
    true = Service(1.2, group=20.0, walk=3.0)
    groups = np.ceil(counts / 120).astype(int)
    average = waits(travellers(counts, true, groups, seed=1), booths).average[0] + 3.0
    found = fitted_service(counts, booths, np.where(counts > 0, average, np.nan), groups)
    assert 1.0 <= found.minutes <= 1.5
    with pytest.raises(BadInput, match="50 of them"):
        fitted_service(counts, booths, np.full(len(counts), np.nan))


def test_shifts_cover_the_need_in_whole_officers() -> None:
    need = np.ceil(np.tile(DAY, 2) / 50)
    found = roster(need, starts=(5, 7, 9, 13, 15), lengths=(6, 8))
    reached = np.zeros(len(need), bool)
    for start in (5, 7, 9, 13, 15):
        reached[start : start + 8] = reached[24 + start : 24 + start + 8] = True
    assert (found.on_duty >= need)[reached].all()
    assert found.short[~reached].tolist() == need[~reached].tolist()
    limited = roster(need, starts=(5, 7, 9, 13, 15), lengths=(6, 8), most=4)
    assert limited.on_duty.max() <= 4
    assert limited.short.sum() > 0


@settings(max_examples=30)
@given(total=st.integers(0, 400), seed=st.integers(0, 5))
def test_a_fixed_total_is_spent_and_no_more(total: int, seed: int) -> None:
    quantiles = np.sort(np.random.default_rng(seed).gamma(1.0, 60.0, (24, len(LEVELS))), axis=1)
    closed = np.arange(24) < 5
    booths = booths_within(quantiles, LEVELS, total, closed=closed)
    assert booths.sum() == total
    assert booths[closed].sum() == 0


def test_bad_input_is_said() -> None:
    with pytest.raises(BadInput, match="must be known"):
        travellers(np.array([[1.0, np.nan]]), Service())
    with pytest.raises(BadInput, match="names booths for each"):
        waits(travellers(np.array([[1, 2]]), Service()), [1])
    with pytest.raises(BadInput, match="promise names"):
        Promise(share=1.0)
    with pytest.raises(BadInput, match="takes more than no time"):
        Service(0.0)
    with pytest.raises(BadInput, match="fits into"):
        roster(np.ones(4), starts=(0,), lengths=(8,))

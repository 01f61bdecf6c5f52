"""Evidence that may be looked at every day: what it promises, simulated, and what it finds."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from evidence.sequential import log_evidence, needed, share

ALARM = 20.0


def _evidence(found: np.ndarray, period: np.ndarray, *, low: float = 0.05, high: float = 0.08) -> np.ndarray:
    every = np.ones(len(found))
    guesses = np.array([every * p for p in (0.02, 0.05, 0.1, 0.2)])
    return log_evidence(found, every * low, every * high, guesses, period)


@pytest.mark.parametrize("truth", [0.05, 0.06, 0.08])
def test_a_claim_that_holds_is_hardly_ever_refused_in_a_year_of_daily_looks(truth):
    random = np.random.default_rng(11)
    period = np.repeat(np.arange(13), 28 * 5)
    false = sum(_evidence(random.random(len(period)) < truth, period).max() >= np.log(ALARM) for _ in range(400))
    assert false <= 400 / ALARM


def test_the_money_of_a_claim_at_its_edge_gains_nothing_on_average():
    random = np.random.default_rng(3)
    period = np.arange(60) // 20
    ends = [np.exp(_evidence(random.random(60) < 0.08, period)[-1]) for _ in range(4_000)]
    assert np.mean(ends) <= 1.1


@pytest.mark.parametrize(("truth", "change"), [(0.2, 0), (0.2, 900), (0.005, 900)])
def test_a_change_is_found_whether_it_came_at_once_or_after_a_long_quiet(truth, change):
    random = np.random.default_rng(5)
    period = np.arange(3000) // 140
    chance = np.where(np.arange(3000) < change, 0.06, truth)
    evidence = _evidence(random.random(3000) < chance, period)
    assert evidence[:change].max(initial=0.0) < np.log(ALARM) <= evidence.max()


@given(st.lists(st.booleans(), min_size=1, max_size=40), st.data())
def test_later_findings_change_no_earlier_evidence(found, data):
    cut = data.draw(st.integers(1, len(found)))
    period = np.arange(len(found)) // 7
    whole = _evidence(np.array(found), period)
    np.testing.assert_allclose(_evidence(np.array(found[:cut]), period[:cut]), whole[:cut])


def test_no_finding_is_no_evidence():
    assert _evidence(np.zeros(0), np.zeros(0, dtype=int)).shape == (0,)


def test_as_many_findings_as_are_needed_find_the_change_four_times_in_five():
    low, high, truth = (np.array([p]) for p in (0.05, 0.08, 0.16))
    wanted = needed(low, high, truth, alarm=ALARM, guesses=1)
    random = np.random.default_rng(2)
    every = np.ones(wanted)
    hits = [
        log_evidence(
            random.random(wanted) < 0.16, every * 0.05, every * 0.08, every[None] * 0.16, np.zeros(wanted, int)
        )
        for _ in range(500)
    ]
    assert 0.75 <= np.mean([h.max() >= np.log(ALARM) for h in hits]) <= 0.97


def test_what_the_claim_allows_can_never_be_told_apart_from_it():
    assert needed(*(np.array([p]) for p in (0.05, 0.08, 0.07)), alarm=ALARM, guesses=4) is None


def test_the_range_of_a_share_holds_at_all_looks_together():
    random = np.random.default_rng(9)
    outside = 0
    for _ in range(200):
        confirmed = np.cumsum(random.random(600) < 0.06)
        looks = (share(int(confirmed[n - 1]), n) for n in range(20, 601, 20))
        outside += any(not (look.low <= 0.06 <= look.high) for look in looks)
    assert outside <= 200 * 0.05


def test_a_share_of_nothing_says_nothing():
    nothing, none, all_ = share(0, 0), share(0, 30), share(30, 30)
    assert (nothing.value, nothing.low, nothing.high) == (None, 0.0, 1.0)
    assert (none.low, all_.high) == (0.0, 1.0)
    assert 0.1 < none.high < 0.3
    assert 0.7 < all_.low < 0.9

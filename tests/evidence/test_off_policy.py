"""Estimates of what a challenger would have found, against worlds where everyone's truth is known."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from evidence.intervals import Interval
from evidence.off_policy import Checked, gap, missed_risk, precision, prevalence, recall
from evidence.selection import declared
from evidence.small_samples import count, mid_p


def _world(seed: int, chance: float = 0.03) -> tuple[Checked, np.ndarray, np.ndarray]:
    """What was checked of 3,000 rows, their truth, and what a challenger would have chosen: half of it checked anyway.

    The 150 riskiest are checked for certain, the rest with probability `chance`.
    """
    random = np.random.default_rng(seed)
    risk = random.random(3000) ** 3
    truth = (random.random(3000) < 0.6 * risk).astype(float)
    order = np.argsort(-risk)
    probability = np.full(3000, chance)
    probability[order[:150]] = 1.0
    chosen = np.zeros(3000, dtype=bool)
    chosen[order[75:375]] = True
    outcome = np.where(random.random(3000) < probability, truth, np.nan)
    return Checked(outcome, probability), truth, chosen


def test_intervals_hold_the_truth_with_a_handful_of_drawn_rows():
    held = {"prevalence": 0, "precision": 0, "recall": 0, "missed risk": 0, "gap": 0}
    for seed in range(200):
        checked, truth, chosen = _world(seed)
        half = np.arange(3000) % 2 == 0
        told = {
            "prevalence": (prevalence(checked), truth.mean()),
            "precision": (precision(checked, chosen), truth[chosen].mean()),
            "recall": (recall(checked, chosen), truth[chosen].sum() / truth.sum()),
            "missed risk": (missed_risk(checked, chosen), truth[~chosen].sum() / truth.sum()),
            "gap": (
                gap(precision(checked, chosen, half), precision(checked, chosen, ~half)),
                truth[chosen & half].mean() - truth[chosen & ~half].mean(),
            ),
        }
        for name, (found, true) in told.items():
            held[name] += found.interval.low <= true <= found.interval.high
    assert min(held.values()) >= 186, held


def test_what_is_checked_for_certain_is_known_and_the_rest_is_weighed():
    outcomes = np.array([1.0, 1.0, 0.0, 1.0, np.nan, np.nan, 0.0, np.nan])
    probabilities = np.array([1.0, 1.0, 1.0, 0.4, 0.4, 0.4, 0.4, 0.4])
    checked = Checked(outcomes, probabilities)
    assert prevalence(checked).value == pytest.approx((2 + 5 * 0.5) / 8)
    known = precision(checked, probabilities == 1)
    assert known.interval == Interval(pytest.approx(2 / 3), pytest.approx(2 / 3), pytest.approx(2 / 3))
    chosen = np.array([True, False, True, True, True, False, False, False])
    assert precision(checked, chosen).value == pytest.approx((1 + 2 * 1.0) / 4)


def test_without_a_drawn_row_there_are_limits_and_no_point():
    checked = Checked(np.array([1.0, 0.0, np.nan, np.nan]), np.array([1.0, 1.0, 0.1, 0.1]))
    found = prevalence(checked)
    assert found.value is None
    assert (found.interval.low, found.interval.high) == (0.25, 0.75)
    assert "limits say what is possible" in found.refused


def test_rows_that_nobody_could_draw_refuse_a_point():
    checked = Checked(np.array([1.0, 0.0, np.nan]), np.array([0.5, 0.5, np.nan]))
    assert prevalence(checked).value is None
    assert prevalence(checked, np.array([True, True, False])).value == 0.5
    # Among checked rows alone, one whose probability nobody knows proves nothing and is left out.
    assert prevalence(Checked(np.array([1.0, 0.0, 1.0]), np.array([0.5, 0.5, np.nan]), everyone=False)).value == 0.5


def test_checked_rows_alone_stand_for_the_others():
    covered = 0
    for seed in range(100):
        everyone, truth, chosen = _world(seed)
        kept = ~np.isnan(everyone.outcomes)
        checked = Checked(everyone.outcomes[kept], everyone.probabilities[kept], everyone=False)
        found = precision(checked, chosen[kept])
        covered += found.interval.low <= truth[chosen].mean() <= found.interval.high
    assert covered >= 92


def test_a_model_that_explains_narrows_the_interval_and_one_that_does_not_changes_little():
    ratios, held = [], []
    for seed in range(40):
        checked, truth, _ = _world(seed, chance=0.1)
        noise = np.random.default_rng(1000 + seed).random(3000)
        widths = []
        for expected in (None, 0.1 + 0.6 * truth + 0.2 * noise, noise):
            found = prevalence(Checked(checked.outcomes, checked.probabilities, expected=expected))
            widths.append(found.interval.high - found.interval.low)
            held.append(found.interval.low <= truth.mean() <= found.interval.high)
        ratios.append(np.array(widths[1:]) / widths[0])
    explains, says_nothing = np.mean(ratios, axis=0)
    assert explains < 0.5
    assert 0.95 < says_nothing < 1.02
    assert np.mean(held) >= 0.93


def test_a_check_that_found_nothing_out_is_uncertain_too():
    outcomes, probabilities = np.array([1.0, 0.0, 0.0, np.nan]), np.ones(4)
    found = prevalence(Checked(outcomes, probabilities))
    assert found.value == pytest.approx(1 / 3)
    assert found.interval.low < 1 / 4 < 1 / 2 < found.interval.high


@given(st.integers(0, 40), st.integers(1, 40))
def test_small_shares_contain_what_was_seen_and_are_mirrored(positives: int, more: int):
    trials = positives + more
    found, mirror = mid_p(positives / trials, trials), mid_p(more / trials, trials)
    assert 0 <= found.low <= positives / trials <= found.high <= 1
    assert found.low == pytest.approx(1 - mirror.high, abs=1e-6)


def test_a_share_that_rounding_left_next_to_all_is_all():
    assert mid_p(1 - 1e-16, 7.3) == mid_p(1.0, 7.3)
    assert mid_p(1e-17, 7.3) == mid_p(0.0, 7.3)


def test_counts_hold_their_mean():
    random = np.random.default_rng(3)
    held = [(found := count(25.0 * n, n, 25.0)).low <= 100 <= found.high for n in random.poisson(4.0, 2000)]
    assert np.mean(held) >= 0.95


def test_only_declared_probabilities_count():
    selected_by = np.array(["random", "rule", "model", "officer", None], dtype=object)
    probabilities = np.array([0.02, 0.85, 1.0, np.nan, np.nan])
    assert declared(selected_by, probabilities).tolist()[::2] == pytest.approx([0.02, 1.0, np.nan], nan_ok=True)
    assert np.isnan(declared(selected_by, probabilities)[[1, 3]]).all()

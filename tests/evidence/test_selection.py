"""Estimates corrected for who was checked, against a world where the truth is known."""

import numpy as np
import pytest

from evidence.selection import hajek, missed_risk


def _world(seed: int) -> tuple[np.ndarray, np.ndarray, np.ndarray, float]:
    """Truth, outcomes of the checked (NaN elsewhere), probabilities of being checked, and the true prevalence.

    The risky are checked far more often, so the share among checked rows is far too high.
    """
    random = np.random.default_rng(seed)
    risk = random.random(4000) ** 3
    truth = (random.random(4000) < risk).astype(float)
    probability = np.where(risk > 0.5, 0.8, 0.1)
    outcome = np.where(random.random(4000) < probability, truth, np.nan)
    return truth, outcome, probability, float(truth.mean())


def test_hajek_mends_what_the_checked_share_gets_wrong():
    naive, corrected, covered = [], [], 0
    for seed in range(60):
        _, outcome, probability, prevalence = _world(seed)
        estimate = hajek(outcome, probability)
        naive.append(np.nanmean(outcome) - prevalence)
        corrected.append(estimate.value - prevalence)
        covered += estimate.interval.low <= prevalence <= estimate.interval.high
    assert np.mean(naive) > 0.1
    assert abs(np.mean(corrected)) < 0.01
    assert covered >= 54


def test_a_part_of_the_rows_is_estimated_by_itself():
    truth, outcome, probability, _ = _world(1)
    among = probability > 0.5
    assert hajek(outcome, probability, among).value == pytest.approx(truth[among].mean(), abs=0.05)


def test_missed_risk_is_what_lies_outside_the_selection():
    truth, outcome, probability, _ = _world(2)
    chosen = probability > 0.5
    expected = truth[~chosen].sum() / truth.sum()
    assert missed_risk(outcome, probability, chosen).value == pytest.approx(expected, abs=0.08)


def test_without_a_probability_the_estimate_is_refused_in_words():
    outcome = np.array([1.0, 0.0, 1.0])
    refused = hajek(outcome, np.full(3, np.nan))
    assert refused.value is None
    assert "random control" in refused.refused
    assert "Nothing" not in refused.refused
    assert hajek(np.full(3, np.nan), np.ones(3)).refused.startswith("No finding")

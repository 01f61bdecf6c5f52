"""Probabilities learnt on the checked are moved to hold among everyone, where the random control can tell."""

import numpy as np

from evidence.anchoring import anchor


def _world(seed: int, rows: int, chance: float) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Promised log-odds that are 0.8 too high, truth, outcomes of the checked, probabilities."""
    random = np.random.default_rng(seed)
    true = random.normal(-2.5, 1.0, rows)
    truth = (random.random(rows) < 1 / (1 + np.exp(-true))).astype(float)
    probabilities = np.where(true > np.quantile(true, 0.95), 1.0, chance)
    outcomes = np.where(random.random(rows) < probabilities, truth, np.nan)
    return true + 0.8, truth, outcomes, probabilities


def test_a_promise_that_is_too_high_is_moved_down_with_an_interval_that_holds():
    held, errors = 0, []
    for seed in range(100):
        promised, truth, outcomes, probabilities = _world(seed, 4000, 0.05)
        found = anchor(promised, outcomes, probabilities)
        held += found.off.low <= -0.8 <= found.off.high
        shares = [(1 / (1 + np.exp(-line))).mean() for line in (promised + found.shift, promised)]
        errors.append(np.array(shares) - truth.mean())
    assert held >= 91
    anchored, promised_error = np.abs(np.array(errors)).mean(axis=0)
    assert anchored < 0.4 * promised_error


def test_what_holds_is_not_moved_by_a_few_rows():
    stayed = 0
    for seed in range(100):
        promised, _, outcomes, probabilities = _world(seed, 1500, 0.05)
        found = anchor(promised - 0.8, outcomes, probabilities)
        stayed += found.shift == 0.0
    assert stayed >= 92


def test_without_a_known_probability_nothing_is_moved_and_it_says_why():
    found = anchor(np.zeros(3), np.array([1.0, 0.0, 1.0]), np.full(3, np.nan))
    assert found.refused
    assert found.rows == 0
    assert found.shift == 0.0

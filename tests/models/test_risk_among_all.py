"""What a model finds among all is estimated from the control, not from those whom somebody wanted to check."""

import numpy as np
import pytest

from models.risk.among_all import among_all, highest


def test_the_places_of_a_capacity_go_to_the_highest_scores_of_everyone():
    raw, weights = np.array([3.0, 1.0, 2.0, 0.0]), np.array([1.0, 40.0, 9.0, 50.0])
    assert highest(raw, weights, 0.10).tolist() == [True, False, True, False]
    assert highest(raw, weights, 0.01).tolist() == [True, False, False, False]
    assert highest(raw, weights, 0.50).tolist() == [True, True, True, False]


def test_estimates_hold_the_truth_of_everyone_where_checked_rows_alone_do_not():
    held, naive = np.zeros(3), 0
    for seed in range(120):
        random = np.random.default_rng(seed)
        seen, hidden = random.normal(size=6000), random.normal(size=6000)
        truth = (random.random(6000) < 1 / (1 + np.exp(3 - seen - hidden))).astype(float)
        drawn = random.random(6000) < 0.05
        wanted = seen + 2 * hidden > 3.2  # officers see what the model does not
        chances = np.where(drawn, 0.05, np.nan)
        kept = drawn | wanted
        top = seen >= np.quantile(seen, 0.9)
        found = among_all(truth[kept], chances[kept], seen[kept], 0.1)
        true = (truth.mean(), truth[top].mean(), truth[~top].sum() / truth.sum())
        told = (found.prevalence, found.precision, found.missed)
        held += [e.interval.low <= t <= e.interval.high for e, t in zip(told, true, strict=True)]
        naive += abs(truth[kept & top].mean() - true[1]) < 0.05
    assert held.min() >= 110
    assert naive < 20


def test_without_a_known_probability_everything_is_refused_in_words():
    found = among_all(np.array([1.0, 0.0]), np.full(2, np.nan), np.zeros(2), 0.1)
    assert found.precision.value is None
    assert "random control" in found.missed.refused


def test_checks_made_for_certain_count_as_they_are():
    labels, chances = np.array([1.0, 1.0, 0.0, 0.0, 1.0, 0.0]), np.array([1.0, 1.0, 1.0, 0.1, 0.1, 0.1])
    scores = np.array([5.0, 4.0, 3.0, 2.0, 1.0, 0.0])
    found = among_all(labels, chances, scores, 0.33)
    assert found.precision.value == pytest.approx(2 / 13)
    assert found.prevalence.value == pytest.approx((2 + 10) / 33)
    # Nobody was drawn among the three highest, so how many others lie there is not known.
    highest_three = among_all(labels, chances, scores, 0.09).precision
    assert highest_three.value is None
    assert highest_three.interval.low < 2 / 3 < highest_three.interval.high

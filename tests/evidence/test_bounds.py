"""Bounds hold whatever the unknown is, and are named bounds."""

import numpy as np
import pytest

from evidence.bounds import contraction, manski, manski_recall


def test_bounds_hold_whatever_the_unknown_is():
    random = np.random.default_rng(1)
    for _ in range(50):
        truth = (random.random(60) < 0.3).astype(float)
        outcomes = np.where(random.random(60) < 0.5, truth, np.nan)
        chosen = random.random(60) < 0.4
        share, found = manski(outcomes, chosen), manski_recall(outcomes, chosen)
        assert share.low <= truth[chosen].mean() <= share.high
        assert found.low <= truth[chosen].sum() / truth.sum() <= found.high


def test_bounds_are_as_wide_as_what_is_unknown_and_say_so():
    bounds = manski(np.array([1.0, 0.0, np.nan, np.nan]))
    assert (bounds.low, bounds.high, bounds.open) == (0.25, 0.75, 0.5)
    assert "bounds, no estimate" in str(bounds)
    assert manski(np.zeros(0)) is None
    assert manski_recall(np.zeros(3), np.ones(3, dtype=bool)) is None


def test_contraction_asks_those_who_checked_most_of_their_cases():
    random = np.random.default_rng(2)
    truth = (random.random(600) < 0.3).astype(float)
    examiners = np.repeat(["much", "little", "few"], [300, 280, 20])
    chance = np.where(examiners == "much", 0.9, np.where(examiners == "little", 0.2, 1.0))
    outcomes = np.where(random.random(600) < chance, truth, np.nan)
    chosen = np.arange(600) % 3 == 0
    bounds = contraction(outcomes, chosen, examiners)
    much = chosen & (examiners == "much")
    assert bounds.low <= truth[much].mean() <= bounds.high
    assert bounds.high - bounds.low == pytest.approx(np.isnan(outcomes[much]).mean())
    assert bounds.high - bounds.low < manski(outcomes, chosen).high - manski(outcomes, chosen).low
    assert contraction(outcomes, chosen, examiners, least=1000) is None

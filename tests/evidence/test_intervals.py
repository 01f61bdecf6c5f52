import numpy as np
import pytest

from evidence.intervals import beyond_noise, bootstrap, effective_size, redrawn_days, wilson
from evidence.metrics import pr_auc


def test_wilson_against_published_values():
    found = wilson(8, 10)  # the textbook example of the method
    assert (found.low, found.high) == (pytest.approx(0.490, abs=5e-4), pytest.approx(0.943, abs=5e-4))


def test_wilson_stays_inside_and_knows_when_it_knows_nothing():
    assert wilson(0, 0).value is None
    for successes, trials in ((0, 5), (5, 5), (0.5, 1.2)):
        found = wilson(successes, trials)
        assert found.low is not None
        assert found.high is not None
        assert 0 <= found.low <= found.value <= found.high <= 1


def test_effective_size_counts_equal_weights_and_discounts_unequal_ones():
    assert effective_size(np.full(7, 3.0)) == pytest.approx(7)
    assert effective_size(np.array([1.0, 0.0, 0.0])) == pytest.approx(1)
    assert effective_size(np.zeros(3)) == 0


def test_redrawn_days_keep_each_day_whole():
    days = np.repeat(np.arange(30), 4)
    for rows in redrawn_days(days, 5):
        assert all(count % 4 == 0 for count in np.bincount(days[rows], minlength=30))


def test_bootstrap_holds_the_value_and_repeats_itself():
    random = np.random.default_rng(3)
    labels, scores = (random.random(600) < 0.3).astype(float), random.random(600)
    draws = redrawn_days(np.repeat(np.arange(60), 10), 100)
    first, again = (bootstrap(lambda r: pr_auc(labels[r], scores[r]), np.arange(600), draws) for _ in range(2))
    assert first == again
    assert first.low < first.value < first.high


def test_bootstrap_of_something_undefined_has_no_interval():
    found = bootstrap(lambda rows: None, np.arange(5), [np.arange(5)] * 3)
    assert (found.value, found.low, found.high) == (None, None, None)


def test_a_gain_beyond_noise_is_one_of_more_than_two_standard_errors():
    told = np.tile([0.0, 1.0], 50)  # standard error of its mean: .05
    assert beyond_noise(told - 0.39)
    assert not beyond_noise(told - 0.41)
    assert not beyond_noise(0.39 - told)
    assert not beyond_noise(np.zeros(10))
    assert not beyond_noise(np.array([]))

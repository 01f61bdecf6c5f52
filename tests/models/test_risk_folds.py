"""Folds keep time's order whatever the labels' delays, and rows with open outcome windows are caught."""

from datetime import timedelta

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.risk.folds import check_cohorts, folds
from records.errors import BadInput

DAY = np.timedelta64(1, "D")


def moments(rows: int) -> np.ndarray:
    return (np.datetime64("2021-01-01") + np.arange(rows) * DAY // 4).astype("datetime64[us]")


@settings(deadline=None)
@given(st.integers(0, 40), st.integers(1, 6), st.lists(st.integers(0, 40), min_size=1, max_size=30))
def test_nothing_teaches_before_its_window_is_closed(window, count, delays):
    as_of = moments(2000)
    known_at = as_of + np.resize(delays, len(as_of)) * DAY
    before = None
    for fold in folds(as_of, known_at, count=count, window=timedelta(days=window)):
        for part, moment in zip((fold.train, fold.valid), fold.moments, strict=True):
            assert (known_at[part] <= moment).all()
            assert (as_of[part] + window * DAY <= moment).all()
        assert as_of[fold.train].max() < as_of[fold.valid].min() <= as_of[fold.valid].max() < as_of[fold.test].min()
        if before is not None:
            assert set(before.train) < set(fold.train)
            assert before.test.max() + 1 == fold.test.min()
        before = fold
    assert before.test.max() == len(as_of) - 1


def test_too_little_time_for_the_window_is_said():
    with pytest.raises(BadInput, match="Take fewer folds"):
        list(folds(moments(400), window=timedelta(days=90)))


def test_a_recent_base_rate_that_jumps_is_refused():
    random = np.random.default_rng(0)
    labels = (random.random(4000) < 0.3).astype(float)
    check_cohorts(labels, moments(4000), "Wait.")
    only_found = labels.copy()
    only_found[3700:] = 1.0
    with pytest.raises(BadInput, match=r"jumps from 29\.\d% to .* since 2023-.*Wait"):
        check_cohorts(only_found, moments(4000), "Wait.")
    not_yet_found = labels.copy()
    not_yet_found[3600:] = 0.0
    with pytest.raises(BadInput, match=r"to 0\.0%"):
        check_cohorts(not_yet_found, moments(4000), "Wait.")


def test_a_base_rate_that_drifts_is_no_jump():
    random = np.random.default_rng(1)
    labels = (random.random(20000) < np.linspace(0.05, 0.18, 20000)).astype(float)
    check_cohorts(labels, moments(20000), "")
    few = np.array([0.0, 1.0] * 40)
    few[-10:] = 1.0
    check_cohorts(few, moments(80), "")  # too few rows to say

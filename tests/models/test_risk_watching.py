"""Does a model still hold: false alarms, changes that are found, and when there is too little to say."""

from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from models.risk.reference import Reference
from models.risk.watching import ABOUT, ALARM, FALSE_ALARMS, Findings, courses, times


def _reference(findings: int, confirmed: int) -> Reference:
    return Reference(datetime(2025, 1, 1, tzinfo=UTC), 0, {}, {}, findings, confirmed, timedelta(hours=9))


def _scores(random: np.random.Generator, rows: int) -> np.ndarray:
    return 1 / (1 + np.exp(-random.normal(-3.2, 1.0, rows)))


def _watched(seed: int, *, factor: float = 1.0, change: int = 0, days: int = 365, per_day: int = 5, before: int = 2000):
    """The courses of a model whose odds are `factor` times what it promises from the day `change` on."""
    random = np.random.default_rng(seed)
    confirmed = int((random.random(before) < _scores(random, before)).sum())
    day = np.repeat(np.arange(days), random.poisson(per_day, days))
    promised = _scores(random, len(day))
    truth = np.where(day >= change, times(promised, factor), promised)
    found = (random.random(len(day)) < truth).astype(float)
    return courses(_reference(before, confirmed), Findings(found, promised, day), _scores(random, 500), days)


@pytest.mark.parametrize("factor", [1.0, ABOUT, 1 / ABOUT])
def test_a_year_of_daily_looks_raises_hardly_any_alarm_where_the_model_holds(factor):
    alarms = sum(any(c.since is not None for c in _watched(seed, factor=factor)) for seed in range(100))
    assert alarms <= 100 * FALSE_ALARMS


def test_doubled_odds_are_found_within_the_findings_that_are_said_to_be_needed():
    found = []
    for seed in range(40):
        _, calibration = _watched(seed, factor=2.0, days=400)
        assert calibration.needed is not None
        found.append(calibration.since is not None and calibration.rows[calibration.since] <= calibration.needed)
    assert np.mean(found) >= 0.7


@pytest.mark.parametrize("factor", [0.4, 2.5])
def test_a_change_after_half_a_year_is_found_by_both_claims_and_not_before(factor):
    for course in _watched(4, factor=factor, change=180, days=900):
        assert course.since is not None
        assert course.since > 180
        assert course.state(course.since - 1) != "alarm"
        assert course.state(len(course.rows) - 1) == "alarm"


def test_scores_that_tell_nothing_apart_any_more_are_found_though_their_mean_holds():
    random = np.random.default_rng(8)
    promised = _scores(random, 6000)
    found = (random.random(6000) < promised.mean()).astype(float)
    day = np.arange(6000) // 20
    prevalence, calibration = courses(_reference(4000, 230), Findings(found, promised, day), promised[:500], 300)
    assert prevalence.since is None
    assert calibration.since is not None


def test_few_findings_are_too_few_and_enough_quiet_ones_are_quiet():
    _, calibration = _watched(2, days=300)
    assert calibration.state(5) == "too_few"
    assert calibration.state(299) == "quiet"
    assert calibration.rows[299] >= calibration.needed > calibration.rows[5]


def test_a_claim_that_rests_on_few_findings_is_wide_and_may_never_tell():
    prevalence, _ = courses(
        _reference(40, 2), Findings(np.zeros(0), np.zeros(0), np.zeros(0, dtype=int)), np.array([0.05]), 3
    )
    assert prevalence.needed is None
    assert prevalence.evidence.tolist() == [1.0] * 3
    assert prevalence.state(2) == "too_few"


def test_counts_grow_by_day_and_the_claim_holds_what_is_expected():
    prevalence, calibration = _watched(7, days=100)
    for course in (prevalence, calibration):
        assert (np.diff(course.rows) >= 0).all()
        assert (np.diff(course.confirmed) >= 0).all()
        at = course.rows > 0
        mean = course.expected[at] / course.rows[at]
        assert (course.low[at] <= mean).all()
        assert (mean <= course.high[at]).all()
        assert course.evidence.max() < ALARM

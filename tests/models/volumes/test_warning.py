"""Few false alarms, as promised, on counts drawn by chance; changes are found; silence is another thing."""

from datetime import date

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.stats import nbinom, poisson

from models.volumes.calendars.calendar import calendar
from models.volumes.early_warning.alarms import Alarm, Judged, Kind, State, advance, why
from models.volumes.early_warning.reference import WARM, reference
from models.volumes.early_warning.warning import (
    SETTINGS,
    alone,
    false_alarms_a_year,
    limits,
    path,
    scores,
)
from models.volumes.lake.silence import silent
from models.volumes.rhythm import LEVELS, rhythm_of
from records.errors import BadInput

DAYS, SERIES = 1500, 8
PLACES = ["a", "a", "b", "b", "c", "c", "d", "d"]


def world(seed=3, mean=400.0):
    """Counts by weekday with a shock that all posts share each day, as weather does."""
    random = np.random.default_rng(seed)
    week = 1.0 + 0.3 * np.sin(2 * np.pi * np.arange(DAYS) / 7)
    shared = np.exp(0.15 * random.standard_normal(DAYS))
    rate = mean * np.linspace(0.5, 2.0, SERIES)[:, None] * week * shared
    return random.negative_binomial(150, 150 / (150 + rate)).astype(float)


@pytest.fixture(scope="module")
def watched():
    counts = world()
    days = calendar(rhythm_of("D"), 18_000, DAYS)
    seen = reference(counts, days)
    surprise = alone(scores(counts, seen.quantiles), PLACES)
    return counts, days, seen, surprise, path(surprise)


@pytest.mark.parametrize("setting", SETTINGS)
def test_false_alarms_stay_under_the_promise(watched, setting):
    _, _, _, surprise, chart = watched
    known = np.isfinite(surprise)
    limit = limits(chart, SETTINGS[setting], known)
    assert false_alarms_a_year(chart, limit, known) <= SETTINGS[setting]


def test_a_rise_of_a_third_is_found_in_days_and_named_alone(watched):
    counts, days, seen, surprise, chart = watched
    known = np.isfinite(surprise)
    limit = limits(chart, SETTINGS["keen"], known)
    found = []
    for day in range(600, 1400, 100):
        changed = counts[:, : day + 14].copy()
        changed[2, day:] *= 1.3
        later = reference(changed, days, seen.until(day))
        fresh = alone(scores(changed, later.quantiles), PLACES, surprise[:, :day])
        over = path(fresh[:, day:], chart[:, day - 1]).max(axis=2) > limit[day : day + 14]
        found.append(int(over[2].argmax()) + 1 if over[2].any() else 99)
    assert np.median(found) <= 5
    assert np.mean(np.array(found) < 99) >= 0.75


def test_a_day_that_moves_every_post_alike_is_no_posts_alarm(watched):
    counts, days, seen, surprise, _ = watched
    stormy = counts.copy()
    stormy[:, 1000] *= 0.5
    fresh = alone(scores(stormy, reference(stormy, days, seen.until(1000)).quantiles), PLACES, surprise[:, :1000])
    assert np.abs(scores(stormy, seen.quantiles)[:, 1000]).mean() > 2.5
    assert np.abs(fresh[:, 1000]).mean() < 2.5


def test_a_reference_that_is_continued_says_what_one_from_the_start_says(watched):
    counts, days, seen, surprise, chart = watched
    shorter = reference(counts[:, :703], days)
    longer = reference(counts[:, :720], days, shorter)
    np.testing.assert_allclose(longer.quantiles, seen.quantiles[:, :720])
    again = alone(scores(counts, seen.quantiles)[:, :720], PLACES, surprise[:, :703])
    np.testing.assert_allclose(again, surprise[:, :720])
    np.testing.assert_allclose(path(surprise[:, 703:720], chart[:, 702]), chart[:, 703:720])


def test_later_counts_change_nothing(watched):
    counts, days, seen, surprise, chart = watched
    poisoned = counts.copy()
    poisoned[:, 900:] = 1e6
    other = reference(poisoned, days)
    np.testing.assert_allclose(other.quantiles[:, :901], seen.quantiles[:, :901])
    fresh = alone(scores(poisoned, other.quantiles), PLACES)
    np.testing.assert_allclose(fresh[:, :900], surprise[:, :900])
    known = np.isfinite(surprise)
    np.testing.assert_allclose(limits(path(fresh), 1.0, known)[:901], limits(chart, 1.0, known)[:901])


def test_the_reference_keeps_its_ranges(watched):
    counts, _, seen, _, _ = watched
    low, high = seen.quantiles[..., 3], seen.quantiles[..., 11]
    inside = ((counts >= low) & (counts <= high))[:, 300:]
    assert 0.72 < inside.mean() < 0.88
    assert np.isnan(seen.quantiles[:, :WARM]).all()


@pytest.mark.parametrize("mean", [0.05, 0.5, 3.0, 400.0])
def test_scores_of_counts_from_their_own_forecast_are_centred_and_not_wider_than_normal(mean):
    random = np.random.default_rng(5)
    counts = random.poisson(mean, 20_000).astype(float)
    quantiles = np.broadcast_to(poisson.ppf(LEVELS, mean), (len(counts), len(LEVELS)))
    score = scores(counts, quantiles)
    assert abs(score.mean()) < 0.25
    assert score.std() < 1.35


def test_a_zero_where_most_days_are_zero_is_no_surprise_and_ties_are_split():
    quantiles = nbinom.ppf(LEVELS, 0.2, 0.4)
    assert (quantiles[:8] == 0).all()
    zero, five = scores(np.array([0.0, 5.0]), np.tile(quantiles, (2, 1)))
    assert -1.0 < zero < 0.3
    assert five > 2.0


@given(
    arrays(float, 15, elements=st.floats(0, 1e6)).map(np.sort),
    st.lists(st.integers(0, 10**6), min_size=2, max_size=8, unique=True).map(sorted),
)
def test_a_larger_count_never_scores_lower(quantiles, counts):
    score = scores(np.array(counts, float), np.tile(quantiles, (len(counts), 1)))
    assert np.isfinite(score).all()
    assert (np.diff(score) >= -1e-9).all()


def test_what_is_missing_has_no_score_and_leaves_the_chart_where_it_stands():
    quantiles = np.tile(np.linspace(80, 120, 15), (1, 3, 1))
    score = scores(np.array([[150.0, np.nan, 150.0]]), quantiles)
    assert np.isnan(score[0, 1])
    chart = path(score)
    assert (chart[0, 1] == chart[0, 0]).all()
    assert chart[0, 2, 0] > chart[0, 1, 0]


def test_places_must_be_given_for_each_series():
    with pytest.raises(BadInput, match="2 series need 2 places"):
        alone(np.zeros((2, 10)), ["a"])


def test_silence_is_an_alarm_until_something_comes_and_only_where_something_always_came():
    counts = np.full((3, 200), 50.0)
    counts[0, 100:180] = 0.0
    counts[1, ::2] = 0.0
    counts[2, 100:] = np.nan
    answer = silent(counts)
    assert answer[0, 100:180].all()
    assert answer.sum() == 80


def judged(chart_of_one, counts, quiet=False):
    chart = np.zeros((2, len(chart_of_one), 2))
    chart[0, :, 0] = chart_of_one
    came = np.full((2, len(chart_of_one)), 100.0)
    came[0] = counts
    return Judged(
        flows=("Ras Jedir|entry", "Goulette|exit"),
        first_day=date(2026, 1, 1),
        counts=came,
        expected=np.full(came.shape, 100.0),
        chart=chart,
        limit=np.full(len(chart_of_one), 4.0),
        silent=np.zeros(came.shape, bool) if not quiet else came == 0,
    )


def test_an_alarm_says_which_flow_since_when_and_by_how_much_and_closes_when_it_is_over():
    world = judged([0, 2, 3, 5, 6, 3, 1, 0], [100, 130, 130, 140, 130, 100, 100, 100])
    alarms: tuple[Alarm, ...] = ()
    states = []
    for day in range(8):
        alarms = advance(alarms, world, day)
        states.append([alarm.state for alarm in alarms])
    assert states[2] == []
    assert states[3] == states[5] == [State.RAISED]
    assert states[6] == states[7] == [State.CLOSED]
    (alarm,) = alarms
    assert (alarm.flow, alarm.kind, alarm.since, alarm.raised_on) == (
        "Ras Jedir|entry",
        Kind.FLOW,
        date(2026, 1, 2),
        date(2026, 1, 4),
    )
    assert alarm.came == 630
    assert alarm.expected == 500
    assert why(alarm) == "warning.more"
    assert alarm.change == pytest.approx(0.26)


def test_one_that_a_person_took_up_stays_until_a_person_closes_it():
    world = judged([0, 5, 0, 5, 0], [100, 150, 100, 150, 100])
    (alarm,) = advance((), world, 1)
    taken = alarm.become(State.ACKNOWLEDGED, by="planner")
    for day in (2, 3):
        (taken,) = advance((taken,), world, day)
        assert taken.state is State.ACKNOWLEDGED
    with pytest.raises(BadInput, match="needs its explanation"):
        taken.become(State.EXPLAINED, by="planner")
    told = taken.become(State.EXPLAINED, by="planner", note="A new ferry sails since Friday")
    done = told.become(State.CLOSED, by="planner")
    assert done.note == "A new ferry sails since Friday"
    with pytest.raises(BadInput, match="cannot become raised"):
        done.become(State.RAISED, by="planner")
    again = advance((done,), world, 3)
    assert [a.state for a in again] == [State.CLOSED, State.RAISED]


def test_silence_raises_a_feed_alarm_and_no_flow_alarm():
    world = judged([0, 5, 6, 6], [100, 0, 0, 100], quiet=True)
    alarms = advance(advance((), world, 1), world, 2)
    assert [(alarm.kind, alarm.expected) for alarm in alarms] == [(Kind.FEED, 200.0)]
    assert why(alarms[0]) == "warning.feed"
    after = advance(alarms, world, 3)
    assert [alarm.state for alarm in after if alarm.kind is Kind.FEED] == [State.CLOSED]

"""Features look no further than each row's origin; a feast is remembered; a day in doubt makes two humps."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.volumes.calendars.calendar import calendar
from models.volumes.calendars.uncertain import chances, mixed
from models.volumes.counts.history import History
from models.volumes.counts.panel import read_panel
from models.volumes.members.design import Rows
from models.volumes.members.feasts import expected, feast_season
from models.volumes.members.schedule import by_load, lacking
from models.volumes.members.seasonal import same_season
from models.volumes.members.trees import Growth, inputs, trees
from models.volumes.rhythm import LEVELS, MEDIAN, rhythm_of, steps

DAY, HOUR = rhythm_of("D"), rhythm_of("h")
SMALL = Growth(rounds=40, rows=3_000)
EID = {2023: "2023-04-21", 2024: "2024-04-10", 2025: "2025-03-30", 2026: "2026-03-20"}  # Umm al-Qura


def day(text: str) -> int:
    return int(steps(np.array([text], "datetime64[us]"), DAY)[0])


def eid_history(origin: str, horizon: int, series: int = 4, times: float = 2.5) -> History:
    """Counts that double and more on the two days of each Eid al-Fitr, of posts with a weekly rhythm."""
    start, end = day("2022-06-01"), day(origin)
    number = np.arange(start, end + 1)
    generator = np.random.default_rng(5)
    week = 1.0 + 0.3 * ((number + 3) % 7 >= 5)
    feast = np.isin(number, [day(text) + k for text in EID.values() for k in (0, 1)])
    size = 300.0 * (1 + np.arange(series))[:, None]
    values = generator.poisson(size * week * np.where(feast, times, 1.0)).astype(float)
    days = chances(DAY, start, len(number) + horizon, ("TN",))
    otherwise = tuple((weight, days[0][1].until(len(number), other)) for weight, other in days[1:])
    return History(DAY, start, values, horizon, days[0][1], {}, {}, otherwise)


def test_a_feast_is_remembered_from_earlier_years() -> None:
    history = eid_history("2026-03-05", 20)
    at = day(EID[2026]) - day("2026-03-05") - 1
    ordinary = feast_season(history)[:, 5, MEDIAN]
    assert np.all(feast_season(history)[:, at, MEDIAN] > 1.8 * ordinary)
    assert np.all(trees(replace(history, otherwise=()), SMALL)[:, at, MEDIAN] > 1.6 * ordinary)


def test_an_eid_whose_day_is_in_doubt_is_wider_and_has_two_humps() -> None:
    history = eid_history("2026-03-05", 20)
    assert history.otherwise
    sure, doubted = trees(replace(history, otherwise=()), SMALL), trees(history, SMALL)
    first, after = (day(EID[2026]) - day("2026-03-05") - 1 + k for k in (0, 2))
    low, high = (int(np.flatnonzero(level == LEVELS)[0]) for level in (0.1, 0.9))
    for at in (first, after):  # the day that may be no feast yet, and the one that may be a feast still
        wide = doubted[:, at, high] - doubted[:, at, low]
        assert np.all(wide > 2.0 * (sure[:, at, high] - sure[:, at, low]))
        gaps = np.diff(doubted[:, at, low : high + 1], axis=1)
        assert np.all(gaps.max(axis=1) > 0.35 * wide)  # hardly anything is expected between the humps
    late = 300.0 * (1 + np.arange(4))  # the moon came a day later: the computed first day is an ordinary Friday
    assert np.all((doubted[:, first, low] < 1.25 * late) & (doubted[:, first, high] > 1.6 * late))


@pytest.mark.parametrize("share", [0.0, 0.3, 1.0])
def test_a_mixture_of_one_thing_is_that_thing(share: float) -> None:
    quantiles = np.sort(np.random.default_rng(1).gamma(2.0, 50.0, size=(3, 4, len(LEVELS))), axis=-1)
    assert np.array_equal(mixed([quantiles, quantiles], [share, 1.0 - share]), quantiles)


@settings(max_examples=25, deadline=None)
@given(far=st.floats(0.0, 1e4), weight=st.floats(0.05, 0.95), spread=st.floats(0.1, 100.0))
def test_a_mixture_ascends_between_its_parts(far: float, weight: float, spread: float) -> None:
    one = spread * np.arange(1.0, len(LEVELS) + 1)
    mixture = mixed([one, one + far], [weight, 1.0 - weight])
    assert np.all(np.diff(mixture) >= -1e-9)
    assert np.all((mixture >= one.min() - 1e-9) & (mixture <= one.max() + far + 1e-9))


@settings(max_examples=10, deadline=None)
@given(cut=st.integers(300, 395), seed=st.integers(0, 1_000))
def test_rows_know_nothing_beyond_their_origin(cut: int, seed: int) -> None:
    generator = np.random.default_rng(seed)
    values = generator.poisson(40.0, size=(3, 400)).astype(float)
    known = {"flights": generator.poisson(4.0, size=(3, 428)).astype(float)}
    days = calendar(DAY, day("2024-01-01"), 428, ("TN",))
    poisoned = values.copy()
    poisoned[:, cut + 1 :] = 1e9
    series, target = np.repeat(np.arange(3), 4), np.tile(cut + np.array([1, 3, 4, 5]), 3)
    rows = Rows(series, np.full(len(series), cut), target)
    told = [inputs(History(DAY, day("2024-01-01"), v, 28, days, {}, known), rows) for v in (values, poisoned)]
    for name, column in told[0].columns.items():
        assert np.array_equal(column, told[1].columns[name], equal_nan=True), name
    assert np.array_equal(told[0].start, told[1].start)


def test_what_is_expected_is_blind_to_the_feast_that_has_not_been() -> None:
    history = eid_history("2026-03-25", 10)
    origin = day("2026-03-05") - history.start
    target = np.array([day(EID[2026]) - history.start])
    later = history.values.copy()
    later[:, origin + 1 :] = 0.0
    for series in range(len(later)):
        row = np.array([series]), np.array([origin]), target
        assert expected(history, *row).count == expected(replace(history, values=later), *row).count


def test_trees_follow_a_schedule_that_is_known() -> None:
    generator = np.random.default_rng(3)
    flights = generator.poisson(2.0, size=(2, 24 * 80)).astype(float)
    length = flights.shape[1] - 48
    values = generator.poisson(60.0 * flights[:, :length] + 1.0).astype(float)
    days = calendar(HOUR, 0, flights.shape[1])
    answer = trees(History(HOUR, 0, values, 48, days, {}, {"flights": flights}), SMALL)[..., MEDIAN]
    actual = 60.0 * flights[:, length:]
    assert np.abs(answer - actual).sum() < 0.25 * actual.sum()


def test_a_member_that_reads_no_schedule_forecasts_the_load() -> None:
    generator = np.random.default_rng(4)
    flights = generator.poisson(1.5, size=(2, 24 * 60)).astype(float)
    length = flights.shape[1] - 48
    values = generator.poisson(50.0 * flights[:, :length]).astype(float)
    history = History(HOUR, 0, values, 48, calendar(HOUR, 0, flights.shape[1]), {}, {"flights": flights})
    actual = 50.0 * flights[:, length:]
    answer = by_load(same_season)(history)
    assert np.abs(answer[..., MEDIAN] - actual).sum() < 0.2 * actual.sum()
    assert np.array_equal(by_load(same_season)(replace(history, known={})), same_season(history))


def test_hours_beyond_the_schedule_are_said() -> None:
    hours = np.arange("2026-01-01", "2026-01-15", dtype="datetime64[h]").astype("datetime64[us]")
    table = pd.DataFrame({"unique_id": "a", "ds": hours, "y": 5.0, "flights": 1.0})
    table.loc[len(table) - 4 :, "flights"] = np.nan
    panel = read_panel(table, "h", known_ahead=["flights"])
    (note,) = lacking(panel, [panel.end - 24], 24)
    assert note.series == "a"
    assert "flights is not known for 4 steps" in note.problem
    assert "no schedule" in lacking(read_panel(table, "h"), [panel.end], 24)[0].problem

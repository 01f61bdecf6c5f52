"""The parts of a forecast sum to it, and columns belong to the part that a reader expects."""

import numpy as np
import pytest

from models.volumes.calendars.calendar import calendar
from models.volumes.counts.history import History
from models.volumes.members.trees import Growth, trees
from models.volumes.publishing.explained import explained, part_of
from models.volumes.rhythm import MEDIAN, rhythm_of

DAY = rhythm_of("D")
SMALL = Growth(rounds=30, rows=2_000)


@pytest.fixture(scope="module")
def history() -> History:
    number = 19_000 + np.arange(500)
    generator = np.random.default_rng(2)
    flights = 1.0 + generator.poisson(3.0, size=(3, 514))
    values = generator.poisson(90.0 * flights[:, :500] * (1 + ((number + 3) % 7 >= 5))).astype(float)
    return History(DAY, 19_000, values, 14, calendar(DAY, 19_000, 514, ("TN",)), {}, {"flights": flights})


def test_parts_sum_to_the_forecast_and_the_trees_are_the_ones_that_answer(history: History) -> None:
    moved = explained(history, growth=SMALL)
    assert np.allclose(sum(moved.parts.values()), moved.forecast)
    assert np.median(np.abs(moved.forecast - trees(history, SMALL)[..., MEDIAN]) / moved.forecast) < 1e-3
    pool = moved.forecast * 1.1
    mixed = explained(history, pool, SMALL)
    assert np.allclose(sum(mixed.parts.values()), pool)
    assert np.allclose(mixed.parts["others"], 0.1 * moved.forecast)


def test_a_schedule_that_is_known_moves_the_forecast(history: History) -> None:
    ahead = explained(history, growth=SMALL).parts["ahead"]
    flights = history.known["flights"][:, 500:]
    assert np.corrcoef(ahead.ravel(), flights.ravel())[0, 1] > 0.7


def test_too_short_a_past_is_its_own_level() -> None:
    short = History(DAY, 19_000, np.full((1, 10), 7.0), 3, calendar(DAY, 19_000, 13), {}, {})
    moved = explained(short)
    assert np.array_equal(moved.parts["level"], moved.forecast)


def test_columns_belong_to_the_part_that_a_reader_expects(history: History) -> None:
    wanted = {
        "weekday": "season",
        "feast_ratio": "holiday",
        "days_from_fitr": "holiday",
        "flights_load": "ahead",
        "ahead": "season",
        "last_2": "trend",
        "size": "level",
        "usual": "season",
    }
    assert {column: part_of(column, history) for column in wanted} == wanted

"""A day is the sum of its hours and a month of its days, in every path, from whatever moment the forecast starts."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.volumes.adding_up.coherent import Coherent
from models.volumes.adding_up.granularity import NO_DAYS, Nested, likely, nested
from models.volumes.adding_up.hierarchy import Hierarchy
from records.errors import BadInput

PAIR = Hierarchy(
    ("total", "s0", "s1"), ("total", "series", "series"), np.array([[True, True], [True, False], [False, True]])
)
DRAWS = 41


def made(origin: int, horizon: int, size: float, generator: np.random.Generator) -> Coherent:
    series = generator.gamma(0.5, size, (2, horizon, DRAWS)) * (generator.random((2, horizon, DRAWS)) > 0.3)
    return Coherent(origin, PAIR, series, np.ones(2, bool), np.full((3, horizon), np.nan))


def three(hour: str, *, hours: int = 336, days: int = 90, months: int = 24, seed: int = 0) -> tuple[Coherent, ...]:
    """Forecasts whose first hour is the given one."""
    generator = np.random.default_rng(seed)
    first = np.datetime64(hour, "h")
    origins = [int(first.astype(f"datetime64[{unit}]").astype(int)) - 1 for unit in "hDM"]
    sizes = ((hours, 9.0), (days, 200.0), (months, 6000.0))
    return tuple(made(origin, *size, generator) for origin, size in zip(origins, sizes, strict=True))


def sums_meet(answer: Nested, days_counted: np.ndarray) -> None:
    day_of_hour = (answer.hours.origin + 1 + np.arange(answer.hours.series.shape[1])) // 24 - answer.days.origin - 1
    dates = np.datetime64(answer.days.origin + 1, "D") + np.arange(answer.days.series.shape[1])
    month_of_day = dates.astype("datetime64[M]").astype(int) - answer.months.origin - 1
    for node, parts in enumerate(PAIR.parts):
        hours, days, months = (part.paths(node) for part in (answer.hours, answer.days, answer.months))
        for place in np.unique(day_of_hour):
            total = hours[day_of_hour == place].sum(axis=0)
            ends = (answer.hours.origin + 1 + len(day_of_hour)) % 24 == 0 or place < day_of_hour[-1]
            gap = days[place] - total
            assert np.abs(gap).max() <= 1e-6 if ends else gap.min() >= -1e-6
        for place in np.unique(month_of_day):
            total = days[month_of_day == place].sum(axis=0) + (days_counted[parts].sum(axis=0) if place == 0 else 0.0)
            gap = months[place] - total
            ends = place < month_of_day[-1] or (dates[-1] + 1).astype("datetime64[M]") != dates[-1].astype(
                "datetime64[M]"
            )
            assert np.abs(gap).max() <= 1e-6 if ends else gap.min() >= -1e-6


@settings(max_examples=25, deadline=None)
@given(
    start=st.integers(0, 24 * 400),
    hours=st.integers(1, 80),
    days=st.integers(5, 70),
    seed=st.integers(0, 9),
)
def test_hours_days_and_months_add_up_in_every_path(start: int, hours: int, days: int, seed: int) -> None:
    hour = np.datetime64("2024-01-01T00", "h") + start
    forecasts = three(str(hour), hours=hours, days=days, months=6, seed=seed)
    days_counted = np.array([100.0, 0.0])
    answer = nested(*forecasts, days_counted=days_counted)
    sums_meet(answer, days_counted)
    first = hour.astype("datetime64[D]")
    gone = np.arange(first.astype("datetime64[M]").astype("datetime64[D]"), first)[::2]
    lost = [(gone, np.where(np.arange(len(gone)) % 3, 150.0, np.nan)), NO_DAYS]
    filled = nested(*forecasts, days_counted=days_counted, uncounted=lost)
    sums_meet(filled, days_counted[:, None] + likely(filled.days.series, first, lost))
    assert min(part.series.min() for part in (answer.hours, answer.days, answer.months)) >= 0.0


def test_an_uncounted_day_is_told_by_its_own_paths_or_by_its_weekday_s_next_open_day() -> None:
    first = np.datetime64("2024-03-13")
    days = np.arange(2 * 21 * 3, dtype=float).reshape(2, 21, 3) + 1.0
    days[1, 5] = 0.0  # the post is shut on Monday the 18th

    def told(*gone: str, usual: float = np.nan) -> np.ndarray:
        return likely(days, first, [(np.array(gone, "datetime64[D]"), np.full(len(gone), usual))] * 2)

    np.testing.assert_array_equal(told("2024-03-15"), days[:, 2])  # within the forecast
    np.testing.assert_array_equal(told("2024-03-04"), [days[0, 5], days[1, 12]])
    np.testing.assert_array_equal(told("2024-03-04", "2024-03-06"), told("2024-03-04") + days[:, 0])
    np.testing.assert_array_equal(told(), np.zeros((2, 3)))
    between = told("2024-03-04", usual=30.0).mean(axis=1)
    np.testing.assert_allclose(between, (told("2024-03-04").mean(axis=1) + 30.0) / 2)
    np.testing.assert_array_equal(told("2024-03-15", usual=30.0), days[:, 2])
    assert (told("2024-03-04", usual=1e6) == 2.0 * told("2024-03-04")).all()
    days[1] = 0.0
    assert (told("2024-03-04")[1] == 0.0).all()


def test_means_add_up_and_quantiles_are_read_from_the_paths() -> None:
    answer = nested(*three("2024-03-01T00"))
    assert np.abs(answer.hours.mean[:, :24].sum(axis=1) - answer.days.mean[:, 0]).max() <= 1e-6
    assert np.abs(answer.days.mean[:, :31].sum(axis=1) - answer.months.mean[:, 0]).max() <= 1e-6
    assert (np.diff(answer.months.quantiles, axis=-1) >= 0.0).all()


def test_a_shut_day_has_no_hours_and_a_shut_hour_stays_shut() -> None:
    hours, days, months = three("2024-03-01T00")
    days.series[0, 1] = 0.0
    hours.series[1, 30] = 0.0
    answer = nested(hours, days, months)
    assert (answer.hours.series[0, 24:48] == 0.0).all()
    assert (answer.hours.series[1, 30] == 0.0).all()


def test_the_surer_of_days_and_month_is_believed_more() -> None:
    generator = np.random.default_rng(2)
    steady = 100.0 + generator.normal(0.0, 0.01, (2, 31, DRAWS))
    rough = np.maximum(generator.normal(6200.0, 900.0, (2, 1, DRAWS)), 0.0)

    def month_said(days: np.ndarray, months: np.ndarray) -> float:
        _, day, month = three("2024-03-01T00", days=31, months=1)
        hour = made(day.origin * 24 + 23, 24, 9.0, generator)
        parts = [Coherent(part.origin, PAIR, values, part.answered, part.actual) for part, values in
                 ((day, days), (month, months))]  # fmt: skip
        return float(nested(hour, *parts).months.mean[1, 0])

    assert month_said(steady, rough) == pytest.approx(3100.0, rel=0.02)
    sure_month = 4000.0 + generator.normal(0.0, 0.01, (2, 1, DRAWS))
    unsure_days = np.maximum(generator.normal(100.0, 90.0, (2, 31, DRAWS)), 0.0)
    assert month_said(unsure_days, sure_month) == pytest.approx(4000.0, rel=0.05)


def test_forecasts_that_do_not_begin_together_are_refused() -> None:
    hours, days, months = three("2024-03-01T00")
    later = Coherent(hours.origin + 30, PAIR, hours.series, hours.answered, hours.actual)
    with pytest.raises(BadInput, match="first hour"):
        nested(later, days, months)
    with pytest.raises(BadInput, match="equally many"):
        nested(hours, Coherent(days.origin, PAIR, days.series[..., 1:], days.answered, days.actual), months)


def test_hours_past_the_last_day_are_refused() -> None:
    with pytest.raises(BadInput, match="more days or fewer hours"):
        nested(*three("2024-03-01T23", hours=26, days=2))

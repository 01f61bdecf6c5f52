"""What holds for every forecast: it does not look ahead, its quantiles ascend, and the order of series is nothing."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from models.volumes.backtest import backtest
from models.volumes.forecast import forecast
from models.volumes.options import Options
from models.volumes.rhythm import COLUMNS
from records.errors import BadInput


def flows(series: int = 3, length: int = 150, freq: str = "D", seed: int = 5) -> pd.DataFrame:
    """Counts with a weekly shape, beside a schedule that is known ahead."""
    generator = np.random.default_rng(seed)
    parts = []
    for number in range(series):
        ds = pd.date_range("2024-01-01", periods=length, freq=freq)
        seats = generator.integers(1, 9, length).astype(float)
        mean = 20 * (number + 1) * (1.5 + np.sin(2 * np.pi * np.arange(length) / 7)) + 5 * seats
        name = f"post {number}"
        columns = {"unique_id": name, "ds": ds, "y": generator.poisson(mean).astype(float)}
        parts.append(pd.DataFrame({**columns, "post": name[-1], "seats": seats, "booths": 3.0}))
    return pd.concat(parts, ignore_index=True)


def quantiles(report: object) -> np.ndarray:
    table = report.forecasts  # type: ignore[attr-defined]  # either kind of report
    return np.stack([table[name].to_numpy() for name in COLUMNS], axis=1)


DAILY = Options("D", 14, cutoffs=("2024-05-01",), holidays=("TN",), hierarchy=("post",), known_ahead=("seats",))


@pytest.mark.parametrize("poison", [9e6, -1.0, np.inf, np.nan])
def test_after_the_cutoff_only_dates_and_columns_known_ahead_are_read(poison: float) -> None:
    table = flows()
    after = table["ds"] > "2024-05-01"
    poisoned = table.assign(
        y=table["y"].where(~after, poison),
        post=table["post"].where(~after, "elsewhere"),
        booths=np.where(after, -1e9, 3),
    )
    assert np.array_equal(quantiles(backtest(table, DAILY)), quantiles(backtest(poisoned, DAILY)))


def test_later_cutoffs_change_nothing_in_earlier_forecasts() -> None:
    table = flows()
    both = backtest(table, Options("D", 14, cutoffs=("2024-05-01", "2024-05-10"))).forecasts.to_pandas()
    one = backtest(table, Options("D", 14, cutoffs=("2024-05-01",))).forecasts.to_pandas()
    first = both[both["cutoff"] == "2024-05-01"].reset_index(drop=True)
    pd.testing.assert_frame_equal(first, one)


def test_columns_known_ahead_are_read() -> None:
    table = flows()
    more = table.assign(seats=table["seats"].where(table["ds"] <= "2024-05-01", 40.0))
    assert not np.array_equal(quantiles(backtest(table, DAILY)), quantiles(backtest(more, DAILY)))


def test_the_order_of_rows_changes_nothing() -> None:
    table = flows()
    shuffled = table.sample(frac=1.0, random_state=1)
    assert backtest(table, DAILY).forecasts.equals(backtest(shuffled, DAILY).forecasts)


@settings(max_examples=5, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    lengths=st.lists(st.integers(1, 60), min_size=1, max_size=3),
    level=st.sampled_from([0.0, 0.2, 30.0]),
    freq=st.sampled_from(["MS", "D", "h"]),
    seed=st.integers(0, 99),
)
def test_quantiles_ascend_from_zero_on_whatever_the_length(
    lengths: list[int], level: float, freq: str, seed: int
) -> None:
    generator = np.random.default_rng(seed)
    ends = pd.date_range("2020-01-01", periods=60, freq=freq)
    table = pd.concat(
        pd.DataFrame({"unique_id": f"s{i}", "ds": ends[-n:], "y": generator.poisson(level, n).astype(float)})
        for i, n in enumerate(lengths)
    )
    made = forecast(table, Options(freq, 5, holidays=("TN",)))
    values = quantiles(made)
    assert len(values) == 5 * len(lengths)
    assert np.isfinite(values).all()
    assert (values[:, 0] >= 0).all()
    assert (np.diff(values, axis=1) >= 0).all()
    if level == 0.0:
        assert (values == 0).all()


def test_weekly_shape_is_learnt_better_than_naive() -> None:
    report = backtest(flows(length=220), Options("D", 14, folds=3))
    pool, naive = report.pool["all"], report.naive["all"]
    assert pool.scaled_crps is not None
    assert naive.scaled_crps is not None
    assert pool.scaled_crps < 0.95 * naive.scaled_crps
    assert pool.coverage_80 is not None
    assert 0.65 < pool.coverage_80 < 0.95
    text = "\n".join(report.lines())
    assert "seasonal naive" in text
    assert "weights:" in text


def test_a_series_that_has_ended_is_not_forecast() -> None:
    table = flows()
    table = table[(table["unique_id"] != "post 1") | (table["ds"] < "2024-04-01")]
    report = backtest(table, Options("D", 14, cutoffs=("2024-05-01",)))
    assert set(report.forecasts["unique_id"].to_pylist()) == {"post 0", "post 2"}
    assert any(note.series == "post 1" and "ends on 2024-03-31" in note.problem for note in report.notes)


def test_cutoffs_outside_the_table_are_bad_input() -> None:
    with pytest.raises(BadInput, match="before the table"):
        backtest(flows(), Options("D", 14, cutoffs=("2020-01-01",)))
    with pytest.raises(BadInput, match="after the table"):
        backtest(flows(), Options("D", 14, cutoffs=("2030-01-01",)))
    with pytest.raises(BadInput, match="no holiday calendar"):
        backtest(flows(), Options("D", 14, holidays=("XX",)))


def test_the_forecast_says_how_it_did_lately() -> None:
    made = forecast(flows(), Options("D", 14))
    assert made.forecasts["ds"].to_pandas().min() == pd.Timestamp("2024-05-30")
    assert {"pool_all_scaled_crps", "naive_all_scaled_crps", "pool_all_coverage_80"} <= set(made.figures())

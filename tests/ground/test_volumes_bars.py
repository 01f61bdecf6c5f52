"""What the benchmark of forecasts counts: coverage by randomised PIT, how sure it is, windows of days, and bars."""

import datetime as dt

import numpy as np
import pandas as pd
import pytest

from benchmarks.volumes_parts.bars import against, calibrated, values
from benchmarks.volumes_parts.coverage import held, interval, randomised_pit
from benchmarks.volumes_parts.holiday_windows import inside, windows
from benchmarks.volumes_parts.sets import NAMES
from models.volumes.rhythm import LEVELS

FEW = np.array([0.1, 0.5, 0.9])


def pit(y, quantiles, seed=0):
    y = np.asarray(y, float)
    return randomised_pit(y, np.broadcast_to(quantiles, (len(y), len(quantiles))), FEW, np.random.default_rng(seed))


def test_pit_between_quantiles_is_a_straight_line():
    assert pit([1500.0, 2000.0, 2500.0], [1000.0, 2000.0, 3000.0]) == pytest.approx([0.3, 0.5, 0.7], abs=1e-3)


def test_pit_beyond_the_outermost_is_drawn_there():
    low, high = pit(np.full(500, 5.0), [10.0, 20.0, 30.0]), pit(np.full(500, 35.0), [10.0, 20.0, 30.0])
    assert 0 <= low.min() < 0.02
    assert 0.08 < low.max() <= 0.1
    assert 0.9 <= high.min() < 0.92
    assert 0.98 < high.max() <= 1


def test_pit_of_ties_is_drawn_over_all_that_they_hold():
    floor = pit(np.zeros(2000), [0.0, 0.0, 1.0])
    assert floor.min() < 0.01
    assert 0.69 < floor.max() <= 0.7  # the half way from the median at 0 to the 90% quantile at 1
    assert held(floor).mean() == pytest.approx(6 / 7, abs=0.03)
    closed = pit(np.zeros(2000), [0.0, 0.0, 0.0])
    assert held(closed).mean() == pytest.approx(0.8, abs=0.03)


def test_counts_with_many_zeros_are_not_over_covered():
    random = np.random.default_rng(3)
    rate = 0.7
    y = random.poisson(rate, 20_000).astype(float)
    quantiles = np.quantile(random.poisson(rate, 200_000), LEVELS, method="inverted_cdf")
    quantiles = np.broadcast_to(quantiles, (len(y), len(LEVELS)))
    assert np.mean((y >= quantiles[:, 3]) & (y <= quantiles[:, 11])) > 0.95
    assert held(randomised_pit(y, quantiles, LEVELS, random)).mean() == pytest.approx(0.8, abs=0.04)


def test_bootstrap_by_date_is_as_wide_as_dates_differ():
    dates = np.repeat(np.arange(120), 50)
    random = np.random.default_rng(1)
    alone = random.random(len(dates)) < 0.8
    together = np.repeat(random.random(120) < 0.8, 50)
    narrow = interval(alone, dates, 7, 0.99, np.random.default_rng(2))
    wide = interval(together, dates, 7, 0.99, np.random.default_rng(2))
    assert narrow[0] < 0.8 < narrow[1]
    assert wide[1] - wide[0] > 3 * (narrow[1] - narrow[0])
    assert wide == interval(together, dates, 7, 0.99, np.random.default_rng(2))


def test_a_window_reaches_from_before_the_eve_to_the_day_after_the_days_off():
    first, last = dt.date(2025, 1, 1), dt.date(2025, 6, 30)
    feasts = {feast: (begin, end) for feast, begin, end in windows("MY", first, last)}
    # Monday 31 March and Tuesday 1 April, with the weekend that touches them.
    assert feasts["Eid al-Fitr"] == (dt.date(2025, 3, 27), dt.date(2025, 4, 2))
    written = pd.DataFrame({"first": [pd.Timestamp("2025-03-27")], "last": [pd.Timestamp("2025-04-02")]})
    moments = np.array(["2025-03-26T23", "2025-03-27T00", "2025-04-02T23", "2025-04-03T00"], "datetime64[us]")
    assert inside(written, moments).tolist() == [False, True, True, False]


def row(**told):
    usual = {
        "sCRPS": 0.8,
        "SPL": 0.9,
        "MASE": 0.9,
        "cov80": 0.8,
        "coverage": 0.8,
        "coverage_low": 0.76,
        "coverage_high": 0.84,
        "holiday_wape": 0.1,
        "refit_cpu_seconds": 5.0,
        "best_single_sCRPS": 1.0,
        "ensemble_sCRPS": 1.0,
        "naive_sCRPS": 1.6,
        "best_SPL": 1.0,
        "best_MASE": 1.0,
        "ensemble_cpu_seconds": 10.0,
    }
    return usual | told


def test_bars_count_sets():
    found = dict.fromkeys(NAMES, row())
    found["frontex_detections_monthly"] = row(sCRPS=0.95, SPL=1.1, coverage=0.74)
    found["my_arrivals_monthly"] = row(sCRPS=1.02, MASE=1.0, refit_cpu_seconds=12.0)
    told = values(found, timed_together=True)
    assert told["volumes_sets_8_percent_below"] == 7
    assert told["volumes_scrps_over_best_single_worst"] == pytest.approx(1.02)
    assert told["volumes_short_history_over_best_single"] == pytest.approx(1.02)
    assert told["volumes_sets_spl_and_mase_below"] == 7
    assert told["volumes_sets_calibrated"] == 8
    assert told["volumes_refit_cpu_over_ensemble"] == pytest.approx(1.2)
    assert told["volumes_geometric_skill"] == pytest.approx(1 - (0.5**7 * (0.95 / 1.6) * (1.02 / 1.6)) ** (1 / 9))
    assert "volumes_refit_cpu_over_ensemble" not in values(found, timed_together=False)


def test_a_bar_about_every_set_needs_every_set():
    told = values({"my_arrivals_monthly": row()}, timed_together=True)
    assert "volumes_sets_8_percent_below" not in told
    assert told["volumes_share_covered"] == 1
    assert values({}, timed_together=True) == {}


def test_coverage_needs_its_point_and_its_interval():
    assert calibrated(row())
    assert not calibrated(row(coverage=0.86))
    assert not calibrated(row(coverage_low=0.81))
    assert not calibrated(row(coverage_high=0.79))


def test_ensembles_are_no_single_peers():
    peers = pd.DataFrame(
        {"sCRPS": [0.5, 0.3, 0.2, 0.9], "SPL": [1, 2, 3, 4], "MASE": [4, 3, 2, 1], "cpu_s": [1, 2, 3, 4]},
        index=["AutoETS", "LGBM", "Ensemble+LGBM", "SeasonalNaive"],
    )
    told = against(peers)
    assert (told["best_single"], told["best_single_sCRPS"], told["ensemble_sCRPS"]) == ("LGBM", 0.3, 0.2)
    assert (told["best_SPL"], told["best_MASE"], told["ensemble_cpu_seconds"]) == (1, 1, 3)

"""Each loss beside a slow, obvious oracle, and beside the published scorer where its folder is at hand."""

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest

from models.volumes import losses
from models.volumes.backtest import backtest
from models.volumes.options import options_from_folds
from models.volumes.rhythm import LEVELS

TENTHS = [(3, 0.1), (4, 0.2), (5, 0.3), (6, 0.4), (7, 0.5), (8, 0.6), (9, 0.7), (10, 0.8), (11, 0.9)]
"""Place and level."""


def case() -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    generator = np.random.default_rng(3)
    y = generator.poisson(8, 40).astype(float)
    quantiles = np.sort(generator.gamma(4, 2, (40, 15)), axis=1)
    block = np.repeat(np.arange(4), 10)
    return y, quantiles, np.array([2.0, 3.0, 0.0, np.nan])[block], block


def test_scaled_crps_is_the_mean_weighted_quantile_loss() -> None:
    y, quantiles, _, _ = case()
    total = 0.0
    for place, level in TENTHS:
        loss = sum((level if a >= b else level - 1) * (a - b) for a, b in zip(y, quantiles[:, place], strict=True))
        total += 2 * loss / y.sum()
    assert losses.scaled_crps(y, quantiles) == pytest.approx(total / 9)


def test_wape_and_coverage() -> None:
    y, quantiles, _, _ = case()
    assert losses.wape(y, quantiles) == pytest.approx(
        sum(abs(a - b) for a, b in zip(y, quantiles[:, 7], strict=True)) / sum(y)
    )
    inside = [low <= a <= high for a, low, high in zip(y, quantiles[:, 3], quantiles[:, 11], strict=True)]
    assert losses.coverage(y, quantiles) == pytest.approx(sum(inside) / 40)


def test_mase_and_spl_leave_out_series_without_a_scale() -> None:
    y, quantiles, scale, block = case()
    errors, pinballs = [], []
    for number in (0, 1):
        rows = block == number
        errors.append(np.mean(np.abs(y[rows] - quantiles[rows, 7])) / scale[rows][0])
        pinballs.append(losses.pinball(y[rows], quantiles[rows])[:, 3:12].mean() / scale[rows][0])
    assert losses.mase(y, quantiles, scale, block) == pytest.approx(np.mean(errors))
    assert losses.spl(y, quantiles, scale, block) == pytest.approx(np.mean(pinballs))


def test_a_loss_is_none_where_it_is_undefined() -> None:
    nothing = np.zeros(3)
    assert losses.scaled_crps(nothing, np.zeros((3, 15))) is None
    assert losses.wape(nothing, np.zeros((3, 15))) is None
    assert losses.coverage(np.empty(0), np.empty((0, 15))) is None
    assert losses.mase(nothing, np.zeros((3, 15)), np.full(3, np.nan), np.zeros(3)) is None


def test_naive_error_leaves_out_missing_ends() -> None:
    assert losses.naive_error(np.array([1.0, 5.0, np.nan, 8.0, 4.0, 9.0]), 2) == pytest.approx((3 + 1) / 2)
    assert np.isnan(losses.naive_error(np.array([1.0]), 7))


def test_the_published_scorer_agrees(tmp_path: Path) -> None:
    folder = os.environ.get("BASIRA_SHARED_DATA")
    if not folder:
        pytest.skip("BASIRA_SHARED_DATA is not set: the real flow data are not at hand")
    scorer = Path(folder).parent / "bench" / "forecasting_peers.py"
    if not scorer.is_file():
        pytest.skip("the published scorer is not beside the data")
    data = Path(folder) / "forecasting" / "my_arrivals_monthly.parquet"
    folds, out = tmp_path / "folds.json", tmp_path / "out.parquet"
    subprocess.run([sys.executable, scorer, "folds", data, "--out", folds], check=True, capture_output=True)
    report = backtest(data, options_from_folds(folds))
    report.write(out)
    assert pq.read_table(out).column_names[:5] == ["unique_id", "cutoff", "ds", "y", "mean"]
    asked = [sys.executable, scorer, "score", data, out, "--out", tmp_path / "score.csv"]
    subprocess.run(asked, check=True, capture_output=True)
    heads, row = [line.split(",") for line in (tmp_path / "score.csv").read_text().splitlines()]
    theirs = dict(zip(heads, row, strict=True))
    ours = report.pool["all"]
    assert float(theirs["missing"]) == 0
    named = {
        "MASE": ours.mase,
        "sCRPS": ours.scaled_crps,
        "cov80": ours.coverage_80,
        "WAPE": ours.wape,
        "SPL": ours.spl,
    }
    for name, value in named.items():
        assert float(theirs[name]) == pytest.approx(value, abs=2e-5), name
    assert json.loads(folds.read_text())["preset"]["h"] == 6


def test_a_count_that_lies_across_the_end_of_a_range_is_inside_in_part() -> None:
    few = LEVELS[None] * 0.625  # 80% of the distribution lie below one half
    assert losses.coverage_of_counts(np.array([0.0]), few) == pytest.approx((0.8 - 0.1) / 0.8)
    many = 1000.0 + 100.0 * LEVELS[None]
    for y, inside in ((1050.0, 1.0), (1200.0, 0.0), (0.0, 0.0), (1090.0, 0.5), (1010.0, 0.5)):
        assert losses.coverage_of_counts(np.array([y]), many) == pytest.approx(inside, abs=0.01)
    assert losses.coverage_of_counts(np.empty(0), many[:0]) is None

"""Whether probabilities hold: calibration error beside what a perfect promise would show, and log loss beside raw's."""

from collections.abc import Iterator
from typing import Any

import numpy as np

from benchmarks.risk_parts.bars import bar
from benchmarks.risk_parts.sets import SETS, judged
from evidence.intervals import mean_of, redrawn_days
from evidence.metrics import calibration_error, losses
from models.risk.calibration import expected_error, probability

BARRED = ("customs", "london")


def lines(*, short: bool) -> Iterator[dict[str, Any]]:
    excesses, worse = [], []
    for name in BARRED if short else SETS:
        report, rows = judged(name, short=short)
        label, score = rows["label"].to_numpy(np.float64), rows["score"].to_numpy()
        raw = probability(rows["raw"].to_numpy())
        days = redrawn_days(rows["time"].to_numpy().astype("datetime64[D]"), 50 if short else 1000)
        above_raw = mean_of(losses(label, score) - losses(label, raw), days)
        error = calibration_error(label, score)
        expected = expected_error(score, draws=100 if short else 1000)
        yield {
            "set": name,
            "calibrator": report.calibrators["model"],
            "calibration_error": error,
            "expected_if_perfect": expected,
            "raw_error": calibration_error(label, raw),
            "promised": float(score.mean()),
            "found": float(label.mean()),
            "log_loss_above_raw": above_raw.value,
            "low": above_raw.low,
            "high": above_raw.high,
        }
        if name in BARRED:
            excesses.append((error or 0.0) - expected)
        worse.append(above_raw.low is not None and above_raw.low > 0)
    yield bar("risk_calibration_excess", max(excesses))
    yield bar("risk_calibration_sets_worse_than_raw", sum(worse))

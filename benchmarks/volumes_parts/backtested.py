"""One set forecast by the pool from its public folds, and scored as the peers were."""

import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd

from benchmarks.volumes_parts.coverage import LENGTHS, held, interval, randomised_pit
from benchmarks.volumes_parts.holiday_windows import inside
from benchmarks.volumes_parts.sets import Folds, folds, holiday_windows, table
from models.volumes.backtest import backtest
from models.volumes.rhythm import COLUMNS, LEVELS

SEED = 7


@dataclass
class Clock:
    """CPU seconds at which the rolling forecast began and at which it came to its first cutoff."""

    began: float = field(default_factory=time.process_time)
    learnt: float | None = None

    def __call__(self, told: str) -> None:
        if self.learnt is None and told.startswith("cutoff"):
            self.learnt = time.process_time()


def measured(name: str, known_ahead: Sequence[str] = ()) -> dict[str, Any]:
    """Scores, coverage and cost of the pool on one set.

    What comes before the first cutoff teaches the weights, once a week; what follows is a refit from every cutoff with
    weights that are stored, as every night, and is to be held against a peer that is fitted from the same cutoffs.
    """
    cut = folds(name)
    clock = Clock()
    report = backtest(table(name), cut.options(known_ahead=tuple(known_ahead)), clock)
    ended = time.process_time()
    forecasts = report.forecasts.to_pandas()
    scores = cut.score(forecasts.drop(columns="y"))
    return {
        "set": name,
        **({"known_ahead": list(known_ahead)} if known_ahead else {}),
        **{score: scores[score] for score in ("series", "sCRPS", "SPL", "MASE", "WAPE", "cov80", "wid80", "missing")},
        **covered(cut, forecasts),
        "weights": {member: round(weight, 3) for member, weight in report.weights.items()},
        "learning_cpu_seconds": (clock.learnt or ended) - clock.began,
        "refit_cpu_seconds": ended - (clock.learnt or clock.began),
    }


def covered(cut: Folds, forecasts: pd.DataFrame) -> dict[str, Any]:
    """What the 80% interval held of the counts that came: in all, by thirds of the horizon, and in holiday windows."""
    came = forecasts.dropna(subset=["y"])
    y, moments = came["y"].to_numpy(), came["ds"].to_numpy("datetime64[us]")
    random = np.random.default_rng(SEED)
    right = held(randomised_pit(y, came[list(COLUMNS)].to_numpy(), LEVELS, random))
    strictly = (y > came["q0.1"].to_numpy()) & (y < came["q0.9"].to_numpy())
    ahead = came.groupby(["unique_id", "cutoff"])["ds"].rank().to_numpy()
    third = np.minimum((ahead - 1) * 3 // cut.preset["h"], 2)
    low, high = interval(right, moments, LENGTHS[cut.preset["freq"]], 0.99, random)
    told = {
        "coverage": right.mean(),
        "coverage_low": low,
        "coverage_high": high,
        "coverage_without_ties": strictly.mean(),
        "coverage_by_third": [round(float(right[third == place].mean()), 3) for place in range(3)],
    }
    windows = holiday_windows(cut.name)
    feast = inside(windows, moments) if len(windows) else np.zeros(len(y), bool)
    if feast.any():
        error = np.abs(y - came["q0.5"].to_numpy())
        told |= {
            "holiday_days": len(np.unique(moments[feast].astype("datetime64[D]"))),
            "holiday_wape": error[feast].sum() / y[feast].sum(),
            "ordinary_wape": error[~feast].sum() / y[~feast].sum(),
            "holiday_coverage": right[feast].mean(),
        }
    return {name: float(value) if isinstance(value, np.floating) else value for name, value in told.items()}

"""What differs between hourly, daily and monthly flows, declared once; everything else is one code path."""

from dataclasses import dataclass
from typing import Literal

import numpy as np
import pyarrow as pa
from scipy.stats import norm

from records.errors import BadInput

Unit = Literal["h", "D", "M"]

LEVELS = np.array([0.01, 0.025, 0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.975, 0.99])
"""The promised quantile levels, ascending."""
COLUMNS = tuple(f"q{level}" for level in LEVELS)
MEDIAN = 7
TENTHS = slice(3, 12)
"""Places of 0.1 … 0.9, which published scores are of."""

# The first five answer alone where there is no rolling past to learn weights from.
MONTHLY = ("smoothing", "theta", "naive", "regression", "autoregression", "trees")
DAILY = ("smoothing", "regression", "naive", "same_season", "like_days", "feast_season", "trees")
HOURLY = ("smoothing", "naive", "same_season", "trees")


@dataclass(frozen=True)
class Rhythm:
    """One step length. All windows are counted in steps."""

    freq: str  # as people write it: MS, D or h
    unit: Unit  # numpy's name of the step
    season: int  # the season a naive forecast repeats
    short_season: int  # the season inside it (hour of day in the week), else the same
    year: int | None  # steps to the same weekday or month a year before, where that is not the season itself
    level: int  # window of the recent level that scales every target
    recall: int  # same-season values a planner would look at
    smoothing: int  # season of exponential smoothing
    history: int  # steps of history that members look at, at most
    validation: int  # rolling origins before the first cutoff that teach weights and widths
    members: tuple[str, ...]


RHYTHMS = {
    rhythm.freq: rhythm
    for rhythm in (
        Rhythm("MS", "M", 12, 12, None, 6, 3, 12, 240, 6, MONTHLY),
        Rhythm("D", "D", 7, 7, 364, 28, 8, 7, 1500, 4, DAILY),
        Rhythm("h", "h", 168, 24, None, 672, 8, 168, 3360, 3, HOURLY),
    )
}


def rhythm_of(freq: str) -> Rhythm:
    """The declared rhythm of a frequency; BadInput for any other."""
    if freq not in RHYTHMS:
        raise BadInput(f"Frequency {freq!r} is not one of {', '.join(RHYTHMS)}. Flows are hourly, daily or monthly.")
    return RHYTHMS[freq]


def drawn(fitted: np.ndarray) -> np.ndarray:
    """Matrix (F, 15) that turns quantiles at `fitted` levels, 0.5 among them, into those at LEVELS.

    Straight between; beyond the outermost the distance from the median grows as it does on a normal curve.
    """
    units = np.eye(len(fitted))
    matrix = np.stack([np.interp(LEVELS, fitted, unit) for unit in units])
    middle = units[np.flatnonzero(fitted == 0.5)[0]]
    for edge, outside in ((0, fitted[0] > LEVELS), (-1, fitted[-1] < LEVELS)):
        reach = norm.ppf(LEVELS[outside]) / norm.ppf(fitted[edge])
        matrix[:, outside] = middle[:, None] + (units[edge] - middle)[:, None] * reach
    return matrix


def quantiles_in(table: pa.Table) -> np.ndarray:
    """The quantiles (rows, 15) that a table of forecasts holds in COLUMNS."""
    return np.stack([table[name].to_numpy() for name in COLUMNS], axis=1)


def steps(moments: np.ndarray, rhythm: Rhythm) -> np.ndarray:
    """Whole steps since 1970 of datetime64 moments, as int64. A moment inside a step counts as that step."""
    return moments.astype(f"datetime64[{rhythm.unit}]").astype(np.int64)


def moments(step: np.ndarray, rhythm: Rhythm) -> np.ndarray:
    """Starts of the steps, as datetime64[us]."""
    return np.asarray(step, np.int64).astype(f"datetime64[{rhythm.unit}]").astype("datetime64[us]")

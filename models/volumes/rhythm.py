"""What differs between hourly, daily and monthly flows, declared once; everything else is one code path."""

from dataclasses import dataclass
from typing import Literal

import numpy as np

from records.errors import BadInput

Unit = Literal["h", "D", "M"]

QUANTILES = np.round(np.arange(1, 10) / 10, 1)
"""The promised quantile levels, ascending."""
COLUMNS = tuple(f"q{level}" for level in QUANTILES)
MEDIAN = 4


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
        Rhythm("MS", "M", 12, 12, None, 6, 3, 12, 240, 6, ("same_season", "naive", "smoothing", "trees")),
        Rhythm("D", "D", 7, 7, 364, 28, 8, 7, 1500, 4, ("same_season", "naive", "smoothing", "trees")),
        Rhythm("h", "h", 168, 24, None, 672, 8, 168, 3360, 3, ("same_season", "naive", "smoothing", "trees")),
    )
}


def rhythm_of(freq: str) -> Rhythm:
    """The declared rhythm of a frequency; BadInput for any other."""
    if freq not in RHYTHMS:
        raise BadInput(f"Frequency {freq!r} is not one of {', '.join(RHYTHMS)}. Flows are hourly, daily or monthly.")
    return RHYTHMS[freq]


def steps(moments: np.ndarray, rhythm: Rhythm) -> np.ndarray:
    """Whole steps since 1970 of datetime64 moments, as int64. A moment inside a step counts as that step."""
    return moments.astype(f"datetime64[{rhythm.unit}]").astype(np.int64)


def moments(step: np.ndarray, rhythm: Rhythm) -> np.ndarray:
    """Starts of the steps, as datetime64[us]."""
    return np.asarray(step, np.int64).astype(f"datetime64[{rhythm.unit}]").astype("datetime64[us]")

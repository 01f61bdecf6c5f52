"""What moved a forecast: its median as a sum of recent level, season, holidays, trend and what is known ahead.

The trees add to a start that is itself a sum (what is usual for that weekday or hour, and what a feast made of it), so
each part is the start's and the trees' own, in their additive shares (SHAP values), times the level that scales the
target. What the other members of the pool change is a part of its own. The parts of a step sum to its forecast.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np

from models.volumes.counts.history import History
from models.volumes.members.design import Rows
from models.volumes.members.trees import DEFAULT, Growth, grow, inputs, matrix, trees
from models.volumes.rhythm import MEDIAN

PARTS: Final = ("level", "season", "holiday", "trend", "ahead", "others")

_HOLIDAY = (
    "holiday",
    "run_",
    "days_",
    "feast",
    "hijri",
    "off_",
    "abroad_",
    "school_",
    "ferry_",
    "ramadan",
    "fitr",
    "adha",
)
_SEASON = ("season_", "short_", "profile", "weekday", "hour", "month", "day_of", "usual", "ahead", "working")
_TREND = ("last", "trend", "long_mean")


@dataclass(frozen=True)
class Moved:
    """The forecast (S, H) and its parts {name of PARTS: (S, H)}, in counts; they sum to it."""

    forecast: np.ndarray
    parts: Mapping[str, np.ndarray]


def explained(history: History, forecast: np.ndarray | None = None, growth: Growth = DEFAULT) -> Moved:
    """The parts of the pool's median (S, H), or of the trees' own where none is given."""
    shape = (len(history.values), history.horizon)
    parts = {name: np.zeros(shape) for name in PARTS}
    grown = grow(history, growth, fitted=(0.5,))
    if grown is None:
        said = trees(history, growth)[..., MEDIAN] if forecast is None else forecast
        return Moved(said, {**parts, "level": said})
    given = inputs(history, Rows(*history.ahead()))
    shares = np.asarray(grown.models[0.5].predict(matrix(given.columns, grown.names), pred_contrib=True, num_threads=1))
    middle = np.maximum(given.start + shares.sum(axis=1), 0.0)
    counts = {name: np.zeros(len(middle)) for name in PARTS}
    for place, column in enumerate(grown.names):
        counts[part_of(column, history)] += shares[:, place]
    counts["season"] += np.where(given.ordinary_start > 0, given.ordinary_start - 1.0, 0.0)
    counts["holiday"] += given.start - given.ordinary_start
    counts["level"] = middle - sum(values for name, values in counts.items() if name != "level")
    parts = {name: (values * given.level).reshape(shape) for name, values in counts.items()}
    own = (middle * given.level).reshape(shape)
    said = own if forecast is None else forecast
    return Moved(said, {**parts, "others": said - own})


def part_of(column: str, history: History) -> str:
    """Which part a column of the design belongs to."""
    if any(column.startswith(f"{name}_") for name in history.known):
        return "ahead"
    for part, starts in (("holiday", _HOLIDAY), ("season", _SEASON), ("trend", _TREND)):
        if column.startswith(starts) and not column.startswith("last_season_mean"):
            return part
    return "trend" if column.startswith("last") else "level"

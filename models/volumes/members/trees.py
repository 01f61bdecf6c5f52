"""One LightGBM model per quantile over all series of a frequency, straight to every step of the horizon."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from models.volumes.calendars.uncertain import mixed
from models.volumes.counts.breaks import RUN, trusted
from models.volumes.counts.history import History
from models.volumes.members.design import CATEGORIES, Rows, Windows, design, levels
from models.volumes.members.seasonal import same_season
from models.volumes.rhythm import drawn

if TYPE_CHECKING:
    from lightgbm import Booster

FITTED = np.array([0.1, 0.3, 0.5, 0.7, 0.9])
"""Levels with a model of their own; the others are drawn between and beyond."""
CEILING = 30.0
"""A scaled count above this says that the level was no level; it is capped so that it cannot bend the model."""
MOST = 0.2, 5.0
"""Bounds of what a remembered feast may do to the start of the trees."""

SHOCK = 0.1
"""What a count within a shock weighs beside an ordinary one."""


@dataclass(frozen=True)
class Growth:
    """How the trees are grown."""

    rounds: int = 110  # on `enough` rows and more; fewer on less
    rounds_from_nothing: int = 140  # where nothing is known to start from
    enough: int = 7_000
    rate: float = 0.07
    leaves: int = 24
    rows: int = 30_000
    smallest: int = 200


DEFAULT = Growth()


@dataclass(frozen=True)
class Grown:
    """Models of one history, one per fitted level, and the columns that they read."""

    models: Mapping[float, "Booster"]
    names: tuple[str, ...]

    def answer(self, history: History) -> np.ndarray:
        """Quantiles (S, H, 15) for the calendar and the known columns of a history."""
        ahead = inputs(history, Rows(*history.ahead()))
        read = matrix(ahead.columns, self.names)
        fitted = np.stack([model.predict(read, num_threads=1) for model in self.models.values()], axis=1)
        fitted = np.sort(np.maximum(fitted + ahead.start[:, None], 0.0), axis=1)
        scaled = np.maximum(fitted @ drawn(FITTED), 0.0)
        answer = (scaled * ahead.level[:, None]).reshape(len(history.values), history.horizon, -1)
        # Trees never say nobody outright; of whole counts, less than half of one is nobody.
        whole = not np.nanmax(np.abs(history.values % 1.0), initial=0.0)
        return np.where(whole & (answer < 0.5), 0.0, answer)


@dataclass(frozen=True)
class Inputs:
    """What n rows give to the trees. Targets are counts over `level`; trees add to `start`: by hour what is usual, by
    day what feasts make of the level, by month nothing."""

    columns: Mapping[str, np.ndarray]
    level: np.ndarray
    start: np.ndarray
    ordinary_start: np.ndarray  # the same if no feast were near


def trees(history: History, growth: Growth = DEFAULT) -> np.ndarray:
    """Quantiles (S, H, 15); the same-season ones where the past has too few counts to learn from.

    Where the moon has yet to decide, the same trees answer under each calendar and the answers are mixed.
    """
    grown = grow(history, growth)
    if grown is None:
        return same_season(history)
    certain = 1.0 - sum(weight for weight, _ in history.otherwise)
    calendars = ((certain, history.calendar), *history.otherwise)
    answers = [grown.answer(replace(history, calendar=days)) for _, days in calendars]
    return mixed(answers, [weight for weight, _ in calendars])


def grow(history: History, growth: Growth = DEFAULT, fitted: Sequence[float] = tuple(FITTED)) -> Grown | None:
    """One model per fitted level; None where the past has too few counts."""
    import lightgbm

    rows = training_rows(history, growth.rows)
    if len(rows.series) < growth.smallest:
        return None
    given = inputs(history, rows)
    names = tuple(given.columns)
    target = np.minimum(history.values[rows.series, rows.target] / given.level, CEILING)
    rounds = growth.rounds if given.start.any() else growth.rounds_from_nothing
    rounds = max(30, rounds * min(len(rows.series), growth.enough) // growth.enough)
    data = lightgbm.Dataset(
        matrix(given.columns, names),
        target,
        weight=row_weight(history, rows, given.level),
        init_score=given.start if given.start.any() else None,
        feature_name=list(names),
        categorical_feature=[name for name in names if name in (*CATEGORIES, *history.groups)],
        params={"max_bin": 127, "min_data_in_bin": 5, "verbosity": -1},
        free_raw_data=False,
    )
    return Grown({level: lightgbm.train(parameters(growth, level), data, rounds) for level in fitted}, names)


def inputs(history: History, rows: Rows) -> Inputs:
    """Columns, level and start of rows."""
    windows = Windows(history.values)
    level = levels(windows, rows, history.rhythm.level)
    columns = design(history, windows, rows, level)
    ordinary = np.zeros(len(level))
    if history.rhythm.unit == "h":
        ordinary = np.where(np.isfinite(columns["usual"]), columns["usual"], 1.0)
    start = ordinary
    if "feast_count" in columns:
        # Days start from the level, not from the last weeks: trees must be free to follow the season of the year.
        ordinary = np.ones(len(level))
        with np.errstate(invalid="ignore", divide="ignore"):
            ratio = columns["feast_count"] / columns["usual"]
        start = np.where(np.isfinite(ratio), np.clip(ratio, *MOST), 1.0)
    return Inputs(columns, level, np.minimum(start, CEILING), np.minimum(ordinary, CEILING))


def parameters(growth: Growth, quantile: float) -> dict[str, object]:
    """LightGBM's settings: the same bytes on the same data whatever the number of cores."""
    return {
        "objective": "quantile",
        "alpha": quantile,
        "learning_rate": growth.rate,
        "num_leaves": growth.leaves,
        "min_data_in_leaf": 30,
        "feature_fraction": 0.7,
        "bagging_fraction": 0.7,
        "bagging_freq": 1,
        "lambda_l2": 1.0,
        "cat_smooth": 20.0,
        "num_threads": 1,
        "deterministic": True,
        "force_row_wise": True,
        "seed": 7,
        "verbosity": -1,
    }


def training_rows(history: History, most: int) -> Rows:
    """Known counts as targets, each from origins drawn within the horizon before it; the newest are kept."""
    first = 3
    series, target = np.nonzero(np.isfinite(history.values))
    keep = target >= first
    series, target = series[keep], target[keep]
    draws = max(1, min(4, most // max(len(series), 1)))
    series, target = np.tile(series, draws), np.tile(target, draws)
    generator = np.random.default_rng(11)
    ahead = 1 + generator.integers(0, history.horizon, size=len(target))
    origin = target - ahead
    usable = origin >= first
    series, target, origin = series[usable], target[usable], origin[usable]
    if len(series) > most:
        # Recent targets first, older ones thinned evenly.
        age = (history.length - target) / history.length
        chance = generator.random(len(series)) * (0.35 + age)
        kept = np.sort(np.argpartition(chance, most)[:most])
        series, target, origin = series[kept], target[kept], origin[kept]
    return Rows(series, origin, target)


def row_weight(history: History, rows: Rows, level: np.ndarray) -> np.ndarray:
    """Larger flows weigh somewhat more, as their errors cost more officers; newer rows more than old; shocks hardly."""
    size = np.sqrt(level / np.mean(level))
    age = (history.length - rows.target) / max(history.length, 1)
    sure = trusted(history.values, history.rhythm, shortest=RUN[history.rhythm.unit])
    ordinary = np.where(sure[rows.series, rows.target], 1.0, SHOCK)
    return np.asarray(np.clip(size, 0.2, 5.0) * 0.5**age * ordinary)


def matrix(columns: Mapping[str, np.ndarray], names: Sequence[str]) -> np.ndarray:
    """Columns side by side (n, len(names)), as the models read them."""
    return np.column_stack([columns[name] for name in names]).astype(np.float32)

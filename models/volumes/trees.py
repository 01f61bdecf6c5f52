"""One LightGBM model per quantile over all series of a frequency, straight to every step of the horizon."""

from dataclasses import dataclass

import numpy as np

from models.volumes.design import CATEGORIES, Rows, Windows, design, levels
from models.volumes.history import History
from models.volumes.rhythm import drawn
from models.volumes.seasonal import same_season

FITTED = np.array([0.1, 0.3, 0.5, 0.7, 0.9])
"""Levels with a model of their own; the others are drawn between and beyond."""
CEILING = 30.0
"""A scaled count above this says that the level was no level; it is capped so that it cannot bend the model."""


@dataclass(frozen=True)
class Growth:
    """How the trees are grown."""

    rounds: int = 140  # on `enough` rows and more; fewer on less
    enough: int = 7_000
    rate: float = 0.07
    leaves: int = 24
    rows: int = 30_000
    smallest: int = 200


DEFAULT = Growth()


def trees(history: History, growth: Growth = DEFAULT) -> np.ndarray:
    """Quantiles (S, H, 15); the same-season ones where the past has too few counts to learn from."""
    import lightgbm

    windows = Windows(history.values)
    rows = training_rows(history, growth.rows)
    if len(rows.series) < growth.smallest:
        return same_season(history)
    level = levels(windows, rows, history.rhythm.level)
    target = np.minimum(history.values[rows.series, rows.target] / level, CEILING)
    columns = design(history, windows, rows, level)
    names = list(columns)
    weight = row_weight(history, rows, level)
    rounds = max(30, growth.rounds * min(len(rows.series), growth.enough) // growth.enough)
    data = lightgbm.Dataset(
        _matrix(columns, names),
        target,
        weight=weight,
        feature_name=names,
        categorical_feature=[name for name in names if name in (*CATEGORIES, *history.groups)],
        params={"max_bin": 127, "min_data_in_bin": 5, "verbosity": -1},
        free_raw_data=False,
    )
    ahead = forecast_rows(history)
    ahead_level = levels(windows, ahead, history.rhythm.level)
    inputs = _matrix(design(history, windows, ahead, ahead_level), names)
    fitted = np.empty((len(inputs), len(FITTED)))
    for place, quantile in enumerate(FITTED):
        booster = lightgbm.train(parameters(growth, float(quantile)), data, rounds)
        fitted[:, place] = booster.predict(inputs, num_threads=1)
    fitted = np.sort(np.maximum(fitted, 0.0), axis=1)
    scaled = np.maximum(fitted @ drawn(FITTED), 0.0)
    answer = scaled * ahead_level[:, None]
    return np.asarray(answer.reshape(len(history.values), history.horizon, -1))


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


def forecast_rows(history: History) -> Rows:
    """Every series at every step of the horizon."""
    count, n = len(history.values), history.length
    series = np.repeat(np.arange(count), history.horizon)
    target = np.tile(np.arange(n, n + history.horizon), count)
    return Rows(series, np.full(len(series), n - 1), target)


def row_weight(history: History, rows: Rows, level: np.ndarray) -> np.ndarray:
    """Larger flows weigh somewhat more, as their errors cost more officers; newer rows more than old ones."""
    size = np.sqrt(level / np.mean(level))
    age = (history.length - rows.target) / max(history.length, 1)
    return np.asarray(np.clip(size, 0.2, 5.0) * 0.5**age)


def _matrix(columns: dict[str, np.ndarray], names: list[str]) -> np.ndarray:
    return np.column_stack([columns[name] for name in names]).astype(np.float32)

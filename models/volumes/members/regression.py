"""One linear predictor for all series, fitted anew for every step ahead: what trees do, for pasts too short for trees.

The target is the count beside the level of its origin, so that a pier and an airport teach each other; the fit is of
the median, which a shock bends little, and the spread is that of its own errors, each series beside its own.
"""

import numpy as np

from models.volumes.counts.breaks import trusted
from models.volumes.counts.history import History
from models.volumes.members.design import Rows, Windows, levels
from models.volumes.members.profile import profile
from models.volumes.members.seasonal import naive
from models.volumes.rhythm import LEVELS

CEILING = 6.0
"""A count this many times its level says that the level was none."""
HALF_LIFE = 6.0
"""Seasons after which a row counts half."""
OWN_SPREAD = 12.0
"""Errors that the belief in the spread of all series is worth."""
ROWS = 12_000
"""Most rows of one step ahead; origins are thinned evenly beyond."""


def regression(history: History) -> np.ndarray:
    """Quantiles (S, H, 15); seasonal naive where there are too few counts to fit."""
    values, n, season = history.values, history.length, history.rhythm.smoothing
    if n < 4:
        return naive(history)
    count = len(values)
    sure = trusted(values, history.rhythm) & np.isfinite(values)
    shape = profile(history, sure)
    turn = shape[:, (history.start + np.arange(n + history.horizon)) % season]
    adjusted = values / turn[:, :n]
    windows = Windows(adjusted)
    every = max(1, -(-count * n // ROWS))
    origins = np.arange(n - 1, 2, -every)[::-1]
    grid = Rows(np.repeat(np.arange(count), len(origins)), np.tile(origins, count), np.zeros(count * len(origins), int))
    level = levels(windows, grid, history.rhythm.level).reshape(count, len(origins))
    # The spread and the fit are of counts without their season, beside the level of the origin.
    inputs = _inputs(windows, adjusted, origins, level, season)
    fade = 0.5 ** ((n - 1 - origins) / (HALF_LIFE * season))
    size = np.clip(np.sqrt(level / np.nanmean(level)), 0.2, 5.0)
    answer = np.full((count, history.horizon, len(LEVELS)), np.nan)
    coefficients = None
    for ahead in range(1, history.horizon + 1):
        at = origins + ahead
        inside = at < n
        target = np.full(level.shape, np.nan)
        target[:, inside] = np.minimum(adjusted[:, at[inside]] / level[:, inside], CEILING)
        weight = np.where(np.isfinite(target), size * fade[None, :], 0.0)
        weight[:, inside] *= np.where(sure[:, at[inside]], 1.0, 0.1)
        x = np.concatenate([inputs, _season_ago(adjusted, origins, level, season, ahead)], axis=2)
        if (weight > 0).sum() >= 10 * x.shape[2]:
            coefficients = _median_fit(x, np.nan_to_num(target), weight, coefficients)
            wrong = np.where(weight > 0, np.nan_to_num(target) - x @ coefficients, 0.0)
            mass = weight / np.maximum(size, 1e-9)
            typical = (mass * np.abs(wrong)).sum() / mass.sum()
            own = (mass * np.abs(wrong)).sum(axis=1) + OWN_SPREAD * typical
            own /= mass.sum(axis=1) + OWN_SPREAD
            reach = own[:, None] * _weighted_quantiles(
                (wrong / np.where(own > 0, own, 1.0)[:, None]).ravel(), mass.ravel()
            )
            fitted = ahead
        if coefficients is None:
            break
        # Steps further ahead than the past can show are as the last one that it could, and wider.
        now = x[:, -1] @ coefficients
        now = now[:, None] + reach * np.sqrt(ahead / fitted)
        answer[:, ahead - 1] = np.maximum(now, 0.0) * (level[:, -1] * turn[:, n + ahead - 1])[:, None]
    short = ~np.isfinite(answer).all(axis=(1, 2))
    if short.any():
        answer[short] = naive(history)[short]
    return answer


def _inputs(windows: Windows, adjusted: np.ndarray, origins: np.ndarray, level: np.ndarray, season: int) -> np.ndarray:
    """What each origin shows (S, O, k), beside its level; 1 where a series does not reach back so far."""
    count = len(adjusted)
    series = np.repeat(np.arange(count), len(origins))
    stop = np.tile(origins + 1, count)

    def mean(begin: int, end: int) -> np.ndarray:
        return np.asarray(windows.mean(series, stop - begin, stop - end).reshape(level.shape) / level)

    columns = [mean(1, 0), mean(3, 0), mean(season, 0), mean(2 * season, season)]
    stacked = np.stack([np.ones_like(level), *columns], axis=2)
    return np.clip(np.where(np.isfinite(stacked), stacked, 1.0), 0.0, CEILING)


def _season_ago(adjusted: np.ndarray, origins: np.ndarray, level: np.ndarray, season: int, ahead: int) -> np.ndarray:
    """The last count (S, O, 1) of the target's season, beside the level of the origin."""
    at = origins + ahead - season * -(-ahead // season)
    column = np.where(at >= 0, adjusted[:, np.maximum(at, 0)], np.nan) / level
    return np.clip(np.where(np.isfinite(column), column, 1.0), 0.0, CEILING)[..., None]


def _median_fit(x: np.ndarray, y: np.ndarray, weight: np.ndarray, start: np.ndarray | None) -> np.ndarray:
    """Coefficients (k,) of the weighted median, by reweighted least squares drawn towards the level staying put."""
    flat, target, mass = x.reshape(-1, x.shape[2]), y.ravel(), weight.ravel()
    stays = np.zeros(x.shape[2])
    stays[0] = 1.0
    now = stays if start is None else start
    ridge = 0.01 * mass.sum() * np.eye(x.shape[2])
    for _ in range(4):
        wrong = np.abs(target - flat @ now)
        robust = mass / np.maximum(wrong, 0.05)
        robust *= mass.sum() / robust.sum()
        gram = (flat * robust[:, None]).T @ flat
        now = np.linalg.solve(gram + ridge, (flat * robust[:, None]).T @ target + ridge @ stays)
    return np.asarray(now)


def _weighted_quantiles(values: np.ndarray, weight: np.ndarray) -> np.ndarray:
    order = np.argsort(values)
    rank = np.cumsum(weight[order])
    return np.asarray(np.interp(LEVELS, (rank - 0.5 * weight[order]) / rank[-1], values[order]))

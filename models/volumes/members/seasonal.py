"""What a planner does by hand: the last count of the same season, and the spread of the last few."""

import numpy as np
from scipy.stats import norm

from models.volumes.counts.gaps import mean_known
from models.volumes.counts.history import History
from models.volumes.rhythm import LEVELS


def same_season_lags(history: History, count: int) -> np.ndarray:
    """Counts (S, H, count) of the same weekday, hour or month before the origin, nearest first; NaN where unknown."""
    season, n = history.rhythm.season, history.length
    ahead = np.arange(1, history.horizon + 1)
    nearest = n - 1 + ahead - season * -(-ahead // season)
    at = nearest[:, None] - season * np.arange(count)[None, :]
    lags = history.values[:, np.maximum(at, 0)]
    return np.where(at[None] >= 0, lags, np.nan)


def same_season(history: History) -> np.ndarray:
    """Empirical quantiles (S, H, 15) of the last few counts of the same season, widened by their neighbours in rank."""
    lags = same_season_lags(history, history.rhythm.recall)
    return _filled(_quantiles(lags), history)


def naive(history: History) -> np.ndarray:
    """Seasonal naive (S, H, 15): the last count of the same season, with normal bands that grow with the seasons."""
    season = history.rhythm.season
    last = same_season_lags(history, 1)[..., 0]
    change = history.values[:, season:] - history.values[:, :-season]
    spread = np.sqrt(mean_known(change**2))
    seasons_ahead = -(-np.arange(1, history.horizon + 1) // season)
    sigma = spread[:, None] * np.sqrt(seasons_ahead)[None, :]
    quantiles = last[..., None] + np.nan_to_num(sigma)[..., None] * norm.ppf(LEVELS)
    return _filled(quantiles, history)


def last_known(history: History) -> np.ndarray:
    """The last count of each series (S,), NaN for one that has none."""
    seen = np.isfinite(history.values)
    at = history.length - 1 - np.argmax(seen[:, ::-1], axis=1)
    return np.where(seen.any(axis=1), history.values[np.arange(len(at)), at], np.nan)


def _filled(quantiles: np.ndarray, history: History) -> np.ndarray:
    """Series too short for a season are answered from the counts they have: same spread at each step."""
    holes = ~np.isfinite(quantiles).all(axis=2)
    if holes.any():
        recent = history.values[:, -max(history.rhythm.level, 2) :]
        plain = _quantiles(recent)
        plain = np.where(np.isfinite(plain), plain, last_known(history)[:, None])
        quantiles = np.where(holes[..., None], plain[:, None, :], quantiles)
    return np.asarray(np.maximum(quantiles, 0.0))


def _quantiles(values: np.ndarray) -> np.ndarray:
    """Empirical quantiles along the last axis, NaN left out; NaN where nothing is known."""
    ordered = np.sort(values, axis=-1)
    count = np.isfinite(values).sum(axis=-1)
    place = np.maximum(count - 1, 0)[..., None] * LEVELS
    low = np.floor(place).astype(int)
    high = np.minimum(low + 1, np.maximum(count - 1, 0)[..., None])
    below = np.take_along_axis(ordered, low, axis=-1)
    above = np.take_along_axis(ordered, high, axis=-1)
    return np.asarray(below + (above - below) * (place - low))

"""The shape of a season: how each month, weekday or hour of the week stands to its own surroundings."""

import numpy as np

from models.volumes.counts.history import History
from models.volumes.members.design import Windows

FULL = 0.7
"""Share of a season around a count that must be known before the count says anything about the shape."""
HALF_LIFE = 4.0
"""Seasons after which a season's shape counts half."""


def profile(history: History, trusted: np.ndarray | None = None) -> np.ndarray:
    """Indices (S, season) around 1 by place in the season, from counts that are trusted (S, N), or else all.

    Each is shrunk towards the shape that all series share, and that towards none, by how far seasons agree.
    """
    season = history.rhythm.smoothing
    values = history.values if trusted is None else np.where(trusted, history.values, np.nan)
    count, length = values.shape
    series, step = np.divmod(np.arange(count * length), length)
    windows = Windows(values)
    begin, end = step - season // 2, step - season // 2 + season
    begin, end = np.maximum(begin, 0), np.minimum(end, length)
    centre = windows.mean(series, begin, end).reshape(count, length)
    known = (windows.count[series, end] - windows.count[series, begin]).reshape(count, length)
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = np.where((known >= FULL * season) & (centre > 0), values / centre, np.nan)
    ratio = np.clip(ratio, 0.0, 4.0)
    place = (np.arange(length) + history.start) % season
    weight = np.where(np.isfinite(ratio), 0.5 ** (np.arange(length)[::-1] / (HALF_LIFE * season)), 0.0)
    onto = np.eye(season)[place]
    mass = weight @ onto
    mean = np.where(mass > 0, (weight * np.nan_to_num(ratio)) @ onto / np.maximum(mass, 1e-12), 1.0)
    spread = weight * np.nan_to_num(ratio - mean[:, place]) ** 2
    seasons = mass / np.maximum(weight.max(axis=1, keepdims=True), 1e-12)
    shared = _shrunk_shape(mean, mass)
    within = spread.sum(axis=1) / np.maximum(weight.sum(axis=1) - mass.max(axis=1), 1e-9)
    apart = mean - shared
    between = np.maximum((apart**2).mean(axis=1) - within / np.maximum(seasons.mean(axis=1), 1e-9), 0.0)
    belief = between[:, None] / (between[:, None] + within[:, None] / np.maximum(seasons, 1e-9) + 1e-9)
    belief = np.where(seasons < 1.2, 0.0, belief)
    shape = np.clip(shared + belief * apart, 0.02, None)
    return np.asarray(shape / shape.mean(axis=1, keepdims=True))


def _shrunk_shape(mean: np.ndarray, mass: np.ndarray) -> np.ndarray:
    """The middle shape (1, season) of the series that have one, believed as far as series agree."""
    told = mass.min(axis=1) > 0
    if told.sum() < 3:
        return np.ones((1, mean.shape[1]))
    middle = np.median(mean[told], axis=0)
    noise = np.median(np.abs(mean[told] - middle), axis=0) ** 2 * 2.2 / told.sum()
    gain = np.maximum((middle - 1.0) ** 2 - noise, 0.0) / np.maximum((middle - 1.0) ** 2, 1e-12)
    return np.asarray(1.0 + gain * (middle - 1.0))[None, :]

"""Exponential smoothing of every series under many settings at once, answered by those that forecast it best.

State of one setting: a level, and a season that is added or multiplied. There is no trend: on border flows it costs
more after each break than it gains between them, and the trees have one. All settings of all series are stepped
together as (S, G) arrays, so a pool of forty costs little more than one. A missing count leaves the state as it is.
Settings are weighed by their own one-step errors, of which recent ones count more and outliers are capped: a stop of a
few months must not choose the model.
"""

from dataclasses import dataclass
from itertools import product

import numpy as np
from scipy.stats import norm

from models.volumes.counts.gaps import mean_known
from models.volumes.counts.history import History
from models.volumes.members.seasonal import naive
from models.volumes.rhythm import LEVELS

JUDGED_SEASONS = 5
"""Seasons of one-step errors that a setting is judged by."""
SEASONS_TO_LEARN = 2
"""Full seasons that a series must show before a season of its own is believed."""


@dataclass(frozen=True)
class Settings:
    """G settings side by side; `season` is 0 none, 1 added, 2 multiplied."""

    alpha: np.ndarray
    gamma: np.ndarray
    season: np.ndarray

    @property
    def parameters(self) -> np.ndarray:
        """Free parameters of each setting, for the penalty."""
        return np.asarray(1 + (self.gamma > 0) + 2 * (self.season > 0))


def grid() -> Settings:
    """Every combination that is tried."""
    rows = [
        (alpha, gamma * (1 - alpha), season)
        for alpha, season in product((0.05, 0.15, 0.3, 0.5, 0.7, 0.9), (0, 1, 2))
        for gamma in ((0.0,) if season == 0 else (0.0, 0.1, 0.3))
    ]
    alpha, gamma, season = (np.array(column, float) for column in zip(*rows, strict=True))
    return Settings(alpha, gamma, season.astype(int))


def smoothing(history: History) -> np.ndarray:
    """Quantiles (S, H, 15) of the weighted settings; seasonal naive where a series is too short to smooth."""
    season = history.rhythm.smoothing
    settings = grid()
    values = history.values
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        level, seasons, errors, counts = _run(values, settings, season, history.start)
        weights, sigma = _weights(errors, settings, counts, season)
        path, spread = _ahead(level, seasons, settings, season=season, history=history, sigma=sigma)
    mean = np.einsum("sg,sgh->sh", weights, path)
    between = np.einsum("sg,sgh->sh", weights, (path - mean[..., None].swapaxes(1, 2)) ** 2)
    within = np.einsum("sg,sgh->sh", weights, spread**2)
    quantiles = mean[..., None] + np.sqrt(within + between)[..., None] * norm.ppf(LEVELS)
    short = (np.isfinite(values).sum(axis=1) < 4) | ~np.isfinite(quantiles).all(axis=(1, 2))
    if short.any():
        quantiles[short] = naive(history)[short]
    return np.asarray(np.maximum(quantiles, 0.0))


def _start(values: np.ndarray, season: int, phase: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """First level (S,), additive (S, m) and multiplicative (S, m) season, from the first seasons of each series."""
    count, length = values.shape
    seen = np.isfinite(values)
    first = np.where(seen.any(axis=1), seen.argmax(axis=1), 0)
    at = np.minimum(first[:, None] + np.arange(4 * season)[None, :], length - 1)
    inside = (first[:, None] + np.arange(4 * season)[None, :]) < length
    head = np.where(inside, np.take_along_axis(values, at, axis=1), np.nan)
    added, times = np.zeros((count, season)), np.ones((count, season))
    level = mean_known(head[:, :season])
    parts, ratios = [], []
    for year in range(4):
        piece = head[:, year * season : (year + 1) * season]
        full = np.isfinite(piece).mean(axis=1) > 0.8
        centre = mean_known(piece)
        parts.append(np.where(full[:, None], piece - centre[:, None], np.nan))
        ratios.append(np.where((full & (centre > 0))[:, None], piece / centre[:, None], np.nan))
    mean_part, mean_ratio = mean_known(np.stack(parts, 2)), mean_known(np.stack(ratios, 2))
    place = (first[:, None] + np.arange(season)[None, :] + phase) % season
    np.put_along_axis(added, place, np.nan_to_num(mean_part), axis=1)
    np.put_along_axis(times, place, np.clip(np.nan_to_num(mean_ratio, nan=1.0), 0.02, None), axis=1)
    return np.nan_to_num(level), added, times


def _run(
    values: np.ndarray, settings: Settings, season: int, phase: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Step through the counts. Returns level (S, G), seasons (m, S, G), errors (N, S, G) and counts seen (S,)."""
    count, length = values.shape
    first, added, times = _start(values, season, phase)
    shape = (count, len(settings.alpha))
    level = np.repeat(first[:, None], shape[1], axis=1)
    multiplied, plain = settings.season == 2, settings.season == 0
    seasons = np.where(multiplied, times.T[:, :, None], np.where(plain, 0.0, added.T[:, :, None]))
    seasons = np.broadcast_to(seasons, (season, *shape)).copy()
    errors = np.full((length, *shape), np.nan, np.float32)
    seen = np.isfinite(values)
    started = np.cumsum(seen, axis=1)
    for t in range(length):
        place = (t + phase) % season
        now = seasons[place]
        scale = np.where(multiplied, np.maximum(now, 0.02), 1.0)
        error = values[:, t, None] - np.where(multiplied, level * scale, level + now)
        errors[t] = np.where((started[:, t] > 1)[:, None], error, np.nan)
        error = np.where(seen[:, t, None], error, 0.0)
        size = np.where(multiplied, np.maximum(level, 1e-9), 1.0)
        level = np.maximum(level + settings.alpha * error / scale, 0.0)
        now = now + settings.gamma * error / size
        seasons[place] = np.where(multiplied, np.clip(now, 0.02, 50.0), now)
    return level, seasons, errors, started[:, -1]


def _weights(errors: np.ndarray, settings: Settings, counts: np.ndarray, season: int) -> tuple[np.ndarray, np.ndarray]:
    """Weight (S, G) and one-step standard error (S, G) of every setting."""
    length = len(errors)
    window = min(length, max(JUDGED_SEASONS * season, 60))
    recent = errors[-window:].astype(float)
    age = np.arange(window)[::-1]
    fade = 0.5 ** (age / (window / 2))
    finite = np.isfinite(recent)
    size = np.where(finite, np.abs(recent), 0.0)
    mass = np.maximum((finite * fade[:, None, None]).sum(axis=0), 1e-9)
    typical = ((size * fade[:, None, None]).sum(axis=0) / mass).min(axis=1)
    cap = 4.0 * np.maximum(typical, 1e-9)
    square = np.where(finite, np.minimum(size, cap[None, :, None]) ** 2, 0.0)
    variance = (square * fade[:, None, None]).sum(axis=0) / mass
    informative = np.minimum(counts, window / 2)[:, None]
    score = informative * np.log(np.maximum(variance, 1e-12)) + 2.0 * settings.parameters
    unlearnt = (counts[:, None] < SEASONS_TO_LEARN * season + 2) & (settings.season > 0)
    score = np.where(np.isfinite(score) & ~unlearnt, score, np.inf)
    # A flatter weighting than the likelihood's own: errors are neither normal nor independent.
    gain = np.exp(-0.25 * (score - score.min(axis=1, keepdims=True)))
    return gain / gain.sum(axis=1, keepdims=True), np.sqrt(variance)


def _ahead(
    level: np.ndarray,
    seasons: np.ndarray,
    settings: Settings,
    *,
    season: int,
    history: History,
    sigma: np.ndarray,
) -> tuple[np.ndarray, np.ndarray]:
    """Paths and standard errors (S, G, H)."""
    horizon = history.horizon
    ahead = np.arange(1, horizon + 1)
    place = (history.length + history.start + ahead - 1) % season
    base = level[..., None]
    turn = np.moveaxis(seasons[place], 0, 2)
    multiplied = (settings.season == 2)[None, :, None]
    path = np.maximum(np.where(multiplied, base * turn, base + turn), 0.0)
    reach = settings.alpha[:, None] + settings.gamma[:, None] * (ahead % season == 0)
    growth = 1.0 + np.concatenate([np.zeros((len(settings.alpha), 1)), np.cumsum(reach[:, 1:] ** 2, axis=1)], axis=1)
    spread = sigma[..., None] * np.sqrt(growth)[None]
    return path, np.where(multiplied, spread * np.clip(turn, 0.2, 5.0), spread)

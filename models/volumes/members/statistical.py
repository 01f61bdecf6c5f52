"""Each series by itself, after its season is taken out: a line through a smoothed level, and its own past as predictor.

Both stand beside exponential smoothing, which keeps its season in the state: they err at other times. A series too
short for a shape of its own gets the one that all share.
"""

import numpy as np
from scipy.stats import norm

from models.volumes.counts.breaks import trusted
from models.volumes.counts.history import History
from models.volumes.members.profile import profile
from models.volumes.members.seasonal import naive
from models.volumes.rhythm import LEVELS

ALPHAS = np.array([0.05, 0.1, 0.2, 0.35, 0.5, 0.7, 0.9])
LAGS = (1, 2, 3, 6, 12)
"""Steps back that predict a count; a season ago, by month, catches what the shape has missed."""
POOLING = 30.0
"""Counts that the belief in the predictors of all series together is worth."""
HALF_LIFE = 6.0
"""Seasons after which an error counts half."""
CAP = 4.0
"""Typical errors beyond which an error counts no more."""


def theta(history: History) -> np.ndarray:
    """Quantiles (S, H, 15): a smoothed level that drifts by half the slope of the recent past."""
    adjusted, turn = _adjusted(history)
    count, length = adjusted.shape
    level = np.repeat(_first(adjusted)[:, None], len(ALPHAS), axis=1)
    errors = np.full((length, count, len(ALPHAS)), np.nan)
    for t in range(length):
        error = adjusted[:, t, None] - level
        errors[t] = error
        level = level + ALPHAS * np.nan_to_num(error)
    score, sigma = _judged(errors[1:], history.rhythm.smoothing)
    weight = np.exp(-0.25 * (score - score.min(axis=1, keepdims=True)))
    weight /= weight.sum(axis=1, keepdims=True)
    ahead = np.arange(history.horizon)
    drift = 0.5 * _slope(adjusted, 3 * history.rhythm.smoothing)
    damped = np.cumsum(0.97 ** (ahead + 1.0))
    middle = (weight * level).sum(axis=1)[:, None] + drift[:, None] * damped
    reach = np.sqrt(1.0 + ahead[None, :] * ((weight * ALPHAS).sum(axis=1) ** 2)[:, None])
    return _answer(history, middle, (weight * sigma).sum(axis=1)[:, None] * reach, turn)


def autoregression(history: History) -> np.ndarray:
    """Quantiles (S, H, 15): a linear predictor of each series from its own past, shrunk towards that of all."""
    adjusted, turn = _adjusted(history)
    count, length = adjusted.shape
    recent = adjusted[:, -3 * history.rhythm.smoothing :]
    size = np.nansum(recent, axis=1) / np.maximum(np.isfinite(recent).sum(axis=1), 1)
    size = np.where(size > 0, size, 1.0)
    scaled = _carried(np.clip(adjusted / size[:, None], 0.0, 6.0))
    lags = [lag for lag in LAGS if lag < length - 6] or [1]
    first = max(lags)
    if length <= first + 2:
        return naive(history)
    # The origin's level is the anchor: what is predicted is the change from the last count.
    past = np.stack([scaled[:, first - lag : length - lag] for lag in lags], axis=2)
    target = scaled[:, first:] - past[..., 0]
    inputs = np.concatenate([1.0 - past[..., :1], past[..., 1:] - past[..., :1]], axis=2)
    fade = 0.5 ** (np.arange(target.shape[1])[::-1] / (HALF_LIFE * history.rhythm.smoothing))
    weight = np.where(np.isfinite(adjusted[:, first:]), fade, 0.0)
    coefficients = np.zeros((count, inputs.shape[2]))
    for _ in range(3):
        residual = target - np.einsum("stk,sk->st", inputs, coefficients)
        typical = (weight * np.abs(residual)).sum(axis=1) / np.maximum(weight.sum(axis=1), 1e-9)
        typical = np.maximum(typical, 1e-3)[:, None]
        robust = weight / np.maximum(np.abs(residual), typical) / typical
        gram = np.einsum("st,stk,stl->skl", robust, inputs, inputs)
        moment = np.einsum("st,stk,st->sk", robust, inputs, target)
        ridge = 1e-3 * np.trace(gram.sum(axis=0)) / inputs.shape[2] * np.eye(inputs.shape[2]) + 1e-9
        shared = np.linalg.solve(gram.sum(axis=0) + ridge, moment.sum(axis=0))
        belief = POOLING * gram.sum(axis=0) / np.maximum(weight.sum(), 1e-9)
        coefficients = np.linalg.solve(gram + belief + ridge / count, (moment + belief @ shared)[..., None])[..., 0]
    residual = target - np.einsum("stk,sk->st", inputs, coefficients)
    cap = CAP * typical
    sigma = np.sqrt(
        (weight * np.minimum(np.abs(residual), cap) ** 2).sum(axis=1) / np.maximum(weight.sum(axis=1), 1e-9)
    )
    path, reach = _recursion(scaled, coefficients, lags, history.horizon)
    return _answer(history, path * size[:, None], sigma[:, None] * reach * size[:, None], turn)


def _recursion(
    scaled: np.ndarray, coefficients: np.ndarray, lags: list[int], horizon: int
) -> tuple[np.ndarray, np.ndarray]:
    """Path (S, H) step by step, and the growth (S, H) of its error from that of one step."""
    count, length = scaled.shape
    path = np.concatenate([scaled, np.zeros((count, horizon))], axis=1)
    echo = np.zeros((count, length + horizon))  # what a unit shock at the first step leaves later
    top = 1.5 * scaled.max(axis=1)
    for t in range(length, length + horizon):
        for line, level in ((path, 1.0), (echo, 0.0)):
            last = line[:, t - lags[0]]
            step = coefficients[:, 0] * (level - last)
            for place, lag in enumerate(lags[1:], start=1):
                step = step + coefficients[:, place] * (line[:, t - lag] - last)
            line[:, t] = last + step
        path[:, t] = np.clip(path[:, t], 0.0, top)
        if t == length:
            echo[:, t] = 1.0
    growth = np.sqrt(np.cumsum(np.clip(echo[:, length:], -1.5, 1.5) ** 2, axis=1))
    return path[:, length:], growth


def _adjusted(history: History) -> tuple[np.ndarray, np.ndarray]:
    """Counts (S, N) without their season, NaN where not known or in a shock that has ended, and the shape ahead."""
    sure = trusted(history.values, history.rhythm)
    shape = profile(history, sure)
    season = history.rhythm.smoothing
    step = history.start + np.arange(history.length + history.horizon)
    turn = shape[:, step % season]
    # A shock that has not ended is where the series now is: the last counts always speak.
    sure[:, -history.rhythm.level :] = True
    values = np.where(sure, history.values, np.nan)
    return values / turn[:, : history.length], turn[:, history.length :]


def _answer(history: History, middle: np.ndarray, sigma: np.ndarray, turn: np.ndarray) -> np.ndarray:
    quantiles = turn[..., None] * (np.maximum(middle, 0.0)[..., None] + sigma[..., None] * norm.ppf(LEVELS))
    short = (np.isfinite(history.values).sum(axis=1) < 4) | ~np.isfinite(quantiles).all(axis=(1, 2))
    if short.any():
        quantiles[short] = naive(history)[short]
    return np.asarray(np.maximum(quantiles, 0.0))


def _judged(errors: np.ndarray, season: int) -> tuple[np.ndarray, np.ndarray]:
    """Score (S, G), lower is better, and standard error (S, G) of each setting's one-step errors (N, S, G)."""
    fade = 0.5 ** (np.arange(len(errors))[::-1] / (HALF_LIFE * season))[:, None, None]
    fade = np.where(np.isfinite(errors), fade, 0.0)
    size = np.nan_to_num(np.abs(errors))
    mass = np.maximum(fade.sum(axis=0), 1e-9)
    typical = np.maximum(((fade * size).sum(axis=0) / mass).min(axis=1), 1e-9)
    variance = (fade * np.minimum(size, CAP * typical[None, :, None]) ** 2).sum(axis=0) / mass
    return mass * np.log(np.maximum(variance, 1e-12)), np.sqrt(variance)


def _slope(values: np.ndarray, window: int) -> np.ndarray:
    """Least-squares slope (S,) per step over the last counts, 0 where there are few."""
    recent = values[:, -window:]
    seen = np.isfinite(recent)
    time = np.arange(recent.shape[1])
    mass = np.maximum(seen.sum(axis=1), 1)
    middle = (seen * time).sum(axis=1) / mass
    centred = np.where(seen, time - middle[:, None], 0.0)
    slope = (centred * np.nan_to_num(recent)).sum(axis=1) / np.maximum((centred**2).sum(axis=1), 1e-9)
    return np.asarray(np.where(seen.sum(axis=1) >= 8, slope, 0.0))


def _first(values: np.ndarray) -> np.ndarray:
    seen = np.isfinite(values)
    return np.where(seen.any(axis=1), values[np.arange(len(values)), seen.argmax(axis=1)], 0.0)


def _carried(values: np.ndarray) -> np.ndarray:
    """Gaps filled with the last count before them, the first ones with the first count."""
    seen = np.isfinite(values)
    at = np.maximum.accumulate(np.where(seen, np.arange(values.shape[1]), -1), axis=1)
    at = np.where(at < 0, seen.argmax(axis=1)[:, None], at)
    return np.asarray(np.nan_to_num(np.take_along_axis(values, at, axis=1)))

"""Losses of quantile forecasts, each its formula. None where a loss is undefined.

y is (n,) and quantiles (n, 15) at LEVELS, of which scaled_crps, spl and coverage read 0.1 to 0.9 as published scores
do; `scale` (n,) is the in-sample error of the seasonal naive forecast
of the row's series and cutoff, and `block` (n,) numbers series x cutoff.
"""

import numpy as np

from models.volumes.rhythm import LEVELS, MEDIAN, TENTHS


def pinball(y: np.ndarray, quantiles: np.ndarray) -> np.ndarray:
    """Pinball loss (n, 15): u * level where the count lies above the quantile, u * (level - 1) where below."""
    error = y[:, None] - quantiles
    return np.asarray(np.maximum(LEVELS * error, (LEVELS - 1.0) * error))


def scaled_crps(y: np.ndarray, quantiles: np.ndarray) -> float | None:
    """Mean over tenths of twice the summed pinball loss over the summed counts: large series weigh most."""
    total = np.abs(y).sum()
    return float((2.0 * pinball(y, quantiles)[:, TENTHS].sum(axis=0) / total).mean()) if total > 0 else None


def wape(y: np.ndarray, quantiles: np.ndarray) -> float | None:
    """Summed absolute error of the median over the summed counts."""
    total = np.abs(y).sum()
    return float(np.abs(y - quantiles[:, MEDIAN]).sum() / total) if total > 0 else None


def coverage(y: np.ndarray, quantiles: np.ndarray) -> float | None:
    """Share of counts inside the 10% and 90% quantiles, ends included."""
    tenths = quantiles[:, TENTHS]
    return float(((y >= tenths[:, 0]) & (y <= tenths[:, -1])).mean()) if len(y) else None


def coverage_of_counts(y: np.ndarray, quantiles: np.ndarray) -> float | None:
    """Share of counts inside the 10% and 90% quantiles, each count as wide as itself: one that lies across an end is
    inside in part. This is what drawing its place at random gives on average, so that many zeros count rightly."""
    if not len(y):
        return None
    low = np.where(y <= 0, 0.0, _place(y - 0.5, quantiles))
    high = np.maximum(_place(y + 0.5, quantiles), low + 1e-9)
    return float((np.clip(np.minimum(high, 0.9) - np.maximum(low, 0.1), 0.0, None) / (high - low)).mean())


def _place(value: np.ndarray, quantiles: np.ndarray) -> np.ndarray:
    """Share (n,) of each distribution that lies below a value, straight between its quantiles."""
    under = np.clip((quantiles <= value[:, None]).sum(axis=1) - 1, 0, len(LEVELS) - 2)[:, None]
    low, high = (np.take_along_axis(quantiles, under + d, axis=1)[:, 0] for d in (0, 1))
    with np.errstate(divide="ignore", invalid="ignore"):
        share = np.clip(np.where(high > low, (value - low) / (high - low), value >= high), 0.0, 1.0)
    inside = LEVELS[under[:, 0]] + (LEVELS[under[:, 0] + 1] - LEVELS[under[:, 0]]) * share
    return np.where(value < quantiles[:, 0], 0.0, np.where(value > quantiles[:, -1], 1.0, inside))


def mase(y: np.ndarray, quantiles: np.ndarray, scale: np.ndarray, block: np.ndarray) -> float | None:
    """Mean over series and cutoffs of the mean absolute error of the median over the scale."""
    return _scaled(np.abs(y - quantiles[:, MEDIAN]), scale, block)


def spl(y: np.ndarray, quantiles: np.ndarray, scale: np.ndarray, block: np.ndarray) -> float | None:
    """Mean over series and cutoffs of the mean pinball loss over the scale: every series counts alike."""
    return _scaled(pinball(y, quantiles)[:, TENTHS].mean(axis=1), scale, block)


def naive_error(history: np.ndarray, season: int) -> float:
    """Mean absolute change over one season of a series, steps with a missing end left out; NaN where there is none."""
    change = np.abs(history[season:] - history[:-season])
    change = change[np.isfinite(change)]
    return float(change.mean()) if len(change) else float("nan")


def _scaled(loss: np.ndarray, scale: np.ndarray, block: np.ndarray) -> float | None:
    usable = np.isfinite(scale) & (scale > 0)
    if not usable.any():
        return None
    _, place = np.unique(block[usable], return_inverse=True)
    return float((np.bincount(place, loss[usable] / scale[usable]) / np.bincount(place)).mean())

"""Sample paths: possible futures drawn so that each step of each series is as its quantiles promise.

How the values of a path go together, over the steps and over the series, is what rolling errors did together: each past
count is placed inside the distribution that was forecast for it, and the places' correlations, shrunk as far as few
folds demand, are drawn from (a copula). The drawn numbers only say the order; the values come from the quantiles.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.special import ndtri

from models.volumes.pooling.rolling import Rehearsal
from models.volumes.rhythm import LEVELS
from records.errors import BadInput

DRAWS = 1001
"""Paths that are drawn: with 200 k + 1 of them every promised level is one path's own."""
FARTHEST = 2.5
"""Standard errors beyond which a past count says no more about what goes together."""
SCORES = ndtri(LEVELS)


@dataclass(frozen=True)
class Dependence:
    """Correlations of forecast errors between series (S, S) and between steps (H, H)."""

    across: np.ndarray
    along: np.ndarray


def dependence(past: Sequence[Rehearsal], series: int, horizon: int) -> Dependence:
    """What rolling errors did together; independent where there are none."""
    if not past:
        return Dependence(np.eye(series), np.eye(horizon))
    scores = np.stack([normal_scores(rehearsal.actual, rehearsal.quantiles) for rehearsal in past])
    along = _along(scores)
    return Dependence(_across(scores, along), along)


def draw(quantiles: np.ndarray, together: Dependence, draws: int = DRAWS, seed: int | Sequence[int] = 0) -> np.ndarray:
    """Paths (S, H, P) whose quantiles at every step are the given ones (S, H, 15); NaN where those are."""
    if draws % 200 != 1:
        raise BadInput(f"{draws} paths cannot each hold a promised level. Ask for 200 k + 1 of them, such as {DRAWS}.")
    generator = np.random.default_rng(seed)
    series, horizon = quantiles.shape[:2]
    drawn = generator.standard_normal((series, horizon * draws), np.float32)
    drawn = (_root(together.across).astype(np.float32) @ drawn).reshape(series, horizon, draws)
    drawn = _root(together.along).astype(np.float32) @ drawn
    level = np.clip(np.arange(draws) / (draws - 1), 0.5 / draws, 1 - 0.5 / draws)
    paths = np.empty(drawn.shape)
    for one, order in enumerate(drawn):  # one at a time: an order takes twice the room of the drawn numbers
        values = at_scores(quantiles[one], ndtri(level))
        np.put_along_axis(paths[one], order.argsort(axis=1), values, axis=1)
    return paths


def quantiles_of(paths: np.ndarray) -> np.ndarray:
    """Quantiles (..., 15) of paths (..., P)."""
    return np.moveaxis(np.quantile(paths, LEVELS, axis=-1), 0, -1)


def at_scores(quantiles: np.ndarray, scores: np.ndarray) -> np.ndarray:
    """Values (..., P) of the distributions that quantiles (..., 15) draw, at P ascending normal scores.

    Between two levels, and beyond the outermost, a distribution is a piece of a normal one; nothing lies below zero.
    """
    right = np.clip(np.searchsorted(SCORES, scores), 1, len(SCORES) - 1)
    share = (scores - SCORES[right - 1]) / (SCORES[right] - SCORES[right - 1])
    low = quantiles[..., right - 1]
    return np.asarray(np.maximum(low + share * (quantiles[..., right] - low), 0.0))


def normal_scores(y: np.ndarray, quantiles: np.ndarray) -> np.ndarray:
    """Where counts (...) lie inside their distributions (..., 15), as normal scores, capped; NaN where one is missing.

    A count that several levels share, as a quiet pier's zero, lies in the middle of them.
    """
    below, upto = (quantiles < y[..., None]).sum(axis=-1), (quantiles <= y[..., None]).sum(axis=-1)
    score = 0.5 * (_score(y, quantiles, below) + _score(y, quantiles, upto))
    known = np.isfinite(y) & np.isfinite(quantiles).all(axis=-1)
    return np.where(known, np.clip(score, -FARTHEST, FARTHEST), np.nan)


def _score(y: np.ndarray, quantiles: np.ndarray, place: np.ndarray) -> np.ndarray:
    right = np.clip(place, 1, len(SCORES) - 1)
    low, high = (np.take_along_axis(quantiles, (right - d)[..., None], axis=-1)[..., 0] for d in (1, 0))
    with np.errstate(divide="ignore", invalid="ignore"):
        share = np.where(high > low, (y - low) / (high - low), place >= right)
    return np.asarray(SCORES[right - 1] + share * (SCORES[right] - SCORES[right - 1]))


def _along(scores: np.ndarray) -> np.ndarray:
    """Correlation (H, H) of steps by how far they are apart, over all folds and series (F, S, H)."""
    horizon = scores.shape[2]
    seen = np.isfinite(scores)
    known = np.where(seen, scores, 0.0)
    lags = range(horizon)
    product = np.array([(known[..., lag:] * known[..., : horizon - lag]).sum() for lag in lags])
    count = np.array([(seen[..., lag:] & seen[..., : horizon - lag]).sum() for lag in lags])
    by_lag = product / np.maximum(count, 1) / max(product[0] / max(count[0], 1), 1e-9)
    by_lag[0] = 1.0
    return _correlation(by_lag[np.abs(np.subtract.outer(np.arange(horizon), np.arange(horizon)))])


def _across(scores: np.ndarray, along: np.ndarray) -> np.ndarray:
    """Correlation (S, S) of series at the same step, shrunk towards none as far as its own noise demands.

    Steps that go together are worth fewer than they are, which `along` says.
    """
    rows = np.nan_to_num(np.moveaxis(scores, 1, 0).reshape(scores.shape[1], -1))
    size = np.sqrt((rows**2).sum(axis=1))
    raw = rows @ rows.T / np.maximum(np.outer(size, size), 1e-9)
    worth = rows.shape[1] / (along**2).sum(axis=1).mean()
    apart = ~np.eye(len(raw), dtype=bool)
    noise = ((1.0 - raw[apart] ** 2) ** 2).sum() / worth
    return np.where(apart, raw * (1.0 - min(1.0, noise / max((raw[apart] ** 2).sum(), 1e-9))), 1.0)


def _correlation(matrix: np.ndarray) -> np.ndarray:
    """The nearest correlation that a pair of draws can have: no negative eigenvalue, ones on the diagonal."""
    root = _root(matrix)
    root = root / np.sqrt((root**2).sum(axis=1, keepdims=True))
    return np.asarray(root @ root.T)


def _root(matrix: np.ndarray) -> np.ndarray:
    values, vectors = np.linalg.eigh(matrix)
    return np.asarray(vectors * np.sqrt(np.maximum(values, 0.0)))

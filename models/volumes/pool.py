"""The pool: members that answer every series, widths that rolling errors correct, weights shrunk towards equal.

A member's quantiles are first stretched around its median until they would have held what they promise in the rolling
past; then members are averaged, quantile by quantile, with weights that minimise the pinball loss of that past; then
the average is stretched again. Nothing is learnt from a count that lies beyond the origin.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from models.volumes.feasts import feast_season
from models.volumes.history import History
from models.volumes.losses import pinball
from models.volumes.rhythm import LEVELS, MEDIAN, TENTHS
from models.volumes.seasonal import naive, same_season
from models.volumes.smoothing import smoothing
from models.volumes.trees import trees

MEMBERS: Mapping[str, Callable[[History], np.ndarray]] = {
    "same_season": same_season,
    "feast_season": feast_season,
    "naive": naive,
    "smoothing": smoothing,
    "trees": trees,
}

SHRINK_FOLDS = 1.0
"""Rolling folds that the belief in equal weights is worth."""
SHRINK_ROWS = 300.0
"""Rolling counts that the belief in a member's own width is worth."""
NARROWEST, WIDEST = 0.3, 4.0


@dataclass(frozen=True)
class Errors:
    """Counts of the rolling past (n,) beside the members' quantiles {name: (n, 15)}, and where each row belongs."""

    y: np.ndarray
    quantiles: Mapping[str, np.ndarray]
    series: np.ndarray
    fold: np.ndarray


@dataclass(frozen=True)
class Pool:
    """Weights and widths, learnt from errors."""

    weights: Mapping[str, float]
    member_widths: Mapping[str, np.ndarray]
    widths: np.ndarray

    def combine(self, quantiles: Mapping[str, np.ndarray]) -> np.ndarray:
        """Members' quantiles (..., 15) to the pool's: ascending, never below zero."""
        mixed = _mix(quantiles, self.weights, self.member_widths)
        return _ordered(stretch(mixed, self.widths))


def learn(errors: Errors, members: Sequence[str], learn_weights: Mapping[str, float] | None = None) -> Pool:
    """A pool from rolling errors; equal weights and the members' own widths where there are none.

    Weights given are kept, and only widths are learnt anew.
    """
    flat = np.ones(len(LEVELS))
    if not len(errors.y):
        return Pool(learn_weights or dict.fromkeys(members, 1 / len(members)), dict.fromkeys(members, flat), flat)
    member_widths = {name: widths(errors.y, errors.quantiles[name], errors.fold) for name in members}
    weights = learn_weights or _weights(errors, members, member_widths)
    mixed = _mix(errors.quantiles, weights, member_widths)
    return Pool(weights, member_widths, widths(errors.y, mixed, errors.fold))


def widths(y: np.ndarray, quantiles: np.ndarray, fold: np.ndarray) -> np.ndarray:
    """Factors (15,) that stretch each quantile around the median so that it holds its level in the rolling past.

    Each fold gives its own factor and the middle one counts: a fold that met a stop says little about other times.
    """
    middle = quantiles[:, MEDIAN]
    factors = np.ones(len(LEVELS))
    for place, level in enumerate(LEVELS):
        if place == MEDIAN:
            continue
        gap = quantiles[:, place] - middle
        usable = np.abs(gap) > 1e-6 * (1.0 + np.abs(middle))
        ratio = (y[usable] - middle[usable]) / gap[usable]
        folds = [ratio[fold[usable] == number] for number in np.unique(fold[usable])]
        held = [np.quantile(part, level if level > 0.5 else 1.0 - level) for part in folds if len(part) >= 20]
        if held:
            belief = usable.sum() / (usable.sum() + SHRINK_ROWS)
            factors[place] = np.clip(belief * np.median(held) + (1.0 - belief), NARROWEST, WIDEST)
    return factors


def stretch(quantiles: np.ndarray, factors: np.ndarray) -> np.ndarray:
    """Quantiles (..., 15) stretched around their median."""
    middle = quantiles[..., MEDIAN : MEDIAN + 1]
    return np.asarray(middle + factors * (quantiles - middle))


def mean_of(quantiles: np.ndarray) -> np.ndarray:
    """Mean of the distribution that the quantiles draw, its tails taken to fall off as fast as beside them."""
    low = np.maximum(quantiles[..., 0] - 0.5 * (quantiles[..., 1] - quantiles[..., 0]), 0.0)
    high = quantiles[..., -1] + 0.5 * (quantiles[..., -1] - quantiles[..., -2])
    inner = (quantiles[..., 1:] + quantiles[..., :-1]) / 2.0 @ np.diff(LEVELS)
    return np.asarray(inner + LEVELS[0] * low + (1.0 - LEVELS[-1]) * high)


def _ordered(quantiles: np.ndarray) -> np.ndarray:
    return np.sort(np.maximum(quantiles, 0.0), axis=-1)


def _mix(
    quantiles: Mapping[str, np.ndarray], weights: Mapping[str, float], member_widths: Mapping[str, np.ndarray]
) -> np.ndarray:
    parts = [weight * _ordered(stretch(quantiles[name], member_widths[name])) for name, weight in weights.items()]
    return np.asarray(np.sum(parts, axis=0))


def _weights(errors: Errors, members: Sequence[str], member_widths: Mapping[str, np.ndarray]) -> dict[str, float]:
    """Weights on the simplex by exponentiated gradient.

    The loss is the mean of two: pooled, where large flows weigh most, and per series, where all weigh alike; each fold
    counts the same, so that the months of a stop do not choose alone.
    """
    stacked = np.stack([_ordered(stretch(errors.quantiles[name], member_widths[name])) for name in members])
    importance = _importance(errors, stacked.mean(axis=0))
    tenths, stacked = LEVELS[TENTHS], stacked[..., TENTHS]
    folds = len(np.unique(errors.fold))
    weights = np.full(len(members), 1.0 / len(members))
    total = np.zeros(len(members))
    for _ in range(150):
        mixed = np.tensordot(weights, stacked, axes=1)
        slope = np.where(errors.y[:, None] > mixed, -tenths, 1.0 - tenths) * importance[:, None]
        gradient = np.tensordot(stacked, slope, axes=([1, 2], [0, 1])) / folds
        weights = weights * np.exp(-0.5 * (gradient - gradient.min()))
        weights /= weights.sum()
        total += weights
    learnt = total / total.sum()
    belief = folds / (folds + SHRINK_FOLDS)
    mixed_weights = belief * learnt + (1.0 - belief) / len(members)
    return {name: float(weight) for name, weight in zip(members, mixed_weights, strict=True)}


def _importance(errors: Errors, even: np.ndarray) -> np.ndarray:
    """Weight (n,) of each row, so that the evenly weighted pool loses one in every fold: half of it as rows come, half
    with every series alike."""
    importance = np.zeros(len(errors.y))
    loss = pinball(errors.y, even)[:, TENTHS].sum(axis=1)
    for fold in np.unique(errors.fold):
        rows = errors.fold == fold
        place = errors.series[rows]
        size = np.abs(errors.y[rows])
        per_series = np.bincount(place, size) / np.maximum(np.bincount(place), 1)
        alike = 1.0 / np.maximum(per_series[place], 0.05 * size.mean() + 1e-9)
        for kind in (np.ones(len(place)), alike):
            importance[rows] += 0.5 * kind / max((kind * loss[rows]).sum(), 1e-9)
    return importance

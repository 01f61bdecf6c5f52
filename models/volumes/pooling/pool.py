"""The pool: members that answer every series, widths that rolling errors correct, weights by what members lost.

Members are mixed as chances: what may come is what any of them says may come, the more likely the less that member lost
in the rolling past. Where they agree the mixture is as narrow as they are, where they do not it is as wide as their
disagreement, which an average of their quantiles would hide. The mixture is then stretched around its median until it
would have held what it promises, quiet and busy steps and those around feasts by factors of their own. Factors are read
from signed errors beside the promised distance, so that all series teach them and either side has its own; newer folds
count more. Nothing is learnt from a count that lies beyond the origin.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate
from pathlib import Path
from typing import Any

import numpy as np

from models.volumes.counts.history import History
from models.volumes.losses import pinball
from models.volumes.members.feasts import feast_season, moved_by_feasts
from models.volumes.members.regression import regression
from models.volumes.members.schedule import by_load
from models.volumes.members.seasonal import naive, same_season
from models.volumes.members.smoothing import smoothing
from models.volumes.members.sparse import like_days
from models.volumes.members.statistical import autoregression, theta
from models.volumes.members.trees import trees
from models.volumes.rhythm import LEVELS, MEDIAN, TENTHS
from records.errors import BadInput

MEMBERS: Mapping[str, Callable[[History], np.ndarray]] = {
    "same_season": by_load(same_season),
    "feast_season": feast_season,
    "naive": naive,
    "smoothing": by_load(moved_by_feasts(smoothing)),
    "theta": theta,
    "autoregression": autoregression,
    "regression": regression,
    "like_days": moved_by_feasts(like_days),
    "trees": trees,
}

MOST = 5
"""Members that keep a weight, at most."""
LEAST, EARNED = 2, 0.25
"""Members that keep one in any case; others must earn this share of an equal weight."""
SHARPNESS = 3.0
"""The power of a loss that one fold of the past is worth."""
FADE = 0.8
"""What a fold counts beside the one after it."""
SHRINK_WIDTHS = 2.0
"""Rolling folds that the belief in the width as it is is worth; twice that for some steps beside all steps."""
SHRINK_ROWS = 300.0
"""The same in rolling counts."""
SIZES = np.array([0.3, 1.0])
"""Bounds of quiet, usual and busy steps, as shares of the series' mean over the horizon; each has its own widths."""
KINDS = len(SIZES) + 2
"""Those, and steps around a feast."""
UNSEEN = 0.5
"""Folds, of the number there are, whose misses are held back: the fold ahead is like none of them."""
NARROWEST, WIDEST = 0.3, 4.0
SHARES = np.diff(list(accumulate(LEVELS, lambda edge, level: 2.0 * level - edge, initial=0.0)))
"""The share of a distribution that each of its quantiles stands for: each lies in the middle of its own."""


@dataclass(frozen=True)
class Errors:
    """Counts of the rolling past (n,) beside the members' quantiles {name: (n, 15)}, and where each row belongs.

    `step` is the time of the count, `feast` true around a feast; `ordinary` is false within a shock, which weighs
    members like any other time but says nothing of the width of other times.
    """

    y: np.ndarray
    quantiles: Mapping[str, np.ndarray]
    series: np.ndarray
    fold: np.ndarray
    step: np.ndarray
    feast: np.ndarray
    ordinary: np.ndarray

    def of(self, rows: np.ndarray) -> "Errors":
        """The errors of some rows (n,)."""
        quantiles = {name: values[rows] for name, values in self.quantiles.items()}
        parts = (self.series, self.fold, self.step, self.feast, self.ordinary)
        return Errors(self.y[rows], quantiles, *(part[rows] for part in parts))


@dataclass(frozen=True)
class Pool:
    """Weights of the members that have one, and widths, learnt from errors.

    `widths` (KINDS, 15) are for quiet, usual and busy steps; the last row is for steps around a feast.
    """

    weights: Mapping[str, float]
    widths: np.ndarray

    def combine(self, quantiles: Mapping[str, np.ndarray], feast: np.ndarray | None = None) -> np.ndarray:
        """Members' quantiles (S, H, 15) to the pool's: ascending, never below zero. `feast` (H,) as in Errors."""
        mixed = mixture(quantiles, self.weights)
        middle = mixed[..., MEDIAN]
        return _ordered(stretch(mixed, self.widths[_kinds(middle, middle.mean(axis=1, keepdims=True), feast)]))

    def plain(self) -> dict[str, Any]:
        """The pool as JSON keeps it, for nights that learn nothing anew."""
        return {"weights": dict(self.weights), "widths": self.widths.tolist()}


def stored_pool(plain: Mapping[str, Any]) -> Pool:
    """The pool that `Pool.plain` wrote; BadInput where it names members that are none, or lacks a part."""
    try:
        widths = np.array(plain["widths"], float)
        pool = Pool({str(name): float(weight) for name, weight in plain["weights"].items()}, widths)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise BadInput(f"The stored pool cannot be read: {error!r}. Learn its weights again.") from error
    unknown = (set(pool.weights) - set(MEMBERS)) | (set(plain) - {"weights", "widths"})
    if unknown or widths.shape != (KINDS, len(LEVELS)):
        raise BadInput(
            f"The stored pool is of another version ({', '.join(sorted(unknown))}). Learn its weights again."
        )
    return pool


def keep(pool: Pool, path: Path) -> None:
    """Write the pool as JSON."""
    path.write_text(json.dumps(pool.plain(), indent=1) + "\n", encoding="utf-8")


def kept(path: Path) -> Pool:
    """The pool that `keep` wrote; BadInput where the file is not one."""
    try:
        plain = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise BadInput(f"{path} cannot be read as a pool: {error}. Learn its weights again.") from error
    return stored_pool(plain)


def _kinds(middle: np.ndarray, mean: np.ndarray, feast: np.ndarray | None) -> np.ndarray:
    """Row of Pool.widths that each step takes, by its median beside the series' mean of those; feasts have the last."""
    size = np.searchsorted(SIZES, middle / np.maximum(mean, 1e-9))
    return size if feast is None else np.where(feast, KINDS - 1, size)


def learn(errors: Errors, members: Sequence[str], learn_weights: Mapping[str, float] | None = None) -> Pool:
    """A pool from rolling errors; equal weights and the widths as they are where there are none.

    Weights given are kept, and only widths are learnt anew.
    """
    if not len(errors.y):
        # What needs no past to be judged: at most MOST, in the order declared.
        few = learn_weights or dict.fromkeys(members[:MOST], 1 / len(members[:MOST]))
        return Pool(few, np.ones((KINDS, len(LEVELS))))
    calm = errors.of(errors.ordinary)
    weights = learn_weights or _weights(errors, members)
    return Pool(weights, _by_kind(calm, mixture(calm.quantiles, weights)))


def widths(y: np.ndarray, quantiles: np.ndarray, fold: np.ndarray, belief: float = SHRINK_WIDTHS) -> np.ndarray:
    """Factors (15,) that stretch each quantile around the median so that it holds its level in the rolling past.

    Each fold gives its own factor and the middle one counts, newer folds more: a fold that met a stop says little about
    other times. The fold ahead is one more, unlike those seen, so the fewer they are the more must be held. `belief` is
    in folds that the width as it is is worth.
    """
    middle = quantiles[:, MEDIAN]
    factors = np.ones(len(LEVELS))
    numbers = np.unique(fold)
    for place, level in enumerate(LEVELS):
        if place == MEDIAN:
            continue
        gap = quantiles[:, place] - middle
        usable = np.abs(gap) > 1e-6 * (1.0 + np.abs(middle))
        ratio = (y[usable] - middle[usable]) / gap[usable]
        side = max(level, 1.0 - level)
        aim = side + UNSEEN * (1.0 - side) / max(len(numbers), 1)
        held, count = [], []
        for age, number in enumerate(numbers[::-1]):
            part = ratio[fold[usable] == number]
            if len(part) >= 20:
                held.append(np.quantile(part, aim))
                count.append(FADE**age)
        if held:
            trust = len(held) / (len(held) + belief) * usable.sum() / (usable.sum() + SHRINK_ROWS)
            typical = np.log(np.clip(_weighted_median(np.array(held), np.array(count)), NARROWEST, WIDEST))
            factors[place] = np.exp(trust * typical)
    return factors


def _by_kind(errors: Errors, mixed: np.ndarray) -> np.ndarray:
    """Widths (KINDS, 15): those of all rows, and what each kind of step asks beyond them."""
    overall = widths(errors.y, mixed, errors.fold)
    wide = _ordered(stretch(mixed, overall))
    middle, place = mixed[:, MEDIAN], errors.fold * (errors.series.max(initial=0) + 1) + errors.series
    mean = np.bincount(place, middle) / np.maximum(np.bincount(place), 1)
    kind = _kinds(middle, mean[place], errors.feast)
    rows = [kind == number for number in range(KINDS)]
    own = [widths(errors.y[row], wide[row], errors.fold[row], 2 * SHRINK_WIDTHS) for row in rows]
    return np.stack([overall * factor for factor in own])


def _weighted_median(values: np.ndarray, weight: np.ndarray) -> float:
    order = np.argsort(values)
    rank = np.cumsum(weight[order]) - 0.5 * weight[order]
    return float(np.interp(0.5, rank / weight.sum(), values[order]))


def mixture(quantiles: Mapping[str, np.ndarray], weights: Mapping[str, float]) -> np.ndarray:
    """Quantiles (..., 15) of the distribution that is each member's (..., 15) with the chance that is its weight."""
    values = np.concatenate([quantiles[name] for name in weights], axis=-1)
    share = np.concatenate([weight * SHARES for weight in weights.values()])
    order = np.argsort(values, axis=-1, kind="stable")
    values, share = np.take_along_axis(values, order, axis=-1), share[order]
    rank = np.cumsum(share, axis=-1) - 0.5 * share
    answer = np.empty((*values.shape[:-1], len(LEVELS)))
    for place, level in enumerate(LEVELS):
        above = np.clip((rank < level - 1e-9).sum(axis=-1, keepdims=True), 1, values.shape[-1] - 1)
        (low, below), (high, beyond) = (
            [np.take_along_axis(part, at, axis=-1)[..., 0] for part in (rank, values)] for at in (above - 1, above)
        )
        part = np.clip((level - low) / np.maximum(high - low, 1e-12), 0.0, 1.0)
        answer[..., place] = below + part * (beyond - below)
    return answer


def stretch(quantiles: np.ndarray, factors: np.ndarray) -> np.ndarray:
    """Quantiles (..., 15) stretched around their median by factors that broadcast with them."""
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


def _weights(errors: Errors, members: Sequence[str]) -> dict[str, float]:
    """Weights on the simplex: each member's loss in the rolling past to a power that grows with how much past there is.

    With little past members weigh nearly alike, with much the best weigh most. The loss is the mean of two: pooled,
    where large flows weigh most, and per series, where all weigh alike; every fold counts the same, so that the months
    of a stop do not choose alone.
    """
    answers = [errors.quantiles[name] for name in members]
    importance = _importance(errors, np.mean(answers, axis=0))
    loss = np.array([(pinball(errors.y, answer)[:, TENTHS].sum(axis=1) * importance).sum() for answer in answers])
    loss = np.maximum(loss, 1e-9)  # what never erred, as on zeros only
    weights = (loss / loss.min()) ** -(SHARPNESS * _folds_apart(errors))
    weights /= weights.sum()
    best = np.argsort(-weights, kind="stable")[:MOST]
    earned = weights[best] * len(members) >= EARNED
    kept = np.sort(best[earned | (np.arange(len(best)) < LEAST)])
    return {members[place]: float(weights[place] / weights[kept].sum()) for place in kept}


def _folds_apart(errors: Errors) -> float:
    """How many folds the past would be if none overlapped another."""
    folds, times = len(np.unique(errors.fold)), len(np.unique(errors.step))
    return folds * times / len(np.unique(np.stack([errors.fold, errors.step]), axis=1).T)


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

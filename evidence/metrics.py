"""The metrics of a risk score. Each is its formula; `catalogue()` finds them, and one test holds what all promise.

Every metric takes `labels` (n,) of 0 and 1 and `scores` (n,), and answers a float, or None where it is undefined. A
metric of *order* takes any score (higher is riskier); a metric of *probability* takes values in [0, 1]. Rows of equal
score count as if in random order, so the order of rows never changes an answer.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

Formula = Callable[[np.ndarray, np.ndarray], float | None]
AtCapacity = Callable[[np.ndarray, np.ndarray, float], float | None]

CAPACITIES = (0.01, 0.02, 0.05, 0.10)
BINS = 15


@dataclass(frozen=True)
class Metric:
    """One metric of the catalogue. `reads` order or probability; `better` higher or lower; `capacity` or None."""

    name: str
    title: str
    reads: str
    better: str
    formula: Formula
    capacity: float | None = None

    def __call__(self, labels: np.ndarray, scores: np.ndarray) -> float | None:
        labels, scores = np.asarray(labels, dtype=np.float64), np.asarray(scores, dtype=np.float64)
        if len(labels) == 0:
            return None
        value = self.formula(labels, scores)
        return None if value is None or not np.isfinite(value) else float(value)


_CATALOGUE: dict[str, Metric] = {}


def catalogue() -> Mapping[str, Metric]:
    """Every declared metric by name."""
    return dict(_CATALOGUE)


def metric(title: str, *, reads: str, better: str) -> Callable[[Formula], Formula]:
    """Declare a metric: its name is the function's, its formula the function's body."""

    def declare(formula: Formula) -> Formula:
        name = formula.__name__
        _CATALOGUE[name] = Metric(name, title, reads, better, formula)
        return formula

    return declare


def metric_at_capacity(title: str, *, better: str) -> Callable[[AtCapacity], AtCapacity]:
    """Declare a metric of the rows that fit into each share of `CAPACITIES`."""

    def declare(formula: AtCapacity) -> AtCapacity:
        for capacity in CAPACITIES:
            at = at_capacity(formula, title, better, capacity)
            _CATALOGUE[at.name] = at
        return formula

    return declare


def at_capacity(formula: AtCapacity, title: str, better: str, capacity: float) -> Metric:
    """The metric of one capacity (a share of all rows), for shares that the catalogue does not list."""
    return Metric(
        f"{formula.__name__}_{capacity:.4g}",
        f"{title} at {capacity:.4g}".replace(f"{capacity:.4g}", f"{100 * capacity:.4g}%"),
        "order",
        better,
        lambda labels, scores: formula(labels, scores, capacity),
        capacity,
    )


def at_capacities(shares: Sequence[float]) -> tuple[Metric, ...]:
    """The catalogue's metrics, with precision and recall at these capacities instead of its own."""
    plain = [each for each in catalogue().values() if each.capacity is None]
    asked = [
        at_capacity(formula, title, "higher", share)
        for formula, title in ((precision, "Precision"), (recall, "Recall"))
        for share in shares
    ]
    return (*plain, *asked)


def selected(scores: np.ndarray, capacity: float) -> np.ndarray:
    """Share of each row that is selected when the highest `capacity` of rows are: 1, 0, or a part among equals."""
    places = max(1, round(len(scores) * capacity))
    threshold = np.partition(scores, -places)[-places]
    above, equal = scores > threshold, scores == threshold
    return np.where(above, 1.0, np.where(equal, (places - above.sum()) / equal.sum(), 0.0))


def _steps(labels: np.ndarray, scores: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Positives and rows at or above each distinct score, from the highest score down."""
    order = np.argsort(-scores, kind="stable")
    last = np.append(np.diff(scores[order]) != 0, True)
    return np.cumsum(labels[order])[last], (np.arange(len(labels)) + 1.0)[last]


@metric("PR-AUC", reads="order", better="higher")
def pr_auc(labels: np.ndarray, scores: np.ndarray) -> float | None:
    """Average precision: the mean of precision over the positives, each at its own rank."""
    positives, rows = _steps(labels, scores)
    if positives[-1] == 0:
        return None
    return float(np.sum(np.diff(positives, prepend=0.0) * positives / rows) / positives[-1])


@metric("ROC-AUC", reads="order", better="higher")
def roc_auc(labels: np.ndarray, scores: np.ndarray) -> float | None:
    """Probability that a positive scores above a negative; a draw counts half."""
    positives, rows = _steps(labels, scores)
    negatives = rows - positives
    if positives[-1] == 0 or negatives[-1] == 0:
        return None
    gained, lost = np.diff(positives, prepend=0.0), np.diff(negatives, prepend=0.0)
    return float(np.sum(gained * (negatives[-1] - negatives + 0.5 * lost)) / (positives[-1] * negatives[-1]))


def losses(labels: np.ndarray, chance: np.ndarray) -> np.ndarray:
    """Minus the logarithm of the probability given to what happened, per row."""
    clipped = np.clip(chance, 1e-12, 1 - 1e-12)
    return np.asarray(-np.where(labels == 1, np.log(clipped), np.log1p(-clipped)))


@metric_at_capacity("Precision", better="higher")
def precision(labels: np.ndarray, scores: np.ndarray, capacity: float) -> float | None:
    """Share of positives among the selected."""
    chosen = selected(scores, capacity)
    return float(np.sum(chosen * labels) / np.sum(chosen))


@metric_at_capacity("Recall", better="higher")
def recall(labels: np.ndarray, scores: np.ndarray, capacity: float) -> float | None:
    """Share of all positives that are among the selected."""
    if labels.sum() == 0:
        return None
    return float(np.sum(selected(scores, capacity) * labels) / labels.sum())


@metric("Log loss", reads="probability", better="lower")
def log_loss(labels: np.ndarray, scores: np.ndarray) -> float | None:
    """Mean of minus the logarithm of the probability given to what happened."""
    return float(losses(labels, scores).mean())


@metric("Brier score", reads="probability", better="lower")
def brier(labels: np.ndarray, scores: np.ndarray) -> float | None:
    """Mean squared distance between probability and outcome."""
    return float(np.mean((scores - labels) ** 2))


@metric("Calibration error", reads="probability", better="lower")
def calibration_error(labels: np.ndarray, scores: np.ndarray) -> float | None:
    """Mean distance between promised and observed share over 15 bins of equal size; equal scores share a bin."""
    edges = np.sort(scores)[np.arange(1, BINS) * len(scores) // BINS]
    bins = np.searchsorted(edges, scores, side="right")
    gap = np.bincount(bins, weights=scores - labels, minlength=BINS)
    return float(np.abs(gap).sum() / len(scores))

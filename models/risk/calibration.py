"""From a raw score (log-odds) to a probability that holds what it promises.

Three candidates: *raw* (the score's own probability), *platt* (a straight line in log-odds) and *isotonic* (any rising
step curve; only with a thousand positives, since with fewer it makes the log loss worse more often than better). The
one with the least cross-validated log loss on the latest closed window is kept, and raw wins ties.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

ISOTONIC_POSITIVES = 1000
FOLDS = 5
_EDGE = 1e-4  # an isotonic step never says never, nor always


def probability(raw: np.ndarray) -> np.ndarray:
    """Log-odds to probability, without overflow."""
    return np.asarray(0.5 * (1.0 + np.tanh(0.5 * np.asarray(raw, dtype=np.float64))))


def log_odds(chance: np.ndarray) -> np.ndarray:
    return np.asarray(np.log(chance) - np.log1p(-chance))


@dataclass(frozen=True)
class Calibrator:
    """A rising curve from raw score to probability. `kind` raw, platt (slope, offset) or isotonic (knots)."""

    kind: str = "raw"
    slope: float = 1.0
    offset: float = 0.0
    knots: tuple[float, ...] = ()
    values: tuple[float, ...] = ()

    def __call__(self, raw: np.ndarray) -> np.ndarray:
        if self.kind == "isotonic":
            return np.asarray(np.interp(raw, self.knots, self.values))
        return probability(self.slope * np.asarray(raw, dtype=np.float64) + self.offset)

    def as_json(self) -> dict[str, Any]:
        return {
            "kind": self.kind,
            "slope": self.slope,
            "offset": self.offset,
            "knots": list(self.knots),
            "values": list(self.values),
        }

    @classmethod
    def from_json(cls, content: Mapping[str, Any]) -> Calibrator:
        return cls(
            content["kind"],
            float(content["slope"]),
            float(content["offset"]),
            tuple(content["knots"]),
            tuple(content["values"]),
        )


def platt(raw: np.ndarray, labels: np.ndarray) -> Calibrator:
    """Slope and offset of least log loss, by Newton's method; a falling line is no calibration and becomes raw."""
    design = np.column_stack([raw, np.ones_like(raw)])
    weights = np.array([1.0, 0.0])
    # Platt's targets pull in from 0 and 1, so that a perfectly separated set has a finite line.
    positives = labels.sum()
    target = np.where(labels == 1, (positives + 1) / (positives + 2), 1 / (len(labels) - positives + 2))
    for _ in range(50):
        chance = probability(design @ weights)
        slack = np.maximum(chance * (1 - chance), 1e-12)
        hessian = design.T @ (design * slack[:, None]) + 1e-9 * np.eye(2)
        step = np.linalg.solve(hessian, design.T @ (target - chance))
        weights = weights + np.clip(step, -2.0, 2.0)
        if np.abs(step).max() < 1e-9:
            break
    return Calibrator("platt", float(weights[0]), float(weights[1])) if weights[0] > 0 else Calibrator()


def isotonic(raw: np.ndarray, labels: np.ndarray) -> Calibrator:
    """The rising step curve of least squares, as knots to interpolate between."""
    from sklearn.isotonic import IsotonicRegression

    curve = IsotonicRegression(out_of_bounds="clip", y_min=_EDGE, y_max=1 - _EDGE).fit(raw, labels)
    return Calibrator(
        "isotonic", knots=tuple(map(float, curve.X_thresholds_)), values=tuple(map(float, curve.y_thresholds_))
    )


def _loss(labels: np.ndarray, chance: np.ndarray) -> float:
    clipped = np.clip(chance, 1e-12, 1 - 1e-12)
    return float(-np.mean(np.where(labels == 1, np.log(clipped), np.log1p(-clipped))))


def choose(raw: np.ndarray, labels: np.ndarray) -> tuple[Calibrator, dict[str, float]]:
    """The calibrator of least cross-validated log loss, and every candidate's loss.

    `raw` and `labels` (n,) are in time order; each fold is one stretch of time.
    """
    fits = {"raw": lambda raw, labels: Calibrator(), "platt": platt}
    if labels.sum() >= ISOTONIC_POSITIVES:
        fits["isotonic"] = isotonic
    fold = np.arange(len(raw)) * FOLDS // max(len(raw), 1)
    losses: dict[str, float] = {}
    for name, fit in fits.items():
        chance = np.empty(len(raw))
        for held_out in range(FOLDS):
            inside = fold != held_out
            usable = 0 < labels[inside].sum() < inside.sum()
            chance[~inside] = (fit(raw[inside], labels[inside]) if usable else Calibrator())(raw[~inside])
        losses[name] = _loss(labels, chance)
    best = min(losses, key=lambda name: (round(losses[name], 9), list(fits).index(name)))
    return fits[best](raw, labels), losses

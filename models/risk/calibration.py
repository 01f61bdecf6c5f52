"""From a raw score (log-odds) to a probability that holds what it promises.

Four candidates: *raw* (the score's own probability), *platt* (a straight line in log-odds), *beta* (a line that bends:
one slope where the score says yes, another where it says no) and *isotonic* (any rising step curve; only with a
thousand positives, since with fewer it makes the log loss worse more often than better). The one with the least
cross-validated log loss on the latest closed window is kept, and only where it is below raw's by more than noise.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from evidence.anchoring import anchor
from evidence.intervals import Z95, beyond_noise
from evidence.metrics import calibration_error, losses

ISOTONIC_POSITIVES = 1000
FOLDS = 5
_EDGE = 1e-4  # an isotonic step never says never, nor always


def probability(raw: np.ndarray) -> np.ndarray:
    """Log-odds to probability, without overflow."""
    return np.asarray(0.5 * (1.0 + np.tanh(0.5 * np.asarray(raw, dtype=np.float64))))


def log_odds(chance: np.ndarray) -> np.ndarray:
    return np.asarray(np.log(chance) - np.log1p(-chance))


def _bend(raw: np.ndarray) -> np.ndarray:
    """Minus the logarithm of one minus the score's own probability."""
    return np.asarray(np.maximum(raw, 0.0) + np.log1p(np.exp(-np.abs(raw))))


@dataclass(frozen=True)
class Calibrator:
    """A rising curve from raw score to probability. `kind` raw, platt (slope, offset), beta (slope where the score says
    yes, `against` where it says no, offset) or isotonic (knots).

    `shift` moves every log-odds alike, to what the random control found. `around` is the straight line through what the
    window found above the calibrated log-odds, and how open it leaves it: slope, offset, variance of the slope,
    covariance, variance of the offset.
    """

    kind: str = "raw"
    slope: float = 1.0
    offset: float = 0.0
    knots: tuple[float, ...] = ()
    values: tuple[float, ...] = ()
    against: float = 1.0
    shift: float = 0.0
    around: tuple[float, float, float, float, float] = (1.0, 0.0, 0.0, 0.0, 0.0)

    def __call__(self, raw: np.ndarray) -> np.ndarray:
        return probability(self.log_odds(raw))

    def of_checked(self, raw: np.ndarray) -> np.ndarray:
        """What is promised of rows that somebody chose to check: before the move to the random control's."""
        return replace(self, shift=0.0)(raw)

    def log_odds(self, raw: np.ndarray) -> np.ndarray:
        raw = np.asarray(raw, dtype=np.float64)
        if self.kind == "isotonic":
            return log_odds(np.interp(raw, self.knots, self.values)) + self.shift
        if self.kind == "beta":
            bend = _bend(raw)
            return np.asarray(self.slope * (raw - bend) + self.against * bend + self.offset + self.shift)
        return self.slope * raw + self.offset + self.shift

    def interval(self, raw: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Ends of the 95% interval of each probability: where the rows it was fitted on may put the curve."""
        line = self.log_odds(raw)
        slope, offset, steep, both, level = self.around
        before = line - self.shift
        centre = slope * before + offset + self.shift
        reach = Z95 * np.sqrt(np.maximum(steep * before**2 + 2 * both * before + level, 0.0))
        return probability(np.minimum(line, centre - reach)), probability(np.maximum(line, centre + reach))

    def as_json(self) -> dict[str, Any]:
        return {
            "kind": self.kind,
            "slope": self.slope,
            "offset": self.offset,
            "knots": list(self.knots),
            "values": list(self.values),
            "against": self.against,
            "shift": self.shift,
            "around": list(self.around),
        }

    @classmethod
    def from_json(cls, content: Mapping[str, Any]) -> Calibrator:
        slope, offset, steep, both, level = map(float, content.get("around", (1.0, 0.0, 0.0, 0.0, 0.0)))
        return cls(
            content["kind"],
            float(content["slope"]),
            float(content["offset"]),
            tuple(content["knots"]),
            tuple(content["values"]),
            float(content.get("against", 1.0)),
            float(content.get("shift", 0.0)),
            (slope, offset, steep, both, level),
        )


def _line(design: np.ndarray, labels: np.ndarray, start: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Weights of least log loss over the columns of `design` (n, k), by Newton's method, and their covariance."""
    weights = start
    # Platt's targets pull in from 0 and 1, so that a perfectly separated set has a finite line.
    positives = labels.sum()
    target = np.where(labels == 1, (positives + 1) / (positives + 2), 1 / (len(labels) - positives + 2))
    hessian = np.eye(design.shape[1])

    def loss(weights: np.ndarray) -> float:
        return float(np.sum(np.logaddexp(0.0, design @ weights) - target * (design @ weights)))

    for _ in range(50):
        chance = probability(design @ weights)
        slack = np.maximum(chance * (1 - chance), 1e-12)
        hessian = design.T @ (design * slack[:, None]) + 1e-9 * np.eye(design.shape[1])
        step = np.clip(np.linalg.solve(hessian, design.T @ (target - chance)), -2.0, 2.0)
        while np.abs(step).max() > 1e-9 and loss(weights + step) > loss(weights):
            step = step / 2  # a full step overshoots where a few scores lie far out, and would go to and fro
        weights = weights + step
        if np.abs(step).max() < 1e-9:
            break
    return weights, np.linalg.inv(hessian)


def platt(raw: np.ndarray, labels: np.ndarray) -> Calibrator:
    """Slope and offset of least log loss; a falling line is no calibration and becomes raw."""
    (slope, offset), _ = _line(np.column_stack([raw, np.ones_like(raw)]), labels, np.array([1.0, 0.0]))
    return Calibrator("platt", float(slope), float(offset)) if slope > 0 else Calibrator()


def beta(raw: np.ndarray, labels: np.ndarray) -> Calibrator:
    """Two slopes and an offset of least log loss (beta calibration); where one would fall, a straight line instead."""
    bend = _bend(raw)
    start = np.array([1.0, 1.0, 0.0])
    (slope, against, offset), _ = _line(np.column_stack([raw - bend, bend, np.ones_like(raw)]), labels, start)
    if min(slope, against) <= 0:
        return platt(raw, labels)
    return Calibrator("beta", float(slope), float(offset), against=float(against))


def isotonic(raw: np.ndarray, labels: np.ndarray) -> Calibrator:
    """The rising step curve of least squares, as knots to interpolate between."""
    from sklearn.isotonic import IsotonicRegression

    curve = IsotonicRegression(out_of_bounds="clip", y_min=_EDGE, y_max=1 - _EDGE).fit(raw, labels)
    return Calibrator(
        "isotonic", knots=tuple(map(float, curve.X_thresholds_)), values=tuple(map(float, curve.y_thresholds_))
    )


def choose(raw: np.ndarray, labels: np.ndarray) -> tuple[Calibrator, dict[str, float]]:
    """The calibrator of least cross-validated log loss, or raw where that gains no more than noise, and every loss.

    `raw` and `labels` (n,) are in time order; each fold is one stretch of time.
    """
    fits: dict[str, Callable[[np.ndarray, np.ndarray], Calibrator]] = {
        "raw": lambda raw, labels: Calibrator(),
        "platt": platt,
        "beta": beta,
    }
    if labels.sum() >= ISOTONIC_POSITIVES:
        fits["isotonic"] = isotonic
    fold = np.arange(len(raw)) * FOLDS // max(len(raw), 1)
    found: dict[str, np.ndarray] = {}
    for name, fit in fits.items():
        chance = np.empty(len(raw))
        for held_out in range(FOLDS):
            inside = fold != held_out
            usable = 0 < labels[inside].sum() < inside.sum()
            chance[~inside] = (fit(raw[inside], labels[inside]) if usable else Calibrator())(raw[~inside])
        found[name] = losses(labels, chance)
    best = min(found, key=lambda name: (round(float(found[name].mean()), 9), list(fits).index(name)))
    if not beyond_noise(found["raw"] - found[best]):
        best = "raw"
    chosen = fits[best](raw, labels)
    return replace(chosen, around=_around(chosen, raw, labels)), {k: float(v.mean()) for k, v in found.items()}


def _around(calibrator: Calibrator, raw: np.ndarray, labels: np.ndarray) -> tuple[float, float, float, float, float]:
    line = calibrator.log_odds(raw)
    (slope, offset), covariance = _line(np.column_stack([line, np.ones_like(line)]), labels, np.array([1.0, 0.0]))
    return float(slope), float(offset), float(covariance[0, 0]), float(covariance[0, 1]), float(covariance[1, 1])


def anchored(calibrator: Calibrator, raw: np.ndarray, labels: np.ndarray, chances: np.ndarray) -> Calibrator:
    """`calibrator` moved to what the random control found, where the two differ by more than noise.

    `raw`, `labels` and `chances` (n,) are of randomly drawn rows: score, finding and probability of having been drawn.
    Rows that somebody chose to check are riskier than their columns say; the control alone tells what all rows promise.
    """
    found = anchor(calibrator.log_odds(raw), labels, chances)
    if found.shift == 0.0 or found.off.low is None or found.off.high is None:
        return calibrator
    unsure = ((found.off.high - found.off.low) / (2 * Z95)) ** 2
    slope, offset, steep, both, level = calibrator.around
    return replace(
        calibrator, shift=calibrator.shift + found.shift, around=(slope, offset, steep, both, max(level, unsure))
    )


def expected_error(chance: np.ndarray, *, draws: int = 1000, seed: int = 7) -> float:
    """The calibration error that probabilities `chance` (n,) would show on n rows if every one of them were right.

    With few rows in a bin even a perfect promise is missed by chance: what counts is the error above this.
    """
    random = np.random.default_rng(seed)
    errors = [calibration_error((random.random(len(chance)) < chance).astype(float), chance) for _ in range(draws)]
    return float(np.mean([error for error in errors if error is not None]))

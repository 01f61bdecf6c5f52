"""Whether probabilities hold among everyone, and by how much to move them, from the random control.

A calibrator learnt on checked rows promises what is found among the checked, who are riskier than they look: whoever
chose them saw more than the model did. Weighed by one over their probability, rows with a known probability stand for
all rows, and the line in log-odds that fits them is the calibration that everyone is promised.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from evidence.intervals import Z95, Interval, effective_size

SLOPE_POSITIVES = 50.0  # effective positives from which the control may say more than how far all is off
_STEPS = 50
_FAR = 30.0  # log-odds


@dataclass(frozen=True)
class Anchor:
    """Log-odds of everyone are `slope` times those promised, plus `shift`. `off` is the shift, at slope 1, with its 95%
    interval; `refused` says why nothing is moved."""

    slope: float = 1.0
    shift: float = 0.0
    off: Interval = field(default_factory=Interval)
    rows: int = 0
    refused: str | None = None

    def __call__(self, log_odds: np.ndarray) -> np.ndarray:
        """Anchored probabilities of promised `log_odds` (n,)."""
        return _chance(self.slope * np.asarray(log_odds, dtype=np.float64) + self.shift)


def anchor(log_odds: np.ndarray, outcomes: np.ndarray, probabilities: np.ndarray) -> Anchor:
    """The anchor of promised `log_odds` (n,), from `outcomes` (n,; NaN where unknown) of rows with `probabilities`.

    Only rows with a known probability count (see `evidence.selection.declared`). Below `SLOPE_POSITIVES` effective
    positives (or negatives) the control says how far all is off and no more, and where it is not off beyond noise
    nothing is moved: a few dozen rows would bring more error than they mend. The interval
    inverts the score test, whose variance is that of the shift asked about: it holds where a few were found.
    """
    used = ~np.isnan(outcomes) & (np.nan_to_num(probabilities) > 0)
    promised, found, weights = log_odds[used], outcomes[used], 1 / probabilities[used]
    positives, negatives = (effective_size(weights[found == value]) for value in (1, 0))
    if min(positives, negatives) == 0:
        rows = int(used.sum())
        return Anchor(
            rows=rows, refused=f"{rows} rows with a known probability hold no finding of either kind to tell."
        )
    level = _fitted(np.ones((len(found), 1)), promised, found, weights)[0]
    off = Interval(float(level), *_limits(promised, found, weights))
    if min(positives, negatives) >= SLOPE_POSITIVES:
        shift, slope = _fitted(
            np.column_stack([np.ones_like(promised), promised]), np.zeros_like(promised), found, weights
        )
        if slope > 0:
            return Anchor(float(slope), float(shift), off, len(found))
    beyond = off.low is not None and off.high is not None and not off.low <= 0 <= off.high
    return Anchor(1.0, float(level) if beyond else 0.0, off, len(found))


def _limits(promised: np.ndarray, found: np.ndarray, weights: np.ndarray) -> tuple[float, float]:
    """Shifts at which what was found is just within chance of what is expected."""
    from scipy.optimize import brentq

    def beyond(shift: float, side: float) -> float:
        expected = _chance(promised + shift)
        chance = float(np.sqrt(np.sum(weights**2 * expected * (1 - expected))))
        return float(weights @ (found - expected)) - side * chance

    low, high = (float(brentq(beyond, -_FAR, _FAR, args=(side,))) for side in (Z95, -Z95))
    return low, high


def _fitted(design: np.ndarray, start: np.ndarray, found: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Weighted logistic regression on top of `start`, by Newton's method."""
    at = np.zeros(design.shape[1])
    for _ in range(_STEPS):
        expected = _chance(start + design @ at)
        slack = weights * np.maximum(expected * (1 - expected), 1e-12)
        step = np.linalg.solve(
            design.T @ (design * slack[:, None]) + 1e-9 * np.eye(len(at)), design.T @ (weights * (found - expected))
        )
        at = at + np.clip(step, -2.0, 2.0)
        if np.abs(step).max() < 1e-9:
            break
    return at


def _chance(log_odds: np.ndarray) -> np.ndarray:
    return np.asarray(0.5 * (1.0 + np.tanh(0.5 * log_odds)))

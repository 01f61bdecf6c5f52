"""Whether probabilities hold among everyone, and by how much to move them, from the random control.

A calibrator learnt on checked rows promises what is found among the checked, who are riskier than they look: whoever
chose them saw more than the model did. Weighed by one over their probability, rows with a known probability stand for
all rows.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from evidence.intervals import Z95, Interval

_STEPS = 100
_FAR = 30.0  # log-odds


@dataclass(frozen=True)
class Anchor:
    """By how much log-odds of everyone lie above those promised: `off` with its 95% interval, from `rows` rows.

    `shift` is what to add: 0 unless they are off beyond noise. `refused` says why nothing could be told.
    """

    off: Interval
    rows: int
    refused: str | None = None

    @property
    def shift(self) -> float:
        low, high, value = self.off.low, self.off.high, self.off.value
        return value if value is not None and low is not None and high is not None and not low <= 0 <= high else 0.0


def anchor(log_odds: np.ndarray, outcomes: np.ndarray, probabilities: np.ndarray) -> Anchor:
    """How far promised `log_odds` (n,) are off, by `outcomes` (n,; NaN where unknown) of rows with `probabilities`.

    Only rows with a known probability count (see `evidence.selection.declared`). A few dozen of them tell how far all
    is off and no more: not how steep a line would be. The interval inverts the score test, whose variance is that of
    the shift asked about, so it holds where few were found.
    """
    used = ~np.isnan(outcomes) & (np.nan_to_num(probabilities) > 0)
    promised, found, weights = log_odds[used], outcomes[used], 1 / probabilities[used]
    if len(np.unique(found)) < 2:
        why = f"{len(found)} rows with a known probability, and not one finding of each kind: nothing can be told."
        return Anchor(Interval(), len(found), why)
    level, low, high = (_shift(promised, found, weights, side) for side in (0.0, Z95, -Z95))
    return Anchor(Interval(level, low, high), len(found))


def _shift(promised: np.ndarray, found: np.ndarray, weights: np.ndarray, side: float) -> float:
    """The shift at which what was found lies `side` standard deviations above what is expected."""
    from scipy.optimize import brentq

    def beyond(shift: float) -> float:
        expected = 0.5 * (1.0 + np.tanh(0.5 * (promised + shift)))
        chance = float(np.sqrt(np.sum(weights**2 * expected * (1 - expected))))
        return float(weights @ (found - expected)) - side * chance

    return float(brentq(beyond, -_FAR, _FAR, maxiter=_STEPS))

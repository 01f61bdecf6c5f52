"""The running day from what has come so far: how much has usually come by now, and how sure that is.

Earlier days are laid in rows, their hours in columns. What is still to come is what usually comes after this hour,
moved by how the day has gone so far, but only as far as earlier days that began well or badly also ended so. How wrong
that would have been on the earlier days gives the range.
"""

from dataclasses import dataclass

import numpy as np

from models.volumes.rhythm import LEVELS, MEDIAN
from records.errors import BadInput

FEWEST = 8
"""Days under which nothing can be said about how sure the answer is."""
BELIEFS = np.array([0.0, 0.25, 0.5, 0.75, 1.0])
"""How far a good or bad beginning may be carried on; the one that would have served best is taken."""


@dataclass(frozen=True)
class Nowcast:
    """`so_far` has come, usually `share` of a day; `quantiles` (Q,) are of the whole day."""

    so_far: float
    share: float
    quantiles: np.ndarray

    @property
    def median(self) -> float:
        return float(self.quantiles[MEDIAN])


def nowcast(
    past: np.ndarray, came: np.ndarray, expected: float | None = None, expected_past: np.ndarray | None = None
) -> Nowcast:
    """The whole of a day whose first hours `came` (k,) are known, from earlier days `past` (D, 24).

    A day with a hole is left out. `expected` is the published forecast of the running day, and `expected_past` (D,)
    those of the past ones; without them the mean of the past days is expected.
    BadInput with fewer than eight whole days, or where `came` is longer than a day.
    """
    if past.ndim != 2 or not 0 <= len(came) <= past.shape[1]:
        raise BadInput(f"{len(came)} hours have come of days that have {past.shape[-1]}. Give whole hours alone.")
    if not np.isfinite(came).all():
        raise BadInput("An hour that has come has no count, so what has come so far is unknown. Wait for its records.")
    whole = np.isfinite(past).all(axis=1)
    past = past[whole]
    if len(past) < FEWEST:
        raise BadInput(f"Only {len(past)} whole days are known; a range needs {FEWEST}. Take more of the past.")
    begun, total = past[:, : len(came)].sum(axis=1), past.sum(axis=1)
    usual = _expected_past(total, expected_past, whole)
    foreseen = float(np.mean(total)) if expected is None else expected
    share = float(begun.sum() / total.sum()) if total.sum() > 0 else 1.0
    rest = total - begun
    belief = min(BELIEFS, key=lambda b: float(np.abs(rest - _to_come(begun, usual, share, b)).sum()))
    then, now = _to_come(begun, usual, share, belief), float(_to_come(np.sum(came), foreseen, share, belief))
    quantiles = np.sum(came) + _spread(rest, then, now)
    return Nowcast(float(np.sum(came)), share, quantiles)


def _expected_past(total: np.ndarray, expected: np.ndarray | None, whole: np.ndarray) -> np.ndarray:
    """What was expected of each past day; without forecasts, the mean of all the others."""
    if expected is None:
        return np.asarray((total.sum() - total) / (len(total) - 1))
    if len(expected) != len(whole):
        raise BadInput(f"{len(expected)} forecasts were given for {len(whole)} past days. Give one for each.")
    return np.asarray(expected[whole])


def _to_come(begun: np.ndarray | float, expected: np.ndarray | float, share: float, belief: float) -> np.ndarray:
    """What is still to come: the expected rest, times how the beginning went to the power that is believed."""
    due = share * np.asarray(expected)
    # One more on both sides: a quiet night hour at a quiet post says little.
    ratio = (np.asarray(begun) + 1.0) / (due + 1.0)
    return np.asarray((1.0 - share) * np.asarray(expected) * ratio**belief)


def _spread(rest: np.ndarray, then: np.ndarray, now: float) -> np.ndarray:
    """Quantiles (Q,) of what is to come: errors of the past, which grow with the root of what was expected."""
    error = (rest - then) / np.sqrt(then + 1.0)
    # With D days the outermost quantiles are the outermost errors, carried a little further out.
    widen = 1.0 + 1.0 / len(error)
    by_root = now + np.sqrt(now + 1.0) * np.quantile(error, LEVELS) * widen
    by_share = now * (1.0 + np.quantile((rest - then) / np.maximum(then, 1.0), LEVELS) * widen)
    return np.asarray(np.maximum(by_root if now > 4.0 * float(np.mean(then)) else by_share, 0.0))

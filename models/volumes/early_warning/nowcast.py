"""The running day or month from what has come so far: how much has usually come by now, and how sure that is.

Earlier periods are laid in rows, one step (an hour of the day, a day of the month) in a column. What is still to come
is what usually comes after this step, moved by how the period has gone so far, but only as far as earlier periods that
began well or badly also ended so. How wrong that would have been on the earlier periods gives the range.
"""

from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from models.volumes.rhythm import LEVELS, MEDIAN
from records.errors import BadInput

FEWEST = 8
"""Periods under which nothing can be said about how sure the answer is."""
BELIEFS = np.array([0.0, 0.25, 0.5, 0.75, 1.0])
"""How far a good or bad beginning may be carried on; the one that would have served best is taken."""


@dataclass(frozen=True)
class Nowcast:
    """`so_far` has come in the first `steps` steps, usually `share` of a period; `quantiles` (Q,) are of the whole."""

    so_far: float
    steps: int
    share: float
    quantiles: np.ndarray

    @property
    def median(self) -> float:
        return float(self.quantiles[MEDIAN])


def nowcast(
    past: np.ndarray, came: np.ndarray, expected: float | None = None, expected_past: np.ndarray | None = None
) -> Nowcast:
    """The whole of a period of which `came` (k,) is known, from periods of the same kind, `past` (D, K).

    Steps that a period does not have, as the 31st of a month, are NaN throughout a column's end; a period with a hole
    before its end is left out. `expected` is the published forecast of the running period, and `expected_past` (D,)
    those of the past ones; without them the mean of the past periods is expected.
    BadInput with fewer than eight whole periods, or where `came` is longer than a period.
    """
    if past.ndim != 2 or not 0 <= len(came) <= past.shape[1]:
        raise BadInput(f"{len(came)} steps have come of periods that have {past.shape[-1]}. Give whole steps alone.")
    if not np.isfinite(came).all():
        raise BadInput("A step that has come has no count, so what has come so far is unknown. Wait for its records.")
    whole = _whole(past)
    past = past[whole]
    if len(past) < FEWEST:
        raise BadInput(
            f"Only {len(past)} whole periods of this kind are known; a range needs {FEWEST}. Take more of the past."
        )
    steps = len(came)
    begun = np.nansum(past[:, :steps], axis=1)
    total = np.nansum(past, axis=1)
    usual = _expected_past(total, expected_past, whole)
    foreseen = float(np.mean(total)) if expected is None else expected
    share = float(begun.sum() / total.sum()) if total.sum() > 0 else 1.0
    rest = total - begun
    belief = min(BELIEFS, key=lambda b: float(np.abs(rest - _to_come(begun, usual, share, b)).sum()))
    then, now = _to_come(begun, usual, share, belief), float(_to_come(np.sum(came), foreseen, share, belief))
    quantiles = np.sum(came) + _spread(rest, then, now)
    return Nowcast(float(np.sum(came)), steps, share, quantiles)


def days_of(hourly: np.ndarray, first_hour: int) -> np.ndarray:
    """Whole days (D, 24) of hourly counts (N,), of which the first is of hour `first_hour` of its day."""
    skipped = -first_hour % 24
    days = (len(hourly) - skipped) // 24
    return hourly[skipped : skipped + 24 * max(days, 0)].reshape(-1, 24)


def months_of(daily: np.ndarray, first_day: np.datetime64) -> np.ndarray:
    """Whole months (M, 31) of daily counts (N,) from first_day on; days that a month does not have are NaN."""
    days = first_day.astype("datetime64[D]") + np.arange(len(daily) + 1)
    starts = np.flatnonzero(days == days.astype("datetime64[M]").astype("datetime64[D]"))
    table = np.full((max(len(starts) - 1, 0), 31), np.nan)
    for row, (begin, end) in enumerate(pairwise(starts)):
        table[row, : end - begin] = daily[begin:end]
    return table


def _whole(past: np.ndarray) -> np.ndarray:
    """Periods without a hole: known up to a step and missing only from there on."""
    known = np.isfinite(past)
    length = past.shape[1] - np.argmax(known[:, ::-1], axis=1)
    # A month may lack its last three days, never more.
    return np.asarray(known.any(axis=1) & (known.sum(axis=1) == length) & (length >= past.shape[1] - 3))


def _expected_past(total: np.ndarray, expected: np.ndarray | None, whole: np.ndarray) -> np.ndarray:
    """What was expected of each past period; without forecasts, the mean of all the others."""
    if expected is None:
        return np.asarray((total.sum() - total) / (len(total) - 1))
    if len(expected) != len(whole):
        raise BadInput(f"{len(expected)} forecasts were given for {len(whole)} past periods. Give one for each.")
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
    # With D periods the outermost quantiles are the outermost errors, carried a little further out.
    widen = 1.0 + 1.0 / len(error)
    by_root = now + np.sqrt(now + 1.0) * np.quantile(error, LEVELS) * widen
    by_share = now * (1.0 + np.quantile((rest - then) / np.maximum(then, 1.0), LEVELS) * widen)
    return np.asarray(np.maximum(by_root if now > 4.0 * float(np.mean(then)) else by_share, 0.0))

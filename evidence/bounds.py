"""What is possible, where no probability of being checked is known: bounds, which are no estimates and no intervals.

Nothing is assumed of those who were not checked, so bounds do not narrow with more rows, only with more checks.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Bounds:
    """The least and the most that a share can be. `open` is the share of the rows that nobody knows."""

    low: float
    high: float
    open: float

    def __str__(self) -> str:
        return (
            f"between {self.low:.1%} and {self.high:.1%} (bounds, no estimate: nothing is known of {self.open:.1%} of "
            "these rows, and any value between is possible)"
        )


def manski(outcomes: np.ndarray, among: np.ndarray | None = None) -> Bounds | None:
    """Bounds of the share of positives among all rows or the part `among` (n,) booleans; None without rows.

    `outcomes` (n,) are 1, 0 or NaN where nobody looked. Those may all be positive, or none of them (Manski, American
    Economic Review 80, 1990; Knox, Lowe and Mummolo, American Political Science Review 114, 2020, on why records of the
    checked alone say no more).
    """
    asked = outcomes if among is None else outcomes[among]
    if len(asked) == 0:
        return None
    unknown, found = float(np.isnan(asked).mean()), float(np.nansum(asked)) / len(asked)
    return Bounds(found, found + unknown, unknown)


def manski_recall(outcomes: np.ndarray, chosen: np.ndarray) -> Bounds | None:
    """Bounds of the share of all positives that lie inside `chosen` (n,); None if no positive is possible.

    Least when all the unknown outside are positive and none inside is; most when it is the other way round.
    """
    inside, outside = (float(np.nansum(outcomes[part])) for part in (chosen, ~chosen))
    more_inside, more_outside = (int(np.isnan(outcomes[part]).sum()) for part in (chosen, ~chosen))
    if inside + outside + more_inside + more_outside == 0:
        return None
    low = inside / (inside + outside + more_outside) if inside else 0.0
    high = (inside + more_inside) / (inside + more_inside + outside) if inside + more_inside else 0.0
    return Bounds(low, high, (more_inside + more_outside) / len(outcomes))


def contraction(outcomes: np.ndarray, chosen: np.ndarray, examiners: np.ndarray, least: int = 100) -> Bounds | None:
    """Bounds of the precision of `chosen` (n,) in the cases of the examiner who checked the largest share of theirs.

    Where cases come to examiners as if by lot, these are like everyone's, and the fewest of them are unknown, so the
    bounds are the narrowest that the records allow (after Lakkaraju and others, KDD 2017, who compare with the most
    lenient decision maker; `examiners` (n,) are those a case came to, whether they checked it or not). Examiners with
    fewer than `least` cases are passed over. None without any, or where nothing of theirs is chosen.
    """
    which = np.unique(examiners, return_inverse=True)[1]
    cases = np.bincount(which)
    checked = np.bincount(which, ~np.isnan(outcomes)) / cases
    if not (cases >= least).any():
        return None
    theirs = which == int(np.argmax(np.where(cases >= least, checked, -1.0)))
    return manski(outcomes, theirs & chosen)

"""Gaps between a group and everyone else: how wide, whether more than chance, and how wide one must be to show.

One gap of an audit is named before anyone looks; it is tested alone. All others are looked at together, and so many
looks find something by chance: their p-values are Holm's, so that in twenty audits without any gap one raises an alarm.
Counts may be effective numbers of weighted rows.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.special import ndtr, ndtri
from scipy.stats import binom, hypergeom

from evidence.intervals import UNDEFINED, Interval

ALPHA = 0.05
POWER = 0.80


@dataclass(frozen=True)
class Primary:
    """The gap that is fixed beforehand: of `rate` in `view`, between `group` of `attribute` and `against` (or all)."""

    attribute: str
    rate: str
    group: str
    against: str | None = None
    view: str = ""


@dataclass(frozen=True)
class Gap:
    """The rate of a group minus that of everyone else (of the primary gap: of the group it is held against).

    `rows` are those in the group that the rate is about. `chance` is the p-value, of a secondary gap adjusted for all
    that were looked at; None where there is too little to test. `detectable` is the gap that would have been found four
    times in five; None where not even the widest would.
    """

    view: str
    attribute: str
    group: str
    rate: str
    rows: int
    gap: Interval = UNDEFINED
    chance: float | None = None
    detectable: float | None = None
    primary: bool = False

    @property
    def tested(self) -> bool:
        return self.chance is not None

    @property
    def found(self) -> bool:
        """Whether the gap is more than chance."""
        return self.chance is not None and self.chance < ALPHA


def difference(first: Interval, second: Interval) -> Interval:
    """The first share minus the second, with Newcombe's interval made of theirs; undefined where one of them is."""
    (a, a_low, a_high), (b, b_low, b_high) = ((i.value, i.low, i.high) for i in (first, second))
    if a is None or a_low is None or a_high is None or b is None or b_low is None or b_high is None:
        return UNDEFINED
    return Interval(a - b, a - b - math.hypot(a - a_low, b_high - b), a - b + math.hypot(a_high - a, b - b_low))


def alone(share: float, trials: float, other_share: float, other_trials: float) -> float:
    """P-value of a gap that was fixed beforehand: the score test of two shares, two-sided."""
    both = (share * trials + other_share * other_trials) / (trials + other_trials)
    spread = math.sqrt(both * (1 - both) * (1 / trials + 1 / other_trials))
    return 1.0 if spread == 0 else float(2 * ndtr(-abs(share - other_share) / spread))


def exact(share: np.ndarray, trials: np.ndarray, other_share: np.ndarray, other_trials: np.ndarray) -> np.ndarray:
    """P-values (k,) of k gaps between two shares: twice the smaller tail given both margins (Fisher), at most 1.

    Holds for any counts, however few and however rare; effective counts are rounded to whole ones.
    """
    n, m = np.rint(trials), np.rint(other_trials)
    k = np.rint(share * n)
    total = k + np.rint(other_share * m)
    tails = hypergeom.cdf(k, n + m, total, n), hypergeom.sf(k - 1, n + m, total, n)
    return np.asarray(np.minimum(1.0, 2 * np.minimum(*tails)))


def kept(share: np.ndarray, trials: np.ndarray, promised: np.ndarray) -> np.ndarray:
    """P-values (k,) of `share` of the trials coming true where the share `promised` was expected, two-sided and exact.

    Probabilities that differ from row to row spread the count less than their mean does in every row (Hoeffding), so
    the test errs to the side of silence.
    """
    n = np.rint(trials)
    k, chance = np.rint(share * n), np.clip(promised, 0.0, 1.0)
    return np.asarray(np.minimum(1.0, 2 * np.minimum(binom.cdf(k, n, chance), binom.sf(k - 1, n, chance))))


def holm(chances: Sequence[float]) -> list[float]:
    """P-values of tests that were made together, so that all of them keep the error of one."""
    order = np.argsort(chances, kind="stable")
    steps = np.asarray(chances, dtype=np.float64)[order] * np.arange(len(order), 0, -1)
    adjusted = np.empty(len(order))
    adjusted[order] = np.minimum(1.0, np.maximum.accumulate(steps))
    return [float(chance) for chance in adjusted]


def detectable(trials: float, other_trials: float, share: float, *, alpha: float = ALPHA) -> float | None:
    """The gap around `share` that a test at `alpha` finds with probability POWER; None where no gap is wide enough."""
    if trials < 1 or other_trials < 1:
        return None
    spread = math.sqrt(max(share * (1 - share), 1 / (4 * (trials + other_trials))) * (1 / trials + 1 / other_trials))
    gap = float((ndtri(1 - alpha / 2) + ndtri(POWER)) * spread)
    return gap if gap <= max(share, 1 - share) else None

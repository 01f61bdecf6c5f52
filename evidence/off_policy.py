"""What a challenger would have found and missed, from checks that another policy chose.

Rows fall into three strata. Those checked *for certain* (probability 1: rules and models that reach) are known, whoever
they are. Those that only *chance* would check are known by the random control. For those that *nobody* could have drawn
there is nothing, and an estimate that needs them is refused: limits are printed, and no point. Only chance is
uncertain, so its share alone gets an interval, at the effective number of drawn rows with the correction for a finite
population, and the known part is added to it. Hájek's estimate, which weighs everything by one over its probability and
treats that as one sample, is wider and, with two drawn rows in the challenger's selection, wrong one time in six.

Ratios and gaps of several such shares recover their limits from the limits of the parts (MOVER: Zou and Donner,
Statistics in Medicine 27, 2008; for two shares Newcombe, Statistics in Medicine 17, 1998).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import product

import numpy as np
import numpy.typing as npt

from evidence.intervals import Interval
from evidence.selection import NOTHING_DRAWN, Estimate
from evidence.small_samples import count, mid_p

Mask = npt.NDArray[np.bool_]
Floats = npt.NDArray[np.float64]
REGRESSION_ROWS = 30  # drawn rows from which a model's probabilities may help an estimate


@dataclass(frozen=True)
class Checked:
    """Rows that might have been checked, and what checks found.

    `outcomes` (n,) 1, 0 or NaN where nobody looked or nothing was found out, which is taken to be so by chance.
    `probabilities` (n,) of each row being checked, fixed before: 1 for certain, what the draw gave, NaN or 0 where
    there was none. A row that an officer chose and the draw had not keeps the draw's probability and has outcome NaN
    here: what officers found among the rows they chose says nothing about those they did not.
    `everyone`: the rows are all there were; else only checked ones, each standing for one over its probability.
    `expected` (n,) a model's probabilities, fixed before these outcomes, makes estimates doubly robust: where it
    explains what was found among drawn rows the interval is narrower, and where it is wrong nothing is lost.
    """

    outcomes: Floats
    probabilities: Floats
    everyone: bool = True
    expected: Floats | None = None

    @property
    def rows(self) -> Mask:
        return np.ones(len(self.outcomes), dtype=bool)


@dataclass(frozen=True)
class Stratum:
    """How many rows there are (a number or an interval), what share of them is positive, and from how many rows."""

    size: Interval
    share: Interval
    drawn: int = 0
    effective: float = 0.0


def prevalence(checked: Checked, among: Mask | None = None) -> Estimate:
    """Share of positives among all rows, or among the part `among` (n,)."""
    parts = _strata(checked, checked.rows if among is None else among)
    return _estimate(lambda shares, sizes: _over(float(shares @ sizes), float(sizes.sum())), parts)


def precision(checked: Checked, chosen: Mask, among: Mask | None = None) -> Estimate:
    """Share of positives among the rows that a policy would have `chosen` (n,), within `among`."""
    return prevalence(checked, chosen if among is None else chosen & among)


def recall(checked: Checked, chosen: Mask, among: Mask | None = None) -> Estimate:
    """Share of all positives within `among` that the policy would have `chosen` (n,)."""
    within = checked.rows if among is None else among
    inside, outside = _strata(checked, within & chosen), _strata(checked, within & ~chosen)

    def formula(shares: Floats, sizes: Floats) -> float:
        positives = shares * sizes
        return _over(float(positives[: len(inside)].sum()), float(positives.sum()))

    return _estimate(formula, (*inside, *outside))


def missed_risk(checked: Checked, chosen: Mask, among: Mask | None = None) -> Estimate:
    """Share of all positives within `among` that lie outside `chosen` (n,): one less recall."""
    found = recall(checked, chosen, among)
    value, low, high = (None if v is None else 1 - v for v in (found.value, found.interval.high, found.interval.low))
    return Estimate(Interval(value, low, high), found.rows, found.effective_rows, found.refused)


def gap(one: Estimate, other: Estimate) -> Estimate:
    """How far `one` lies above `other`, of rows that are not the same rows (two groups)."""
    parts = (one.interval, other.interval)
    effective = min(one.effective_rows, other.effective_rows)
    if any(p.low is None or p.high is None for p in parts):
        return Estimate(Interval(None), one.rows + other.rows, effective, one.refused or other.refused)
    limits = _recovered(lambda at: float(at[0] - at[1]), parts)
    return Estimate(limits, one.rows + other.rows, effective, one.refused or other.refused)


def _strata(checked: Checked, part: Mask) -> tuple[Stratum, Stratum, Stratum]:
    """What is known of the part: by certain checks, by chance, and not at all."""
    chance = checked.probabilities
    certain, drawable = part & (chance >= 1), part & (chance > 0) & (chance < 1)
    never = part & ~certain & ~drawable if checked.everyone else np.zeros_like(part)
    return _certain(checked, certain), _chance(checked, drawable), _never(int(never.sum()))


def _certain(checked: Checked, rows: Mask) -> Stratum:
    """Known but for checks that found nothing out, whose rows the others stand for."""
    size, outcomes = int(rows.sum()), checked.outcomes[rows]
    outcomes = outcomes[~np.isnan(outcomes)]
    known = len(outcomes)
    if known == 0:
        return _never(size)
    if known == size:
        return Stratum(_exactly(size), _exactly(float(outcomes.mean())))
    return Stratum(_exactly(size), mid_p(float(outcomes.mean()), known / (1 - known / size)))


def _chance(checked: Checked, rows: Mask) -> Stratum:
    drawn = rows & ~np.isnan(checked.outcomes)
    n, chance = int(drawn.sum()), checked.probabilities[drawn]
    weights = 1 / chance
    total = float(weights.sum())
    if checked.everyone:
        size = _exactly(int(rows.sum()))
    else:
        each = float(1 / checked.probabilities[checked.probabilities > 0].min(initial=1.0))
        size = count(total, total**2 / float((weights**2).sum()) if n else 0.0, each)
    if n == 0:
        return Stratum(size, _exactly(0.0) if size.high == 0 else mid_p(0.0, 0.0))
    share = float(weights @ checked.outcomes[drawn]) / total
    effective = _effective(checked.outcomes[drawn] - share, weights, chance)
    if checked.everyone and checked.expected is not None and n >= REGRESSION_ROWS:
        share, gained = _regressed(checked.outcomes[drawn], checked.expected[drawn], weights, checked.expected[rows])
        effective *= gained
    return Stratum(size, mid_p(share, effective), n, effective)


def _effective(left: Floats, weights: Floats, chance: Floats) -> float:
    """As many equally weighted rows know as much, with each row's part of the finite-population correction.

    Kish's number knows the weights alone; where those that are found weigh more than others, the linearised variance of
    what is `left` (n,) around the share says that fewer rows are worth as much. The smaller one counts.
    """
    total, around = float(weights.sum()) ** 2, (1 - chance) * weights**2
    spread = float(weights @ left**2) / float(weights.sum())
    varied = float(around @ left**2)
    kish = total / float(around.sum())
    return min(kish, total * spread / varied) if varied > 0 else kish


def _regressed(outcomes: Floats, expected: Floats, weights: Floats, everywhere: Floats) -> tuple[float, float]:
    """The share by generalised regression, and how many times as many drawn rows it is worth.

    The model's probabilities are recalibrated by a weighted line on the drawn rows (Särndal, Swensson and Wretman,
    Model Assisted Survey Sampling, 1992, section 6.4). What the line explains is judged by leaving each row out in
    turn, and a line that explains nothing so is not used.
    """
    weights = weights / weights.sum()
    centre, mean = float(weights @ expected), float(weights @ outcomes)
    around = expected - centre
    spread = float(weights @ around**2)
    if spread <= 0:
        return mean, 1.0
    slope = float(weights @ (around * outcomes)) / spread
    leverage = weights * (1 + around**2 / spread)
    left = (outcomes - mean - slope * around) / (1 - leverage)
    plain = (outcomes - mean) / (1 - weights)
    unexplained = float(weights @ left**2)
    gained = float(weights @ plain**2) / unexplained if unexplained > 0 else float("inf")
    if gained <= 1:
        return mean, 1.0
    return float(np.clip(mean + slope * (everywhere.mean() - centre), 0, 1)), gained


def _never(size: int) -> Stratum:
    return Stratum(_exactly(size), mid_p(0.0, 0.0) if size else _exactly(0.0))


def _exactly(value: float) -> Interval:
    return Interval(value, value, value)


def _over(part: float, whole: float) -> float:
    return part / whole if whole > 0 else float("nan")


def _estimate(formula: Callable[[Floats, Floats], float], strata: Sequence[Stratum]) -> Estimate:
    """`formula` of the strata's shares and sizes, between 0 and 1, with limits."""
    k = len(strata)
    limits = _recovered(lambda at: formula(at[:k], at[k:]), [s.share for s in strata] + [s.size for s in strata])
    low, high = limits.low, limits.high
    limits = Interval(limits.value, None if low is None else max(0.0, low), None if high is None else min(1.0, high))
    rows, effective = sum(s.drawn for s in strata), sum(s.effective for s in strata)
    return Estimate(limits, rows, effective, NOTHING_DRAWN if limits.value is None else None)


def _recovered(formula: Callable[[Floats], float], parts: Sequence[Interval]) -> Interval:
    """Limits of `formula`, which rises or falls with each part, from the limits of the parts, which are independent.

    A part without a value may lie anywhere between its limits: then there is no value, and the limits are those of the
    worst case.
    """
    unknown = [k for k, part in enumerate(parts) if part.value is None]
    moving = [k for k, part in enumerate(parts) if part.value is not None and part.low != part.high]
    place = np.arange(len(parts))
    at = np.array([0.0 if part.value is None else part.value for part in parts])
    lows, highs = [], []
    limits = np.array([(part.low, part.high) for part in parts], dtype=np.float64)
    for ends in product(*(limits[k] for k in unknown)):
        at[unknown] = ends
        value = formula(at)
        if np.isnan(value):
            return Interval(None, 0.0, 1.0)
        down = up = 0.0
        for k in moving:
            moved = [formula(np.where(place == k, end, at)) - value for end in limits[k]]
            down, up = down + min(0.0, *moved) ** 2, up + max(0.0, *moved) ** 2
        lows.append(value - down**0.5)
        highs.append(value + up**0.5)
    return Interval(None if unknown else value, min(lows), max(highs))

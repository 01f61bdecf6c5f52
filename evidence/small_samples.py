"""Intervals of shares and counts that hold when a sample has four rows, and when rows do not weigh the same."""

from __future__ import annotations

from evidence.intervals import Interval

_TAIL = 0.025
_NOTHING = 1e-9  # rows


def mid_p(share: float, trials: float) -> Interval:
    """The 95% interval of a share of `trials` rows, which may be an effective number, by inverting the mid-p test.

    Binomial tails at a number that need not be whole are those of the beta distribution (Korn and Graubard, Survey
    Methodology 24, 1998); counting half of the probability of what was seen keeps the interval from being much too wide
    (Berry and Armitage, The Statistician 44, 1995). Wilson's is narrower, but at four rows it misses one time in ten.
    Without trials nothing is known: no value, and limits of 0 and 1. Infinite trials leave nothing to chance.
    """
    from scipy.optimize import brentq
    from scipy.special import betainc

    if trials <= 0:
        return Interval(None, 0.0, 1.0)
    if trials == float("inf"):
        return Interval(share, share, share)
    # Sums of weights leave a share of all, or of none, some 1e-16 off.
    share = 0.0 if share * trials < _NOTHING else 1.0 if (1 - share) * trials < _NOTHING else share
    seen = share * trials

    def beyond(chance: float, tail: float) -> float:
        """Probability of more than what was seen, and half of that of just this, less `tail`."""
        same_or_more = betainc(seen, trials - seen + 1, chance) if seen > 0 else 1.0
        more = betainc(seen + 1, trials - seen, chance) if seen < trials else 0.0
        return 0.5 * float(same_or_more + more) - tail

    low = brentq(beyond, 0.0, 1.0, args=(_TAIL,)) if share > 0 else 0.0
    high = brentq(beyond, 0.0, 1.0, args=(1 - _TAIL,)) if share < 1 else 1.0
    # Below one effective row the test excludes less than what was seen itself.
    return Interval(share, min(low, share), max(high, share))


def count(estimated: float, effective: float, each: float) -> Interval:
    """The 95% interval of a number of rows, estimated from `effective` rows that stand for about `each` rows apiece.

    Garwood's exact limits of a Poisson mean (Biometrika 28, 1936), scaled. Without a row the number is unknown, from 0.
    """
    from scipy.special import gammaincinv

    if effective <= 0:
        return Interval(None, 0.0, each * float(gammaincinv(1.0, 1 - _TAIL)))
    scale = estimated / effective
    low, high = gammaincinv(effective, _TAIL), gammaincinv(effective + 1, 1 - _TAIL)
    return Interval(estimated, scale * float(low), scale * float(high))

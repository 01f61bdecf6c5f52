"""Tests that stay valid when they are looked at every day.

A test of 5% that is repeated daily raises a false alarm sooner or later. Here evidence is money: a gambler starts with
1 and bets, finding by finding, against a claim. Where the claim holds no way of betting gains on average, so the chance
that the money *ever* reaches W is at most 1/W, however often and whenever one looks (Ville 1939). An alarm at 50 is
false in at most 2 of 100 streams, for ever.

The claim is a band: each finding is confirmed with a probability between its own `low` and `high`. The gambler spreads
the money over several guesses of what is true instead, and over starts, so that a change after a long quiet is found
too: period after period a part that was held back begins to bet afresh.

Sources: Shafer, *Testing by betting* (JRSS A, 2021); Waudby-Smith and Ramdas, *Estimating means of bounded random
variables by betting* (JRSS B, 2024); the fresh starts: Shin, Ramdas and Rinaldo, *E-detectors* (2024), here with
weights that add up to one, which keeps the promise for ever instead of on average. `share` inverts the beta-binomial
mixture of Robbins (1970).
"""

from __future__ import annotations

from collections.abc import Callable
from math import ceil, log

import numpy as np
from scipy.special import betaln

from evidence.intervals import Interval

POWER_Z = 0.8416212335729143  # of a normal, for 80%


def log_evidence(
    found: np.ndarray, low: np.ndarray, high: np.ndarray, guesses: np.ndarray, period: np.ndarray
) -> np.ndarray:
    """Logarithm of the money after each of n findings, in the order they became known; (n,).

    `found` (n,) is 0 or 1; `low` and `high` (n,) the band that is claimed; `guesses` (k, n) what each of k gamblers
    takes for the truth, who bets only where that lies outside the band; `period` (n,) whole numbers from 0 that never
    fall. Band, guesses and period of a finding must be fixed before it is known.
    """
    if not len(found):
        return np.zeros(0)
    wealth = np.cumsum(_bets(found, low, high, guesses), axis=1)
    before = np.hstack([np.zeros((len(guesses), 1)), wealth])
    begun = int(period[-1]) + 1
    parts = np.full((begun, len(found)), -np.inf)
    for start in range(begun):
        first = int(np.searchsorted(period, start))
        grown = wealth[:, first:] - before[:, first : first + 1]
        parts[start, first:] = np.logaddexp.reduce(grown, axis=0) - log(len(guesses)) + _weight(start)
        parts[start, :first] = _weight(start)  # still held back
    later = -log(begun + 1)  # what starts after these periods hold
    return np.asarray(np.logaddexp(np.logaddexp.reduce(parts, axis=0), later))


def _weight(start: int) -> float:
    """Logarithm of the part of the money that begins with this period; all parts together are 1."""
    return -log((start + 1) * (start + 2))


def _bets(found: np.ndarray, low: np.ndarray, high: np.ndarray, guesses: np.ndarray) -> np.ndarray:
    """Logarithm of what each gambler's money is multiplied by at each finding: guess over nearest claim."""
    claim = np.clip(guesses, low, high)
    return np.asarray(np.where(found == 1, np.log(guesses / claim), np.log1p(-guesses) - np.log1p(-claim)))


def alarmed(evidence: np.ndarray, alarm: float) -> int | None:
    """Number of the first finding at which the money reached `alarm`; None while it has not."""
    reached = evidence >= log(alarm)
    return int(np.argmax(reached)) if reached.any() else None


def needed(low: np.ndarray, high: np.ndarray, truth: np.ndarray, *, alarm: float, guesses: int) -> int | None:
    """How many findings it takes to raise the alarm with a chance of 80% where `truth` holds from the beginning.

    The three (m,) stand for what findings will be like. None where the truth lies inside the band, so that no number of
    findings tells it apart. Counted for the one of `guesses` gamblers who is right.
    """
    claim = np.clip(truth, low, high)
    gain, loss = np.log(truth / claim), np.log1p(-truth) - np.log1p(-claim)
    growth = float(np.mean(truth * gain + (1 - truth) * loss))
    if growth <= 0:
        return None
    spread = float(np.mean(truth * gain**2 + (1 - truth) * loss**2)) - growth**2
    wanted = log(alarm) + log(guesses) - _weight(0)
    root: float = (POWER_Z * spread**0.5 + (POWER_Z**2 * spread + 4 * growth * wanted) ** 0.5) / (2 * growth)
    return ceil(root**2)


def share(confirmed: int, findings: int, error: float = 0.05) -> Interval:
    """A share with the ends of a range that holds at every look, all looks together, but for `error`."""
    if findings == 0:
        return Interval(None, 0.0, 1.0)
    refuted = findings - confirmed
    mixture = float(betaln(0.5 + confirmed, 0.5 + refuted) - betaln(0.5, 0.5))

    def refused(p: float) -> bool:
        said = (confirmed * log(p) if confirmed else 0.0) + (refuted * log(1 - p) if refuted else 0.0)
        return mixture - said >= -log(error)

    value = confirmed / findings
    low = 0.0 if confirmed == 0 else _edge(refused, 1e-12, value)
    high = 1.0 if refuted == 0 else _edge(refused, 1 - 1e-12, value)
    return Interval(value, low, high)


def _edge(refused: Callable[[float], bool], outside: float, inside: float) -> float:
    """Where refusing ends between a share that is refused and one that is not."""
    if not refused(outside):
        return outside
    for _ in range(60):
        middle = (outside + inside) / 2
        outside, inside = (middle, inside) if refused(middle) else (outside, middle)
    return inside

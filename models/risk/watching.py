"""Does a model still hold? What the random control found since the model was finished, tested day by day.

Two claims are tested, each by a bet that stays valid however often one looks (`evidence.sequential`):

* *prevalence*: the control finds about as much as it did before the model was finished. The claim is as wide as those
  earlier findings leave it open.
* *calibration*: of cases with a probability p about p are confirmed, whatever their number.

Both let the odds be off by a tenth: less is no reason to act. Of all models for which both claims hold for ever, at
most FALSE_ALARMS ever raise an alarm. The findings of the control count as they come, without weights: the claims are
about those it draws, so they hold whatever the shares with which it draws, as long as these are spread over posts and
shifts as they were.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

import numpy as np
from scipy.stats import beta

from evidence.sequential import log_evidence, needed
from models.risk.calibration import log_odds, probability
from models.risk.reference import Reference

FALSE_ALARMS: Final = 0.05
OPEN: Final = 0.01  # of it, the chance that earlier findings mislead about what was found before
ALARM: Final = 50.0  # evidence of either claim that raises its alarm: false in one of fifty
ABOUT: Final = 1.1  # factor of odds within which a claim holds
DOUBLED: Final = 2.0  # factor of odds that must be noticed before "quiet" is said
FACTORS: Final = (1 / 3, 1 / 2, 2 / 3, 3 / 2, 2, 3)  # guesses: odds that are so many times what is claimed
SLOPES: Final = (0.3, 1.7)  # guesses: scores tell cases apart less, or more, than they claim
PERIOD_DAYS: Final = 28  # after which part of the bet starts afresh
_MOST: Final = 30.0  # logarithm of evidence that is told; more is no more of an alarm

assert OPEN + 2 / ALARM <= FALSE_ALARMS  # noqa: S101 - what is promised above

What = Literal["prevalence", "calibration"]
State = Literal["quiet", "alarm", "too_few"]


@dataclass(frozen=True)
class Findings:
    """What the control found: `confirmed` (n,) 0 or 1, the probability `promised` (n,), and the `day` (n,) on which
    each counted, as whole days since the model was finished, in order."""

    confirmed: np.ndarray
    promised: np.ndarray
    day: np.ndarray


@dataclass(frozen=True)
class Course:
    """One claim through `days` days: findings, those confirmed and those expected so far, and the evidence against it,
    each (days,). `low` and `high` bound the share of confirmed findings that the claim allows, by day.

    `needed` findings tell doubled odds from the claim; None where no number of them does.
    """

    what: What
    rows: np.ndarray
    confirmed: np.ndarray
    expected: np.ndarray
    low: np.ndarray
    high: np.ndarray
    evidence: np.ndarray
    needed: int | None

    @property
    def since(self) -> int | None:
        """Day on which the alarm was raised; it stays raised for as long as the model serves."""
        reached = self.evidence >= ALARM
        return int(np.argmax(reached)) if reached.any() else None

    def state(self, day: int) -> State:
        """What the claim's evidence says by the end of a day."""
        if self.since is not None and self.since <= day:
            return "alarm"
        return "quiet" if self.needed is not None and self.rows[day] >= self.needed else "too_few"


def courses(reference: Reference, findings: Findings, likely: np.ndarray, days: int) -> tuple[Course, Course]:
    """Prevalence and calibration over so many days. `likely` (m,) are probabilities of cases as they come now: they say
    how much a finding can tell."""
    before, low, high = _before(reference)
    n = len(findings.confirmed)
    every = np.ones(n)
    prevalence = _course(
        "prevalence",
        findings,
        days,
        every * before,
        (every * low, every * high),
        np.array([every * times(before, factor) for factor in FACTORS]),
        needed(*(np.array([p]) for p in (low, high, times(before, DOUBLED))), alarm=ALARM, guesses=len(FACTORS)),
    )
    at = log_odds(np.array(before))
    guesses = [times(findings.promised, factor) for factor in FACTORS]
    guesses += [probability(at + slope * (log_odds(findings.promised) - at)) for slope in SLOPES]
    calibration = _course(
        "calibration",
        findings,
        days,
        findings.promised,
        _about(findings.promised),
        np.array(guesses),
        needed(*_about(likely), times(likely, DOUBLED), alarm=ALARM, guesses=len(guesses)) if len(likely) else None,
    )
    return prevalence, calibration


def times(chance: np.ndarray | float, factor: float) -> np.ndarray:
    """A probability whose odds are so many times as high."""
    p = np.asarray(chance, dtype=np.float64)
    return p * factor / (1 - p + p * factor)


def _about(promised: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    return times(promised, 1 / ABOUT), times(promised, ABOUT)


def _before(reference: Reference) -> tuple[float, float, float]:
    """Share of the control's findings confirmed before, and the least and greatest that the claim allows: what those
    findings leave open (Clopper and Pearson), or a tenth of the odds where that is more."""
    k, n = reference.confirmed, reference.findings
    share = (k + 0.5) / (n + 1)
    low = float(beta.ppf(OPEN / 2, k, n - k + 1)) if k else 0.0
    high = float(beta.isf(OPEN / 2, k + 1, n - k)) if k < n else 1.0
    return share, min(low, float(times(share, 1 / ABOUT))), max(high, float(times(share, ABOUT)))


def _course(
    what: What,
    findings: Findings,
    days: int,
    expected: np.ndarray,
    claim: tuple[np.ndarray, np.ndarray],
    guesses: np.ndarray,
    wanted: int | None,
) -> Course:
    evidence = log_evidence(findings.confirmed, *claim, guesses, findings.day // PERIOD_DAYS)
    until = np.searchsorted(findings.day, np.arange(days), side="right")

    def by_day(values: np.ndarray) -> np.ndarray:
        return np.concatenate([[0.0], np.cumsum(values)])[until]

    rows = np.maximum(until, 1)
    return Course(
        what,
        until,
        by_day(findings.confirmed).astype(np.int64),
        by_day(expected),
        by_day(claim[0]) / rows,
        by_day(claim[1]) / rows,
        np.exp(np.minimum(np.concatenate([[0.0], evidence])[until], _MOST)),
        wanted,
    )

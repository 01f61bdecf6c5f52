"""What watching a model promises and finds: false alarms in a year of daily looks, and days until a change is noticed.

Models are drawn with scores of a mean near 6%, a control of so many findings a day, and a reference of earlier ones.
Where a model holds (its odds as promised, or off by as much as the claims allow), alarms are false; the year is looked
at every day, and either claim may raise one. Where the odds double or halve after half a year of quiet, told are the
days until the first alarm. `naive` is the test of 5% that is repeated daily instead.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np

from benchmarks.risk_parts.bars import bar
from evidence.intervals import Z95
from models.risk.reference import Reference
from models.risk.watching import ABOUT, Findings, courses, times

YEARS, SHORT = 1_000, 60  # simulated for each case
YEAR, QUIET = 365, 180  # days
BEFORE = 2_000  # findings of the reference
HELD = (1.0, ABOUT, 1 / ABOUT)
CHANGES = ((10, 2.0), (10, 3.0), (10, 0.5), (50, 1.5), (50, 2.0))  # findings a day, and what the odds become


def lines(*, short: bool = False) -> Iterator[dict[str, Any]]:
    """A line for each case, then the bars."""
    repeats = SHORT if short else YEARS
    random = np.random.default_rng(20_261_122)
    false = []
    for factor in HELD:
        watched = [_watched(random, 10, YEAR, factor, factor) for _ in range(repeats)]
        false.append(_share([first is not None for first, _, _ in watched]))
        yield {
            "part": "watching",
            "findings_a_day": 10,
            "odds": factor,
            "years": repeats,
            "false_alarms": false[-1],
            "naive": _share([naive for _, naive, _ in watched]),
        }
    noticed = []
    for per_day, factor in CHANGES:
        tries = max(repeats // 5, 20)
        watched = [_watched(random, per_day, QUIET + 2 * YEAR, 1.0, factor) for _ in range(tries)]
        days = [np.inf if first is None else first - QUIET for first, _, _ in watched]
        early = _share([day < 0 for day in days])
        within = _share([first is not None for first, _, _ in watched])
        if factor == 2.0:
            noticed.append(within)
        low, middle, high = (float(day) for day in np.quantile(days, [0.1, 0.5, 0.9], method="inverted_cdf"))
        yield {
            "part": "watching",
            "findings_a_day": per_day,
            "odds_after_half_a_year": factor,
            "tries": tries,
            "alarm_before_the_change": early,
            "noticed_in_two_years": within,
            "days_to_notice": [low, middle, high],
            "needed": float(np.median([needed for _, _, needed in watched])),
        }
    yield bar("risk_watch_false_alarms", max(false))
    yield bar("risk_watch_doubling_noticed", min(noticed))


def _watched(
    random: np.random.Generator, per_day: int, days: int, before: float, after: float
) -> tuple[int | None, bool, int]:
    """Day of the first alarm; whether a daily test of 5% on all findings so far would ever have refused what was
    promised; how many findings are said to be needed. Odds are `before` times as promised, `after` times later."""
    earlier = _scores(random, BEFORE)
    confirmed = int((random.random(BEFORE) < times(earlier, before)).sum())
    until = datetime(2026, 1, 1, tzinfo=UTC)
    reference = Reference(until, 0, {}, {}, BEFORE, confirmed, timedelta(0))
    day = np.repeat(np.arange(days), random.poisson(per_day, days))
    promised = _scores(random, len(day))
    truth = np.where(day < QUIET, times(promised, before), times(promised, after))
    found = (random.random(len(day)) < truth).astype(float)
    told = courses(reference, Findings(found, promised, day), _scores(random, 500), days)
    raised = [course.since for course in told if course.since is not None]
    spread = np.sqrt(np.maximum(np.cumsum(promised * (1 - promised)), 1e-9))
    apart = np.abs(np.cumsum(found - promised)) / spread
    return min(raised, default=None), bool((apart[20:] > Z95).any()), told[1].needed or 0


def _scores(random: np.random.Generator, rows: int) -> np.ndarray:
    return np.asarray(1 / (1 + np.exp(-random.normal(-3.2, 1.0, rows))))


def _share(held: list[bool]) -> float:
    return float(np.mean(held))

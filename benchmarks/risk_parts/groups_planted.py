"""What the audit by group finds where a gap was planted, and where there is none.

A few thousand cases with two groups of 400 positives each (attribute `planted`, the primary gap) and two further
attributes of three and four groups, which nothing depends on; every attribute and every crossing is audited for every
rate. Told are the power for the primary gap of ten points of missed risk, how often any secondary cell raises an alarm
where nothing was planted at all, and how often where only the primary gap was (cells of its own attribute aside). The
power of secondary cells is that of finding the same ten points in a group of 400 among the others.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pyarrow as pa

from benchmarks.risk_parts.bars import bar
from evidence.gaps import Gap, Primary
from evidence.groups import Audit, Outcomes, compare

POSITIVES = 400  # of each group
NEGATIVES = 1_600
REPEATS, SHORT = 1_000, 100
MISSED = 0.5  # of the positives of the group that is not wronged: the hardest share to tell apart
GAP = 0.10
PRIMARY = Primary("planted", "missed_risk", "a", "b")


def lines(*, short: bool = False) -> Iterator[dict[str, Any]]:
    """One line of what was found, then the bars."""
    repeats = SHORT if short else REPEATS
    random = np.random.default_rng(20_261_122)
    with_gap = [audited(random, gap=GAP) for _ in range(repeats)]
    without = [audited(random, gap=0.0) for _ in range(repeats)]
    secondary = [audited(random, gap=GAP, primary=None) for _ in range(repeats // 5)]
    power = share(found.primary is not None and found.primary.found for found in with_gap)
    alarms = share(bool(alarms_of(found)) for found in without)
    beside = share(any("planted" not in gap.attribute for gap in alarms_of(found)) for found in with_gap)
    told = {
        "part": "groups_planted",
        "repeats": repeats,
        "positives_a_group": POSITIVES,
        "gap": GAP,
        "secondary_tests": with_gap[0].looks,
        "primary_power": power,
        "primary_false_alarms": share(found.primary is not None and found.primary.found for found in without),
        "secondary_false_alarms_nothing_planted": alarms,
        "secondary_false_alarms_beside_the_planted": beside,
        "secondary_power": share(any(is_planted(gap) for gap in found.found) for found in secondary),
        "secondary_detectable": next(gap.detectable for gap in secondary[0].gaps if is_planted(gap)),
    }
    yield told
    yield bar("risk_planted_gap_power", power)
    yield bar("risk_secondary_false_alarms", max(alarms, beside))


def audited(random: np.random.Generator, *, gap: float, primary: Primary | None = PRIMARY) -> Audit:
    """The audit of one draw, in which group a misses `gap` more of its positives than group b."""
    labels = np.tile(np.repeat([1.0, 0.0], [POSITIVES, NEGATIVES]), 2)
    group = np.repeat(["a", "b"], POSITIVES + NEGATIVES)
    n = len(labels)
    selected = np.where(labels == 1, 1 - MISSED + gap / 2, 0.05) - np.where((labels == 1) & (group == "a"), gap, 0.0)
    chosen = (random.random(n) < selected).astype(float)
    chance = np.where(labels == 1, random.beta(3, 4, n), random.beta(2, 10, n))
    promised = kept(chance, labels)
    attributes = {
        "planted": pa.array(group),
        "region": pa.array(random.choice(["north", "south", "coast"], n, p=[0.5, 0.35, 0.15])),
        "band": pa.array(random.choice(["18–29", "30–44", "45–59", "60+"], n, p=[0.4, 0.3, 0.2, 0.1])),
    }
    minutes = random.exponential(12.0, n) + np.where(chosen == 1, 15.0, 0.0)
    outcomes = Outcomes(labels, chosen, promised, minutes=minutes)
    return compare({"": (attributes, outcomes, float(chosen.mean()))}, primary=primary)


def kept(chance: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """A calibrated probability that orders rows as `chance` does: the share of positives among its 40 neighbours."""
    order = np.argsort(chance)
    promised = np.empty(len(chance))
    for rows in np.array_split(order, len(chance) // 40):
        promised[rows] = labels[rows].mean()
    return promised


def alarms_of(found: Audit) -> list[Gap]:
    return [gap for gap in found.found if not gap.primary]


def is_planted(gap: Gap) -> bool:
    return (gap.attribute, gap.rate) == ("planted", "missed_risk")


def share(found: Iterator[bool]) -> float:
    every = list(found)
    return round(sum(every) / len(every), 4)

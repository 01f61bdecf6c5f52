"""How entries came to be checked: a biased historical policy, a few rules, and a small random control.

The policy over-checks two nationality codes and young men, whether or not anything is irregular. Random control is
drawn first, with a probability per post and shift that is logged.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from records.sample.horizon import Horizon
from records.sample.legs import Legs
from records.sample.parameters import KINDS, Parameters
from records.sample.places import Places
from records.sample.risk import Truth

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
Mask = npt.NDArray[np.bool_]

SELECTED_BY = ("random", "rule", "officer")
RANDOM, RULE, OFFICER = range(len(SELECTED_BY))
FINDINGS = ("confirmed", "refuted", "inconclusive", "not_checked")
CONFIRMED, REFUTED, INCONCLUSIVE, NOT_CHECKED = range(len(FINDINGS))
REASONS = ("booth_pressure", "officer_absent", "traveller_had_left")
SHIFTS = ("N", "M", "E")  # night from 0, morning from 8, evening from 16 o'clock, local
# Share of entries in each shift, as the policy knows them.
_SHIFT_SHARE = np.array([0.12, 0.48, 0.40])


def shift_of(second: Ints) -> Ints:
    """Index in SHIFTS of each second of a local day."""
    return second // (8 * 3600)


@dataclass(frozen=True)
class Shifts:
    """Per post, day and shift: the logged `random` probability and the `pace` at which officers choose."""

    random: Floats
    pace: Floats


def shifts(where: Places, parameters: Parameters) -> Shifts:
    """Checks per shift are constant at a post, so both probabilities fall when more people come."""
    assessable = sum(kind.share for kind in KINDS if kind.assessable) / sum(kind.share for kind in KINDS)
    expected = assessable * where.load[:, :, None] * _SHIFT_SHARE
    capacity = parameters.check_share * expected.mean(axis=(1, 2), keepdims=True)
    rate = np.clip(capacity / expected, 0.02, 0.6)
    return Shifts(random=np.round(np.clip(parameters.random_share * rate, 0.001, 0.2), 5), pace=rate)


@dataclass(frozen=True)
class Checks:
    """One row per check: `entry` indexes the entries it was drawn from; `probability` is null where negative."""

    entry: Ints
    selected_by: Ints
    probability: Floats
    finding: Ints
    reason: Ints
    minutes: Floats
    delay: Ints
    known_after: Ints


def checks(
    entry: Legs,
    truth: Truth,
    *,
    assessable: Mask,
    marked: Mask,
    young_man: Mask,
    shift: Shifts,
    span: Horizon,
    parameters: Parameters,
    rng: np.random.Generator,
) -> Checks:
    """Checks of a block's entries after the first year; `marked` are people with an over-checked nationality."""
    part = shift_of(entry.second)
    drawn_with = shift.random[entry.post, entry.day, part]
    open_to = assessable & (entry.day >= 365) & (entry.day < span.days) & entry.recorded
    n = len(entry)
    drawn = open_to & (rng.random(n) < drawn_with)

    papers = truth.papers
    by_rule = np.select([papers.under_alert, papers.permit_expired, papers.expired], [0.85, 0.6, 0.5], 0.0)
    ruled = open_to & ~drawn & (rng.random(n) < by_rule)

    # Officers see a little of what matters, and a lot of what does not.
    eye = 0.30 * np.where(truth.risk > 0.10, 4.5, 1.0)
    bias = np.where(marked, parameters.nationality_factor, 1.0) * np.where(young_man, parameters.young_men_factor, 1.0)
    wanted = np.clip(shift.pace[entry.post, entry.day, part] * eye * bias, 0, 0.9)
    chosen = open_to & ~drawn & ~ruled & (rng.random(n) < wanted)

    index = np.flatnonzero(drawn | ruled | chosen)
    m = len(index)
    by = np.where(drawn[index], RANDOM, np.where(ruled[index], RULE, OFFICER))
    probability = np.select([by == RANDOM, by == RULE], [drawn_with[index], by_rule[index]], -1.0)
    irregular = truth.irregular[index]
    luck = rng.random(m)
    seen = np.where(luck < parameters.sensitivity, CONFIRMED, np.where(luck < 0.97, INCONCLUSIVE, REFUTED))
    finding = np.where(irregular, seen, np.where(luck < 0.97, REFUTED, INCONCLUSIVE))
    finding = np.where(rng.random(m) < parameters.not_checked, NOT_CHECKED, finding)
    minutes = np.rint(np.exp(rng.normal(np.log(np.where(irregular, 38, 17)), 0.4, m)))
    return Checks(
        entry=index,
        selected_by=by,
        probability=probability,
        finding=finding,
        reason=rng.integers(0, len(REASONS), m),
        minutes=minutes,
        delay=rng.integers(5 * 60, 50 * 60, m),
        known_after=(minutes * 60).astype(np.int64) + rng.integers(3_600, 10 * 3_600, m),
    )

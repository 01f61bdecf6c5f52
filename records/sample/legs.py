"""Each person's passage through a post: when, with which service and paper, after what wait, and recorded or not."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace

import numpy as np
import numpy.typing as npt

from records.sample.horizon import DAY, Horizon
from records.sample.journeys import Journeys
from records.sample.parameters import COMMUTER, TRUCKER, Parameters
from records.sample.places import LAND, SEA, Places
from records.sample.population import People
from records.sample.services import ENTRY, EXIT, Timetable

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float32]
Mask = npt.NDArray[np.bool_]

# A day's rush at the booths, by local hour.
_RUSH = np.array([0.5, 0.4, 0.4, 0.4, 0.5, 0.7, 1.0, 1.3, 1.4, 1.2, 1.0, 1.1, 1.3, 1.2, 1.1, 1.1, 1.2, 1.4, 1.5, 1.3,
                  1.1, 0.9, 0.7, 0.6])  # fmt: skip


@dataclass(frozen=True)
class Legs:
    """One row per person and leg. `person` and `journey` index their block; `day` counts from the horizon's first.

    `second` of the local day; `scheduled` likewise, for those with a service (`slot`, -1 without). `holder` is whose
    document is shown, `version` and `issued` which one. `lead` in seconds: how long before the scheduled time the
    carrier announced the traveller, -1 if nobody did. `wait` in minutes.
    """

    person: Ints
    journey: Ints
    direction: Ints
    post: Ints
    day: Ints
    second: Ints
    slot: Ints
    scheduled: Ints
    holder: Ints
    version: Ints
    issued: Ints
    lead: Ints
    wait: Floats
    recorded: Mask

    def take(self, index: Ints | Mask) -> Legs:
        """The rows that `index` names, in its order."""
        return replace(self, **{f.name: getattr(self, f.name)[index] for f in fields(self)})

    def __len__(self) -> int:
        return len(self.person)


def legs(
    group: People,
    journeys: Journeys,
    span: Horizon,
    *,
    where: Places,
    plan: Timetable,
    parameters: Parameters,
    rng: np.random.Generator,
) -> Legs:
    """Both legs of every journey for every member of its household, up to and with tomorrow."""
    both = [
        _leg(which, group, journeys, span, where=where, plan=plan, parameters=parameters, rng=rng) for which in (0, 1)
    ]
    return _stacked(both)


def _leg(
    which: int,
    group: People,
    journeys: Journeys,
    span: Horizon,
    *,
    where: Places,
    plan: Timetable,
    parameters: Parameters,
    rng: np.random.Generator,
) -> Legs:
    day_of = journeys.first if which == 0 else journeys.second
    made = journeys.made_first if which == 0 else journeys.made_second
    taken = np.flatnonzero(made & (day_of <= span.days))
    household = journeys.household[taken]
    day = day_of[taken]
    direction = np.where(journeys.absence[taken] ^ (which == 0), ENTRY, EXIT)
    post = (journeys.post_first if which == 0 else journeys.post_second)[taken]
    post = where.instead[post, day]
    slot, scheduled, second = _times(group, household, post, direction, day, where=where, plan=plan, rng=rng)
    by_sea = where.mode[post] == SEA
    lead = np.exp(rng.standard_normal(len(taken), dtype=np.float32) * 0.9) * np.where(by_sea, 30, 18) * 3600
    announced = (slot >= 0) & (rng.random(len(taken), dtype=np.float32) < parameters.advance_coverage)
    lead = np.where(announced, np.clip(lead, 1_800, 4 * DAY), -1).astype(np.int64)

    # From journeys to persons: every member of the household passes, a few seconds after one another.
    size = group.household_size[household]
    row = np.repeat(np.arange(len(taken)), size)
    member = np.arange(len(row)) - np.repeat(np.cumsum(size) - size, size)
    person = group.household_first[household][row] + member
    passed = np.minimum(second[row] + 20 * member, DAY - 1)
    day, post = day[row], post[row]
    journey = taken[row]
    borrows = journeys.place[journey] >= group.borrows_from[person]
    holder = np.where(borrows, group.borrows[person], person)
    version, issued = group.document(holder, day)
    rush = where.pressure[post, day] * _RUSH[passed // 3600]
    luck = np.exp(rng.standard_normal(len(row), dtype=np.float32) * 0.35)
    wait = np.minimum((1.5 + 7.0 * rush**1.5) * luck, 600).astype(np.float32)
    direction = direction[row]
    unseen = np.where(where.leaky[post], parameters.missing_exits_at_gap_posts, parameters.missing_exits)
    recorded = (direction == ENTRY) | (rng.random(len(row), dtype=np.float32) >= unseen)
    return Legs(
        person=person,
        journey=journey,
        direction=direction,
        post=post,
        day=day,
        second=passed,
        slot=slot[row],
        scheduled=scheduled[row],
        holder=holder,
        version=version,
        issued=issued,
        lead=lead[row],
        wait=np.rint(wait * 10) / 10,
        recorded=recorded,
    )


def _times(
    group: People,
    household: Ints,
    post: Ints,
    direction: Ints,
    day: Ints,
    *,
    where: Places,
    plan: Timetable,
    rng: np.random.Generator,
) -> tuple[Ints, Ints, Ints]:
    """Slot (-1: none), its scheduled second and the second of the day of the passage."""
    n = len(post)
    choices = plan.count[post, direction]
    # Households keep to their usual service most of the time.
    usual = (household * 7_919 % 1_009) / 1_009
    chance = np.where(rng.random(n, dtype=np.float32) < 0.6, usual, rng.random(n))
    served = choices > 0
    slot = np.where(served, plan.first[post, direction] + (chance * choices).astype(np.int64), -1)
    if len(plan.post):
        # Travellers of a cancelled service take the first of the day.
        slot = np.where(served & plan.cancelled[slot, day], plan.first[post, direction], slot)
        scheduled = np.where(served, plan.second[slot], 0)
        actual = scheduled + plan.delay[slot, day]
    else:
        scheduled = actual = np.zeros(n, dtype=np.int64)
    walk = rng.integers(10 * 60, 45 * 60, n)
    by_service = np.where(direction == ENTRY, actual + walk, actual - 30 * 60 - walk)
    peak = {COMMUTER: np.where(direction == ENTRY, 7, 17), TRUCKER: np.where(direction == ENTRY, 6, 13)}
    spread = {COMMUTER: 1.1, TRUCKER: 4.5}.get(group.kind, 4.0)
    hour = peak.get(group.kind, np.where(direction == ENTRY, 14, 12)) + spread * rng.standard_normal(n)
    hour = np.where(where.mode[post] == LAND, hour, np.clip(hour, 5, 22)) % 24
    if group.kind == COMMUTER:
        hour = np.where(direction == ENTRY, np.clip(hour, 4, 11.8), np.clip(hour, 12.2, 22))
    opens, closes = where.opens[post], where.closes[post]
    hour = np.clip(hour, opens + 0.05, closes - 0.05)
    second = np.where(served, by_service, (hour * 3600).astype(np.int64))
    return slot, scheduled, np.clip(second, 0, DAY - 1)


def _stacked(parts: Sequence[Legs]) -> Legs:
    return Legs(*(np.concatenate([getattr(part, f.name) for part in parts]) for f in fields(Legs)))

"""When each household travels: stays in the country, one after the other, as people plan and keep them."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace

import numpy as np
import numpy.typing as npt

from records.sample.horizon import Horizon
from records.sample.parameters import COMMUTER, CREW, KINDS, TOURIST, TRUCKER
from records.sample.places import Places
from records.sample.population import People
from records.sample.rhythms import draw

Ints = npt.NDArray[np.int64]
Mask = npt.NDArray[np.bool_]
_FAR = 100_000  # days: longer than any horizon
_SPREAD = {TOURIST: 0.6, COMMUTER: 0.1, TRUCKER: 0.5, CREW: 0.4}


@dataclass(frozen=True)
class Journeys:
    """Two legs of a household, in order of household and day. A visit's first leg is the entry, an absence's the exit.

    `first`, `second`: days of the legs; `made_first`, `made_second`: whether they take place. `planned` days between
    them. `place` is the position among the household's journeys. `since_last`, `last_length` and `last_overrun` (days)
    speak of the journey before and are `_FAR`, 0 and 0 where there is none; `often`: the fourth within 90 days.
    """

    household: Ints
    place: Ints
    first: Ints
    second: Ints
    made_first: Mask
    made_second: Mask
    absence: Mask
    planned: Ints
    post_first: Ints
    post_second: Ints
    since_last: Ints
    last_length: Ints
    last_overrun: Ints
    often: Mask

    def where(self, keep: Mask) -> Journeys:
        """The journeys that `keep` marks."""
        return replace(self, **{f.name: getattr(self, f.name)[keep] for f in fields(self)})


def visits(
    group: People, span: Horizon, where: Places, table: npt.NDArray[np.uint16], rng: np.random.Generator
) -> Journeys:
    """Stays of visitors of every kind but residents; a stay ends before the household's next begins."""
    kind = KINDS[group.kind]
    n = len(group.household_size)
    years = span.days / 365.25
    eager = rng.gamma(2.0, 0.5, n)
    count = int(kind.trips) + rng.poisson(kind.yearly * years * eager)
    count[group.runs_visas] = 4
    household = np.repeat(np.arange(n), count)
    # One sort puts households in order and their days within them.
    packed = np.sort((household << 20) + draw(rng, table, len(household)))
    household, first = packed >> 20, packed & ((1 << 20) - 1)
    place = _place(household)
    chain = group.runs_visas[household]
    stride = rng.integers(82, 92, n)[household]
    first = np.where(chain, first[_starts(household)] + place * stride, first)
    following = np.where(np.append(household[1:] != household[:-1], True), _FAR, np.append(first[1:], 0))
    planned = _planned(group, kind.stay_days, len(household), rng)
    late = group.overstays[household] & (rng.random(len(household)) < 0.65)
    stay = planned + np.where(late, rng.integers(4, 45, len(household)), 0)
    stay = np.where(chain, stride - rng.integers(1, 5, len(household)), stay)
    # What the next journey cuts short ends the day before it; a journey without room for a night is not made.
    room = following - first - 1
    same_day = group.kind == COMMUTER
    keep = (room >= (0 if same_day else 1)) & (first <= span.days)
    post_first, post_second = _posts(group, household, where, rng)
    blank = np.zeros(len(household), dtype=np.int64)
    made = Journeys(
        household=household,
        place=place,
        first=first,
        second=first + np.minimum(stay, room),
        made_first=blank == 0,
        made_second=blank == 0,
        absence=blank > 0,
        planned=planned,
        post_first=post_first,
        post_second=post_second,
        since_last=blank,
        last_length=blank,
        last_overrun=blank,
        often=blank > 0,
    )
    return linked(made.where(keep))


def linked(journeys: Journeys) -> Journeys:
    """The same journeys, each with its place and what came before it filled in."""
    household, first = journeys.household, journeys.first
    place = _place(household)
    before = np.maximum(np.arange(len(household)) - 1, 0)
    has = place > 0
    length = journeys.second - first
    third = np.maximum(np.arange(len(household)) - 3, 0)
    return replace(
        journeys,
        place=place,
        since_last=np.where(has, first - journeys.second[before], _FAR),
        last_length=np.where(has, length[before], 0),
        last_overrun=np.where(has, (length - journeys.planned)[before], 0),
        often=(place >= 3) & (first - first[third] <= 90),
    )


def _planned(group: People, median: float, n: int, rng: np.random.Generator) -> Ints:
    if group.kind == COMMUTER:
        return (rng.random(n) < 0.04).astype(np.int64)
    drawn = np.exp(rng.normal(np.log(median), _SPREAD.get(group.kind, 0.5), n))
    return np.clip(np.rint(drawn), 1, 88).astype(np.int64)


def _posts(group: People, household: Ints, where: Places, rng: np.random.Generator) -> tuple[Ints, Ints]:
    home = group.home[household]
    chance = rng.random(len(household), dtype=np.float32)
    first = home.copy()
    away = np.flatnonzero(chance < 0.12)
    first[away] = where.detour(home[away], rng)
    second = first.copy()
    other = np.flatnonzero((chance > 0.80) | (chance < 0.03))
    second[other] = where.detour(first[other], rng)
    return first, second


def _starts(household: Ints) -> Ints:
    """Index of the first journey of each journey's household."""
    begins = np.append(True, household[1:] != household[:-1]) if len(household) else np.zeros(0, dtype=bool)
    return np.maximum.accumulate(np.where(begins, np.arange(len(household)), 0))


def _place(household: Ints) -> Ints:
    return np.arange(len(household)) - _starts(household)

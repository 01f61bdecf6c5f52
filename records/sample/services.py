"""Flights and ferries: a daily timetable per post, with delays and cancellations."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from records.sample.horizon import Horizon
from records.sample.places import LAND, SEA, Places
from records.sample.strings import Bytes, chosen, instants, numbers, strings, table_of

DIRECTIONS = ("entry", "exit")
ENTRY, EXIT = 0, 1

# Where they fly or sail to and from; the ports of the first two kinds of place below have no scheduled service.
_AIRPORTS = ("CDG", "ORY", "LYS", "MRS", "FRA", "DUS", "LGW", "FCO", "MXP", "BRU", "GVA", "IST", "CMN", "CAI", "JED",
             "DOH", "WAW", "PRG", "ABJ", "DKR", "TIP", "ALG")  # fmt: skip
_PORTS = ("FRMRS", "ITGOA", "ITPMO", "ITCVV", "ITSAL")
_SERVED_PORTS = ("la-goulette", "zarzis")


@dataclass(frozen=True)
class Timetable:
    """Slots run every day. `first` and `count` (posts, 2) say which slots serve a post in a direction; count 0: none.

    Per slot: `post`, `direction`, `second` of the local day, `seats`, `origin`. Per slot and day: `delay` in seconds
    and `cancelled`. The first slot of a post and direction is never cancelled, so travellers can be rebooked to it.
    """

    first: npt.NDArray[np.int64]
    count: npt.NDArray[np.int64]
    post: npt.NDArray[np.int64]
    direction: npt.NDArray[np.int64]
    second: npt.NDArray[np.int64]
    seats: npt.NDArray[np.int64]
    origin: npt.NDArray[np.int64]
    delay: npt.NDArray[np.int32]
    cancelled: npt.NDArray[np.bool_]
    codes: Bytes

    def names(
        self, slot: npt.NDArray[np.int64], day: npt.NDArray[np.int64], stamps: Bytes, valid: npt.NDArray[np.bool_]
    ) -> pa.Array:
        """The number of each service on its day, null where not `valid`."""
        return strings(len(slot), self.codes[slot], "-", stamps[day], valid=valid)


def timetable(span: Horizon, where: Places, rng: np.random.Generator) -> Timetable:
    """Enough slots that a service carries 8 people in a small world and up to 150 in a large one."""
    n_posts = len(where.posts)
    first = np.zeros((n_posts, 2), dtype=np.int64)
    count = np.zeros((n_posts, 2), dtype=np.int64)
    post: list[int] = []
    direction: list[int] = []
    for p, place in enumerate(where.posts):
        if where.mode[p] == LAND or (where.mode[p] == SEA and place.post not in _SERVED_PORTS):
            continue
        daily = float(where.load[p].mean())
        slots = max(1, round(daily / np.clip(daily / 4, 8, 150)))
        for d in (ENTRY, EXIT):
            first[p, d], count[p, d] = len(post), slots
            post += [p] * slots
            direction += [d] * slots
    n = len(post)
    posts_, directions = np.array(post), np.array(direction)
    sea = where.mode[posts_] == SEA
    lead = np.isin(np.arange(n), first[count > 0])
    second = np.where(lead, 10 * 3600, rng.integers(5 * 12, 24 * 12 - 6, n) * 300)
    shape = (n, span.days + 1)
    delay = rng.gamma(0.9, 14 * 60, shape) * np.where(rng.random(shape) < 0.07, 7, 1)
    delay = np.where(sea[:, None], 2.5 * delay, delay) - 300
    cancelled = (rng.random(shape) < np.where(sea, 0.03, 0.015)[:, None]) & ~lead[:, None]
    # What is late stays within its day: a service is named by the day it was scheduled on.
    latest = (86_400 - 3_600) - second[:, None]
    return Timetable(
        first=first,
        count=count,
        post=posts_,
        direction=directions,
        second=second,
        seats=np.where(sea, 1800, rng.choice([150, 174, 180, 186], n)),
        origin=np.where(sea, len(_AIRPORTS) + rng.integers(0, len(_PORTS), n), rng.integers(0, len(_AIRPORTS), n)),
        delay=np.minimum(delay, latest).astype(np.int32),
        cancelled=cancelled,
        codes=table_of(
            [f"{'FS'[int(s)]}{'ED'[d]}{i:04d}" for i, (s, d) in enumerate(zip(sea, directions, strict=True))]
        )
        if n
        else np.zeros((0, 6), np.uint8),
    )


def service_rows(plan: Timetable, where: Places, span: Horizon) -> pa.Table:
    """Rows of `services`: each service as scheduled, known 30 days before, and as it went, known when it had."""
    n = len(plan.post)
    slot, day = np.divmod(np.arange(n * (span.days + 1)), span.days + 1)
    scheduled = span.moment(day, plan.second[slot])
    delay = plan.delay[slot, day].astype(np.int64)
    cancelled = plan.cancelled[slot, day]
    gone = np.where(cancelled, scheduled - 6 * 3600, scheduled + delay)
    estimate = scheduled + np.maximum(delay, 0) // 900 * 900
    past = gone < span.now
    twice = np.concatenate([np.arange(len(slot)), np.flatnonzero(past)])
    final = np.arange(len(twice)) >= len(slot)
    slot, day = slot[twice], day[twice]
    every = np.ones(len(twice), dtype=bool)
    return pa.table(
        {
            "service": plan.names(slot, day, span.stamps(), every),
            "post": chosen(plan.post[slot], [p.post for p in where.posts]),
            "direction": chosen(plan.direction[slot], DIRECTIONS),
            "mode": chosen(where.mode[plan.post[slot]], ("air", "sea", "land")),
            "estimated_at": instants(estimate[twice], final),
            "actual_at": instants(gone[twice], final & ~cancelled[twice]),
            "seats": numbers(plan.seats[slot], pa.int64()),
            "origin": chosen(plan.origin[slot], (*_AIRPORTS, *_PORTS)),
            "cancelled": numbers(final & cancelled[twice], pa.bool_()),
            "happened_at": instants(scheduled[twice]),
            "known_at": instants(np.where(final, gone[twice], scheduled[twice] - 30 * 86_400)),
        }
    )

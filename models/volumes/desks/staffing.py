"""From a forecast to officers: booths per hour that keep a promised wait, what the promise costs, shifts that cover it.

The promise is kept in an hour if, at the chosen quantile of the forecast, the promised share of those who come then
wait no longer than promised. It is tried out on sample paths (`queue`), so a hall that is still full from the hour
before, and a flight that lands at five to the hour, count as they would.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from scipy.optimize import linprog

from models.volumes.desks.queue import Service, Travellers, steady_booths, travellers, waits
from records.errors import BadInput

SATURATION = 48.0
"""Travellers an open booth-hour, above which average waits passed 20 to 30 minutes at 16 public passport halls."""
CERTAINTIES = (0.5, 0.8, 0.9, 0.95)
"""Quantiles of the forecast at which the cost of a promise is told."""


@dataclass(frozen=True)
class Promise:
    """`share` of travellers wait at most `minutes`, at the `quantile` of the forecast."""

    minutes: float = 15.0
    share: float = 0.95
    quantile: float = 0.8

    def __post_init__(self) -> None:
        if self.minutes < 0 or not 0 < self.share < 1 or not 0 < self.quantile < 1:
            raise BadInput(f"A promise names minutes, a share and a quantile between 0 and 1; this one is {self}.")


@dataclass(frozen=True)
class Plan:
    """Booths (H,) to open, and what comes of them at the promised quantile of the forecast: the share in time, average
    and longest wait (H,). `kept` is False in hours in which even the most booths do not keep the promise;
    `share_in_time` of all travellers over all paths."""

    booths: np.ndarray
    in_time: np.ndarray
    average: np.ndarray
    longest: np.ndarray
    kept: np.ndarray
    share_in_time: float

    @property
    def booth_hours(self) -> int:
        return int(self.booths.sum())


@dataclass(frozen=True)
class Roster:
    """Officers (K,) who begin at hour `start` (K,) and stay `length` hours (K,); `on_duty` and `short` (H,) officers
    present, and missing against the need."""

    start: np.ndarray
    length: np.ndarray
    officers: np.ndarray
    on_duty: np.ndarray
    short: np.ndarray


def promise_curve(
    paths: np.ndarray,
    service: Service,
    promise: Promise,
    *,
    most: int,
    groups: np.ndarray | None = None,
    quantiles: Sequence[float],
    seed: int = 7,
) -> list[tuple[float, Plan]]:
    """What the promise costs: for each quantile of the forecast at which it may be kept, the booths that keep it on
    the same sample paths (P, H) of hourly arrivals, at most `most` in any hour. `booth_hours` against `share_in_time`
    is the curve."""
    who, counts = travellers(paths, service, groups, seed), np.atleast_2d(paths)
    return [(level, _booths_for(who, counts, service, replace(promise, quantile=level), most)) for level in quantiles]


def _booths_for(who: Travellers, counts: np.ndarray, service: Service, promise: Promise, most: int) -> Plan:
    """Begins with what a steady state would need, opens booths where the simulation breaks the promise, and closes
    those without which it still holds."""
    if most < 1:
        raise BadInput(f"A post needs at least one booth to staff, not {most}.")
    usual = np.quantile(counts, promise.quantile, axis=0)
    begin = [steady_booths(come, service, promise.minutes, promise.share, most) for come in usual]
    booths = np.array(begin, np.int64)

    def held(booths: np.ndarray) -> np.ndarray:
        share = waits(who, booths, promise.minutes).share_in_time
        return np.asarray(np.quantile(share, 1.0 - promise.quantile, axis=0, method="lower"))

    share = held(booths)
    while (short := (share < promise.share)).any():
        raised = booths + short
        # Where a booth more did not help, the line of this hour is served in the next.
        full = short & (booths >= most)
        raised[1:] += full[:-1]
        raised = np.minimum(raised, most)
        if (raised == booths).all():
            break
        before, booths = share, raised
        share = held(booths)
        stuck = short & (share <= before)
        booths[1:] = np.minimum(booths[1:] + stuck[:-1], most)
        if stuck.any():
            share = held(booths)
    booths = _spared(booths, np.minimum(share, promise.share), held, share >= promise.share)
    result = waits(who, booths, promise.minutes)
    in_time = held(booths)
    came = max(int(result.came.sum()), 1)
    return Plan(
        booths,
        in_time,
        np.quantile(result.average, promise.quantile, axis=0),
        np.quantile(result.maximum, promise.quantile, axis=0),
        in_time >= promise.share,
        1.0 - float(result.over.sum()) / came,
    )


APART = 6
"""Hours between booths that are tried for closing in one simulation: far enough that a line seldom reaches so far."""


def _spared(
    booths: np.ndarray, least: np.ndarray, held: Callable[[np.ndarray], np.ndarray], kept: np.ndarray
) -> np.ndarray:
    """Close booths, one an hour at a time, in hours that keep the promise, as long as no hour's share falls below the
    `least` (H,)."""
    hours = np.arange(len(booths))
    open_to_try = kept & (booths > 0)
    while open_to_try.any():
        for phase in range(APART):
            tried = open_to_try & (hours % APART == phase)
            hurt = np.flatnonzero(held(booths - tried) < least)
            # A closed booth hurts those who come later, and those of the hour before who are still in line.
            spare = tried & ~np.any((hours > hurt[:, None] - APART) & (hours <= hurt[:, None] + 1), axis=0)
            if len(hurt) and (held(booths - spare) < least).any():
                spare &= False
            booths = booths - spare
            open_to_try &= ~tried | spare
        open_to_try &= booths > 0
    return booths


def roster(
    need: np.ndarray, *, starts: Sequence[int], lengths: Sequence[int] = (8,), most: int | None = None
) -> Roster:
    """The fewest officer-hours that cover the officers needed in each hour (H,), in shifts that begin at one of the
    hours of the day in `starts` (hour 0 is a midnight) and stay one of `lengths` hours, at most `most` on duty at once.

    Every shift covers hours in one piece, so the linear programme has whole officers as its answer.
    """
    need = np.asarray(need, float)
    hours = len(need)
    shifts = [
        (begin, length)
        for begin in range(hours)
        for length in lengths
        if begin % 24 in set(starts) and begin + length <= hours
    ]
    if not shifts:
        raise BadInput(f"No shift of {tuple(lengths)} hours from {tuple(starts)} fits into {hours} hours.")
    begin, length = (np.array(column) for column in zip(*shifts, strict=True))
    at = np.arange(hours)[:, None]
    covers = ((at >= begin) & (at < begin + length)).astype(float)
    # A missing officer-hour costs more than any shift, so that hours stay short only where no shift reaches them.
    cost = np.concatenate([length, np.full(hours, 10.0 * max(lengths))])
    rows, bounds = [-np.hstack([covers, np.eye(hours)])], [-need]
    if most is not None:
        rows.append(np.hstack([covers, np.zeros((hours, hours))]))
        bounds.append(np.full(hours, float(most)))
    found = linprog(cost, A_ub=np.vstack(rows), b_ub=np.concatenate(bounds), method="highs-ds")
    if not found.success:
        raise BadInput(f"No roster was found for this need: {found.message}")
    officers = np.rint(found.x[: len(begin)]).astype(np.int64)
    used = officers > 0
    on_duty = (covers @ officers).astype(np.int64)
    short = np.maximum(np.ceil(need).astype(np.int64) - on_duty, 0)
    return Roster(begin[used], length[used], officers[used], on_duty, short)


def booths_within(
    quantiles: np.ndarray,
    levels: np.ndarray,
    total: int,
    *,
    rate: float = SATURATION,
    most: int | None = None,
    closed: np.ndarray | None = None,
) -> np.ndarray:
    """Spread `total` booth-hours over hours so that each runs the same risk of more than `rate` travellers a booth.

    Every hour is given the booths that its quantile (H, Q) at one common level asks for, the highest level that the
    total pays for; what rounding leaves over goes where a booth more lowers the load on it most. Beyond the outermost
    levels all hours grow, or shrink, alike. Hours that are `closed` (H,), because nothing is due and nobody ever came,
    get no booth: one booth in each of them would cost more than the few who might come.
    """
    ceiling = np.inf if most is None else most
    if closed is not None:
        quantiles = np.where(closed[:, None], 0.0, quantiles)

    def asked(level: float) -> np.ndarray:
        flows = np.array([np.interp(min(level, levels[-1]), levels, hour) for hour in quantiles])
        return np.asarray(flows * max(1.0 + level - levels[-1], 1.0) * min(level / levels[0], 1.0))

    def need(level: float) -> np.ndarray:
        return np.minimum(np.ceil(asked(level) / rate - 1e-9), ceiling)

    low, high = 0.0, float(levels[-1])
    while need(high).sum() <= total and high < 100.0:
        low, high = high, 2.0 * high
    for _ in range(50):
        middle = (low + high) / 2
        low, high = (middle, high) if need(middle).sum() <= total else (low, middle)
    booths = need(low).astype(np.int64)
    load = asked(high)
    left = total - int(booths.sum())
    for _ in range(max(left, 0)):
        open_to_more = (booths < ceiling) & (quantiles[:, -1] > 0)
        if not open_to_more.any():
            break
        place = int(np.argmax(np.where(open_to_more, load / np.maximum(booths, 0.5), -1.0)))
        booths[place] += 1
    return booths

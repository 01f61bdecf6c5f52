"""Waits before the booths of one post: Erlang's formula as a first approximation, a simulation as the truth.

Travellers come in groups (flights, ferries, coaches) that reach the hall over some minutes, wait in one line and are
served in the order in which they came. Booths open and close with the hour; a traveller at a booth that closes is still
served. What a traveller brings along, a moment of arrival and a time at the booth, is drawn once and for all plans, so
that two plans are compared on the same travellers and a further booth never makes anybody wait longer.

Minutes throughout; a time is minutes since the first hour began.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from features.compiling import compiled
from records.errors import BadInput

HOUR = 60.0
MINUTES_TRIED = (0.2, 0.25, 0.3, 0.36, 0.43, 0.5, 0.6, 0.7, 0.85, 1.0, 1.2, 1.5, 1.8)
SPREADS_TRIED = (10.0, 20.0, 40.0)


@dataclass(frozen=True)
class Service:
    """What a traveller takes: `minutes` at a booth on average with `spread` (standard deviation over mean, 1 is
    exponential), and the minutes over which a `group` reaches the hall. Records count more than the line: `walk`
    minutes of everybody, and `tail` minutes more of whoever takes longest to come to the end of it."""

    minutes: float = 1.25
    spread: float = 0.8
    group: float = 20.0
    walk: float = 0.0
    tail: float = 0.0

    def __post_init__(self) -> None:
        if not self.minutes > 0 or not self.spread > 0 or self.group < 0 or self.walk < 0:
            raise BadInput(f"A service takes more than no time and spreads by more than nothing; this one is {self}.")

    @property
    def rate(self) -> float:
        """Travellers that a booth serves in an hour when it never stands idle."""
        return HOUR / self.minutes


@dataclass(frozen=True)
class Travellers:
    """Those of P paths one after another, each path's in order of arrival: path p has rows start[p] to start[p + 1].

    `at` moments of arrival, `hour` the hour that they are counted in, `service` minutes at the booth.
    """

    start: np.ndarray  # (P + 1,)
    at: np.ndarray
    hour: np.ndarray
    service: np.ndarray
    hours: int


@dataclass(frozen=True)
class Waits:
    """Waits (P, H) in minutes of those who came in each hour, 0 where nobody came, how many came, and how many of
    them waited longer than the limit."""

    average: np.ndarray
    maximum: np.ndarray
    came: np.ndarray
    over: np.ndarray

    @property
    def share_in_time(self) -> np.ndarray:
        """Share (P, H) of travellers who waited no longer than the limit; 1 where nobody came."""
        return np.asarray(1.0 - self.over / np.maximum(self.came, 1))


def erlang_c(load: float, booths: int) -> float:
    """Probability that a traveller finds all booths taken, in a steady state of `load` (arrivals an hour times hours at
    a booth); 1 where the load is too much for the booths."""
    if load <= 0:
        return 0.0
    if load >= booths:
        return 1.0
    blocked = 1.0  # Erlang B, one booth after another
    for taken in range(1, booths + 1):
        blocked = load * blocked / (taken + load * blocked)
    return blocked / (1.0 - load / booths * (1.0 - blocked))


def steady_waits(arrivals: float, booths: int, service: Service, limit: float = 0.0) -> tuple[float, float]:
    """Average wait and share waiting longer than `limit`, in a steady state of single arrivals an hour.

    Exact for exponential times at the booth, else the approximation of Allen and Cunneen; infinite and 1 where the
    booths cannot serve all who come.
    """
    load = arrivals * service.minutes / HOUR
    if load >= booths:
        return (np.inf, 1.0) if load > 0 else (0.0, 0.0)
    waiting = erlang_c(load, booths)
    slack = (booths - load) / service.minutes * 2.0 / (1.0 + service.spread**2)
    return waiting / slack, waiting * float(np.exp(-slack * limit))


def steady_booths(arrivals: float, service: Service, limit: float, share: float, most: int) -> int:
    """Fewest booths with which `share` of travellers wait no longer than `limit`; `most` where none are enough."""
    least = int(arrivals * service.minutes / HOUR)
    for booths in range(min(least, most), most):
        if steady_waits(arrivals, booths, service, limit)[1] <= 1.0 - share:
            return booths
    return most


def travellers(counts: np.ndarray, service: Service, groups: np.ndarray | None = None, seed: int = 7) -> Travellers:
    """Draw the travellers of counts (P, H) of hourly arrivals.

    `groups` (H,) or (P, H) are the flights, ferries or coaches of each hour; where none are known (0 or None) they come
    one by one, evenly over the hour. BadInput for counts that are negative or missing.
    """
    counts = np.atleast_2d(np.asarray(counts, float))
    if not np.isfinite(counts).all() or (counts < 0).any():
        raise BadInput("Arrivals must be known and not below zero in every hour. Fill or leave out the hours before.")
    whole = np.rint(counts).astype(np.int64)
    hours = whole.shape[1]
    generator = np.random.default_rng(seed)
    cell = np.repeat(np.arange(whole.size), whole.ravel())
    hour = cell % hours
    within = generator.random(len(cell))
    if groups is not None:
        several = np.broadcast_to(np.asarray(groups, np.int64), whole.shape).ravel()
        first = np.concatenate([[0], np.cumsum(np.maximum(several, 1))])
        landed = generator.random(first[-1])
        member = np.minimum((generator.random(len(cell)) * several[cell]).astype(np.int64), several[cell] - 1)
        together = landed[first[cell] + np.maximum(member, 0)] + within * service.group / HOUR
        within = np.where(several[cell] > 0, together, within)
    at = HOUR * (hour + within)
    shape = service.spread**-2
    needs = generator.gamma(shape, service.minutes / shape, len(cell))
    path = cell // hours
    order = np.lexsort((at, path))
    start = np.concatenate([[0], np.cumsum(whole.sum(axis=1))])
    return Travellers(start, at[order], hour[order], needs, hours)


def waits(who: Travellers, booths: Sequence[int] | np.ndarray, limit: float = 0.0) -> Waits:
    """Waits with `booths` (H,) open in each hour. After the last hour the most booths of the plan stay open until
    nobody waits; a plan without any booth opens one then."""
    open_booths = np.asarray(booths, np.int64)
    if open_booths.shape != (who.hours,) or (open_booths < 0).any():
        raise BadInput(f"A plan names booths for each of {who.hours} hours, not below zero; this one is {booths}.")
    average, maximum, came, over = _serve(
        who.start, who.at, who.hour, who.service, open_booths, _next_open(open_booths), limit
    )
    return Waits(average / np.maximum(came, 1), maximum, came, over)


def fitted_service(
    counts: np.ndarray,
    booths: np.ndarray,
    average: np.ndarray,
    groups: np.ndarray | None = None,
    longest: np.ndarray | None = None,
    *,
    minutes: Sequence[float] = MINUTES_TRIED,
    spreads: Sequence[float] = SPREADS_TRIED,
    seed: int = 7,
) -> Service:
    """The service whose simulated waits are nearest to recorded averages (H,), NaN where none was recorded.

    `counts`, `booths` and `groups` (H,) are of the same past hours. Of every pair of minutes at the booth and minutes
    over which a group arrives, the walk is the middle gap between recorded and simulated waits, and the pair with the
    least mean absolute error is taken; the tail is the middle of what then lacks to the recorded `longest` waits (H,),
    where these are given. BadInput where fewer than 50 hours have a recorded wait.
    """
    recorded = np.isfinite(average) & (counts > 0)
    if recorded.sum() < 50:
        raise BadInput(
            f"Only {recorded.sum()} hours have a recorded wait; a service time needs 50 of them to be learnt."
        )
    best, least = Service(), np.inf
    for taken in minutes:
        for spread in spreads if groups is not None else spreads[:1]:
            tried = Service(taken, group=spread)
            simulated = waits(travellers(counts, tried, groups, seed), booths)
            gap = (average - simulated.average[0])[recorded]
            walk = max(float(np.median(gap)), 0.0)
            if (error := float(np.abs(gap - walk).mean())) < least:
                lacks = 0.0 if longest is None else np.median((longest - simulated.maximum[0])[recorded]) - walk
                best, least = replace(tried, walk=walk, tail=max(float(lacks), 0.0)), error
    return best


def _next_open(booths: np.ndarray) -> np.ndarray:
    """For each booth and hour (B, H + 1): the first hour from then on in which the booth is open, H after the last."""
    most, hours = max(int(booths.max(initial=0)), 1), len(booths)
    following = np.full((most, hours + 1), hours)
    for hour in range(hours - 1, -1, -1):
        following[:, hour] = np.where(np.arange(most) < booths[hour], hour, following[:, hour + 1])
    return following


@compiled
def _serve(
    start: np.ndarray,
    at: np.ndarray,
    hour: np.ndarray,
    service: np.ndarray,
    booths: np.ndarray,
    next_open: np.ndarray,
    limit: float,
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    paths, hours = len(start) - 1, len(booths)
    total, longest = np.zeros((paths, hours)), np.zeros((paths, hours))
    came, over = np.zeros((paths, hours), np.int64), np.zeros((paths, hours), np.int64)
    free = np.empty(len(next_open))
    for path in range(paths):
        free[:] = 0.0
        for row in range(start[path], start[path + 1]):
            begins, chosen = np.inf, 0
            for booth in range(len(free)):
                ready = max(at[row], free[booth])
                now = min(int(ready / 60.0), hours)
                opens = next_open[booth, now]
                if opens > now:
                    ready = opens * 60.0
                if ready < begins:
                    begins, chosen = ready, booth
                    if begins <= at[row]:
                        break
            free[chosen] = begins + service[row]
            wait, cell = begins - at[row], hour[row]
            total[path, cell] += wait
            longest[path, cell] = max(longest[path, cell], wait)
            came[path, cell] += 1
            over[path, cell] += wait > limit
    return total, longest, came, over

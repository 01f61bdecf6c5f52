"""Alarms: which flow left its forecast, since when, how unusual that is, and what became of it.

An alarm is raised by a chart (a flow changed) or by silence (its feed broke); a person acknowledges it, says what
explains it, or closes it. While it stands, the same flow raises no second one.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from enum import StrEnum

import numpy as np

from records.errors import BadInput


class Kind(StrEnum):
    FLOW = "flow"  # counts came, and are not what was forecast
    FEED = "feed"  # nothing came from where something always comes


class State(StrEnum):
    RAISED = "raised"
    ACKNOWLEDGED = "acknowledged"
    EXPLAINED = "explained"
    CLOSED = "closed"


_NEXT: Mapping[State, tuple[State, ...]] = {
    State.RAISED: (State.ACKNOWLEDGED, State.EXPLAINED, State.CLOSED),
    State.ACKNOWLEDGED: (State.EXPLAINED, State.CLOSED),
    State.EXPLAINED: (State.CLOSED,),
    State.CLOSED: (),
}


@dataclass(frozen=True)
class Alarm:
    """`came` and `expected` are sums over the days from `since` to `until`; `years` is how long a flow like this goes,
    on average, without a path as high as this one's. A feed alarm has no years."""

    flow: str
    kind: Kind
    since: date
    raised_on: date
    until: date
    came: float
    expected: float
    years: float | None = None
    state: State = State.RAISED
    by: str | None = None
    note: str | None = None

    @property
    def change(self) -> float:
        """Share by which what came differs from what was expected; -1 is nothing at all."""
        return self.came / self.expected - 1.0 if self.expected > 0 else 0.0

    @property
    def can_become(self) -> tuple[State, ...]:
        """What a person may still make of it."""
        return _NEXT[self.state]

    def become(self, state: State, by: str, note: str | None = None) -> "Alarm":
        """The alarm after a person's word. BadInput where it cannot become that, or an explanation has no words."""
        if state not in self.can_become:
            able = ", ".join(self.can_become) or "nothing more"
            raise BadInput(f"The alarm on {self.flow} is {self.state}; it cannot become {state}. It can become {able}.")
        if state is State.EXPLAINED and not (note or "").strip():
            raise BadInput("An explained alarm needs its explanation, for whoever reads the figures of that day later.")
        return replace(self, state=state, by=by, note=note or self.note)


@dataclass(frozen=True)
class Judged:
    """What alarms are made of, for S flows and N days from `first_day` on: counts (S, N) with NaN where missing, the
    medians (S, N) they were held against, the chart (S, N, 2) and its limit (N,), and silent days (S, N)."""

    flows: tuple[str, ...]
    first_day: date
    counts: np.ndarray
    expected: np.ndarray
    chart: np.ndarray
    limit: np.ndarray
    silent: np.ndarray


def advance(open_alarms: Sequence[Alarm], judged: Judged, day: int) -> tuple[Alarm, ...]:
    """The alarms after one day: those that stand, brought up to date or closed, and new ones, feeds before flows.

    A flow alarm that nobody took up closes by itself when its path has come back to half the limit; one that a person
    took up stays until a person closes it. A feed alarm closes when something comes.
    """
    row = {flow: i for i, flow in enumerate(judged.flows)}
    after = [_updated(alarm, judged, row[alarm.flow], day) for alarm in open_alarms if alarm.flow in row]
    after += [alarm for alarm in open_alarms if alarm.flow not in row]
    standing = {(alarm.flow, alarm.kind) for alarm in after if alarm.state is not State.CLOSED}
    for flow, i in row.items():
        over = judged.chart[i, day].max() > judged.limit[day] and np.isfinite(judged.counts[i, day])
        if judged.silent[i, day] and (flow, Kind.FEED) not in standing:
            after.append(_raised(judged, i, day, Kind.FEED))
        elif over and (flow, Kind.FLOW) not in standing and not judged.silent[i, day]:
            after.append(_raised(judged, i, day, Kind.FLOW))
    return tuple(sorted(after, key=lambda alarm: (alarm.kind is Kind.FLOW, alarm.flow, alarm.raised_on)))


def why(alarm: Alarm) -> str:
    """The key of the sentence that says why; serving fills in the alarm's values, in three languages."""
    if alarm.kind is Kind.FEED:
        return "warning.feed"
    return "warning.more" if alarm.came >= alarm.expected else "warning.fewer"


def _raised(judged: Judged, row: int, day: int, kind: Kind) -> Alarm:
    first = np.datetime64(judged.first_day)
    begin = day if kind is Kind.FEED else _began(judged.chart[row, : day + 1])
    came, expected = _sums(judged, row, begin, day, kind)
    return Alarm(
        flow=judged.flows[row],
        kind=kind,
        since=(first + begin).item(),
        raised_on=(first + day).item(),
        until=(first + day).item(),
        came=came,
        expected=expected,
        years=None if kind is Kind.FEED else _years(judged, row, day),
    )


def _updated(alarm: Alarm, judged: Judged, row: int, day: int) -> Alarm:
    if alarm.state is State.CLOSED:
        return alarm
    first = np.datetime64(judged.first_day)
    begin = int((np.datetime64(alarm.since) - first).astype(int))
    if alarm.kind is Kind.FEED:
        over = not judged.silent[row, day] and bool(np.isfinite(judged.counts[row, day]))
        if over:
            return replace(alarm, state=State.CLOSED)
    elif alarm.state is State.RAISED and judged.chart[row, day].max() <= judged.limit[day] / 2:
        return replace(alarm, state=State.CLOSED)
    came, expected = _sums(judged, row, max(begin, 0), day, alarm.kind)
    return replace(alarm, until=(first + day).item(), came=came, expected=expected)


def _began(chart: np.ndarray) -> int:
    """The first day of the present rise: the day after the higher path last stood at zero."""
    side = int(chart[-1].argmax())
    zero = np.flatnonzero(chart[:, side] == 0)
    return int(zero[-1]) + 1 if len(zero) else 0


def _sums(judged: Judged, row: int, begin: int, day: int, kind: Kind) -> tuple[float, float]:
    days = slice(begin, day + 1)
    counts, expected = judged.counts[row, days], judged.expected[row, days]
    if kind is Kind.FEED:
        return 0.0, float(np.nansum(expected))
    both = np.isfinite(counts) & np.isfinite(expected)
    return float(counts[both].sum()), float(expected[both].sum())


def _years(judged: Judged, row: int, day: int) -> float:
    """Years of one flow between paths as high: judged years so far over how often paths rose to this height."""
    height = judged.chart[row, day].max()
    past = judged.chart[:, :day].max(axis=2)
    rises = int(((past[:, 1:] >= height) & (past[:, :-1] < height)).sum())
    years = float(np.isfinite(judged.counts[:, :day]).sum()) / 365.0
    return years / (rises + 1.0)

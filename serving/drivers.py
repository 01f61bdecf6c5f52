"""What drives scores: how much each group of reasons moves them, by place and day, and how that drifts.

Counted from samples of all assessed events of a day under one model, checked or not, so that two weeks differ by who
came and not by a new model. No person can be read from it: only sums are kept, and a place with fewer than LEAST
assessed events in a week shows none.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import date, timedelta
from zoneinfo import ZoneInfo

import sqlalchemy as sa

from serving.assessment import Assessment
from serving.store import drivers as table
from serving.store import insert_new

LEAST = 20  # assessed events of a place in the week
DAY, WEEK, MONTH = timedelta(days=1), timedelta(days=7), timedelta(days=28)


@dataclass(frozen=True)
class Drivers:
    """`events` assessed, and by group the log-odds by which it raised and lowered them, in all, and was first."""

    events: int = 0
    raised: Mapping[str, float] = field(default_factory=dict)
    lowered: Mapping[str, float] = field(default_factory=dict)
    first: Mapping[str, int] = field(default_factory=dict)

    @property
    def shares(self) -> dict[str, float]:
        """Each group's share of all that moved scores, the largest first."""
        groups = sorted({*self.raised, *self.lowered})
        moved = {group: self.raised.get(group, 0.0) + self.lowered.get(group, 0.0) for group in groups}
        total = sum(moved.values())
        return {g: moved[g] / total for g in sorted(groups, key=lambda g: -moved[g])} if total else {}

    def raised_share(self, group: str) -> float:
        """Of what a group moved, the share that raised scores."""
        up, down = self.raised.get(group, 0.0), self.lowered.get(group, 0.0)
        return up / (up + down) if up + down else 0.0


def drivers(assessed: Iterable[Assessment]) -> Drivers:
    """What drove the scores of these."""
    events = 0
    raised: dict[str, float] = {}
    lowered: dict[str, float] = {}
    first: dict[str, int] = {}
    for assessment in assessed:
        if assessment.raw is None:
            continue
        events += 1
        for n, reason in enumerate(assessment.reasons):
            way = raised if reason.push > 0 else lowered
            way[reason.group] = way.get(reason.group, 0.0) + abs(reason.push)
            first[reason.group] = first.get(reason.group, 0) + (n == 0)
    return Drivers(events, raised, lowered, first)


def together(each: Iterable[Drivers]) -> Drivers:
    """The sum of several."""
    parts = list(each)

    def summed(ways: Sequence[Mapping[str, float]]) -> dict[str, float]:
        return {g: sum(way.get(g, 0) for way in ways) for g in sorted({g for way in ways for g in way})}

    return Drivers(
        sum(p.events for p in parts),
        summed([p.raised for p in parts]),
        summed([p.lowered for p in parts]),
        {g: int(n) for g, n in summed([p.first for p in parts]).items()},
    )


@dataclass(frozen=True)
class Week:
    """The seven days up to and including `last`, and the 28 before them, under one model."""

    last: date
    model: str
    now: Drivers
    before: Drivers
    places: Mapping[str, Drivers]  # of the week, with LEAST events or more, the busiest first
    few: int  # places with fewer


def save(
    connection: sa.Connection,
    event_kind: str,
    model: str,
    assessed: Iterable[Assessment],
    days: Sequence[date],
    *,
    zone: str,
) -> int:
    """Keep what drove the scores of `days`, once per model, those without events too; how many rows were new."""
    local = ZoneInfo(zone)
    gathered: dict[tuple[date, str], list[Assessment]] = {(day, ""): [] for day in days}
    for assessment in assessed:
        day = assessment.happened_at.astimezone(local).date()
        gathered.setdefault((day, assessment.place or ""), []).append(assessment)
    rows = [
        {"event_kind": event_kind, "model": model, "day": day, "place": place, "body": asdict(drivers(each))}
        for (day, place), each in gathered.items()
    ]
    return insert_new(connection, table, rows)


def days_kept(connection: sa.Connection, event_kind: str, model: str) -> set[date]:
    d = table.c
    return set(connection.scalars(sa.select(d.day).where(d.event_kind == event_kind, d.model == model).distinct()))


def newest_week(connection: sa.Connection, event_kind: str, model: str) -> Week | None:
    """The newest week that was counted for `model`; None while there is none."""
    d = table.c
    mine = sa.and_(d.event_kind == event_kind, d.model == model)
    last = connection.scalar(sa.select(sa.func.max(d.day)).where(mine))
    if last is None:
        return None
    begins = last - WEEK
    asked = sa.select(d.day, d.place, d.body).where(mine, d.day > begins - MONTH, d.day <= last)
    rows = [(day, place, Drivers(**body)) for day, place, body in connection.execute(asked)]
    found = {p: together(x for day, q, x in rows if q == p and day > begins) for p in {p for _, p, _ in rows}}
    shown = [place for place, each in found.items() if place and each.events >= LEAST]
    return Week(
        last,
        model,
        together(x for day, _, x in rows if day > begins),
        together(x for day, _, x in rows if day <= begins),
        {place: found[place] for place in sorted(shown, key=lambda p: (-found[p].events, p))},
        sum(0 < each.events < LEAST for each in found.values()),
    )

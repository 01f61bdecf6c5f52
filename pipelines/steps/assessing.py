"""Assess one day: features, scores, rules, proposals; random control drawn; stored for serving and for the lake."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, timedelta

import pyarrow as pa
import pyarrow.compute as pc

from features.spine import crossing_spine, permit_spine
from pipelines.steps.building import assessable
from pipelines.steps.moments import day_bounds, newest_day
from records.lake import Lake
from records.settings import Settings
from risk_rules.rule import PURPOSES
from serving import dossiers, shifts, store
from serving.accounts import engine_actor
from serving.assessment import Assessment
from serving.house import House, open_house
from serving.live import assess_spine
from serving.outbox import queue_selections
from serving.selection import select, shift_of
from serving.shifts import ToPlan
from serving.store import writing

LOOK_BACK_DAYS = 28
EXPLORED_SINCE = timedelta(days=365)
Say = Callable[[str], None]


@dataclass(frozen=True)
class DayAssessed:
    """What was assessed of one day for one purpose, after the shifts gave their checks away."""

    day: date
    purpose: str
    assessments: tuple[Assessment, ...]

    @property
    def not_scored(self) -> Counter[str]:
        return Counter(a.why_not for a in self.assessments if a.why_not is not None)


def assess_day(settings: Settings, purpose: str, say: Say, day: date | None = None) -> DayAssessed:
    """Assess every crossing (or permit that falls due) of `day`, the newest the lake holds if not named, and store it.

    Doing it again with the same knowledge, model and rules changes nothing.
    """
    lake, house = Lake.open(settings.lake), open_house(settings)
    day = day or newest_day(lake, settings.zone)
    start, end = day_bounds(day, settings.zone)
    crossing = PURPOSES[purpose] == "crossing"
    spine = crossing_spine(lake, start, end) if crossing else permit_spine(lake, start, end)
    say(f"{purpose}: {spine.num_rows:,} {'crossings' if crossing else 'permits'} of {day}")
    assessed = assess_spine(
        lake,
        spine,
        purpose=purpose,
        model=house.champion(purpose),
        rulebook=house.rulebook,
        protection=house.protection,
        mode=settings.mode.value,
    )
    if crossing:
        assessed = _selected(lake, house, assessed, day)
    with house.engine.connect() as connection:
        stored = store.stored(connection, [a.id for a in assessed])
    made = dossiers.of_decided(house, [a for a in assessed if a.id not in stored])
    actor = engine_actor(house.engine, settings.keys)
    with writing(house.engine) as connection:
        store.save_assessments(connection, assessed, zone=settings.zone)
        queue_selections(connection, assessed)
        dossiers.freeze(connection, actor, made)
    return DayAssessed(day, purpose, tuple(assessed))


def _selected(lake: Lake, house: House, assessed: list[Assessment], day: date) -> list[Assessment]:
    """Plan the day's shifts as they would have been planned before it, then let each give its checks away."""
    wanted = sorted({key for a in assessed if (key := shift_of(a))})
    expected = _expected(lake, day, house.settings.zone)
    capacity = {
        row["post"]: row["checks_per_shift"] for row in lake.read("posts", ["post", "checks_per_shift"]).to_pylist()
    }
    to_plan = [
        ToPlan(post, shift, capacity.get(post) or 0, expected.get((post, _part(shift)), 1.0)) for post, shift in wanted
    ]
    actor = engine_actor(house.engine, house.settings.keys)
    with writing(house.engine) as connection:
        shifts.publish(connection, actor, shifts.over(connection, day))
        planned = shifts.plan_shifts(connection, actor, to_plan)
    explored = _explored(lake, day, house.settings.zone) if house.settings.explore else None
    return select(assessed, planned, house.rulebook.ladder, explored)


def _explored(lake: Lake, day: date, zone: str) -> dict[str, int]:
    """How often each subject was explored in the year before `day` began."""
    start, _ = day_bounds(day, zone)
    rows = lake.as_known("selections", start, ["subject", "why", "as_of"])
    recent = pc.greater_equal(rows["as_of"], pa.scalar(start - EXPLORED_SINCE, pa.timestamp("us", tz="UTC")))
    counted = pc.value_counts(rows.filter(pc.and_(recent, pc.equal(rows["why"], "exploration")))["subject"])
    return {each["values"]: each["counts"] for each in counted.to_pylist()}


def _expected(lake: Lake, day: date, zone: str) -> dict[tuple[str, str], float]:
    """Assessable events per post and part of day, on average over the four weeks known before `day` began."""
    start, _ = day_bounds(day, zone)
    columns = ["kind", "post", "shift", "regime", "under_18", "happened_at"]
    rows = lake.as_known("crossings", start, columns)
    since = start - timedelta(days=LOOK_BACK_DAYS)
    kept = pc.and_(pc.equal(rows["kind"], "actual"), _between(rows["happened_at"], since, start))
    rows = assessable(rows.filter(kept))
    pairs = zip(rows["post"].to_pylist(), rows["shift"].to_pylist(), strict=True)
    counted = Counter((post, _part(shift)) for post, shift in pairs if shift is not None)
    return {key: count / LOOK_BACK_DAYS for key, count in counted.items()}


def _between(column: pa.ChunkedArray, start: datetime, end: datetime) -> pa.ChunkedArray:
    first, last = (pa.scalar(m, pa.timestamp("us", tz="UTC")) for m in (start, end))
    return pc.and_(pc.greater_equal(column, first), pc.less(column, last))


def _part(shift: str) -> str:
    """The part of the day of a shift, whatever its day."""
    return shift.rpartition("-")[2]

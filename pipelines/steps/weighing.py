"""What drives scores, day by day, under the model that is champion now: a bounded sample of each of the last weeks."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Collection
from datetime import date, timedelta
from zoneinfo import ZoneInfo

import pyarrow as pa

from features.spine import crossing_spine, permit_spine
from pipelines.steps.moments import day_bounds, newest_day
from records.lake import Lake
from records.settings import Settings
from risk_rules.rule import PURPOSES
from serving import drivers
from serving.assessment import Assessment
from serving.drivers import Week
from serving.house import House, open_house
from serving.live import assess_spine
from serving.store import writing

PER_DAY = 500  # events of a day that are explained for this, at most; nothing of them is stored but sums
Say = Callable[[str], None]


def weigh(settings: Settings, purpose: str, say: Say) -> Week | None:
    """Count what drove the scores of the newest week and the month before it; None where no model is champion.

    Days that were counted are not counted again. A new champion is counted over all five weeks, so that a drift never
    comes from a change of model.
    """
    house, kind = open_house(settings), PURPOSES[purpose]
    model = house.champion(purpose)
    if model is None:
        return None
    lake = Lake.open(settings.lake)
    last = newest_day(lake, settings.zone)
    with house.engine.connect() as connection:
        kept = drivers.days_kept(connection, kind, model.hash)
    wanted = [last - timedelta(days=n) for n in range((drivers.WEEK + drivers.MONTH).days)]
    days = sorted(day for day in wanted if day not in kept)
    if days:
        assessed = _assessed(lake, house, purpose, days, say)
        with writing(house.engine) as connection:
            drivers.save(connection, kind, model.hash, assessed, days, zone=settings.zone)
    with house.engine.connect() as connection:
        return drivers.newest_week(connection, kind, model.hash)


def _assessed(lake: Lake, house: House, purpose: str, days: list[date], say: Say) -> list[Assessment]:
    zone, crossing = house.settings.zone, PURPOSES[purpose] == "crossing"
    start, end = day_bounds(days[0], zone)[0], day_bounds(days[-1], zone)[1]
    spine = crossing_spine(lake, start, end) if crossing else permit_spine(lake, start, end)
    spine = _drawn(spine, "happened_at" if crossing else "as_of", days, zone)
    say(f"{purpose}: what drove {spine.num_rows:,} scores of {len(days)} days")
    return assess_spine(
        lake,
        spine,
        purpose=purpose,
        model=house.champion(purpose),
        rulebook=house.rulebook,
        protection=house.protection,
        mode=house.settings.mode.value,
    )


def _drawn(spine: pa.Table, moment: str, days: Collection[date], zone: str) -> pa.Table:
    """At most PER_DAY events of each of `days`, by the hash of their number: the same ones whenever it is asked."""
    local = ZoneInfo(zone)
    by_day: dict[date, list[tuple[int, int]]] = {day: [] for day in days}
    for row, (at, event) in enumerate(zip(spine[moment].to_pylist(), spine["event"].to_pylist(), strict=True)):
        if (day := at.astimezone(local).date()) in by_day:
            by_day[day].append((zlib.crc32(event.encode()), row))
    return spine.take(sorted(row for each in by_day.values() for _, row in sorted(each)[:PER_DAY]))

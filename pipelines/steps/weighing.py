"""What drives scores, day by day, under the model that is champion now: a bounded sample of each of the last weeks."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date, timedelta
from zoneinfo import ZoneInfo

import pyarrow as pa
import pyarrow.compute as pc

from features.spine import crossing_spine, permit_spine
from models.risk.model import RiskModel
from pipelines.steps.moments import day_bounds, newest_day
from pipelines.steps.sampling import drawn
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
        assessed = _assessed(lake, house, purpose, model, days, say)
        with writing(house.engine) as connection:
            drivers.save(connection, kind, model.hash, assessed, days, zone=settings.zone)
    with house.engine.connect() as connection:
        return drivers.newest_week(connection, kind, model.hash)


def _assessed(
    lake: Lake, house: House, purpose: str, model: RiskModel, days: Sequence[date], say: Say
) -> list[Assessment]:
    zone, crossing = house.settings.zone, PURPOSES[purpose] == "crossing"
    start, end = day_bounds(days[0], zone)[0], day_bounds(days[-1], zone)[1]
    spine = crossing_spine(lake, start, end) if crossing else permit_spine(lake, start, end)
    spine = of_each_day(spine, "happened_at" if crossing else "as_of", days, zone)
    say(f"{purpose}: what drove {spine.num_rows:,} scores of {len(days)} days")
    return assess_spine(
        lake,
        spine,
        purpose=purpose,
        model=model,
        rulebook=house.rulebook,
        protection=house.protection,
        mode=house.settings.mode.value,
    )


def of_each_day(spine: pa.Table, moment: str, days: Sequence[date], zone: str) -> pa.Table:
    """At most PER_DAY events of each of `days`, by the local day of their `moment`."""
    local = ZoneInfo(zone)
    on = pa.array([at.astimezone(local).date() for at in spine[moment].to_pylist()], pa.date32())
    return pa.concat_tables(drawn(spine.filter(pc.equal(on, pa.scalar(day))), PER_DAY) for day in days)

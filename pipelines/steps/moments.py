"""The moments a run is about: until when the lake knows, and which local day is its newest."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pyarrow.compute as pc

from records.errors import BadInput
from records.lake import Lake


def known_until(lake: Lake) -> datetime:
    """When the lake last learnt of a crossing that took place. BadInput where it knows of none."""
    rows = lake.read("crossings", ["kind", "known_at"])
    latest: datetime | None = pc.max(rows.filter(pc.equal(rows["kind"], "actual"))["known_at"]).as_py()
    if latest is None:
        raise BadInput("The lake holds no crossings yet. Take some in first: basira ingest FILE --table crossings.")
    return min(latest, datetime.now(UTC))


def newest_day(lake: Lake, zone: str) -> date:
    """The last local day on which a crossing took place. BadInput where the lake knows of none."""
    rows = lake.read("crossings", ["kind", "happened_at"])
    latest: datetime | None = pc.max(rows.filter(pc.equal(rows["kind"], "actual"))["happened_at"]).as_py()
    if latest is None:
        raise BadInput("The lake holds no crossings yet. Take some in first: basira ingest FILE --table crossings.")
    return latest.astimezone(ZoneInfo(zone)).date()


def day_bounds(day: date, zone: str) -> tuple[datetime, datetime]:
    """The local day as an interval of instants, end exclusive."""
    start = datetime.combine(day, time(), ZoneInfo(zone))
    end = datetime.combine(day + timedelta(days=1), time(), ZoneInfo(zone))
    return start.astimezone(UTC), end.astimezone(UTC)

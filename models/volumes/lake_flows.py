"""Entries and exits per post and day from the lake, as the authority knew them at one moment, and their forecast."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Protocol
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from models.volumes.forecast import FlowForecast, forecast
from models.volumes.options import Options
from models.volumes.panel import Note
from models.volumes.pool import Pool
from models.volumes.rhythm import COLUMNS
from models.volumes.rolling import Progress
from records.errors import BadInput

COMPLETE = 0.98
"""Share of a day's records that must usually have come by now for its count to be believed."""
ALWAYS_REPORTS = 0.95
"""Share of the last eight weeks with crossings that makes a silent day a fault of the feed."""
LOOK_BACK_DAYS = 56
BUSY = 5.0
"""Crossings a day under which a silent day proves nothing."""


class Counted(Protocol):
    """What is read of the lake: the version of each row that was known at a moment."""

    def as_known(self, table: str, at: datetime, columns: Sequence[str] | None = None) -> pa.Table: ...


@dataclass(frozen=True)
class LakeForecast:
    """`forecasts` has unique_id, post, direction, cutoff, ds, closed, mean, q0.01 … q0.99; `feed_alarms` has post,
    direction and the silent day ds."""

    flows: FlowForecast
    forecasts: pa.Table
    feed_alarms: pa.Table


def forecast_lake(
    lake: Counted,
    as_of: datetime,
    *,
    horizon: int = 14,
    zone: str = "Africa/Tunis",
    countries: tuple[str, ...] = ("TN",),
    progress: Progress | None = None,
    stored: Pool | None = None,
) -> LakeForecast:
    """Daily entries and exits per post for the `horizon` days from the day of `as_of` on.

    Counts are of actual crossings whose record was known at as_of. A day that an announced closure covers whole is
    forecast as zero, and past ones teach nothing. A `stored` pool is taken as it is. BadInput where the lake held no
    crossings then.
    """
    counts, alarms, notes = daily_counts(lake, as_of, zone)
    cutoff = np.datetime64(_local_day(as_of, zone)) - 1
    options = Options("D", horizon, cutoffs=(str(cutoff),), holidays=countries, hierarchy=("post", "direction"))
    flows = forecast(counts, options, progress, stored=stored)
    flows = replace(flows, notes=flows.notes + notes)
    return LakeForecast(flows, _with_closures(flows.forecasts, closed_days(lake, as_of, zone)), alarms)


def daily_counts(lake: Counted, as_of: datetime, zone: str) -> tuple[pd.DataFrame, pa.Table, tuple[Note, ...]]:
    """A long table of whole days before as_of (unique_id, ds, y, post, direction), feed alarms, and notes.

    A day without a record counts 0, but is missing (null) where the post was shut, where records of such recent days
    have usually not all come, or where a place that always reports fell silent: those are the alarms.
    """
    rows = lake.as_known("crossings", as_of, ["kind", "post", "direction", "happened_at", "known_at"])
    rows = rows.filter(pc.equal(rows["kind"], "actual"))
    today = np.datetime64(_local_day(as_of, zone))
    day = local_days(rows["happened_at"], zone)
    before = day < today
    if not before.any():
        raise BadInput(f"The lake knew of no crossing before {today}. Ingest crossings, or choose a later moment.")
    day, rows = day[before], rows.filter(pa.array(before))
    series = pd.MultiIndex.from_arrays([rows["post"].to_numpy(False), rows["direction"].to_numpy(False)])
    codes, places = pd.factorize(series, sort=True)
    first_day = day.min()
    shape = (len(places), int((today - first_day).astype(int)))
    counts = np.zeros(shape)
    np.add.at(counts, (codes, (day - first_day).astype(int)), 1.0)

    believed = _complete_days(rows["known_at"], day, as_of, zone, first_day=first_day, length=shape[1])
    shut = closed_days(lake, as_of, zone)
    days = first_day + np.arange(shape[1])
    parts, alarms = [], []
    for place, (post, direction) in enumerate(places):
        y = counts[place].copy()
        begun = int(np.argmax(y > 0))
        y[np.isin(days, shut.get(post, np.empty(0, "datetime64[D]")))] = np.nan
        y[~believed] = np.nan
        silent = _silent(y, begun)
        alarms += [(post, direction, when) for when in days[silent]]
        y[silent] = np.nan
        name = f"{post}|{direction}"
        parts.append(
            pd.DataFrame({"unique_id": name, "ds": days[begun:], "y": y[begun:], "post": post, "direction": direction})
        )
    notes = tuple(
        Note("", f"{when}: its records have not all come, so its counts are taken as missing")
        for when in days[~believed]
    )
    return pd.concat(parts, ignore_index=True), _alarm_table(alarms), notes


def closed_days(lake: Counted, as_of: datetime, zone: str) -> dict[str, np.ndarray]:
    """Local days (datetime64[D]) that a closure known at as_of covers whole, by post."""
    rows = lake.as_known("closures", as_of, ["place", "place_kind", "kind", "happened_at", "until_at"])
    rows = rows.filter(pc.and_(pc.equal(rows["place_kind"], "post"), pc.equal(rows["kind"], "closed")))
    horizon_end = np.datetime64(_local_day(as_of, zone)) + 400
    shut: dict[str, list[np.ndarray]] = {}
    for row in rows.to_pylist():
        begin = row["happened_at"].astimezone(ZoneInfo(zone))
        first = np.datetime64(begin.date()) + int(begin.time() > datetime.min.time())
        last = np.datetime64(row["until_at"].astimezone(ZoneInfo(zone)).date()) if row["until_at"] else horizon_end
        shut.setdefault(row["place"], []).append(np.arange(first, last, dtype="datetime64[D]"))
    return {place: np.unique(np.concatenate(days)) for place, days in shut.items()}


def _silent(y: np.ndarray, begun: int) -> np.ndarray:
    """Days without a crossing at a place that reported on nearly all of the eight weeks before."""
    known = np.isfinite(y)
    total = np.concatenate([[0.0], np.cumsum(np.where(known, y, 0.0))])
    busy = np.concatenate([[0], np.cumsum(known & (y > 0))])
    counted = np.concatenate([[0], np.cumsum(known)])
    at = np.arange(len(y))
    start = np.maximum(at - LOOK_BACK_DAYS, begun)
    start = np.minimum(start, at)
    seen = np.maximum(counted[at] - counted[start], 1)
    steady = (busy[at] - busy[start]) / seen >= ALWAYS_REPORTS
    enough = counted[at] - counted[start] >= LOOK_BACK_DAYS // 2
    busy_enough = (total[at] - total[start]) / seen >= BUSY
    return np.asarray(known & (y == 0) & steady & enough & busy_enough)


def _complete_days(
    known_at: pa.ChunkedArray, day: np.ndarray, as_of: datetime, zone: str, *, first_day: np.datetime64, length: int
) -> np.ndarray:
    """Which days (length,) have usually got nearly all of their records by now, judged from older days' delays."""
    now = np.datetime64(_local_day(as_of, zone))
    arrived = local_days(known_at, zone)
    delay = np.maximum((arrived - day).astype(int), 0)
    mature = day < now - 30
    age = (now - (first_day + np.arange(length))).astype(int)
    if not mature.any():
        return np.ones(length, bool)
    delays = np.sort(delay[mature])
    share = np.searchsorted(delays, age, side="right") / len(delays)
    return np.asarray(share >= COMPLETE)


def _with_closures(forecasts: pa.Table, shut: dict[str, np.ndarray]) -> pa.Table:
    names = [name.rsplit("|", 1) for name in forecasts["unique_id"].to_pylist()]
    posts = np.array([post for post, _ in names], object)
    days = forecasts["ds"].to_numpy().astype("datetime64[D]")
    closed = np.zeros(len(days), bool)
    for post, when in shut.items():
        closed |= (posts == post) & np.isin(days, when)
    columns = {
        "unique_id": forecasts["unique_id"],
        "post": pa.array(posts, pa.string()),
        "direction": pa.array([direction for _, direction in names], pa.string()),
        "cutoff": forecasts["cutoff"],
        "ds": forecasts["ds"],
        "closed": pa.array(closed),
    }
    for name in ("mean", *COLUMNS):
        columns[name] = pa.array(np.where(closed, 0.0, forecasts[name].to_numpy()))
    return pa.table(columns)


def _alarm_table(alarms: list[tuple[str, str, np.datetime64]]) -> pa.Table:
    return pa.table(
        {
            "post": pa.array([post for post, _, _ in alarms], pa.string()),
            "direction": pa.array([direction for _, direction, _ in alarms], pa.string()),
            "ds": pa.array([day.astype("datetime64[D]").item() for _, _, day in alarms], pa.date32()),
        }
    )


def _local_day(moment: datetime, zone: str) -> str:
    if moment.tzinfo is None:
        raise BadInput(f"The moment {moment} has no time zone. Write it with one, as in 2026-01-31T06:00+01:00.")
    return moment.astimezone(ZoneInfo(zone)).date().isoformat()


def local_days(moments: pa.ChunkedArray, zone: str) -> np.ndarray:
    """Local days (datetime64[D]) of moments."""
    local = pc.local_timestamp(pc.cast(moments, pa.timestamp("us", zone)))
    return np.asarray(local.to_numpy()).astype("datetime64[D]")

"""Entries and exits per post by hour, day and month from the lake, as the authority knew them at one moment."""

from collections.abc import Hashable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from models.volumes.adding_up.granularity import Uncounted
from models.volumes.counts.panel import Note
from models.volumes.lake.rows import Known, before_today, clock, local_day, local_days
from models.volumes.lake.silence import silent
from records.errors import BadInput

COMPLETE = 0.98
"""Share of a day's records that must usually have come by now for its count to be believed."""
LABELS = ("mode", "governorate", "post", "direction")
"""What tells flows apart, from the top."""
CLASS_DAYS = 56
"""Newest days whose mix of traveller classes is held to go on."""
KNOWN_OF_MONTH = 0.8
"""Share of a month's days that must be known for the month to count."""
ALIKE = 4
"""Nearest counted days of the same weekday that say what is usual on a day that nobody counted."""
FARTHEST_HOURS = 24 * 31 * 25

Shut = tuple[tuple[str, np.datetime64, np.datetime64], ...]
"""Closures: (post, first hour, hour after the last) as datetime64[h]."""
Names = Mapping[tuple[str, str], str]
"""The flows' nodes by post and direction."""


@dataclass(frozen=True)
class LakeFlows:
    """Counts of every flow (post × direction) before the day `first`, as known at one moment.

    hours, days, months  long tables: unique_id (the flow's node), ds, y and LABELS; a missing count is NaN
    counted              what came in the running month before `first`, by node
    uncounted            days of that month on which a post was open and its count is missing all the same, by node, and
                         beside each day the mean count of the nearest days of its weekday, NaN where there is none
    classes              persons of each regime in the last CLASS_DAYS days, by node
    so_far               what came in each hour of the day `first` that is over and has usually got its records by now
    shut                 closures known by then
    feed_alarms          post, direction and the silent day ds
    """

    hours: pd.DataFrame
    days: pd.DataFrame
    months: pd.DataFrame
    first: np.datetime64
    counted: dict[str, float]
    uncounted: dict[str, Uncounted]
    shut: Shut
    feed_alarms: pa.Table
    notes: tuple[Note, ...]
    so_far: dict[str, np.ndarray]
    classes: dict[str, dict[str, int]]


def lake_flows(lake: Known, as_of: datetime, zone: str = "Africa/Tunis", *, hours: int = 3360) -> LakeFlows:
    """Flows by hour (the last `hours` of them), day and month. BadInput where the lake held no crossings then.

    A day without a record counts 0; what makes it missing is said at `daily_counts`, and then its hours are missing
    too. A month with up to a fifth of its days missing counts as its mean day times its days, else it is missing.
    """
    crossings = actual_crossings(lake, as_of)
    shut = shut_hours(lake, as_of, zone)
    days, alarms, notes = daily_counts(crossings, shut, as_of, zone)
    posts = _posts(lake, as_of)
    for label in ("mode", "governorate"):
        days[label] = days["post"].map(posts[label]).fillna("")
    places = days.drop_duplicates(["post", "direction"])[list(LABELS)].to_dict("records")
    names = {(row["post"], row["direction"]): _node(row) for row in places}
    days["unique_id"] = [names[place] for place in zip(days["post"], days["direction"], strict=True)]
    unknown = sorted(set(days.loc[days["mode"] == "", "post"]))
    told = tuple(Note(post, "is not in the table of posts, so it counts for the nation alone") for post in unknown)
    today, hour = local_day(as_of, zone), clock(crossings["happened_at"], zone).astype("datetime64[h]")
    since = today.astype("datetime64[h]") - hours
    running = days[days["ds"].to_numpy().astype("datetime64[M]") == today.astype("datetime64[M]")]
    counted = running.groupby("unique_id")["y"].sum()
    return LakeFlows(
        _by_hour(*_between(crossings, hour, since, today), days, since),
        days,
        _by_month(days, today),
        today,
        {str(name): float(count) for name, count in counted.items()},
        _uncounted(days, running, shut),
        shut,
        alarms,
        notes + told,
        _so_far(crossings, hour, names, today, _hours_over(crossings, as_of, zone)),
        _classes(_between(crossings, hour, today - CLASS_DAYS, today)[0], names),
    )


def _between(
    crossings: pa.Table, hour: np.ndarray, first: np.datetime64, end: np.datetime64
) -> tuple[pa.Table, np.ndarray]:
    """The crossings whose `hour` (datetime64[h]) lies from `first` to before `end`, and their hours."""
    inside = (hour >= first) & (hour < end)
    return crossings.filter(pa.array(inside)), hour[inside]


def _counted(crossings: pa.Table, moment: np.ndarray) -> pd.DataFrame:
    """How many crossings (`came`) there are by post, direction and moment (`ds`)."""
    by = ["post", "direction", "ds"]
    rows = crossings.select(by[:2]).append_column("ds", pa.array(moment.astype("datetime64[us]"))).group_by(by)
    counted: pd.DataFrame = rows.aggregate([([], "count_all")]).rename_columns([*by, "came"]).to_pandas()
    return counted


def _classes(crossings: pa.Table, names: Names) -> dict[str, dict[str, int]]:
    answer: dict[str, dict[str, int]] = {}
    for row in crossings.group_by(["post", "direction", "regime"]).aggregate([([], "count_all")]).to_pylist():
        answer.setdefault(names[row["post"], row["direction"]], {})[row["regime"]] = row["count_all"]
    return answer


def _so_far(
    crossings: pa.Table, hour: np.ndarray, names: Names, first: np.datetime64, over: int
) -> dict[str, np.ndarray]:
    """Counts (k,) of the first `over` hours of the day `first`, by node."""
    begin = first.astype("datetime64[h]")
    came = _counted(*_between(crossings, hour, begin, begin + over)).set_index(["post", "direction", "ds"])["came"]
    hours = pd.DatetimeIndex(begin + np.arange(over))
    return {name: np.array([came.get((*place, at), 0) for at in hours], float) for place, name in names.items()}


def _hours_over(crossings: pa.Table, as_of: datetime, zone: str) -> int:
    """Whole hours of the local day of as_of of which nearly all records have usually come by now."""
    happened, known = (crossings[name].cast(pa.int64()).to_numpy() for name in ("happened_at", "known_at"))
    mature = happened < (as_of.timestamp() - 30 * 86_400) * 1e6
    delay = timedelta(microseconds=float(np.quantile((known - happened)[mature], COMPLETE)) if mature.any() else 0.0)
    believed = as_of - delay
    return believed.astimezone(ZoneInfo(zone)).hour if local_day(believed, zone) == local_day(as_of, zone) else 0


def _node(labels: dict[Hashable, str]) -> str:
    return " > ".join(f"{label}={labels[label]}" for label in LABELS if labels[label])


def _posts(lake: Known, as_of: datetime) -> pd.DataFrame:
    """Mode and governorate by post, as last told."""
    rows = lake.as_known("posts", as_of, ["post", "mode", "governorate", "happened_at"]).sort_by("happened_at")
    frame: pd.DataFrame = rows.to_pandas()
    latest: pd.DataFrame = frame.drop_duplicates("post", keep="last").set_index("post")
    return latest


def _by_hour(crossings: pa.Table, hour: np.ndarray, days: pd.DataFrame, since: np.datetime64) -> pd.DataFrame:
    recent = days[days["ds"].to_numpy() >= since.astype("datetime64[D]")]
    grid = recent.loc[recent.index.repeat(24)].reset_index(drop=True)
    of_day = np.tile(np.arange(24), len(recent)).astype("timedelta64[h]")
    grid["ds"] = grid["ds"].to_numpy().astype("datetime64[us]") + of_day
    came = _counted(crossings, hour)
    grid = grid.merge(came, how="left", on=["post", "direction", "ds"])
    grid["y"] = np.where(grid["y"].isna(), np.nan, grid["came"].fillna(0.0))
    wanted: pd.DataFrame = grid[grid["ds"].to_numpy() >= since].drop(columns="came")
    return wanted


def _by_month(days: pd.DataFrame, today: np.datetime64) -> pd.DataFrame:
    month = days["ds"].to_numpy().astype("datetime64[M]")
    whole = days[month < today.astype("datetime64[M]")].assign(month=month[month < today.astype("datetime64[M]")])
    grouped = whole.groupby(["unique_id", *LABELS, "month"], as_index=False)["y"]
    table = grouped.agg(["mean", "count"]).reset_index()
    begin = table["month"].to_numpy().astype("datetime64[M]")
    length = ((begin + 1).astype("datetime64[D]") - begin.astype("datetime64[D]")).astype(int)
    table["y"] = np.where(table["count"] >= KNOWN_OF_MONTH * length, table["mean"] * length, np.nan)
    told: pd.DataFrame = table.assign(ds=begin.astype("datetime64[us]"))[["unique_id", "ds", "y", *LABELS]]
    return told


def actual_crossings(lake: Known, as_of: datetime) -> pa.Table:
    """The crossings that took place, as known at as_of: post, direction, regime, happened_at and known_at."""
    rows = lake.as_known("crossings", as_of, ["kind", "post", "direction", "regime", "happened_at", "known_at"])
    return rows.filter(pc.equal(rows["kind"], "actual")).drop_columns(["kind"])


def daily_counts(
    crossings: pa.Table, shut: Shut, as_of: datetime, zone: str
) -> tuple[pd.DataFrame, pa.Table, tuple[Note, ...]]:
    """A long table of whole days before as_of (unique_id, ds, y, post, direction), feed alarms, and notes.

    A day without a record counts 0, but is missing (null) where the post was shut, where records of such recent days
    have usually not all come, or where a place that always reports fell silent: those are the alarms.
    """
    rows, day, today = before_today(crossings, as_of, zone)
    if not len(day):
        raise BadInput(f"The lake knew of no crossing before {today}. Ingest crossings, or choose a later moment.")
    came, first_day = _counted(rows, day), day.min()
    codes, places = pd.factorize(pd.MultiIndex.from_frame(came[["post", "direction"]]), sort=True)
    shape = (len(places), int((today - first_day).astype(int)))
    counts = np.zeros(shape)
    counts[codes, (came["ds"].to_numpy().astype("datetime64[D]") - first_day).astype(int)] = came["came"]

    believed = _complete_days(rows["known_at"], day, as_of, zone, first_day=first_day, length=shape[1])
    closed = _closed_days(shut)
    days = first_day + np.arange(shape[1])
    begun = np.argmax(counts > 0, axis=1)
    for place, (post, _) in enumerate(places):
        counts[place, : begun[place]] = np.nan
        counts[place, np.isin(days, closed.get(post, np.empty(0, "datetime64[D]")))] = np.nan
    counts[:, ~believed] = np.nan
    broken = silent(counts)
    counts[broken] = np.nan
    parts, alarms = [], []
    for place, (post, direction) in enumerate(places):
        alarms += [(post, direction, when) for when in days[broken[place]]]
        told = {"ds": days[begun[place] :], "y": counts[place, begun[place] :]}
        parts.append(pd.DataFrame({"unique_id": f"{post}|{direction}", **told, "post": post, "direction": direction}))
    notes = tuple(
        Note("", f"{when}: its records have not all come, so its counts are taken as missing")
        for when in days[~believed]
    )
    return pd.concat(parts, ignore_index=True), _alarm_table(alarms), notes


def _uncounted(days: pd.DataFrame, running: pd.DataFrame, shut: Shut) -> dict[str, Uncounted]:
    closed = _closed_days(shut)
    answer = {}
    for name, rows in running[running["y"].isna()].groupby("unique_id"):
        gone = rows["ds"].to_numpy().astype("datetime64[D]")
        gone = np.setdiff1d(gone, closed.get(rows["post"].iloc[0], gone[:0]))
        own = days[(days["unique_id"] == name) & days["y"].notna()]
        counted, y = own["ds"].to_numpy().astype("datetime64[D]"), own["y"].to_numpy()
        if len(gone):
            answer[str(name)] = (gone, np.array([_around(y, np.abs((counted - day).astype(int))) for day in gone]))
    return answer


def _around(y: np.ndarray, apart: np.ndarray) -> float:
    """Mean of the ALIKE nearest counts `y` that are whole weeks `apart`, in days; NaN for none."""
    alike = np.flatnonzero(apart % 7 == 0)
    nearest = alike[np.argsort(apart[alike], kind="stable")[:ALIKE]]
    return float(y[nearest].mean()) if len(nearest) else float("nan")


def _closed_days(shut: Shut) -> dict[str, np.ndarray]:
    """Local days (datetime64[D]) that closures cover whole, by post."""
    closed: dict[str, list[np.ndarray]] = {}
    for post, begin, end in shut:
        first = (begin + 23).astype("datetime64[D]")
        closed.setdefault(post, []).append(np.arange(first, end.astype("datetime64[D]"), dtype="datetime64[D]"))
    return {place: np.unique(np.concatenate(days)) for place, days in closed.items()}


def shut_hours(lake: Known, as_of: datetime, zone: str) -> Shut:
    """Whole hours on the place's clock during which posts are closed; one without an end lasts beyond any horizon."""
    rows = lake.as_known("closures", as_of, ["place", "place_kind", "kind", "happened_at", "until_at"])
    rows = rows.filter(pc.and_(pc.equal(rows["place_kind"], "post"), pc.equal(rows["kind"], "closed")))
    latest = local_day(as_of, zone).astype("datetime64[h]") + FARTHEST_HOURS
    begin = clock(rows["happened_at"], zone)
    first = (begin + np.timedelta64(3599, "s")).astype("datetime64[h]")
    end = clock(rows["until_at"], zone).astype("datetime64[h]")
    end = np.where(np.isnat(end), latest, end)
    return tuple(zip(rows["place"].to_pylist(), first, end, strict=True))


def _complete_days(
    known_at: pa.ChunkedArray, day: np.ndarray, as_of: datetime, zone: str, *, first_day: np.datetime64, length: int
) -> np.ndarray:
    """Which days (length,) have usually got nearly all of their records by now, judged from older days' delays."""
    now = local_day(as_of, zone)
    arrived = local_days(known_at, zone)
    delay = np.maximum((arrived - day).astype(int), 0)
    mature = day < now - 30
    age = (now - (first_day + np.arange(length))).astype(int)
    if not mature.any():
        return np.ones(length, bool)
    delays = np.sort(delay[mature])
    share = np.searchsorted(delays, age, side="right") / len(delays)
    return np.asarray(share >= COMPLETE)


def _alarm_table(alarms: list[tuple[str, str, np.datetime64]]) -> pa.Table:
    return pa.table(
        {
            "post": pa.array([post for post, _, _ in alarms], pa.string()),
            "direction": pa.array([direction for _, direction, _ in alarms], pa.string()),
            "ds": pa.array([day.astype("datetime64[D]").item() for _, _, day in alarms], pa.date32()),
        }
    )

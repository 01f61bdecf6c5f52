"""From applications to caseload, backlog, days to decision and desk officers of a foreigners' office.

An office decides so many files an officer-hour as it did over the last half year. Files that it cannot decide on a day
wait; how long they wait on average follows from backlog and pace, whatever the order in which they are taken (Little's
law), and how far single files scatter around that average is learnt from closed ones. No person enters: what is read
are counts of files and days between two dates of a file.
"""

from dataclasses import dataclass
from datetime import datetime

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from models.volumes.lake.rows import Known, before_today
from models.volumes.rhythm import LEVELS
from records.calendar import public_holiday
from records.errors import BadInput
from records.hijri import ramadan

PACE_DAYS = 182
"""Days of closed files that an office's pace is learnt from."""
SCATTER = np.array([0.05, 0.15, 0.25, 0.35, 0.45, 0.55, 0.65, 0.75, 0.85, 0.95])
OWN_FILES = 50
"""Closed files that the belief in the scatter of all offices is worth against an office's own."""
LONGEST = 3650.0
"""Days to decision that stand for never."""
DECISIONS = ("granted", "renewed", "refused")


@dataclass(frozen=True)
class Timetable:
    """Hours that offices work on a weekday, Monday to Sunday, by season. Summer is the single session of July and
    August; in Ramadan its own hours hold, in summer too. An order of the authority replaces these."""

    winter: tuple[float, ...] = (8.25, 8.25, 8.25, 8.25, 8.0, 0.0, 0.0)
    summer: tuple[float, ...] = (6.5, 6.5, 6.5, 6.5, 5.5, 0.0, 0.0)
    ramadan: tuple[float, ...] = (6.5, 6.5, 6.5, 6.5, 5.5, 0.0, 0.0)
    summer_months: tuple[int, ...] = (7, 8)

    def hours(self, days: np.ndarray) -> np.ndarray:
        """Working hours (D,) of days (datetime64[D]); none on a public holiday."""
        days = np.asarray(days, "datetime64[D]")
        weekday = (days.astype(np.int64) + 3) % 7  # 1970-01-01 was a Thursday; Monday is 0
        month = days.astype("datetime64[M]").astype(np.int64) % 12 + 1
        worked = np.where(
            np.isin(month, self.summer_months), np.array(self.summer)[weekday], np.array(self.winter)[weekday]
        )
        worked = np.where(ramadan(days), np.array(self.ramadan)[weekday], worked)
        closed = np.array([name is not None for name in public_holiday(days)], bool)
        return np.where(closed, 0.0, worked)


TIMETABLE = Timetable()


@dataclass(frozen=True)
class Office:
    """What an office brings along: `backlog` files not decided, `pace` files decided an officer-hour, officers and
    desks, the promised days, and `scatter` (K,), days to decision of single files over the average of their time."""

    office: str
    backlog: int
    pace: float
    officers: int
    desks: int
    promised_days: int
    scatter: np.ndarray


@dataclass(frozen=True)
class Caseload:
    """Of P paths over D days: `came`, `decided` and `backlog` at the day's end (P, D) in files, and the quantiles
    (D, 15) of the backlog. `median_days` and `late_days` (D, 15): quantiles, over the paths, of the median and 90th
    percentile of days to decision of the files that came on the day. `on_time` (D,): share of them within the promise.
    """

    came: np.ndarray
    decided: np.ndarray
    backlog: np.ndarray
    backlog_quantiles: np.ndarray
    median_days: np.ndarray
    late_days: np.ndarray
    on_time: np.ndarray


def caseload(came: np.ndarray, office: Office, hours: np.ndarray, officers: int | None = None) -> Caseload:
    """What becomes of applications `came` (P, D), with the office's working hours (D,) and its own or other officers.

    Files left at the end of the horizon go on at the mean capacity of the horizon. Backlog plus arrivals equal
    decisions plus what is left, on every path and day.
    """
    came = np.atleast_2d(np.asarray(came, float))
    if not np.isfinite(came).all() or (came < 0).any() or came.shape[1] != len(hours):
        raise BadInput("Applications must be known, not below zero, and as many days as the working hours given.")
    staff = office.officers if officers is None else officers
    capacity = office.pace * staff * np.asarray(hours, float)
    # All that could have been decided since the office last stood idle: the queue reflected at zero.
    offered = office.backlog + np.cumsum(came, axis=1)
    able = np.cumsum(capacity)
    idle = np.maximum(np.maximum.accumulate(able - offered, axis=1), 0.0)
    done = able - idle
    backlog = offered - done
    days = _days_waited(offered, done, capacity.mean())
    single = days[..., None] * office.scatter
    return Caseload(
        came,
        np.diff(done, axis=1, prepend=0.0),
        backlog,
        _over_paths(backlog),
        _over_paths(days * np.quantile(office.scatter, 0.5)),
        _over_paths(days * np.quantile(office.scatter, 0.9)),
        (single <= office.promised_days).mean(axis=(0, 2)),
    )


def officers_needed(
    came: np.ndarray, office: Office, hours: np.ndarray, *, quantile: float = 0.8, settled: int = 0
) -> int | None:
    """Fewest officers with which, at the quantile of the paths, 90% of files that come from day `settled` on are
    decided within the promise; at most as many as there are desks, None where even those are not enough."""

    def kept(officers: int) -> bool:
        late = caseload(came, office, hours, officers).late_days[settled:]
        at = np.array([np.interp(quantile, LEVELS, day) for day in late])
        return bool((at <= office.promised_days).all())

    low, high = 0, office.desks
    if not kept(high):
        return None
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if kept(middle) else (middle, high)
    return high


def _days_waited(offered: np.ndarray, done: np.ndarray, beyond: float) -> np.ndarray:
    """Days (P, D) until the last file that came on a day is decided, in order of arrival."""
    paths, days = offered.shape
    waited = np.empty((paths, days))
    day = np.arange(days)
    for path in range(paths):
        at = np.searchsorted(done[path], offered[path] - 1e-9)
        left = offered[path] - done[path, -1]
        waited[path] = np.where(at < days, at, days - 1 + left / max(beyond, 1e-12)) - day
    return np.clip(waited, 0.0, LONGEST)


def _over_paths(values: np.ndarray) -> np.ndarray:
    return np.asarray(np.quantile(values, LEVELS, axis=0).T)


@dataclass(frozen=True)
class Applications:
    """`counts` has unique_id, ds, y, office, kind (first or renewal), one row per day from an office's first
    application to the day before as_of; `offices` are those of them that have a staff."""

    counts: pa.Table
    offices: tuple[Office, ...]


def applications(
    lake: Known, as_of: datetime, *, zone: str = "Africa/Tunis", timetable: Timetable = TIMETABLE
) -> Applications:
    """Applications by office and kind, and every office as it stood, as the authority knew them at `as_of`."""
    rows = lake.as_known("permits", as_of, ["file", "state", "office", "happened_at"])
    if not rows.num_rows:
        raise BadInput(f"The lake knew of no permit file at {as_of}. Ingest permits, or choose a later moment.")
    rows = rows.filter(pc.not_equal(rows["state"], "expired"))  # a permit may run out while its renewal is decided
    rows = rows.sort_by([("file", "ascending"), ("happened_at", "ascending")])
    rows, day, today = before_today(rows, as_of, zone)
    file = np.asarray(pc.dictionary_encode(rows["file"]).combine_chunks().indices)
    state = rows["state"].to_numpy(zero_copy_only=False)
    office = rows["office"].to_numpy(zero_copy_only=False)

    asked = np.flatnonzero(state == "applied")
    following = np.append(file[1:] == file[:-1], False)
    decided = asked[following[asked]]
    decided = decided[np.isin(state[decided + 1], DECISIONS)]
    gave = np.concatenate([[0], np.cumsum(np.isin(state, ("granted", "renewed")))])
    begins = np.searchsorted(file, file[asked])
    renewal = gave[asked] > gave[begins]
    closed = _Closed(office[decided], (day[decided + 1] - day[decided]).astype(float), day[decided + 1], today)
    # A file waits if applying was the last that happened to it.
    open_now = asked[~following[asked]]
    return Applications(
        _counts(office[asked], np.where(renewal, "renewal", "first"), day[asked], today),
        _offices(lake, as_of, closed, office[open_now], timetable),
    )


@dataclass(frozen=True)
class _Closed:
    """Closed files: office, days to decision, day of decision; and the day they are looked at from."""

    office: np.ndarray
    days: np.ndarray
    on: np.ndarray
    today: np.datetime64


def _counts(office: np.ndarray, kind: np.ndarray, day: np.ndarray, today: np.datetime64) -> pa.Table:
    parts = []
    for name in np.unique(office):
        for which in ("first", "renewal"):
            came = day[(office == name) & (kind == which)]
            if not len(came):
                continue
            days = np.arange(came.min(), today)
            y = np.bincount((came - came.min()).astype(int), minlength=len(days)).astype(float)
            count = len(days)
            parts.append(
                pa.table(
                    {
                        "unique_id": [f"{name}|{which}"] * count,
                        "ds": pa.array(days.astype("datetime64[us]")),
                        "y": y,
                        "office": [str(name)] * count,
                        "kind": [which] * count,
                    }
                )
            )
    return pa.concat_tables(parts)


def _offices(
    lake: Known, as_of: datetime, closed: _Closed, waiting: np.ndarray, timetable: Timetable
) -> tuple[Office, ...]:
    known = lake.as_known("offices", as_of, ["office", "desks", "staff", "promised_days", "happened_at"])
    latest = {row["office"]: row for row in known.sort_by("happened_at").to_pylist()}
    recent = closed.on >= closed.today - PACE_DAYS
    hours = timetable.hours(np.arange(closed.today - PACE_DAYS, closed.today)).sum()
    everywhere = _scatter(closed.days[recent])
    made = []
    for name, row in sorted(latest.items()):
        if not row["staff"] or row["promised_days"] is None:
            continue
        days = closed.days[recent & (closed.office == name)]
        belief = len(days) / (len(days) + OWN_FILES)
        own = _scatter(days) if len(days) else everywhere
        made.append(
            Office(
                name,
                int((waiting == name).sum()),
                len(days) / (row["staff"] * hours),
                row["staff"],
                row["desks"] or row["staff"],
                row["promised_days"],
                belief * own + (1.0 - belief) * everywhere,
            )
        )
    return tuple(made)


def _scatter(days: np.ndarray) -> np.ndarray:
    """Quantiles of days to decision over their mean, of mean one."""
    if not len(days) or days.mean() <= 0:
        return np.ones(len(SCATTER))
    ratio = np.quantile(days, SCATTER)
    return np.asarray(ratio / ratio.mean())

"""Early warning: false alarms on untouched flows, and how soon changes put into them are found, beside the peer.

    BASIRA_SHARED=FOLDER python benchmarks/volumes_parts/early_warning.py

Data, warm-up, window, changes and counting are those of FOLDER/bench/forecasting_early_warning_peer.py: Hong Kong's
control points by direction from 2023-06, judged from the 149th day; a false alarm is an upcrossing of the limit; a
change multiplies a series from a day on, and is found if the chart stands over its limit within 14 days. Here every
series is changed on every 17th day, where the peer draws 40 of these; whatever learns is run again on the changed
counts. `strict` leaves out changes that began while an alarm stood already. The slack, the memory and the limits that
the promise starts from were chosen on my_ridership_daily and us_airport_immigration_daily; a panel's own limits come
from its days before each judged one. Peer and module are held to the same counts; only the module knows holidays.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pandas as pd

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from benchmarks.volumes_parts.bars import say
from benchmarks.volumes_parts.sets import table
from models.volumes.calendars.calendar import Calendar, calendar
from models.volumes.early_warning.reference import Reference, reference
from models.volumes.early_warning.warning import SETTINGS, alone, false_alarms_a_year, limits, path, scores
from models.volumes.lake.silence import silent
from models.volumes.rhythm import rhythm_of, steps

FIRST_DAY, JUDGED, WINDOW, EVERY = "2023-06-01", 148, 14, 17
CHANGES = (0.3, -0.3, 0.5)


class Watched:
    """One panel, watched day by day: counts (S, N) with broken feeds taken out, and what each step made of them."""

    def __init__(self, counts: np.ndarray, days: Calendar, places: list[str]) -> None:
        self.feeds = silent(counts)
        self.counts = np.where(self.feeds, np.nan, counts)
        self.days, self.places = days, places
        self.reference: Reference = reference(self.counts, days)
        self.scores = scores(self.counts, self.reference.quantiles)
        self.surprise = alone(self.scores, places)
        self.known = np.isfinite(self.surprise)
        self.chart = path(self.surprise)

    def changed(self, rows: list[int], day: int, factor: float) -> np.ndarray:
        """The chart (S, WINDOW) had these rows come so many times as they did, from `day` on."""
        counts = self.counts[:, : day + WINDOW].copy()
        counts[rows, day:] *= factor
        seen = reference(counts, self.days, self.reference.until(day))
        fresh = self.scores[:, : day + WINDOW].copy()
        fresh[:, day:] = scores(counts[:, day:], seen.quantiles[:, day:])
        surprise = alone(fresh, self.places, self.surprise[:, :day])
        return path(surprise[:, day:], self.chart[:, day - 1]).max(axis=2)


def hong_kong() -> Watched:
    """Post x direction, as the peer reads them."""
    rows = pd.read_parquet(table("hk_control_points_daily"))
    rows = rows[rows["ds"] >= FIRST_DAY].groupby(["post", "direction", "ds"], as_index=False)["y"].sum()
    wide = rows.pivot(index=["post", "direction"], columns="ds", values="y")
    rhythm = rhythm_of("D")
    first = int(steps(np.array([wide.columns[0]], "datetime64[us]"), rhythm)[0])
    days = calendar(rhythm, first, wide.shape[1], ("HK", "CN"))
    return Watched(wide.to_numpy(float), days, [post for post, _ in wide.index])


def detection(
    watched: Watched, limit: dict[str, np.ndarray], change: float, *, whole_post: bool = False
) -> dict[str, float]:
    """How many changes were found at each setting, and how soon: figures by name."""
    found: dict[str, list[int]] = {name: [] for name in limit}
    stood: dict[str, list[bool]] = {name: [] for name in limit}
    length = watched.counts.shape[1]
    for day in range(JUDGED + 1, length - WINDOW, EVERY):
        for row, place in enumerate(watched.places):
            rows = [i for i, other in enumerate(watched.places) if other == place] if whole_post else [row]
            if row != rows[0]:
                continue
            chart = watched.changed(rows, day, 1.0 + change)[row]
            for name in limit:
                over = chart > limit[name][day : day + WINDOW]
                found[name].append(int(over.argmax()) + 1 if over.any() else 0)
                stood[name].append(bool(watched.chart[row, day - 1].max() > limit[name][day - 1]))
    told: dict[str, float] = {}
    for name in limit:
        at, before = np.array(found[name]), np.array(stood[name])
        case = f"{name}_{_named(change)}{'_whole_post' if whole_post else ''}"
        told[f"{case}_found"] = float((at > 0).mean())
        told[f"{case}_median_delay"] = float(np.median(at[at > 0]))
        told[f"{case}_strict"] = float((at > 0)[~before].mean())
    return told | {"changes_each": float(len(at))}


def _named(change: float) -> str:
    return f"{'rise' if change > 0 else 'fall'}_{abs(change):.0%}".replace("%", "")


def measure() -> dict[str, float]:
    """The two bars, and every figure beside them, by name."""
    began = time.process_time()
    watched = hong_kong()
    learnt = time.process_time() - began
    limit = {name: limits(watched.chart, promise, watched.known) for name, promise in SETTINGS.items()}
    figures: dict[str, float] = {"cpu_seconds_reference_and_chart": learnt, "days_of_feed_alarm": watched.feeds.sum()}
    judged = slice(JUDGED, None)
    for name, line in limit.items():
        chart = watched.chart[:, judged]
        rate = false_alarms_a_year(chart, line[judged], watched.known[:, judged])
        figures[f"{name}_false_alarms_a_series_year"] = rate
        figures[f"{name}_share_of_days_in_alarm"] = float((chart.max(axis=2) > line[judged]).mean())
    for change in CHANGES:
        figures |= detection(watched, limit, change)
    figures |= detection(watched, limit, CHANGES[0], whole_post=True)
    figures["volumes_false_alarms_a_series_year"] = figures["quiet_false_alarms_a_series_year"]
    kept = figures["keen_false_alarms_a_series_year"] <= SETTINGS["keen"]
    # Found at too many false alarms, or too late, does not count as found.
    soon = figures["keen_rise_30_median_delay"] <= 3
    figures["volumes_rise_found_within_14_days"] = figures["keen_rise_30_found"] if kept and soon else 0.0
    figures["cpu_seconds"] = time.process_time() - began
    return {name: float(value) for name, value in (figures | peer()).items()}


def peer() -> dict[str, float]:
    """What the peer's own script says of the same flows, at its most and its least watchful limit."""
    script = table("hk_control_points_daily").parents[2] / "bench" / "forecasting_early_warning_peer.py"
    ran = subprocess.run(
        [sys.executable, str(script), str(table("hk_control_points_daily").parent)],
        capture_output=True,
        text=True,
        check=True,
        env=os.environ | {"OMP_NUM_THREADS": "1"},
    )
    said = r"HK .* L (\d) false alarms / series-year ([\d.]+) \| \+30%: hit ([\d.]+) in 14, median delay (\d+)"
    told = {}
    for limit, rate, hit, delay in re.findall(said, ran.stdout):
        told |= {f"peer_L{limit}_false_alarms_a_series_year": float(rate), f"peer_L{limit}_rise_30_found": float(hit)}
        told[f"peer_L{limit}_rise_30_median_delay"] = float(delay)
    return told


if __name__ == "__main__":
    say(what="early warning", **measure())

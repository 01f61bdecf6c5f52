"""A drawn nightly run, small: two posts by hour, day and month, an office, staffing, two alarms."""

from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
from scipy.stats import norm

from models.volumes.adding_up.paths import quantiles_of
from models.volumes.early_warning.alarms import Alarm, Kind
from models.volumes.publishing.published import (
    RUNNING,
    TABLES,
    Card,
    Paths,
    Published,
    Run,
    Word,
    write,
    write_nowcast,
)
from models.volumes.rhythm import COLUMNS, LEVELS

MADE = datetime(2026, 3, 2, 2, 15, tzinfo=UTC)
FIRST = date(2026, 3, 2)
POSTS = {"ras-jedir": ("land", "medenine", 900.0), "tunis-carthage": ("air", "tunis", 4200.0)}
STEPS = {"hours": (14 * 24, "h", 1 / 24), "days": (90, "D", 1.0), "months": (24, "MS", 30.4)}
CLASSES = (("visa", 700.0), ("other", 200.0))
EXPLAINED = {"level": 0.9, "season": 0.05, "holiday": 0.08, "trend": -0.03, "ahead": 0.0, "others": 0.0}


def node(**labels: str) -> str:
    return " > ".join(f"{name}={value}" for name, value in labels.items()) or "total"


RAS_JEDIR = node(mode="land", governorate="medenine", post="ras-jedir")


def described() -> list[dict]:
    """The nodes of two posts: each a flow per direction, a post, a governorate and a mode, and the nation."""
    found = {}
    for post, (mode, governorate, size) in POSTS.items():
        for direction in ("entry", "exit"):
            labels = {"mode": mode, "governorate": governorate, "post": post, "direction": direction}
            for depth, level in enumerate(("nation", "mode", "governorate", "post", "flow")):
                own = dict(list(labels.items())[:depth])
                above = node(**dict(list(own.items())[:-1])) if own else None
                row = {"node": node(**own), "level": level, "parent": above, "size": 0.0}
                row |= {name: own.get(name) for name in labels}
                found.setdefault(row["node"], row)["size"] += size / 2
    return list(found.values())


def futures(steps: str) -> tuple[tuple[str, ...], np.ndarray]:
    """The flows and their drawn paths (n, H, P), the larger ones in the same futures."""
    count, _, share = STEPS[steps]
    wave = 1 + 0.25 * np.sin(np.arange(count) * 2 * np.pi / {"hours": 24, "days": 7, "months": 12}[steps])
    flows = [row for row in described() if row["level"] == "flow"]
    size = np.array([row["size"] for row in flows])[:, None]
    width = 0.1 * np.sqrt(size * share) * 10 * (1 + np.arange(count) / count)
    drawn = np.random.default_rng(8).standard_normal((2, *width.shape, 201))
    noise = 0.5 * drawn[0, :1] + 0.85 * drawn[1]
    paths = np.maximum((size * share * wave)[..., None] + width[..., None] * noise, 0.0)
    return tuple(row["node"] for row in flows), paths.astype(np.float32).astype(float)


def table(steps: str) -> pa.Table:
    """All nodes, read from the paths of the flows inside them."""
    count, freq, _ = STEPS[steps]
    told = Paths(*futures(steps), np.empty(0))
    frames = []
    for row in described():
        paths = told.hours[told.inside(row["node"])].sum(axis=0)
        frame = pd.DataFrame(quantiles_of(paths), columns=COLUMNS)
        labels = {name: value for name, value in row.items() if name != "size"}
        moments = pd.date_range(FIRST, periods=count, freq=freq)
        frames.append(frame.assign(ds=moments, mean=paths.mean(axis=1), closed=False, **labels))
    return as_table(steps, pd.concat(frames))


def as_table(name: str, frame: pd.DataFrame) -> pa.Table:
    return pa.Table.from_pandas(frame[TABLES[name].names], preserve_index=False, schema=TABLES[name])


def around(means: np.ndarray) -> pd.DataFrame:
    spread = np.maximum(means[:, None] * (1 + norm.ppf(LEVELS) * 0.15), 0.0)
    return pd.DataFrame(spread, columns=COLUMNS).assign(mean=means)


def staffing() -> pa.Table:
    hours = pd.date_range(FIRST, periods=72, freq="h")
    frames = []
    for post, (_, _, size) in POSTS.items():
        for direction in ("entry", "exit"):
            come = size / 48 * (1 + 0.8 * np.sin(np.arange(72) * 2 * np.pi / 24 - 2))
            booths = np.ceil(come / 30).astype(int)
            told = {"post": post, "direction": direction, "ds": hours, "travellers": come, "booths": booths}
            frames.append(pd.DataFrame(told | {"officers": booths + 1, "share_in_time": 0.95 + 0.04 * (booths > 1)}))
    return as_table("staffing", pd.concat(frames))


def published(made_at: datetime = MADE) -> Published:
    days = pd.date_range(FIRST, periods=90)
    come = 20 + 5.0 * (days.day_of_week < 5)
    offices = around(np.asarray(come, float)).assign(office="tunis-bab-bhar", kind="renewal", ds=days)
    open_cases = 400 + 2.0 * np.arange(90)
    caseload = pd.DataFrame(
        {"ds": days, "backlog_mean": open_cases, "backlog_q0.1": open_cases - 30 - np.arange(90) / 2}
    )
    caseload = caseload.assign(office="tunis-bab-bhar", days_median=21.0, days_p90=30.0 + np.arange(90) / 4)
    caseload["backlog_q0.9"] = open_cases + 30 + np.arange(90) / 2
    caseload = caseload.assign(promised_days=45, officers=14, officers_needed=15)
    caseload = pd.concat([caseload.assign(office="sousse-akouda", backlog_mean=caseload["backlog_mean"] / 9), caseload])
    months = pd.date_range(FIRST.replace(day=1), periods=12, freq="MS")
    renewals = around(np.linspace(90, 140, 12)).assign(category="work", ds=months)
    curve = [
        {"post": p, "share_in_time": s, "booth_hours": b}
        for p in POSTS
        for s, b in ((0.9, 300), (0.95, 330), (0.99, 410))
    ]
    flow = node(mode="land", governorate="medenine", post="ras-jedir", direction="entry")
    rise, silent = date(2026, 2, 26), date(2026, 3, 1)
    alarms = (
        Alarm("tunis-carthage|exit", Kind.FEED, silent, silent, silent, 0.0, 2100.0),
        Alarm(flow, Kind.FLOW, rise, date(2026, 3, 1), date(2026, 3, 1), 2650.0, 1800.0, 4.2),
    )
    words = [
        Word(row["node"], FIRST + timedelta(days=d), row["size"], {k: row["size"] * v for k, v in EXPLAINED.items()})
        for row in described()
        for d in range(3)
    ]
    card = Card(
        made_at=made_at,
        as_of=made_at,
        zone="Africa/Tunis",
        figures={"days": {"post": {"wape": 0.11, "coverage_80": 0.8}, "nation": {"wape": 0.06, "coverage_80": 0.79}}},
        weights={"days": {"trees": 0.4, "smoothing": 0.35, "naive": 0.25}},
        notes=({"series": flow, "problem": "young: 40 days of history", "refused": False},),
        uncertain_days=(date(2026, 3, 20),),
        did=(
            {
                "run": "20260301T021500000000Z",
                "name": "post",
                "days": 120,
                "coverage_80": 0.81,
                "wape": 0.1,
                "bias": -0.02,
            },
        ),
        changed=({"name": flow, "before": 31000.0, "after": 34500.0, "reason": "changed.days", "days": 2},),
        compared={"reason": "changed.days", "days": 2},
        versions={"crossings": 12},
        data_hash="3f2a9c",
    )
    tables = {name: table(name) for name in STEPS} | {
        "staffing": staffing(),
        "curve": as_table("curve", pd.DataFrame(curve)),
    }
    tables |= {"offices": as_table("offices", offices), "caseload": as_table("caseload", caseload)}
    tables |= {"renewals": as_table("renewals", renewals)}
    tables["came"] = came()
    classes = [around(np.full(90, size)).assign(node=RAS_JEDIR, ds=days, **{"class": name}) for name, size in CLASSES]
    tables["classes"] = as_table("classes", pd.concat(classes))
    tables["stock"] = as_table("stock", around(np.array([58000.0])).assign(group="work"))
    nodes, hours = futures("hours")
    return Published(tables, alarms, words, card, Paths(nodes, hours, futures("days")[1]))


def came() -> pa.Table:
    """Counts of four weeks before the run, by day."""
    days = pd.date_range(end=FIRST - timedelta(days=1), periods=28)
    frames = [
        pd.DataFrame({"node": row["node"], "step": "days", "ds": days, "y": row["size"] + 5.0 * np.arange(28)})
        for row in described()
    ]
    return as_table("came", pd.concat(frames))


def nowcast() -> pa.Table:
    """The first day of the run until one o'clock, and its month; one of Ras Jedir's flows reports nothing."""
    frames = []
    for period, share, begin in (("day", 1.0, FIRST), ("month", 30.4, FIRST.replace(day=1))):
        for row in described():
            told = around(np.array([row["size"] * share * 1.1]))
            labels = {name: value for name, value in row.items() if name != "size"}
            silent = int(row["node"].startswith(RAS_JEDIR) and "exit" not in row["node"])
            moments = {"ds": pd.Timestamp(begin), "until": pd.Timestamp(FIRST) + pd.Timedelta(hours=13)}
            counts = {"so_far": 0.6 * row["size"], "forecast": row["size"] * share, "silent": silent}
            counts["uncounted"] = 2 * silent * (period == "month")
            frames.append(told.assign(period=period, **labels, **moments, **counts))
    return pa.Table.from_pandas(pd.concat(frames)[RUNNING.names], preserve_index=False, schema=RUNNING)


def publish(home: Path) -> Run:
    write_nowcast(home / "volumes", MADE, nowcast())
    return write(home / "volumes", published())

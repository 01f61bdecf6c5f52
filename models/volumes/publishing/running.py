"""The running day and month as they stand: what has come, and what the newest run's paths leave to come.

A flow's day is told anew from how its own days went on (`early_warning.nowcast`), and laid over the run's paths in
their order, so that sums over flows stay sums, and a month is what was counted, the running day and the days that
follow. Days of the month that nobody counted, as after a feed broke, are as the run's paths make likely, so that the
month is not low but its range wider.
"""

from collections.abc import Sequence
from itertools import compress

import numpy as np
import pyarrow as pa
from scipy.special import ndtri

from models.volumes.adding_up.granularity import NO_DAYS, WEEK, Uncounted, likely
from models.volumes.adding_up.paths import at_scores, quantiles_of
from models.volumes.early_warning.nowcast import FEWEST, nowcast
from models.volumes.lake.flows import LakeFlows
from models.volumes.publishing.published import RUNNING, Paths, Run
from models.volumes.rhythm import COLUMNS
from records.errors import BadInput

RECENT = 28
"""Newest days that must all have had someone by an hour for nobody by that hour to speak against the feed."""


def running(run: Run, flows: LakeFlows) -> pa.Table:
    """The nowcast of every node of a run for the day `flows.first` and its month; columns as in RUNNING.

    BadInput where the run does not reach the day by hour, or a newer one has been published.
    """
    told = run.paths()
    first = np.unique(run.table("days", ["ds"], [("level", "=", "nation")])["ds"].to_numpy())[0].astype("datetime64[D]")
    place = int((flows.first - first).astype(int))
    if not 0 <= place < told.hours.shape[1] // 24:
        raise BadInput(
            f"The newest run begins on {first} and does not reach {flows.first} by hour. Make a new one with "
            "`basira volumes nightly`."
        )
    by_flow = {str(name): rows["y"].to_numpy() for name, rows in flows.hours.groupby("unique_id")}
    none = np.empty(0)
    days, silent = np.empty_like(told.days[:, place]), np.zeros(len(told.nodes), int)
    for row, name in enumerate(told.nodes):
        past = by_flow.get(name, none).reshape(-1, 24)
        came = flows.so_far.get(name, none)
        ahead = told.hours[row, 24 * place : 24 * place + 24]
        if _is_silent(past, came, ahead):
            silent[row], came = 1, none
        days[row] = _day(past, came, ahead, told.days[row, place])
    month = flows.first.astype("datetime64[M]")
    rest = int(((month + 1).astype("datetime64[D]") - flows.first).astype(int)) - 1
    counted = np.array([flows.counted.get(name, 0.0) for name in told.nodes])
    uncounted = [flows.uncounted.get(name, NO_DAYS) for name in told.nodes]
    filled = likely(told.days, first, uncounted)
    months = counted[:, None] + filled + days + told.days[:, place + 1 : place + 1 + rest].sum(axis=1)
    today = np.array([flows.so_far.get(name, none).sum() for name in told.nodes])
    hours = max((len(came) for came in flows.so_far.values()), default=0)
    until = flows.first.astype("datetime64[us]") + np.timedelta64(hours, "h")
    parts = [
        _table(run, told, "day", flows.first, until, days, today, silent, [NO_DAYS] * len(told.nodes)),
        _table(run, told, "month", month, until, months, counted + today, silent, uncounted),
    ]
    return pa.concat_tables(parts)


def _is_silent(past: np.ndarray, came: np.ndarray, ahead: np.ndarray) -> bool:
    """Nobody in the hours that came (k,), although somebody always had come by then (D, 24) and the post is open."""
    newest = past[np.isfinite(past).all(axis=1)][-RECENT:, : len(came)].sum(axis=1)
    is_open = bool(ahead[: len(came)].any())
    return len(newest) == RECENT and is_open and not came.any() and bool((newest > 0).all())


def _day(past: np.ndarray, came: np.ndarray, ahead: np.ndarray, published: np.ndarray) -> np.ndarray:
    """Paths (P,) of the running day, from past days (D, 24), its hours that came (k,), and the run's own paths of its
    hours (24, P) and sum (P,)."""
    if not len(came):
        return published
    to_come = ahead[len(came) :].sum(axis=0)
    if np.isfinite(past).all(axis=1).sum() < FEWEST:
        return np.asarray(came.sum() + to_come)
    told = nowcast(past, came, float(published.mean()), _of_weekday(past))
    level = np.clip(np.arange(len(to_come)) / (len(to_come) - 1), 0.5 / len(to_come), 1 - 0.5 / len(to_come))
    drawn = np.empty_like(to_come)
    drawn[to_come.argsort(kind="stable")] = at_scores(told.quantiles - told.so_far, ndtri(level))
    return np.asarray(told.so_far + drawn)


def _of_weekday(past: np.ndarray) -> np.ndarray:
    """What was to be expected of each past day (D,): the mean of the others of its weekday, else of all."""
    total = past.sum(axis=1)
    known = np.where(np.isfinite(total), total, 0.0)
    weekday = np.arange(len(total)) % WEEK
    others = np.isfinite(total) & (weekday[:, None] == weekday) & ~np.eye(len(total), dtype=bool)
    usual = known.sum() / max(np.isfinite(total).sum(), 1)
    return np.asarray(np.where(others.any(axis=1), others @ known / np.maximum(others.sum(axis=1), 1), usual))


def _table(
    run: Run,
    told: Paths,
    period: str,
    begin: np.datetime64,
    until: np.datetime64,
    paths: np.ndarray,
    so_far: np.ndarray,
    silent: np.ndarray,
    uncounted: Sequence[Uncounted],
) -> pa.Table:
    """One row per node of the run, read from paths (n, P)."""
    labels = RUNNING.names[:7]
    rows = run.table(f"{period}s", [*labels, "ds", "q0.5"], [("ds", "=", begin.astype("datetime64[us]").item())])
    if not rows.num_rows:  # the run began in a later month
        rows = run.table("days", labels).group_by(labels).aggregate([])
    inside = np.stack([told.inside(node) for node in rows["node"].to_pylist()]).astype(float)
    futures = inside @ paths
    quantiles = quantiles_of(futures)
    columns = {name: rows[name] for name in labels}
    count = rows.num_rows
    columns["period"] = pa.array([period] * count)
    columns["ds"] = pa.array(np.full(count, begin.astype("datetime64[us]")))
    columns["until"] = pa.array(np.full(count, until))
    columns["so_far"] = pa.array(inside @ so_far)
    columns["forecast"] = rows["q0.5"] if "q0.5" in rows.column_names else pa.nulls(count, pa.float64())
    columns["silent"] = pa.array((inside @ silent).astype(np.int64))
    missing = [set().union(*(days for days, _ in compress(uncounted, node))) for node in inside]
    columns["uncounted"] = pa.array(map(len, missing), pa.int64())
    columns["mean"] = pa.array(futures.mean(axis=1))
    columns |= {name: pa.array(quantiles[:, place]) for place, name in enumerate(COLUMNS)}
    return pa.table(columns).cast(RUNNING)

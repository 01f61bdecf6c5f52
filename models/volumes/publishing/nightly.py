"""The nightly forecast of all flows: 14 days by hour, 90 days by day and 24 months, which add up in every way.

Each step length is forecast at every node of mode > governorate > post, reconciled over the nodes, then dealt out over
time. What is learnt (weights, widths, and the rolling past that says what goes together) is kept for a week of nights;
a night then fits each member once.
"""

import io
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from functools import partial

import numpy as np
import pandas as pd
import pyarrow as pa

from models.volumes import losses
from models.volumes.adding_up.coherent import Coherent, coherent
from models.volumes.adding_up.granularity import NO_DAYS, nested
from models.volumes.adding_up.hierarchy import SERIES, TOTAL, Hierarchy, declared, of_nodes
from models.volumes.backtest import prepare
from models.volumes.calendars.almanac import PLAIN, Almanac
from models.volumes.calendars.uncertain import chances
from models.volumes.counts.history import history_at
from models.volumes.counts.panel import Note, Panel
from models.volumes.lake.flows import LABELS, LakeFlows
from models.volumes.options import Options
from models.volumes.pooling.pool import Pool
from models.volumes.pooling.rolling import Forecast, Progress, Rehearsal, roll
from models.volumes.publishing.explained import explained
from models.volumes.publishing.published import TABLES, Paths, Word
from models.volumes.rhythm import COLUMNS, MEDIAN, moments
from records.errors import BadInput

PATHS_DOWN = (" > ".join(LABELS[:3]),)
LEVEL_NAMES = {
    TOTAL: "nation",
    "mode": "mode",
    "mode > governorate": "governorate",
    PATHS_DOWN[0]: "post",
    SERIES: "flow",
}
FREQS = {"hours": "h", "days": "D", "months": "MS"}
LOSSES = {"wape": losses.wape, "scaled_crps": losses.scaled_crps, "coverage_80": losses.coverage_of_counts}
WORD_DAYS = 14
"""First days of which it is said what moved them."""
CAME = {"hours": 24 * 7, "days": 90, "months": 36}
"""Newest steps whose counts are published beside the forecast."""
YEAR = 365
PROFILE_HOURS = 24 * 56
"""Recent hours that say how a day spreads over its hours, where a closure shuts some of them."""


@dataclass(frozen=True)
class Size:
    """How far a run looks and how much it spends. `teaching` origins are learnt from beside the one that proves."""

    hours: int = 14 * 24
    days: int = 90
    months: int = 24
    hours_of_history: int = 3360
    draws: int = 201
    teaching_hours: int = 1
    teaching_days: int = 1
    teaching_months: int = 2

    def horizon(self, name: str) -> int:
        return int(getattr(self, name))

    def teaching(self, name: str) -> int:
        return int(getattr(self, f"teaching_{name}"))


@dataclass(frozen=True)
class Taught:
    """What one step length has learnt: its pool, and what the pool said at earlier origins of the nodes named."""

    nodes: tuple[str, ...]
    pool: Pool
    past: tuple[Rehearsal, ...]
    figures: Mapping[str, Mapping[str, float]]

    def arrays(self) -> bytes:
        """The rolling past as NumPy's own file, without pickles."""
        sink = io.BytesIO()
        parts = {"nodes": np.array(self.nodes, dtype=str)}
        for number, rehearsal in enumerate(self.past):
            parts[f"quantiles_{number}"] = rehearsal.quantiles.astype(np.float32)
            parts[f"actual_{number}"] = rehearsal.actual.astype(np.float32)
        np.savez_compressed(sink, **parts)  # type: ignore[arg-type]
        return sink.getvalue()

    @staticmethod
    def read(arrays: bytes, pool: Pool, figures: Mapping[str, Mapping[str, float]]) -> "Taught":
        """What `arrays` wrote."""
        held = np.load(io.BytesIO(arrays), allow_pickle=False)
        count = sum(name.startswith("actual_") for name in held.files)
        past = tuple(
            Rehearsal(held[f"quantiles_{n}"].astype(float), held[f"actual_{n}"].astype(float)) for n in range(count)
        )
        return Taught(tuple(str(node) for node in held["nodes"]), pool, past, figures)


@dataclass(frozen=True)
class Ahead:
    """One step length as it is published: `told` adds up over nodes and time; `closed` (K, H) steps are exact zeros."""

    told: Coherent
    closed: np.ndarray
    nodes: Panel
    taught: Taught


@dataclass(frozen=True)
class Night:
    """All flows of one night by "hours", "days" and "months", and the almanac that they were told by."""

    parts: Mapping[str, Ahead]
    notes: tuple[Note, ...]
    uncertain_days: tuple[date, ...]
    almanac: Almanac

    @property
    def hierarchy(self) -> Hierarchy:
        return self.parts["days"].told.hierarchy


def daily_actual(flows: LakeFlows) -> pd.DataFrame:
    """Daily counts of all nodes that are known by now: unique_id, ds, y."""
    panel = prepare(flows.days, Options("D", 1, levels=PATHS_DOWN))
    hierarchy = declared(panel, PATHS_DOWN)
    values = of_nodes(panel, hierarchy).values[hierarchy.among_distinct]
    row, step = np.nonzero(np.isfinite(values))
    names = np.array(hierarchy.names, object)
    return pd.DataFrame(
        {"unique_id": names[row], "ds": moments(panel.start + step, panel.rhythm), "y": values[row, step]}
    )


def night(
    flows: LakeFlows,
    *,
    size: Size | None = None,
    countries: Sequence[str] = ("TN",),
    almanac: Almanac = PLAIN,
    taught: Mapping[str, Taught] | None = None,
    progress: Progress | None = None,
) -> Night:
    """The forecast of every flow from the day `flows.first` on; what `taught` holds is not learnt again.

    BadInput where no flow has counts by hour, day and month; one that lacks some of them is named in the notes.
    """
    size = size or Size()
    panels = {name: prepare(getattr(flows, name), _options(name, size, countries)) for name in FREQS}
    common = sorted(set.intersection(*(set(panel.ids) for panel in panels.values())))
    if not common:
        raise BadInput("No flow has counts by hour, day and month yet. Forecast again after a whole month of counts.")
    every = {name for panel in panels.values() for name in panel.ids}
    new = [Note(name, "too new to be forecast: it lacks counts by hour, day or month") for name in every - {*common}]
    open_shares = _open_shares(flows, panels["hours"].only(common), size)
    rolled = partial(roll, countries=countries, almanac=almanac)
    parts: dict[str, Ahead] = {}
    for name, panel in panels.items():
        said = (lambda line, name=name: progress(f"{name}: {line}")) if progress else None
        known = (taught or {}).get(name)
        parts[name] = _ahead(name, panel.only(common), flows.first, open_shares[name], size, rolled, known, said)
    before = np.array([flows.counted.get(node, 0.0) for node in common])
    uncounted = [flows.uncounted.get(node, NO_DAYS) for node in common]
    told = nested(*(parts[name].told for name in FREQS), days_counted=before, uncounted=uncounted)
    parts = {name: replace(part, told=getattr(told, name)) for name, part in parts.items()}
    notes = tuple(note for name in ("days", "months") for note in panels[name].notes)
    return Night(
        parts,
        (*flows.notes, *new, *_uncounted(flows), *_young(parts["days"]), *notes),
        _uncertain(parts["days"].nodes, size, countries, almanac),
        almanac,
    )


def flow_table(part: Ahead) -> pa.Table:
    """The table that is published: a row per node and step."""
    told, hierarchy = part.told, part.told.hierarchy
    quantiles, mean = told.quantiles, told.mean
    row, ahead = np.nonzero(np.isfinite(mean))
    names = np.array(hierarchy.names, object)
    labels = [labels_of(name) for name in hierarchy.names]
    columns: dict[str, pa.Array] = {
        "node": pa.array(names[row], pa.string()),
        "level": pa.array(np.array([LEVEL_NAMES[level] for level in hierarchy.levels], object)[row], pa.string()),
        "parent": pa.array(np.array([parent_of(name) for name in hierarchy.names], object)[row], pa.string()),
    }
    for label in LABELS:
        columns[label] = pa.array(np.array([own.get(label) for own in labels], object)[row], pa.string())
    columns["ds"] = pa.array(moments(told.origin + 1 + ahead, part.nodes.rhythm))
    columns["closed"] = pa.array(part.closed[row, ahead])
    columns["mean"] = pa.array(mean[row, ahead])
    columns |= {name: pa.array(quantiles[row, ahead, place]) for place, name in enumerate(COLUMNS)}
    return pa.table(columns).select(TABLES["days"].names)


def came_table(made: Night) -> pa.Table:
    """The newest counts before the run, as far back as CAME says: what was, beside what is expected."""
    columns: dict[str, list[np.ndarray]] = {"node": [], "step": [], "ds": [], "y": []}
    for name, part in made.parts.items():
        values = part.nodes.until(part.told.origin).values[:, -CAME[name] :][made.hierarchy.among_distinct]
        row, step = np.nonzero(np.isfinite(values))
        columns["node"].append(np.array(made.hierarchy.names, object)[row])
        columns["step"].append(np.full(len(row), name, object))
        clock = moments(part.told.origin + 1 - values.shape[1] + step, part.nodes.rhythm)
        columns["ds"].append(clock.astype("datetime64[us]"))
        columns["y"].append(values[row, step])
    return pa.table({name: pa.array(np.concatenate(parts)) for name, parts in columns.items()}).cast(TABLES["came"])


def counts_read(made: Night) -> dict[str, tuple[int, float]]:
    """How many days of each node were counted, and the persons on them."""
    part = made.parts["days"]
    values = part.nodes.until(part.told.origin).values[made.hierarchy.among_distinct]
    days, persons = np.isfinite(values).sum(axis=1), np.nansum(values, axis=1)
    return {name: (int(days[row]), float(persons[row])) for row, name in enumerate(made.hierarchy.names)}


def possible_futures(made: Night) -> Paths:
    """The paths that are published: of single flows, by hour and by day."""
    hours, days = (made.parts[name].told for name in ("hours", "days"))
    return Paths(made.hierarchy.series, hours.series, days.series)


def parent_of(node: str) -> str | None:
    """The node that a node is a part of; None for the nation."""
    return None if node == TOTAL else node.rpartition(" > ")[0] or TOTAL


def words(made: Night, countries: Sequence[str] = ("TN",)) -> list[Word]:
    """What moved the first days of every node."""
    part = made.parts["days"]
    nodes, told, place = part.nodes, part.told, made.hierarchy.distinct
    days = min(WORD_DAYS, told.series.shape[1])
    length = told.origin + days - nodes.start + 1
    calendars = chances(nodes.rhythm, nodes.start, length, countries, almanac=made.almanac)
    history = history_at(nodes, told.origin, days, calendars[0][1], calendars[1:])
    moved = explained(history, told.quantiles[place][:, :days, MEDIAN])
    clock = moments(told.origin + 1 + np.arange(days), nodes.rhythm).astype("datetime64[D]")
    return [
        Word(
            name,
            clock[day].item(),
            float(moved.forecast[row, day]),
            {part_name: float(values[row, day]) for part_name, values in moved.parts.items()},
        )
        for row, name in enumerate(nodes.ids)
        for day in range(days)
        if np.isfinite(moved.forecast[row, day]) and not part.closed[place[row], day]
    ]


def _young(days: Ahead) -> list[Note]:
    """Nodes whose first count is less than a year old: no season of theirs has been seen yet."""
    values = days.nodes.until(days.told.origin).values[days.told.hierarchy.among_distinct]
    age = values.shape[1] - np.isfinite(values).argmax(axis=1)
    return [
        Note(name, f"young: {days_known} days of history, less than a year")
        for name, days_known in zip(days.told.hierarchy.names, age, strict=True)
        if days_known < YEAR
    ]


def _uncounted(flows: LakeFlows) -> list[Note]:
    return [
        Note(
            name,
            f"days of this month without a count: {len(days)}; what is likely to have come on them is told",
        )
        for name, (days, _) in flows.uncounted.items()
    ]


def _options(name: str, size: Size, countries: Sequence[str]) -> Options:
    return Options(FREQS[name], size.horizon(name), holidays=tuple(countries), levels=PATHS_DOWN)


def _ahead(
    name: str,
    panel: Panel,
    first: np.datetime64,
    open_share: np.ndarray,
    size: Size,
    rolled: Callable[..., Iterator[Forecast]],
    taught: Taught | None,
    progress: Progress | None,
) -> Ahead:
    hierarchy = declared(panel, PATHS_DOWN)
    nodes = of_nodes(panel, hierarchy)
    horizon = size.horizon(name)
    origin = int(first.astype(f"datetime64[{panel.rhythm.unit}]").astype(np.int64)) - 1
    if taught is None or taught.nodes != nodes.ids:
        proof = origin - horizon
        enough = proof - nodes.start + 1 >= 3 * nodes.rhythm.short_season
        cutoffs = [proof, origin] if enough else [origin]
        made = list(rolled(nodes, cutoffs, horizon, teaching=size.teaching(name), progress=progress))
        newest = made[-1]
        taught = Taught(nodes.ids, newest.pool, newest.past, _figures(made[0], hierarchy) if enough else {})
    else:
        (newest,) = rolled(nodes, [origin], horizon, stored=taught.pool, progress=progress)
        newest = replace(newest, past=taught.past)
    closed = open_share == 0.0
    (told,) = coherent([newest], hierarchy, closed={origin: closed}, draws=size.draws)
    told = replace(told, series=told.series * open_share[:, :, None])
    everywhere = np.stack([closed[members].all(axis=0) for members in hierarchy.parts])
    return Ahead(told, everywhere, nodes, taught)


def _figures(proof: Forecast, hierarchy: Hierarchy) -> dict[str, dict[str, float]]:
    """Losses by level at an origin that taught nothing, of the pool before it is reconciled and of seasonal naive."""
    place = hierarchy.among_distinct
    told, naive, actual = proof.quantiles[place], proof.naive[place], proof.actual[place]
    known = np.isfinite(actual) & np.isfinite(told[..., 0]) & np.isfinite(naive[..., 0])
    answer = {}
    for level, name in LEVEL_NAMES.items():
        mine = known & (np.array(hierarchy.levels) == level)[:, None]
        figures = {
            f"{who}{key}": loss(actual[mine], quantiles[mine])
            for who, quantiles in (("", told), ("naive_", naive))
            for key, loss in LOSSES.items()
        }
        answer[name] = {key: value for key, value in figures.items() if value is not None}
    return answer


def _open_shares(flows: LakeFlows, hours: Panel, size: Size) -> dict[str, np.ndarray]:
    """Share (n, H) of each step's usual traffic during which no closure shuts its post, by step length; 0 is shut."""
    first = flows.first.astype("datetime64[h]")
    last_month = flows.first.astype("datetime64[M]") + size.months
    days = max(size.days, int((last_month.astype("datetime64[D]") - flows.first).astype(int)))
    clock = first + np.arange(24 * days)
    recent = np.nan_to_num(hours.values[:, -PROFILE_HOURS:])
    hour = (hours.end - np.arange(recent.shape[1])[::-1]) % 24
    profile = np.stack([recent[:, hour == h].sum(axis=1) for h in range(24)], axis=1) + 1e-9
    profile /= profile.sum(axis=1, keepdims=True)
    is_open = np.ones((len(hours.ids), len(clock)), bool)
    posts = [labels_of(name)["post"] for name in hours.ids]
    for post, begin, end in flows.shut:
        is_open[np.ix_([p == post for p in posts], (clock >= begin) & (clock < end))] = False
    by_day = is_open.reshape(len(posts), days, 24)
    day_share = np.where(by_day.all(axis=2), 1.0, (by_day * profile[:, None]).sum(axis=2))
    day_share[~by_day.any(axis=2)] = 0.0
    month = (flows.first + np.arange(days)).astype("datetime64[M]")
    month_share = np.stack(
        [day_share[:, month == month[0] + number].mean(axis=1) for number in range(size.months)], axis=1
    )
    return {
        "hours": is_open[:, : size.hours].astype(float),
        "days": day_share[:, : size.days],
        "months": month_share,
    }


def _uncertain(days: Panel, size: Size, countries: Sequence[str], almanac: Almanac) -> tuple[date, ...]:
    ahead = chances(days.rhythm, days.end + 1, size.days, countries, almanac=almanac)[0][1]
    clock = moments(days.end + 1 + np.arange(size.days), days.rhythm).astype("datetime64[D]")
    return tuple(pd.DatetimeIndex(clock[ahead.uncertain]).date)


def labels_of(node: str) -> dict[str, str]:
    """The labels in a node's name."""
    return dict(part.split("=", 1) for part in node.split(" > ") if "=" in part)

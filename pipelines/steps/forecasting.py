"""The nightly run of volumes: all that planners are shown, from what the lake knows now, published as one folder.

What is learnt (weights, widths, what goes together) lies in a model folder, is tracked, and serves the nights of a
week; a night with it fits each member once.
"""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from models import folder, tracking
from models.volumes.calendars.almanac import Almanac
from models.volumes.desks.posts import booths_at, staffed, staffing_tables
from models.volumes.lake.flows import lake_flows
from models.volumes.lake.official_days import official_days
from models.volumes.offices.caseload import applications
from models.volumes.offices.renewals import permits
from models.volumes.offices.stock import stays, stock
from models.volumes.pooling.pool import stored_pool
from models.volumes.publishing.classes import class_table
from models.volumes.publishing.nightly import (
    FREQS,
    Night,
    Size,
    Taught,
    came_table,
    counts_read,
    daily_actual,
    flow_table,
    labels_of,
    night,
    possible_futures,
    words,
)
from models.volumes.publishing.offices_ahead import office_tables, renewals_table, stock_table
from models.volumes.publishing.published import Card, Published, Run, runs, write, write_nowcast
from models.volumes.publishing.running import running
from models.volumes.publishing.vintages import Changed, Reason, how_did, newly_read, what_changed
from models.volumes.publishing.watch import alarms
from pipelines.steps.moments import known_until
from records.errors import BadInput
from records.lake import Lake
from records.settings import Settings

MODEL = "volumes"
LEARN_EVERY = timedelta(days=7)
JUDGED_RUNS = 5
"""Earlier runs whose figures stand in the card."""
Say = Callable[[str], None]
Did = dict[str, Any]
"""One line of how a run did: run, name (the level), days, coverage_80, wape, bias."""


@dataclass
class _Stopwatch:
    """CPU seconds by part, said as they end."""

    say: Say
    seconds: dict[str, float] = field(default_factory=dict)

    @contextmanager
    def part(self, name: str) -> Iterator[None]:
        began = time.process_time()
        yield
        self.seconds[name] = round(time.process_time() - began, 1)
        self.say(f"volumes: {name} {self.seconds[name]:.1f} CPU s")


def forecast_volumes(settings: Settings, say: Say, *, size: Size | None = None, relearn: bool = False) -> Run:
    """Make and publish a run, and the nowcast of its first day. Weights of the last week are used again, unless
    `relearn` says otherwise.

    What the lake holds nothing of (permits, say) is left empty and said in the card's notes.
    """
    size = size or Size()
    lake = Lake.open(settings.lake)
    as_of, made_at = known_until(lake), datetime.now(UTC)
    watch = _Stopwatch(say)
    learnt_at, taught = (None, None) if relearn else _stored(settings, made_at)
    with watch.part("counts"):
        flows = lake_flows(lake, as_of, settings.zone, hours=size.hours_of_history)
        almanac = Almanac(settings.origins, official_days(lake, as_of, settings.zone))
    with watch.part("flows"):
        made = night(flows, size=size, almanac=almanac, taught=taught, progress=say)
    if taught is None or any(made.parts[name].taught is not taught.get(name) for name in FREQS):
        learnt_at = made_at
        _keep(settings, made, size, learnt_at, lake)
    tables = {name: flow_table(part) for name, part in made.parts.items()} | {"came": came_table(made)}
    tables["classes"] = class_table(made.parts["days"], flows.classes)
    with watch.part("words"):
        told = words(made)
    with watch.part("alarms"):
        raised = alarms(made, flows)
    with watch.part("staffing"):
        tables |= _staffing(lake, as_of, made)
    with watch.part("offices"):
        more, lacks = _offices(lake, as_of, settings.zone, flows.first, size, almanac, say)
    published = settings.home / "volumes"
    earlier = runs(published)
    card = Card(
        made_at=made_at,
        as_of=as_of,
        zone=settings.zone,
        figures={name: part.taught.figures for name, part in made.parts.items()},
        weights={name: dict(part.taught.pool.weights) for name, part in made.parts.items()},
        learnt_at=learnt_at,
        notes=[asdict(note) for note in made.notes] + lacks + _of_schedule(lake, as_of),
        uncertain_days=made.uncertain_days,
        did=did(earlier[-JUDGED_RUNS:], daily_actual(flows)),
        counts=counts_read(made),
        versions=lake.versions(),
        data_hash=hashlib.sha256(np.ascontiguousarray(made.parts["days"].nodes.values).tobytes()).hexdigest(),
        settings=asdict(size) | {f"origins {mode}": ",".join(codes) for mode, codes in settings.origins.items()},
        seconds=watch.seconds,
    )
    if earlier:
        since, moved = changed(earlier[-1], card, tables["days"])
        card = replace(card, compared=asdict(since), changed=[asdict(one) for one in moved])
    run = write(published, Published(tables | more, raised, told, card, possible_futures(made)))
    write_nowcast(published, made_at, running(run, flows))
    return run


def did(earlier: Sequence[Run], actual: pd.DataFrame, days: tuple[str, str] | None = None) -> list[Did]:
    """How runs did by level on the days that came since; `days` keeps those from the first to before the second."""
    told = []
    for run in earlier:
        frame = run.table("days", ["node", "level", "ds", "q0.1", "q0.5", "q0.9"]).to_pandas()
        frame = frame.rename(columns={"node": "unique_id"})
        if days is not None:
            frame = frame[(frame["ds"] >= np.datetime64(days[0])) & (frame["ds"] < np.datetime64(days[1]))]
        if not frame.merge(actual, on=["unique_id", "ds"]).empty:
            told += [{"run": run.path.name, **asdict(done)} for done in how_did(frame, actual, ("level",))[1:]]
    return told


def changed(
    before: Run, card: Card, after: pa.Table, level: str = "post", most: int = 10
) -> tuple[Reason, list[Changed]]:
    """What a run (its card and its table of days) read that the one before had not, and what moved most of one level.

    Why a node moved: a closure that one of the two did not know, its own new counts, those of others, or the model.
    """
    columns = ["node", "level", "ds", "q0.5", "closed"]
    old, new = (table.select(columns).to_pandas() for table in (before.table("days"), after))
    old, new = (frame[frame["level"] == level].rename(columns={"node": "unique_id"}) for frame in (old, new))
    both = old.merge(new, on=["unique_id", "ds"], suffixes=("_old", "_new"))
    shut = set(both.loc[both["closed_old"] != both["closed_new"], "unique_id"])
    read, own = newly_read(before.card(), card)
    moved = what_changed(
        old,
        new,
        moved_by=own | dict.fromkeys(shut, Reason("changed.closure")),
        otherwise=Reason("changed.others") if own else read,
        most=most,
        least=0.5,
    )
    return (read if moved or read.reason != "changed.model" else Reason("changed.nothing")), moved


def _stored(settings: Settings, now: datetime) -> tuple[datetime | None, dict[str, Taught] | None]:
    """What was learnt in the last week, and when; nothing where there is none or it is of another version."""
    kept = tracking.champion(settings.mlflow_uri, MODEL)
    if kept is None or not (settings.models / kept).is_dir():
        return None, None
    files = folder.read(settings.models / kept)
    plain = json.loads(files["volumes.json"])
    if "learnt_at" not in plain or now - datetime.fromisoformat(plain["learnt_at"]) >= LEARN_EVERY:
        return None, None
    try:
        taught = {
            name: Taught.read(files[f"{name}.npz"], stored_pool(plain["pools"][name]), plain["figures"][name])
            for name in FREQS
        }
    except BadInput:  # of another version of the engine
        return None, None
    return datetime.fromisoformat(plain["learnt_at"]), taught


def _keep(settings: Settings, made: Night, size: Size, learnt_at: datetime, lake: Lake) -> None:
    taught = {name: part.taught for name, part in made.parts.items()}
    plain = {
        "learnt_at": learnt_at.isoformat(),
        "pools": {name: one.pool.plain() for name, one in taught.items()},
        "figures": {name: one.figures for name, one in taught.items()},
    }
    files = {"volumes.json": json.dumps(plain, sort_keys=True, indent=1).encode()}
    kept = folder.write(settings.models, files | {f"{name}.npz": one.arrays() for name, one in taught.items()})
    tracking.log_run(
        settings.mlflow_uri,
        settings.home / "mlruns",
        MODEL,
        kept,
        parameters={
            **asdict(size),
            **{f"weight {name} {m}": w for name, one in taught.items() for m, w in one.pool.weights.items()},
        },
        metrics={
            f"{name} {level} {key}": value
            for name, one in taught.items()
            for level, figures in one.figures.items()
            for key, value in figures.items()
        },
        versions=lake.versions(),
    )
    tracking.follow(settings.mlflow_uri, MODEL, kept.name)


def _staffing(lake: Lake, as_of: datetime, made: Night) -> dict[str, pa.Table]:
    booths = booths_at(lake.as_known("posts", as_of, ["post", "booths", "happened_at"]))
    told = made.parts["hours"].told
    plans = [
        staffed(own["post"], own["direction"], told.series[row].T, booths.get(own["post"], 1))
        for row, own in enumerate(map(labels_of, told.hierarchy.series))
    ]
    first = np.datetime64(told.origin + 1, "h")
    return staffing_tables(plans, first + np.arange(told.series.shape[1]))


def _offices(
    lake: Lake, as_of: datetime, zone: str, first: np.datetime64, size: Size, almanac: Almanac, say: Say
) -> tuple[dict[str, pa.Table], list[dict[str, object]]]:
    """The tables of offices, and notes of those that the lake holds nothing for."""

    def of_offices() -> Mapping[str, pa.Table]:
        known = applications(lake, as_of, zone=zone)
        return office_tables(
            known, first, days=size.days, almanac=almanac, progress=lambda line: say(f"offices: {line}")
        )

    made: dict[str, pa.Table] = {}
    notes: list[dict[str, object]] = []
    for part in (
        of_offices,
        lambda: {"renewals": renewals_table(permits(lake, as_of, zone))},
        lambda: {"stock": stock_table(stock(stays(lake, as_of)))},
    ):
        try:
            made |= part()
        except BadInput as error:
            notes.append({"series": "", "problem": str(error), "refused": False})
    return made, notes


def _of_schedule(lake: Lake, as_of: datetime) -> list[dict[str, object]]:
    """A note that flights and ferries are known too short a time ahead to forecast from."""
    until = pc.max(lake.as_known("services", as_of, ["happened_at"])["happened_at"]).as_py()
    said = f"scheduled services are known until {until:%Y-%m-%d %H:%M}" if until else "no scheduled services are known"
    return [{"series": "", "problem": f"{said}; hours are forecast without them", "refused": False}]

"""Flows as a nightly run published them: which there are, their names in words, their forecasts by step."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from models.volumes.publishing.published import LEVELS_OF_FLOWS, Run, newest_nowcast, runs
from models.volumes.rhythm import COLUMNS
from records.errors import BadInput
from serving.languages import Language
from serving.places import name_of

STEPS: Mapping[str, str] = {"hour": "hours", "day": "days", "month": "months"}
"""Step to the table of a run that holds it."""
BEFORE: Mapping[str, int] = {"hour": 48, "day": 28, "month": 24}
"""Steps before the run whose counts a picture shows beside its forecast."""
AT_ONCE: Mapping[str, int] = {"hour": 48, "day": 30, "month": 24}
"""Steps that a page shows at once."""
LABELS = ("mode", "governorate", "post", "direction")


@dataclass(frozen=True)
class Node:
    """One flow, or the sum of several: a post with both directions, a governorate, a mode, all of them."""

    node: str
    level: str
    parent: str | None
    mode: str | None
    governorate: str | None
    post: str | None
    direction: str | None

    def labels(self) -> dict[str, str]:
        """The columns that describe it, without those it is a sum over."""
        return {name: value for name in LABELS if (value := getattr(self, name)) is not None}


def newest_run(home: Path) -> Run | None:
    """The run that is served; None before the first."""
    made = runs(home / "volumes")
    return made[-1] if made else None


@lru_cache(maxsize=4)
def nodes(run: Run) -> Mapping[str, Node]:
    """All flows of a run by name, the nation first, flows last. A published run never changes, so they are kept."""
    columns = ["node", "level", "parent", *LABELS]
    rows = run.table("days", columns=columns).group_by(columns).aggregate([]).to_pylist()
    found = [Node(**{name: row[name] for name in columns}) for row in rows]
    found.sort(key=lambda n: (LEVELS_OF_FLOWS.index(n.level), n.node))
    return {n.node: n for n in found}


def node_of(run: Run, name: str | None) -> Node:
    """The flow `name`; the topmost where none is named. BadInput for one that the run does not have."""
    known = nodes(run)
    if not known:
        raise BadInput("This run holds no flow by day. Make a new run: basira volumes nightly.")
    if not name:
        return next(iter(known.values()))
    if name not in known:
        raise BadInput(f"This run has no flow '{name}'. It has, for example, '{next(iter(known))}'.")
    return known[name]


def series(run: Run, node: str, step: str, first: date | None = None, steps: int | None = None) -> pa.Table:
    """The forecast of one flow by one step, in order, from `first` on (its own first where none is given)."""
    table = between(run.table(STEPS[step], where=[("node", "=", node)]).sort_by("ds"), first)
    return table if steps is None else table.slice(0, steps)


def came(run: Run, node: str, step: str, steps: int | None = None) -> pa.Table:
    """The newest counts (ds, y) of one flow before the run, in order."""
    rows = run.table("came", ["ds", "y"], [("node", "=", node), ("step", "=", STEPS[step])]).sort_by("ds")
    return rows if steps is None else rows.slice(max(0, rows.num_rows - steps))


def running(home: Path, node: str) -> Mapping[str, Mapping[str, Any]]:
    """The newest nowcast of one flow, by "day" and "month"; none before the first."""
    told = newest_nowcast(home / "volumes")
    rows = told.filter(pc.equal(told["node"], node)).to_pylist() if told else []
    return {row["period"]: row for row in rows}


def between(rows: pa.Table, first: date | None = None, end: date | None = None) -> pa.Table:
    """The rows whose moment `ds` lies on `first` or later, and before `end`."""
    moment = rows.schema.field("ds").type
    if first is not None:
        rows = rows.filter(pc.greater_equal(rows["ds"], pa.scalar(first).cast(moment)))
    if end is not None:
        rows = rows.filter(pc.less(rows["ds"], pa.scalar(end).cast(moment)))
    return rows


def of_day(rows: pa.Table, day: date) -> pa.Table:
    """The rows whose moment `ds` lies on a day."""
    return between(rows, day, day + timedelta(days=1))


def quantiles(rows: pa.Table) -> np.ndarray:
    """The quantiles (H, 15) of H rows of a forecast."""
    return np.stack([rows[name].to_numpy() for name in COLUMNS], axis=1)


def begins(run: Run, step: str) -> list[date]:
    """The first days of the pages that a step is shown on."""
    moments = pc.unique(run.table(STEPS[step], columns=["ds"])["ds"]).sort().to_pylist()
    return [moment.date() for moment in moments[:: AT_ONCE[step]]]


def name_in_words(node: Node, language: Language) -> str:
    """Where and which way, as in "Ras Jedir Crossing, Entry"; a traveller class that was split off follows as it is."""
    mode = node.mode or ""
    said = []
    if node.post:
        said.append(name_of(node.post, "post", language))
    elif node.governorate:
        said += [name_of(node.governorate, "governorate", language), *([word_of(mode, language)] if mode else [])]
    elif mode:
        said.append(language.say_or(f"flows.by_{mode}", mode))
    if node.direction:
        way, _, group = node.direction.partition("|")
        said += [word_of(way, language), *([group] if group else [])]
    return language.say("flows.comma").join(said) or language.say("flows.nation")


def word_of(name: str, language: Language) -> str:
    """The word for a value; the value itself where nobody wrote one."""
    return language.say_or(f"word.{name}", name)


def flow_in_words(name: str, language: Language) -> str:
    """The same from a name alone: a published node, or `post|direction` as alarms name flows."""
    post, mark, direction = name.rpartition("|")
    if "=" in name:
        labels = dict(part.split("=", 1) for part in name.split(" > "))
        return name_in_words(Node(name, "", None, **{label: labels.get(label) for label in LABELS}), language)
    if mark and post:
        return name_in_words(Node(name, "flow", None, None, None, post, direction), language)
    return language.say("flows.nation") if name in ("total", "nation") else name


def moment_in_words(moment: datetime, step: str, language: Language) -> str:
    if step == "month":
        return f"{language.month_name(moment.month)} {moment.year}"
    day = language.short_weekday(moment.date())
    return f"{day}{language.say('flows.comma')}{moment:%H:%M}" if step == "hour" else day


def last_day(moment: datetime, step: str) -> date:
    """The last day that a step from `moment` on touches."""
    if step != "month":
        return moment.date()
    return (moment.replace(day=28) + timedelta(days=4)).replace(day=1).date() - timedelta(days=1)

"""Scenarios that planners keep, and what one does to a published forecast.

A scenario changes flows; what it does to a sum of flows is worked out from them: the median moves by what the flows'
medians move by, and the distance of each quantile from it grows or shrinks as theirs do, beside the flows that stay as
they were. The published forecast is never edited.
"""

from __future__ import annotations

import re
from datetime import date
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import sqlalchemy as sa

from models.volumes.publishing.published import Run
from models.volumes.rhythm import COLUMNS, MEDIAN
from models.volumes.what_if import scenarios
from models.volumes.what_if.scenarios import Change, Effect, Scenario
from records import journal
from records.errors import BadInput
from records.journal import Actor
from serving.flows import LABELS, STEPS, Node, quantiles

KIND = "scenario_saved"
FOLDER = "scenarios"
SHOWN_BY = ("day", "hour")
"""Steps that a scenario is shown by: its changes begin and end on days, which months cannot show."""


def saved(home: Path) -> dict[str, Scenario]:
    """The scenarios that were saved, by the name of their file, the newest first. One that a hand has spoiled is left
    out here; reading it by name says what is wrong with it."""
    found = {}
    for path in sorted((home / FOLDER).glob("*.yaml")):
        try:
            found[path.stem] = scenarios.read(path)
        except BadInput:
            continue
    return dict(sorted(found.items(), key=lambda item: (-item[1].made_on.toordinal(), item[0])))


def named(home: Path, name: str) -> Scenario:
    """The saved scenario of one name. BadInput where there is none, or it cannot be read."""
    if not re.fullmatch(r"[\w-]{1,80}", name):
        raise BadInput(f"There is no scenario {name!r}.")
    return scenarios.read(home / FOLDER / f"{name}.yaml")


def save(home: Path, connection: sa.Connection, actor: Actor, scenario: Scenario) -> str:
    """Save a scenario under its day and name, note it in the journal; the name of its file. BadInput where the name is
    taken."""
    words = "-".join(re.findall(r"[^\W_]+", scenario.name.lower()))[:60].strip("-")
    name = f"{scenario.made_on:%Y%m%d}-{words}"
    scenarios.write(scenario, home / FOLDER / f"{name}.yaml")
    payload = {"file": name, "content": (home / FOLDER / f"{name}.yaml").read_text(encoding="utf-8")}
    journal.append(connection, kind=KIND, actor=actor, payload=payload)
    return name


def change_of(
    kind: str, first: date, last: date | None, where: dict[str, str], low: float | None, high: float | None
) -> Change:
    """A change as the form gives it: closed, or so many per cent more (or fewer, below zero) at least and at most."""
    if kind == "closed":
        return Change(first, last, where or None)
    if kind != "moved" or low is None:
        raise BadInput("A change is 'closed', or 'moved' by per cents. Give at least the first of the two per cents.")
    if min(low, low if high is None else high) < -100:
        raise BadInput("Flows cannot fall by more than 100 per cent. Give -100 to 0, or above 0.")
    one, other = sorted((1 + low / 100, 1 + (low if high is None else high) / 100))
    return Change(first, last, where or None, round(one, 6), round(other, 6))


def overlaid(run: Run, node: Node, step: str, scenario: Scenario) -> tuple[pa.Table, np.ndarray, Effect]:
    """The published forecast of a node in order, its quantiles (H, 15) under the scenario, and what that did to it."""
    if step not in SHOWN_BY:
        raise BadInput(f"A scenario is shown by {' or '.join(SHOWN_BY)}; its changes begin and end on days.")
    below = [(name, "=", value) for name, value in node.labels().items()]
    table = run.table(STEPS[step], where=[[("node", "=", node.node)], [("level", "=", "flow"), *below]]).sort_by("ds")
    own = table.filter(pc.equal(table["node"], node.node))
    before = quantiles(own)
    days = own["ds"].to_numpy()
    parts = table.filter(pc.equal(table["level"], "flow"))
    labels, flows = _by_flow(parts, days) if parts.num_rows else ([node.labels()], before[None])
    moved = scenarios.on_quantiles(flows, labels, days, scenario)
    after = _of_the_sum(before, flows, moved)
    return own, after, scenarios.effect(before[None], after[None])


def _of_the_sum(before: np.ndarray, flows: np.ndarray, moved: np.ndarray) -> np.ndarray:
    """Quantiles (H, Q) of a sum whose parts (S, H, Q) were moved.

    Distances from the median add up as independent ones do: what the moved flows had of the sum's is taken out of it,
    what they have now is put in. Moved flows that together would have had more than the sum has had all of it.
    """
    middle = slice(MEDIAN, MEDIAN + 1)
    touched = (flows != moved).any(axis=2, keepdims=True)
    had = np.where(touched, flows, 0.0).sum(axis=0)
    have = np.where(touched, moved, 0.0).sum(axis=0)
    distance, had_apart, have_apart = (np.abs(q - q[:, middle]) for q in (before, had, have))
    share = np.divide(distance, had_apart, out=np.ones_like(distance), where=had_apart > distance)
    rest = np.maximum(distance**2 - (share * had_apart) ** 2, 0.0)
    apart = np.sqrt(rest + (share * have_apart) ** 2)
    centre = before[:, middle] + (have - had)[:, middle]
    answer = np.maximum(centre + np.where(np.arange(len(COLUMNS)) < MEDIAN, -apart, apart), 0.0)
    untouched = ~touched.any(axis=0)
    return np.asarray(np.where(untouched, before, np.maximum.accumulate(answer, axis=1)))


def _by_flow(parts: pa.Table, days: np.ndarray) -> tuple[list[dict[str, str]], np.ndarray]:
    """Labels of S flows and their quantiles (S, H, Q) on the given moments."""
    columns = {name: parts[name].to_pylist() for name in ("node", *LABELS)}
    place: dict[str, int] = {}
    labels = []
    for row, name in enumerate(columns["node"]):
        if name not in place:
            place[name] = len(place)
            labels.append({label: columns[label][row] for label in LABELS if columns[label][row] is not None})
    flows = np.zeros((len(labels), len(days), len(COLUMNS)))
    at = np.searchsorted(days, parts["ds"].to_numpy())
    flows[[place[name] for name in columns["node"]], at] = quantiles(parts)
    return labels, flows

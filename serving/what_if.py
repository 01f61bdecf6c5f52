"""Scenarios that planners keep, and what one does to a published forecast, which is never edited."""

from __future__ import annotations

import re
from datetime import date
from pathlib import Path

import numpy as np
import pyarrow as pa
import sqlalchemy as sa

from models.volumes.publishing.published import Run
from models.volumes.what_if import scenarios
from models.volumes.what_if.overlay import what_if
from models.volumes.what_if.scenarios import Change, Effect, Scenario
from records import journal
from records.errors import BadInput
from records.journal import Actor
from serving.flows import STEPS, Node, quantiles

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
    told = what_if(run, scenario, STEPS[step], node.node)
    before, after = quantiles(told.before), quantiles(told.after)
    return told.before, after, scenarios.effect(before[None], after[None])

"""A scenario over a published run: the same tables once more, with the overlay in every path, so that they add up.

The published run is never edited; whoever asks again gets the same answer.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from models.volumes.adding_up.paths import quantiles_of
from models.volumes.publishing.nightly import labels_of
from models.volumes.publishing.published import TABLES, Paths, Run
from models.volumes.rhythm import COLUMNS, quantiles_in
from models.volumes.what_if.scenarios import Effect, Scenario, effect, on_paths
from records.errors import BadInput


@dataclass(frozen=True)
class WhatIf:
    """The table of a run before and after a scenario, both read from the same paths; columns as in TABLES["days"]."""

    before: pa.Table
    after: pa.Table

    def effects(self, level: str) -> Mapping[str, Effect]:
        """What the scenario does to each node of a level, the most moved first; nodes it leaves alone are left out."""
        told: dict[str, Effect] = {}
        before, after = (table.filter(pc.equal(table["level"], level)) for table in (self.before, self.after))
        names, old, new = before["node"].to_numpy(zero_copy_only=False), quantiles_in(before), quantiles_in(after)
        for node in dict.fromkeys(names):
            mine = names == node
            if (old[mine] != new[mine]).any():
                told[str(node)] = effect(old[mine][None], new[mine][None])
        return dict(sorted(told.items(), key=lambda one: -abs(one[1].median_after - one[1].median_before)))


def what_if(run: Run, scenario: Scenario, name: str = "days", node: str | None = None) -> WhatIf:
    """The scenario's effect on the table `name` ("hours" or "days") of the newest run, or on one node of it.

    BadInput where it names flows that are not there or days that the run does not reach, or changes an input known
    ahead: published paths have forgotten which input made them.
    """
    if any(change.known for change in scenario.changes):
        raise BadInput(
            f"Scenario {scenario.name!r} changes an input known ahead, which this run was not made from. Change the "
            "flows themselves: low and high are how many times as many come; or forecast a table that has the input "
            "with `basira volumes forecast --scenario`."
        )
    told = run.paths()
    paths = told.hours if name == "hours" else told.days
    table = run.table(name, where=[("node", "=", node)] if node else None).sort_by("ds")
    clock = np.unique(table["ds"].to_numpy())
    if not reaches(clock, scenario):
        days = clock.astype("datetime64[D]")
        raise BadInput(
            f"Scenario {scenario.name!r} changes days from {scenario.changes[0].first}, but the run reaches from "
            f"{days[0]} to {days[-1]}. Choose days inside it."
        )
    flows = [labels_of(node) for node in told.nodes]
    drawn = np.moveaxis(paths, 2, 0)
    moved = on_paths(drawn, flows, clock, scenario)
    before, after = (_read(table, told, clock, futures) for futures in (drawn, moved))
    emptied = pc.and_(pc.equal(after["mean"], 0.0), pc.greater(before["mean"], 0.0))
    place = after.column_names.index("closed")
    return WhatIf(before, after.set_column(place, "closed", pc.or_(before["closed"], emptied)))


def reaches(clock: np.ndarray, scenario: Scenario) -> bool:
    """Whether a change of the scenario falls on one of the moments, which ascend."""
    first, last = clock[[0, -1]].astype("datetime64[D]")
    return any(
        np.datetime64(change.first) <= last and (change.last is None or np.datetime64(change.last) >= first)
        for change in scenario.changes
    )


def _read(table: pa.Table, told: Paths, clock: np.ndarray, paths: np.ndarray) -> pa.Table:
    """The table with its figures read from paths (P, n, H)."""
    node = table["node"].to_numpy(zero_copy_only=False)
    step = np.searchsorted(clock, table["ds"].to_numpy())
    figures = np.empty((len(node), len(COLUMNS) + 1))
    for name in dict.fromkeys(node):
        futures = paths[:, told.inside(name)].sum(axis=1).T
        mine = node == name
        figures[mine, 0] = futures.mean(axis=1)[step[mine]]
        figures[mine, 1:] = quantiles_of(futures)[step[mine]]
    columns = {name: table[name] for name in TABLES["days"].names[:9]}
    columns |= {name: pa.array(figures[:, place]) for place, name in enumerate(("mean", *COLUMNS))}
    return pa.table(columns).select(TABLES["days"].names)

"""How a published forecast did on the counts that came since, and what changed from one run to the next.

Runs are kept by `published`; here they are compared, as tables of flows and days.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from models.volumes.publishing.published import Card
from models.volumes.rhythm import COLUMNS, MEDIAN
from records.errors import BadInput


@dataclass(frozen=True)
class Done:
    """How forecasts of some flows did on `days` flow-days: coverage of the 80% range, WAPE and bias of the median, as
    shares of what came; None where nothing came."""

    name: str
    days: int
    coverage_80: float
    wape: float | None
    bias: float | None


@dataclass(frozen=True)
class Reason:
    """Why forecasts moved: `reason` is a key of a sentence, and `days` the new days of counts that it speaks of."""

    reason: str
    days: int = 0


@dataclass(frozen=True)
class Changed:
    """One flow's median sum over the steps that two runs share, before and after; why it moved as in Reason."""

    name: str
    before: float
    after: float
    reason: str
    days: int = 0

    @property
    def share(self) -> float:
        return self.after / self.before - 1.0 if self.before > 0 else float(self.after > 0)


def how_did(forecasts: pd.DataFrame, actual: pd.DataFrame, by: Sequence[str] = ("unique_id",)) -> list[Done]:
    """How a run did on the counts that came (unique_id, ds, y): of all flows together, then of each value of `by`.

    Days whose count has not come, or is missing, are left out and not counted as right or wrong.
    """
    joined = forecasts.merge(actual[["unique_id", "ds", "y"]].dropna(), on=["unique_id", "ds"])
    absent = [name for name in by if name not in joined.columns]
    if absent:
        raise BadInput(f"The forecasts have no column {', '.join(absent)}. Columns: {', '.join(forecasts.columns)}.")
    if joined.empty:
        raise BadInput("None of the forecast days has a count yet, so nothing can be said about how it did.")
    answer = [_done("", joined)]
    for column in by:
        answer += [_done(str(value), rows) for value, rows in joined.groupby(column, sort=True)]
    return answer


def what_changed(
    before: pd.DataFrame,
    after: pd.DataFrame,
    *,
    moved_by: Mapping[str, Reason],
    otherwise: Reason,
    most: int = 10,
    least: float = 0.0,
) -> list[Changed]:
    """The flows whose forecast changed most, in persons, over the steps that both runs forecast.

    The reason is that one run alone has the flow; else that of `moved_by`, by flow, as a new closure or its own new
    counts; else `otherwise`.
    """
    median = COLUMNS[MEDIAN]
    old, new = (run.set_index(["unique_id", "ds"])[median] for run in (before, after))
    both = old.index.intersection(new.index)
    sums_old, sums_new = (run.loc[both].groupby(level="unique_id").sum() for run in (old, new))
    changed = []
    for name in sorted({*before["unique_id"], *after["unique_id"]}):
        if name not in sums_old.index:
            is_new = name not in set(before["unique_id"])
            total = new.loc[name].sum() if is_new else old.loc[name].sum() if name not in set(after["unique_id"]) else 0
            values = (0.0, float(total)) if is_new else (float(total), 0.0)
            why = Reason("changed.new" if is_new else "changed.gone")
        else:
            values, why = (float(sums_old[name]), float(sums_new[name])), moved_by.get(name, otherwise)
        changed.append(Changed(name, *values, why.reason, why.days))
    changed = [c for c in changed if abs(c.after - c.before) > least]
    return sorted(changed, key=lambda c: (-abs(c.after - c.before), c.name))[:most]


def newly_read(before: Card, after: Card) -> tuple[Reason, dict[str, Reason]]:
    """What the later of two runs read that the earlier had not: over all nodes, and of each that has something new."""
    if before.data_hash == after.data_hash:
        return Reason("changed.model"), {}
    if not before.counts:  # published before runs kept what they had counted
        return Reason("changed.counts"), {}
    own = {}
    for name in before.counts.keys() & after.counts.keys():
        (days, persons), (days_before, persons_before) = after.counts[name], before.counts[name]
        if days > days_before:
            own[name] = Reason("changed.days", int(days - days_before))
        elif (days, persons) != (days_before, persons_before):
            own[name] = Reason("changed.corrected")
    if not own:
        return Reason("changed.later"), {}
    return max(own.values(), key=lambda one: one.days), own


def _done(name: str, rows: pd.DataFrame) -> Done:
    y, median = rows["y"].to_numpy(float), rows[COLUMNS[MEDIAN]].to_numpy(float)
    inside = (y >= rows["q0.1"].to_numpy(float)) & (y <= rows["q0.9"].to_numpy(float))
    total = float(np.abs(y).sum())
    error, bias = float(np.abs(y - median).sum()), float((median - y).sum())
    share = (error / total, bias / total) if total > 0 else (None, None)
    return Done(name, len(rows), float(inside.mean()), *share)

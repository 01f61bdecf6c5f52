"""The hidden truth, written beside the supplies for honest evaluation. No product module reads it."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from records.sample.blocks import Made
from records.sample.crossings import crossing_number, permit_files
from records.sample.parameters import KINDS
from records.sample.permits import OUTCOMES
from records.sample.risk import FINDING_KINDS
from records.sample.services import EXIT
from records.sample.setting import Setting
from records.sample.strings import chosen, days, numbers, strings


def true_entries(made: Made, setting: Setting) -> pa.Table:
    """Every assessable entry: its risk, whether it was irregular and how, whether a group the policy over-checks."""
    legs = made.block.legs
    keep = np.flatnonzero(made.assessable & (legs.day[made.entry] < setting.span.days))
    index = made.entry[keep]
    n = len(keep)
    checked = np.zeros(len(made.entry), dtype=bool)
    checked[made.checks.entry] = True
    return pa.table(
        {
            "crossing_id": strings(n, "C", crossing_number(made.block.first_leg, index)),
            "traveller_kind": chosen(np.full(n, made.block.group.kind), [k.name for k in KINDS]),
            "day": days(setting.span.origin + legs.day[index]),
            "risk": numbers(made.truth.risk[keep].astype(np.float32), pa.float32()),
            "irregular": numbers(made.truth.irregular[keep], pa.bool_()),
            "finding_kind": chosen(made.truth.kind[keep], FINDING_KINDS, made.truth.irregular[keep]),
            "marked": numbers(made.marked[keep], pa.bool_()),
            "young_man": numbers(made.young_man[keep], pa.bool_()),
            "checked": numbers(checked[keep], pa.bool_()),
        }
    )


def true_permits(made: Made, setting: Setting) -> pa.Table | None:
    """How each permit of a block really ended, and how likely it was to lapse; None where there are no permits."""
    file = made.block.file
    if file is None:
        return None
    end = file.endings
    return pa.table(
        {
            "file": permit_files(made.block.group, end.person),
            "valid_to": days(setting.span.origin + end.valid_to),
            "outcome": chosen(end.outcome, OUTCOMES),
            "lapse_risk": numbers(end.risk.astype(np.float32), pa.float32()),
        }
    )


def missing_exits(made: Made, setting: Setting) -> pa.Table:
    """Exits that took place and were never recorded."""
    legs = made.block.legs
    index = np.flatnonzero(~legs.recorded & (legs.direction == EXIT) & (legs.day < setting.span.days))
    return pa.table(
        {
            "crossing_id": strings(len(index), "C", crossing_number(made.block.first_leg, index)),
            "post": chosen(legs.post[index], [p.post for p in setting.where.posts]),
            "day": days(setting.span.origin + legs.day[index]),
        }
    )

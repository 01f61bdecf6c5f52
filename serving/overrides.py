"""How often officers decided otherwise than proposed: proposals of checks they did not follow, and checks of their own.

Counted from what the lake holds: selections, which say what was proposed of a case, and checks, which say what became
of it. Only a check that came after the proposal answers it. What was drawn by chance is nobody's proposal.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final

import pyarrow as pa
import pyarrow.compute as pc

from evidence.intervals import Interval, wilson
from records.lake import Lake
from risk_rules.lanes import DRAWN
from risk_rules.rule import PURPOSES

CAUSES: Final = ("rule", "model")


@dataclass(frozen=True)
class Share:
    """So many `cases`, and the part of them that was decided otherwise."""

    cases: int
    otherwise: Interval


@dataclass(frozen=True)
class Overrides:
    """Cases with a decision. `left`: of those given a check for a cause, by cause, where none was made; `own`: of those
    checked for a cause or at an officer's choice, where neither rule nor score had asked for it."""

    left: Mapping[str, Share]
    own: Share


def overrides(lake: Lake, purpose: str, model: str, since: datetime, now: datetime) -> Overrides:
    """What officers decided since `since` about cases that the model `model` (by hash) had scored."""
    decided = _decided(lake, PURPOSES[purpose], model, since, now)
    left = {}
    for cause in CAUSES:
        given = decided.filter(pc.and_(_is(decided, "why", cause), _is(decided, "outcome", "selected")))
        left[cause] = _share(given, _is(given, "finding", "not_checked"))
    made = decided.filter(pc.invert(_is(decided, "finding", "not_checked")))
    return Overrides(left, _share(made, pc.is_null(made["why"])))


def _decided(lake: Lake, kind: str, model: str, since: datetime, now: datetime) -> pa.Table:
    """One row per case: the `finding` of its newest check, `why` and `outcome` of the newest selection before it."""
    of_model = (pc.field("model") == model) & (pc.field("event_kind") == kind)
    proposed = lake.read("selections", ["event", "why", "outcome", "happened_at"], where=of_model)
    checks = lake.as_known("checks", now, ["event", "event_kind", "finding", "selected_by", "happened_at"])
    checks = checks.filter(_is(checks, "event_kind", kind)).rename_columns({"happened_at": "checked_at"})
    checks = checks.filter(pc.greater_equal(checks["checked_at"], pa.scalar(since, checks["checked_at"].type)))
    both = checks.join(proposed, "event", join_type="inner")
    drawn = pa.array(DRAWN)
    asked = pc.or_(pc.is_in(both["why"], value_set=drawn), pc.is_in(both["selected_by"], value_set=drawn))
    both = both.filter(pc.and_(pc.less_equal(both["happened_at"], both["checked_at"]), pc.invert(asked)))
    newest = both.sort_by([("checked_at", "descending"), ("happened_at", "descending")])
    first = pc.index_in(newest["event"], value_set=newest["event"].combine_chunks())
    return newest.filter(pc.equal(first, pa.array(range(newest.num_rows), pa.int32())))


def _is(rows: pa.Table, column: str, value: str) -> pa.ChunkedArray:
    return pc.fill_null(pc.equal(rows[column], value), False)


def _share(of: pa.Table, otherwise: pa.ChunkedArray) -> Share:
    return Share(of.num_rows, wilson(pc.sum(otherwise).as_py() or 0, of.num_rows))

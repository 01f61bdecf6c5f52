"""A live request answered by the same functions as a batch: spine, features, assessment.

A batch reads the lake. A request reads the live state, which a reader brings up to date himself where that takes a
moment, and is told how many batches his answer does not rest on where it does not.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime

import pyarrow as pa
import pyarrow.compute as pc
import sqlalchemy as sa

from features.engine import compute
from features.snapshot import Snapshot
from features.spine import crossing_spine, permit_spine
from models.risk.model import RiskModel
from records.lake import Lake
from risk_rules.protection import Protection
from risk_rules.rule import PURPOSES
from risk_rules.rulebook import Rulebook
from serving import shifts, store
from serving.assess import assess, needed_features
from serving.assessment import Assessment
from serving.house import House
from serving.selection import drawn, shift_of

_EVER = (datetime(1970, 1, 1, tzinfo=UTC), datetime(2200, 1, 1, tzinfo=UTC))


@dataclass(frozen=True)
class Answer:
    """What is known of the events asked for; `behind` batches of the lake it does not rest on."""

    assessments: list[Assessment]
    behind: int


def assess_events(house: House, purpose: str, events: Sequence[str]) -> Answer:
    """Assess the events named, from one snapshot of the live state. BadInput where there is no lake or no state yet."""
    behind = house.state.keep_up(Lake.open(house.settings.lake))
    with house.state.reading() as snapshot:
        assessed = assess_spine(
            snapshot,
            spine_of(snapshot, purpose, events),
            purpose=purpose,
            model=house.champion(purpose),
            rulebook=house.rulebook,
            protection=house.protection,
            mode=house.settings.mode.value,
        )
    return Answer(assessed, behind)


def spine_of(known: Lake | Snapshot, purpose: str, events: Sequence[str]) -> pa.Table:
    """The spine of the events named, whenever they happened; those that are not on record are left out."""
    rows = known.events(PURPOSES[purpose], events) if isinstance(known, Snapshot) else known
    if PURPOSES[purpose] == "crossing":
        return crossing_spine(rows, *_EVER, events=events)
    spine = permit_spine(rows, *_EVER)
    return spine.filter(pc.is_in(spine["event"], value_set=pa.array(list(events), pa.string())))


def assess_spine(
    known: Lake | Snapshot,
    spine: pa.Table,
    *,
    purpose: str,
    model: RiskModel | None,
    rulebook: Rulebook,
    protection: Protection,
    mode: str,
    open_referrals: frozenset[str] = frozenset(),
) -> list[Assessment]:
    """Features of `spine` computed and assessed; what a batch and a live request both call."""
    values = compute(spine, needed_features(purpose, model, rulebook, protection), known)
    return assess(
        spine,
        values,
        purpose=purpose,
        model=model,
        rulebook=rulebook,
        protection=protection,
        open_referrals=open_referrals,
        mode=mode,
        data_versions=known.versions(),
    )


def as_selected(connection: sa.Connection, assessed: Sequence[Assessment]) -> list[Assessment]:
    """The same assessments with what their shift decided: as stored, else blind where random control draws them.

    Nobody learns by asking live what a blind case hides.
    """
    keys = [key for a in assessed if (key := shift_of(a))]
    planned = shifts.planned(connection, keys)
    answered = []
    for assessment in assessed:
        stored = store.by_id(connection, assessment.id)
        hidden = stored is None and drawn(assessment, planned)
        answered.append(stored or (replace(assessment, blind=True) if hidden else assessment))
    return answered

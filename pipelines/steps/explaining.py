"""Why one value is what it is: of an event in the lake, or of a person at a moment."""

from __future__ import annotations

from datetime import UTC, datetime

import pyarrow as pa
import pyarrow.compute as pc

from features.by_hand import said
from features.declaration import SubjectKind
from features.explained import Explained, explained
from features.spine import crossing_spine, permit_spine, spine_of
from records.errors import BadInput
from records.lake import Lake
from records.settings import Settings

_EVER = (datetime(1970, 1, 1, tzinfo=UTC), datetime(2200, 1, 1, tzinfo=UTC))


def explain_event(settings: Settings, name: str, kind: SubjectKind, event: str) -> tuple[Explained, str]:
    """Feature `name` of a crossing or permit as it was, or would have been, assessed; and what it is about."""
    lake = Lake.open(settings.lake)
    if kind == "crossing":
        spine = crossing_spine(lake, *_EVER, events=[event])
    else:
        spine = permit_spine(lake, *_EVER)
        spine = spine.filter(pc.equal(spine["event"], event))
    if not spine.num_rows:
        raise BadInput(
            f"The lake holds no {kind} '{event}' to assess. A crossing is named by its `crossing_id`, a permit by its "
            "file and last day, such as F-123|2026-05-31."
        )
    return explained(name, kind, spine, lake), f"{kind} {event}, {_moment(spine)}"


def explain_person(
    settings: Settings, name: str, kind: SubjectKind, subject: str, as_of: datetime
) -> tuple[Explained, str]:
    """Feature `name` of a person as of a moment, without an event: what only an event says is null."""
    lake = Lake.open(settings.lake)
    spine = spine_of(kind, pa.table({"subject": [subject], "as_of": pa.array([as_of], pa.timestamp("us", tz="UTC"))}))
    return explained(name, kind, spine, lake), _moment(spine)


def _moment(spine: pa.Table) -> str:
    [row] = spine.select(["subject", "as_of"]).to_pylist()
    return f"subject {row['subject']} as of {said(row['as_of'])}"

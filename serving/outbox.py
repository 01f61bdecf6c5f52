"""What casework has to tell the lake: written in the transaction that decides it, collected later, once.

A row waits under the id of what it states (an assessment, a decision), which is also its key in the lake, so that
collecting it twice changes nothing.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa

from serving.assessment import Assessment
from serving.store import insert_new, outbox


def queue_selections(connection: sa.Connection, assessed: Sequence[Assessment], *, now: datetime | None = None) -> int:
    """One row of the table `selections` for each assessable event; how many were not there yet."""
    at = now or datetime.now(UTC)
    rows = [
        {
            "decision": a.id,
            "kind": "selections",
            "event_kind": a.event_kind,
            "event": a.event,
            "body": _selection(a, at),
            "decided_at": at,
        }
        for a in assessed
        if a.assessable and a.subject is not None
    ]
    return insert_new(connection, outbox, rows)


def waiting(connection: sa.Connection) -> dict[str, list[Mapping[str, Any]]]:
    """What was not collected yet: lake table → rows, instants as ISO 8601, in the order they were decided."""
    o = outbox.c
    asked = sa.select(o.kind, o.body).where(o.collected_at.is_(None)).order_by(o.decided_at, o.decision)
    found: dict[str, list[Mapping[str, Any]]] = {}
    for kind, body in connection.execute(asked):
        found.setdefault(kind, []).append(body)
    return found


def collected(connection: sa.Connection, decisions: Collection[str], *, now: datetime | None = None) -> None:
    """These rows are in the lake."""
    wanted = list(decisions)
    for start in range(0, len(wanted), 500):
        chosen = outbox.c.decision.in_(wanted[start : start + 500])
        connection.execute(outbox.update().where(chosen).values(collected_at=now or datetime.now(UTC)))


def _selection(a: Assessment, at: datetime) -> dict[str, Any]:
    return {
        "selection_id": a.id,
        "subject": a.subject,
        "event_kind": a.event_kind,
        "event": a.event,
        "as_of": a.as_of.isoformat(),
        "model": a.model,
        "rulebook": a.rulebook,
        "score": a.score,
        "lane": a.lane,
        "why": a.why,
        "probability": a.probability,
        "outcome": a.outcome,
        "happened_at": at.isoformat(),
        "known_at": at.isoformat(),
    }

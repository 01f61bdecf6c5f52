"""Who took notice of an alarm on a model, and why. Each word is an entry of the journal, and no other record of it is
kept.

It silences nothing: the alarm stands and its evidence goes on. An alarm about another claim, on another model, or
raised on another day is another alarm, which nobody has acknowledged yet.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import date, datetime
from typing import Final
from zoneinfo import ZoneInfo

import sqlalchemy as sa

from records import journal
from records.errors import BadInput
from records.journal import Actor

KIND: Final = "watch_acknowledged"
MOST_LETTERS: Final = 2000


@dataclass(frozen=True)
class Alarm:
    """What was raised on the day `since` about the claim `what` of the model (by hash) that speaks for `purpose`."""

    purpose: str
    model: str
    what: str
    since: date


@dataclass(frozen=True)
class Acknowledgement:
    """`by` took notice of `alarm`, `at` a moment (local) when the evidence was `evidence`."""

    alarm: Alarm
    by: str
    at: datetime
    evidence: float
    reason: str


def acknowledgements(connection: sa.Connection, model: str, zone: str) -> list[Acknowledgement]:
    """What was said of all alarms on a model, in its order."""
    return [
        Acknowledgement(
            Alarm(p["purpose"], model, p["what"], date.fromisoformat(p["since"])),
            entry.actor,
            entry.at.astimezone(ZoneInfo(zone)),
            p["evidence"],
            p["reason"],
        )
        for entry in journal.entries(connection, kind=KIND, mentions=model)
        if (p := entry.payload)
    ]


def record(connection: sa.Connection, actor: Actor, alarm: Alarm, evidence: float, reason: str) -> None:
    """Write down that `actor` took notice of an alarm when the evidence was `evidence`.

    BadInput without a reason, for one that is too long, and where the same person has acknowledged it before.
    """
    words = reason.strip()
    if not words:
        raise BadInput(
            "An alarm is acknowledged with a reason, which the journal keeps. Say why, or what is being done."
        )
    if len(words) > MOST_LETTERS:
        raise BadInput(f"The reason has {len(words)} letters. Write it in at most {MOST_LETTERS}.")
    if any(a.alarm == alarm and a.by == actor.name for a in acknowledgements(connection, alarm.model, "UTC")):
        raise BadInput(f"{actor.name} has acknowledged this alarm before. Once is enough; the page shows it.")
    payload = asdict(alarm) | {"since": alarm.since.isoformat(), "evidence": evidence, "reason": words}
    journal.append(connection, kind=KIND, actor=actor, payload=payload)

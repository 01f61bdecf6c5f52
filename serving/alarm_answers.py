"""What people say of alarms on flows: acknowledged, explained, closed. Each word is an entry of the journal, and no
other record of it is kept: an alarm as it stands is the published one with what was said of it since.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import replace

import sqlalchemy as sa

from models.volumes.early_warning.alarms import Alarm, Kind, State
from records import journal
from records.errors import BadInput
from records.journal import Actor

KIND = "alarm_answered"
ANSWERS = (State.ACKNOWLEDGED, State.EXPLAINED, State.CLOSED)
MOST_WORDS = 2000


def id_of(alarm: Alarm) -> str:
    """Names an alarm through all runs that publish it: its flow, kind and the day it was raised."""
    return hashlib.sha256(f"{alarm.flow}|{alarm.kind}|{alarm.raised_on}".encode()).hexdigest()[:16]


def standing(connection: sa.Connection, published: Iterable[Alarm]) -> list[Alarm]:
    """The alarms of a run as they stand now."""
    said = {entry.payload["alarm"]: entry.payload for entry in journal.entries(connection, kind=KIND) if entry.payload}

    def now(alarm: Alarm) -> Alarm:
        word = said.get(id_of(alarm))
        if word is None:
            return alarm
        # A feed that came back closes its alarm; a flow that a person took up stays until a person closes it.
        back = alarm.kind is Kind.FEED and alarm.state is State.CLOSED
        return replace(alarm, state=alarm.state if back else State(word["state"]), by=word["by"], note=word["note"])

    return [now(alarm) for alarm in published]


def answer(
    connection: sa.Connection, actor: Actor, published: Iterable[Alarm], alarm: str, state: State, note: str | None
) -> Alarm:
    """The alarm named `alarm` after a person's word, noted in the journal. BadInput where there is no such alarm, or
    it cannot become that."""
    found = next((one for one in standing(connection, published) if id_of(one) == alarm), None)
    if found is None:
        raise BadInput("There is no such alarm in the newest run. Load the page anew: it may have closed by itself.")
    words = (note or "").strip()
    if len(words) > MOST_WORDS:
        raise BadInput(f"The note has {len(words)} letters. Write it in at most {MOST_WORDS}.")
    after = found.become(state, actor.name, words or None)
    payload: dict[str, str | None] = {
        "alarm": alarm,
        "flow": after.flow,
        "kind": after.kind.value,
        "raised_on": after.raised_on.isoformat(),
    }
    payload |= {"state": after.state.value, "by": actor.name, "note": after.note}
    journal.append(connection, kind=KIND, actor=actor, payload=payload)
    return after

"""Which model speaks for a purpose: the journal names it, and nothing else does."""

from __future__ import annotations

from dataclasses import dataclass

import sqlalchemy as sa

from records import journal
from records.errors import BadInput
from records.journal import Actor
from risk_rules.rule import PURPOSES

KIND = "champion_named"
ORIGINS = ("records", "sample", "public")


@dataclass(frozen=True)
class Champion:
    """The model folder named `model` (its content hash) speaks for `purpose`; it learnt from `learnt_from`."""

    purpose: str
    model: str
    learnt_from: str


def name_champion(connection: sa.Connection, actor: Actor, champion: Champion) -> None:
    """Name the champion of a purpose. BadInput for an unknown purpose or origin; naming it again changes nothing."""
    if champion.purpose not in PURPOSES or champion.learnt_from not in ORIGINS:
        raise BadInput(
            f"A champion for '{champion.purpose}' that learnt from '{champion.learnt_from}' cannot be named. "
            f"Purposes are {', '.join(PURPOSES)}; it learnt from {', '.join(ORIGINS)}."
        )
    if champions(connection).get(champion.purpose) != champion:
        payload = {"purpose": champion.purpose, "model": champion.model, "learnt_from": champion.learnt_from}
        journal.append(connection, kind=KIND, actor=actor, payload=payload)


def champions(connection: sa.Connection) -> dict[str, Champion]:
    """The champion of each purpose that has one: the one named last."""
    named = [entry.payload for entry in journal.entries(connection, kind=KIND) if entry.payload]
    return {p["purpose"]: Champion(p["purpose"], p["model"], p["learnt_from"]) for p in named}

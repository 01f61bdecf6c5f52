"""Retention in casework: assessments, what waited for the lake, ended tokens, and what the journal says of persons."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa

from records import journal
from records.journal import Actor
from serving.store import assessments, dossiers, outbox, tokens

NAMES_CASES = ("read", "dossier_frozen")
"""The kinds of journal entry whose payload names cases; the others name shifts, accounts and models."""


@dataclass(frozen=True)
class CaseworkRetired:
    """Rows deleted from casework, and journal entries whose payload and salt were destroyed. The chain stays whole."""

    assessments: int
    outbox: int
    payloads: int


def retire_casework(
    connection: sa.Connection, actor: Actor, before: datetime, *, now: datetime, hold: frozenset[str] = frozenset()
) -> CaseworkRetired:
    """Delete what was saved before `before` with its dossiers, except cases of the subjects under a legal `hold`.

    An outbox row goes only once it was collected. Payloads of journal entries that name cases are destroyed with their
    salts; that is an entry itself.
    """
    a, o = assessments.c, outbox.c
    subject = a.body["subject"].as_string()
    old = sa.and_(a.saved_at < before, sa.or_(subject.is_(None), subject.not_in(sorted(hold))))
    cases = connection.execute(assessments.delete().where(old)).rowcount
    # A dossier goes with its assessment and not before: it is what the case can be explained by.
    connection.execute(dossiers.delete().where(dossiers.c.assessment.not_in(sa.select(a.id))))
    sent = connection.execute(outbox.delete().where(o.collected_at < before)).rowcount
    connection.execute(tokens.delete().where(tokens.c.expires_at <= now))
    # While anything is held, nothing says which of the entries name its cases; all of them wait.
    spent = [] if hold else _spent(connection, before)
    if spent:
        journal.destroy(connection, spent, actor=actor, why=f"past retention: read before {before:%Y-%m-%d}")
    return CaseworkRetired(cases, sent, len(spent))


def _spent(connection: sa.Connection, before: datetime) -> list[int]:
    entries = (entry for kind in NAMES_CASES for entry in journal.entries(connection, kind=kind))
    return [entry.sequence for entry in entries if entry.at < before and entry.payload is not None]

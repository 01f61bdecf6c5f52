"""Dossiers kept: frozen once, shown to whom they are for, every look written down, and made again to be compared.

A dossier is frozen in the transaction that decides something about a person: that a step is proposed, or a check is
given or not for want of capacity. Where nothing was decided it is frozen when it is first asked for; as an assessment
carries its own inputs and names its model and rules, that gives the same dossier. The journal keeps its digest, so
nobody can quietly change it. That of a blind case is kept like any other, and shown to nobody while it is blind.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from typing import Any
from zoneinfo import ZoneInfo

import sqlalchemy as sa

from records import journal
from records.errors import BadInput
from records.journal import Actor
from risk_rules.protection import Protection
from risk_rules.rulebook import Rulebook
from serving import dossier, store
from serving.accounts import NotAllowed
from serving.assessment import Assessment
from serving.capabilities import Capability, may, reading
from serving.dossier_officer import officer
from serving.dossier_parts import Document
from serving.dossier_person import person
from serving.house import House
from serving.languages import Language, language
from serving.readiness import Charter, charter
from serving.replay import assess_again, differences
from serving.second_opinion import SecondOpinion, second_opinion

FROZEN = "dossier_frozen"


class Unknown(BadInput):
    """No assessment of that id is stored."""


class Unseen(BadInput):
    """The case is blind: nobody sees its score before its finding is recorded."""


@dataclass(frozen=True)
class Look:
    """One time somebody saw the case: when, who in which roles, and on what page (`what`)."""

    at: datetime
    who: str
    roles: tuple[str, ...]
    what: str


@dataclass(frozen=True)
class Decision:
    """One statement about the case that goes to the lake: the engine's selection, or an officer's check."""

    at: datetime
    kind: str
    body: Mapping[str, Any]


@dataclass(frozen=True)
class Explanation:
    """What one reader is shown: the frozen document, and beside it what is not part of it.

    `digest` is of the frozen dossier, None while it is blind. `pictured` is what a picture is drawn from, not for the
    person concerned; `second` what a straight line says of the same inputs: that person is told that there is one, and
    no figure of it. `values`, `looks` and `decisions` are for oversight alone and empty for others; `contact` is for
    the person concerned.
    """

    assessment: str
    audience: str
    language: Language
    document: Document
    mode: str
    digest: str | None = None
    frozen_at: datetime | None = None
    pictured: Assessment | None = None
    second: SecondOpinion | None = None
    values: Mapping[str, Any] | None = None
    looks: tuple[Look, ...] = ()
    decisions: tuple[Decision, ...] = ()
    contact: Charter | None = None


@dataclass(frozen=True)
class Replayed:
    """Whether making a dossier again gave the same bytes; `differs` says where it did not, as "path: then, now"."""

    assessment: str
    digest: str
    same: bool
    differs: tuple[str, ...]

    @property
    def words_alone(self) -> bool:
        """Whether all that differs are words: texts were changed since, and every figure comes out as it did."""
        return not self.same and all(difference.startswith("documents.") for difference in self.differs)


def explanation(house: House, actor: Actor, id: str, audience: str, code: str, *, form: str = "json") -> Explanation:
    """The explanation of assessment `id` for one audience; that it was seen is written in the journal.

    Unknown if there is no such assessment; NotAllowed if the actor's roles do not cover it; Unseen where oversight asks
    for a case that is still blind.
    """
    assessment = _allowed(house, actor, id, audience)
    if audience == "oversight" and assessment.blind:
        raise Unseen(
            f"Assessment {id} is blind: random control drew it, or it stands beside one that was drawn, and nobody "
            "sees its score before its finding is recorded. Ask again then."
        )
    if assessment.blind:
        told = {"officer": officer, "person": person}[audience](assessment, house.rulebook, language(code))
        found = Explanation(id, audience, language(code), told, assessment.mode)
    else:
        body, frozen_at = frozen(house, actor, assessment)
        content = dossier.read(body)
        shown = dossier.document(content, audience, code)
        found = Explanation(id, audience, language(code), shown, assessment.mode, _digest(body), frozen_at)
        found = replace(found, second=second_opinion(house, assessment))
        if audience != "person":
            found = replace(found, pictured=dossier.assessed(content))
    with store.writing(house.engine) as connection:
        if audience == "oversight":
            found = replace(
                found,
                values=content["values"],
                looks=looks(connection, id),
                decisions=decisions(connection, assessment),
            )
        elif audience == "person":
            found = replace(found, contact=charter(house.settings.home))
        seen = {"page": "explanation", "audience": audience, "language": code, "form": form, "ids": [id]}
        journal.append(connection, kind="read", actor=actor, payload=seen)
    return found


def replay(house: House, actor: Actor, id: str) -> Replayed:
    """Make the dossier of assessment `id` again from its own inputs and compare it, byte by byte, with the frozen one.

    Nothing of the lake is read. Refusals are those of `explanation` for oversight.
    """
    assessment = _allowed(house, actor, id, "oversight")
    if assessment.blind:
        raise Unseen(f"Assessment {id} is blind, so it has no dossier yet. Ask again when its finding is recorded.")
    body, _ = frozen(house, actor, assessment)
    rulebook, protection = _rules(house, assessment)
    model = house.model(assessment.model) if assessment.model else None
    again = assess_again(assessment, model, rulebook, protection)
    differs = list(differences(assessment.as_json(), again.as_json(), "assessment"))
    remade = dossier.made(again, model, rulebook)
    if remade != body:
        found = differences(dossier.read(body), dossier.read(remade))
        differs += [d for d in found if not d.startswith("assessment.")]
    with store.writing(house.engine) as connection:
        differs += _tampered(connection, id, body)
        journal.append(connection, kind="read", actor=actor, payload={"page": "replay", "ids": [id]})
    return Replayed(id, _digest(body), not differs and remade == body, tuple(dict.fromkeys(differs)))


def frozen(house: House, actor: Actor, assessment: Assessment) -> tuple[bytes, datetime]:
    """The dossier as it was frozen, freezing it if it was not yet; and when that was. Not for a case that is blind."""
    with house.engine.connect() as connection:
        if held := _held(connection, assessment.id):
            return held
    body = _made(house, assessment)
    with store.writing(house.engine) as connection:
        freeze(connection, actor, {assessment.id: body})
        held = _held(connection, assessment.id)
    assert held is not None  # noqa: S101 - it was put there, by this or by another
    return held


def of_decided(house: House, assessed: Iterable[Assessment]) -> dict[str, bytes]:
    """The dossier of each of these about whom something is decided, for `freeze`; by id of the assessment.

    It takes some time for each, so that nobody should hold the store meanwhile.
    """
    decided = (a for a in assessed if a.assessable and (a.mitigation or a.outcome))
    return {assessment.id: _made(house, assessment) for assessment in decided}


def freeze(connection: sa.Connection, actor: Actor, made: Mapping[str, bytes]) -> int:
    """Keep dossiers, in the transaction that decides, and their digests in the journal; how many were not kept yet."""
    at, new = datetime.now(UTC), 0
    for id, body in made.items():
        row = {"assessment": id, "digest": _digest(body), "body": body, "frozen_at": at}
        if store.insert_new(connection, store.dossiers, [row]):
            journal.append(connection, kind=FROZEN, actor=actor, payload={"ids": [id], "digest": row["digest"]}, at=at)
            new += 1
    return new


def _made(house: House, assessment: Assessment) -> bytes:
    """The dossier as it reads once nothing about it is blind any more."""
    rulebook, _ = _rules(house, assessment)
    model = house.model(assessment.model) if assessment.model else None
    return dossier.made(replace(assessment, blind=False), model, rulebook)


def looks(connection: sa.Connection, id: str) -> tuple[Look, ...]:
    """Everyone who saw the case so far, in order: in a list, as an explanation, or by a program."""
    found = []
    for entry in journal.entries(connection, kind="read", mentions=id):
        if entry.payload and id in entry.payload.get("ids", ()):
            what = ".".join(str(entry.payload[key]) for key in ("page", "audience") if key in entry.payload)
            found.append(Look(entry.at, entry.actor, entry.roles, what))
    return tuple(found)


def decisions(connection: sa.Connection, assessment: Assessment) -> tuple[Decision, ...]:
    """What was stated about the case, in order: its own selection, and every check of its event."""
    o = store.outbox.c
    of_event = sa.and_(o.event_kind == assessment.event_kind, o.event == assessment.event, o.kind == "checks")
    asked = (
        sa.select(o.decided_at, o.kind, o.body)
        .where(sa.or_(o.decision == assessment.id, of_event))
        .order_by(o.decided_at, o.decision)
    )
    return tuple(Decision(store.in_utc(at), kind, body) for at, kind, body in connection.execute(asked))


def _allowed(house: House, actor: Actor, id: str, audience: str) -> Assessment:
    if audience not in dossier.AUDIENCES:
        raise BadInput(f"There is no audience '{audience}'. Audiences are: {', '.join(dossier.AUDIENCES)}.")
    with house.engine.connect() as connection:
        found = store.by_id(connection, id)
    if found is None:
        raise Unknown(
            f"No assessment '{id}' is stored here. An id has 32 digits and letters and stands with each case; what was "
            "only asked live is not stored, and what is past its retention is gone."
        )
    needed = [reading(found.event_kind), *([Capability.READ_DOSSIER] if audience == "oversight" else [])]
    if lacking := next((c for c in needed if not may(actor.roles, c)), None):
        raise NotAllowed(lacking.value)
    return found


def _rules(house: House, assessment: Assessment) -> tuple[Rulebook, Protection]:
    """The rules that assessed it. Where their day was not written down, it is the day it was saved."""
    house.rulebook  # noqa: B018 - keeps today's, should that be the one
    on = assessment.rules_on
    if on is None:
        a = store.assessments.c
        with house.engine.connect() as connection:
            saved = connection.scalar(sa.select(a.saved_at).where(a.id == assessment.id))
        at = store.in_utc(saved or datetime.now(UTC)).astimezone(ZoneInfo(house.settings.zone))
        on = at.date().isoformat()
    return house.rules_then(assessment.rulebook, date.fromisoformat(on))


def _held(connection: sa.Connection, id: str) -> tuple[bytes, datetime] | None:
    d = store.dossiers.c
    row = connection.execute(sa.select(d.body, d.frozen_at).where(d.assessment == id)).first()
    return (bytes(row.body), store.in_utc(row.frozen_at)) if row else None


def _tampered(connection: sa.Connection, id: str, body: bytes) -> list[str]:
    """Whether the journal knows the frozen dossier by another digest too, or by none."""
    known = [e.payload["digest"] for e in journal.entries(connection, kind=FROZEN, mentions=id) if e.payload]
    return [f"digest: {digest!r}, {_digest(body)!r}" for digest in known or [None] if digest != _digest(body)]


def _digest(body: bytes) -> str:
    return hashlib.sha256(body).hexdigest()

"""Which model speaks for a purpose: the journal names it, and nothing else does.

Four kinds of entries make the ledger: a candidate was trained (by whom, and where its proof is), oversight signed a gap
off, a promotion was refused (at which gates), and a champion was named, by promotion or by rolling back. What is asked
of the ledger is read from those entries; it keeps nothing beside them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

import sqlalchemy as sa

from models.risk.gates import AGAIN, GATES, Gate, SignedOff
from models.risk.proof import Findings
from records import journal
from records.errors import BadInput
from records.journal import Actor, Entry
from risk_rules.rule import PURPOSES

NAMED: Final = "champion_named"
REFUSED: Final = "promotion_refused"
TRAINED: Final = "candidate_trained"
TOO_FEW: Final = "too_few_findings"
SIGNED: Final = "gap_signed_off"
ORIGINS: Final = ("records", "sample", "public")
DEMONSTRATION: Final = "demonstration"
"""The reason on record where the engine itself signs off and promotes what it trained, in mode demo alone."""
PROMOTED, ROLLED_BACK = "promoted", "rolled_back"


@dataclass(frozen=True)
class Champion:
    """The model folder named `model` (its content hash) speaks for `purpose`; it learnt from `learnt_from`."""

    purpose: str
    model: str
    learnt_from: str


@dataclass(frozen=True)
class Candidate:
    """A model that was trained for `purpose`, by whom and when; `proof` is the hash of its proof."""

    purpose: str
    model: str
    learnt_from: str
    proof: str
    trainer: str
    at: datetime


@dataclass(frozen=True)
class Move:
    """One entry of the ledger about a purpose, as it was written: `how` promoted, rolled_back or refused.

    `model` is None where no model speaks from then on.
    """

    sequence: int
    at: datetime
    who: str
    how: str
    model: str | None
    before: str | None
    gates: tuple[Gate, ...]
    why: str
    evidence: Mapping[str, str]


def record_candidate(connection: sa.Connection, actor: Actor, champion: Champion, proof: str) -> None:
    """Write down that `actor` trained a candidate. The same model with the same proof is written down once, under who
    trained it first."""
    _known(champion)
    if not any(c.model == champion.model and c.proof == proof for c in candidates(connection, champion.purpose)):
        journal.append(connection, kind=TRAINED, actor=actor, payload=_of(champion) | {"proof": proof})


def record_too_few(connection: sa.Connection, actor: Actor, purpose: str, findings: Findings) -> None:
    """Write down that a training had too few findings; the same counts are written down once."""
    counts = {
        "usable": findings.usable,
        "positives": findings.positives,
        "needed": findings.needed,
        "needed_positives": findings.needed_positives,
    }
    if too_few(connection, purpose) != findings:
        journal.append(connection, kind=TOO_FEW, actor=actor, payload={"purpose": purpose, **counts})


def record_refusal(
    connection: sa.Connection, actor: Actor, champion: Champion, gates: Sequence[Gate], evidence: Mapping[str, str]
) -> None:
    """Write down that a promotion was tried and at which gates it was refused."""
    payload = _of(champion) | {"gates": [g.as_json() for g in gates], "evidence": dict(evidence)}
    journal.append(connection, kind=REFUSED, actor=actor, payload=payload)


def record_sign_off(connection: sa.Connection, actor: Actor, candidate: Candidate, gap: str, reason: str) -> None:
    """Write down that oversight accepts a gap of one candidate, and why."""
    payload = {"purpose": candidate.purpose, "model": candidate.model, "proof": candidate.proof}
    journal.append(connection, kind=SIGNED, actor=actor, payload={**payload, "gap": gap, "reason": reason})


def name_champion(
    connection: sa.Connection,
    actor: Actor,
    champion: Champion,
    gates: Sequence[Gate],
    *,
    how: str = PROMOTED,
    why: str = "",
    evidence: Mapping[str, str] | None = None,
) -> None:
    """Name the champion of a purpose. Naming it again changes nothing.

    BadInput for an unknown purpose or origin, and unless every gate was asked and passed: all of them for a promotion,
    those that hold again for rolling back.
    """
    _known(champion)
    asked = {"promoted": GATES, "rolled_back": AGAIN}[how]
    lacking = [name for name in asked if not any(g.name == name and g.passed for g in gates)]
    if lacking:
        raise BadInput(
            f"Model {champion.model[:12]} cannot be named champion of '{champion.purpose}': it did not pass "
            f"{', '.join(lacking)}. See `basira risk card {champion.purpose}`."
        )
    named = champions(connection)
    if named.get(champion.purpose) != champion:
        _name(connection, actor, champion, named.get(champion.purpose), gates, how, why, evidence or {})


def name_nobody(connection: sa.Connection, actor: Actor, purpose: str, *, why: str) -> None:
    """From now on no model speaks for `purpose`: the score is null; rules, facts and the random control go on."""
    before = champions(connection).get(purpose)
    if before is not None:
        payload = {"purpose": purpose, "model": None, "learnt_from": None, "before": before.model}
        rest = {"how": ROLLED_BACK, "why": why, "gates": [], "evidence": {}}
        journal.append(connection, kind=NAMED, actor=actor, payload=payload | rest)


def champions(connection: sa.Connection) -> dict[str, Champion]:
    """The champion of each purpose that has one: the one named last."""
    named = [entry.payload for entry in journal.entries(connection, kind=NAMED) if entry.payload]
    last = {p["purpose"]: p for p in named}
    return {name: Champion(name, p["model"], p["learnt_from"]) for name, p in last.items() if p["model"]}


def former(connection: sa.Connection, purpose: str) -> Champion | None:
    """The champion that rolling back leads to: the one that stood before the present was promoted, None where none did.

    Rolling back twice leads two promotions back, not to and fro.
    """
    stood: list[Champion] = []
    for entry in journal.entries(connection, kind=NAMED):
        p = entry.payload
        if p and p["purpose"] == purpose:
            if p.get("how") == ROLLED_BACK:
                stood = stood[:-1]
            else:
                stood.append(Champion(purpose, p["model"], p["learnt_from"]))
    return stood[-2] if len(stood) > 1 else None


def candidates(connection: sa.Connection, purpose: str) -> list[Candidate]:
    """All that were trained for `purpose`, the newest last."""
    return [
        Candidate(purpose, p["model"], p["learnt_from"], p["proof"], entry.actor, entry.at)
        for entry in journal.entries(connection, kind=TRAINED)
        if (p := entry.payload) and p["purpose"] == purpose
    ]


def too_few(connection: sa.Connection, purpose: str) -> Findings | None:
    """The counts of the newest training that had too few findings; None where the newest made a candidate."""
    trained = [entry for kind in (TOO_FEW, TRAINED) for entry in _about(connection, kind, purpose)]
    newest = max(trained, key=lambda entry: entry.sequence, default=None)
    if newest is None or newest.kind == TRAINED:
        return None
    return Findings(*((newest.payload or {})[name] for name in ("usable", "positives", "needed", "needed_positives")))


def signed_off(connection: sa.Connection, candidate: Candidate) -> list[SignedOff]:
    """Gaps of this candidate, as its proof has them, that oversight accepted."""
    return [
        SignedOff(p["gap"], entry.actor, p["reason"])
        for entry in journal.entries(connection, kind=SIGNED)
        if (p := entry.payload) and p["model"] == candidate.model and p["proof"] == candidate.proof
    ]


def moves(connection: sa.Connection, purpose: str) -> list[Move]:
    """Everything that was done, or refused, about the champion of `purpose`, the newest first."""
    found = [_move(entry) for kind in (NAMED, REFUSED) for entry in _about(connection, kind, purpose)]
    return sorted(found, key=lambda move: move.sequence, reverse=True)


def _about(connection: sa.Connection, kind: str, purpose: str) -> Iterator[Entry]:
    """Entries of a kind about a purpose, in their order."""
    return (e for e in journal.entries(connection, kind=kind) if e.payload and e.payload["purpose"] == purpose)


def _name(
    connection: sa.Connection,
    actor: Actor,
    champion: Champion,
    before: Champion | None,
    gates: Sequence[Gate],
    how: str,
    why: str,
    evidence: Mapping[str, str],
) -> None:
    payload = _of(champion) | {
        "before": before.model if before else None,
        "how": how,
        "why": why,
        "gates": [g.as_json() for g in gates],
        "evidence": dict(evidence),
    }
    journal.append(connection, kind=NAMED, actor=actor, payload=payload)


def _move(entry: Entry) -> Move:
    p = entry.payload or {}
    return Move(
        entry.sequence,
        entry.at,
        entry.actor,
        "refused" if entry.kind == REFUSED else p.get("how", PROMOTED),
        p["model"],
        p.get("before"),
        tuple(Gate(**gate) for gate in p.get("gates", ())),
        p.get("why", ""),
        p.get("evidence", {}),
    )


def _of(champion: Champion) -> dict[str, Any]:
    return {"purpose": champion.purpose, "model": champion.model, "learnt_from": champion.learnt_from}


def _known(champion: Champion) -> None:
    if champion.purpose not in PURPOSES or champion.learnt_from not in ORIGINS:
        raise BadInput(
            f"A champion for '{champion.purpose}' that learnt from '{champion.learnt_from}' cannot be named. "
            f"Purposes are {', '.join(PURPOSES)}; it learnt from {', '.join(ORIGINS)}."
        )

"""Promote a candidate through its gates, roll back, sign a gap off: what persons do about champions.

All three need a signed-in person whose roles cover it. In mode demo, and there alone, the engine may sign off and
promote what it trained, through the very same gates, so that a demonstration ends with champions; the journal says who
it was. The alias that MLflow shows follows the journal, never the other way round.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, replace
from datetime import UTC, datetime

import sqlalchemy as sa

from models import tracking
from models.risk import gates
from models.risk.card import Card, card, expires
from models.risk.catalogue import declaration
from models.risk.gates import Gate, Hands
from models.risk.model import RiskModel
from models.risk.proof import Proof
from records.errors import BadInput
from records.journal import Actor
from records.settings import Mode
from risk_rules.rule import PURPOSES
from serving import accounts, champions
from serving.accounts import require
from serving.capabilities import Capability, Role
from serving.champions import Candidate, Champion
from serving.house import House
from serving.store import writing


@dataclass(frozen=True)
class Weighed:
    """A candidate with its card and what every gate says of it beside the champion of the moment, or none."""

    candidate: Candidate
    proof: Proof
    card: Card
    gates: tuple[Gate, ...]
    champion: Champion | None

    @property
    def passed(self) -> bool:
        return all(gate.passed for gate in self.gates)

    @property
    def evidence(self) -> dict[str, str]:
        """Hashes of what the decision rests on."""
        written = json.dumps(self.card.as_json(), sort_keys=True, ensure_ascii=False).encode()
        return {"proof": self.candidate.proof, "card": hashlib.sha256(written).hexdigest()}


def candidate(house: House, purpose: str, model: str | None = None) -> Candidate:
    """The newest candidate of `purpose`, or the one whose hash begins with `model`. BadInput where there is none."""
    with house.engine.connect() as connection:
        return _candidate(connection, purpose, model)


def weigh(house: House, purpose: str, promoter: Actor, model: str | None = None) -> Weighed:
    """What the gates say of a candidate of `purpose`: the newest, or the one whose hash begins with `model`.

    BadInput where there is none. Changes nothing.
    """
    with house.engine.connect() as connection:
        chosen = _candidate(connection, purpose, model)
        champion = champions.champions(connection).get(purpose)
        signed = champions.signed_off(connection, chosen)
        hands = Hands(chosen.trainer, promoter.name, accounts.persons(connection), _demonstrates(house, promoter))
    loaded = RiskModel.load(house.settings.models / chosen.model)
    proof = Proof.load(house.settings.proofs / chosen.proof)
    written = card(declaration(purpose), proof, loaded)
    return Weighed(
        chosen,
        proof,
        written,
        (
            gates.better(proof, champion.model if champion else None),
            gates.calibrated(proof),
            gates.groups(proof, signed),
            gates.stable(proof),
            gates.lineage(loaded, proof.model),
            gates.explainable(loaded, proof.profile),
            gates.complete(written.lacking),
            gates.four_eyes(hands),
            gates.real(chosen.learnt_from, house.in_production),
        ),
        champion,
    )


def promote(house: House, actor: Actor, purpose: str, model: str | None = None, *, why: str = "") -> Weighed:
    """Name the candidate champion if every gate lets it through; else the refusal is written down, and nothing moves.

    NotAllowed without the capability; BadInput where there is no candidate.
    """
    if not _demonstrates(house, actor):
        require(actor, Capability.PROMOTE)
    weighed = weigh(house, purpose, actor, model)
    named = Champion(purpose, weighed.candidate.model, weighed.candidate.learnt_from)
    with writing(house.engine) as connection:
        if not weighed.passed:
            champions.record_refusal(connection, actor, named, weighed.gates, weighed.evidence)
            return weighed
        if champions.champions(connection).get(purpose) != weighed.champion:
            raise BadInput(f"Another champion was named for '{purpose}' meanwhile. Look at the gates again.")
        champions.name_champion(connection, actor, named, weighed.gates, why=why, evidence=weighed.evidence)
    follow(house, purpose)
    return weighed


def roll_back(house: House, actor: Actor, purpose: str, *, why: str) -> Champion | None:
    """Go back to the champion before the present one, or to none where there was none; who speaks now.

    NotAllowed without the capability; BadInput where no model speaks, without a reason, or where the former champion
    no longer passes what holds again: that it reads nothing prohibited, is explained in time, and may be live here.
    """
    require(actor, Capability.PROMOTE)
    if not why.strip():
        raise BadInput("Rolling back needs a reason, which the journal keeps. Say it with --why.")
    with house.engine.connect() as connection:
        present = champions.champions(connection).get(_purpose(purpose))
        back = champions.former(connection, purpose)
    if present is None:
        raise BadInput(f"No model speaks for '{purpose}', so there is nothing to roll back.")
    passed = () if back is None else _holds_again(house, back)
    with writing(house.engine) as connection:
        if champions.champions(connection).get(purpose) != present:
            raise BadInput(f"The champion of '{purpose}' was changed meanwhile. Look again.")
        if back is None:
            champions.name_nobody(connection, actor, purpose, why=why)
        else:
            how = champions.ROLLED_BACK
            champions.name_champion(connection, actor, back, passed, how=how, why=why)
    follow(house, purpose)
    return back


def sign_off(house: House, actor: Actor, purpose: str, gap: str, *, reason: str, model: str | None = None) -> None:
    """Oversight accepts one gap of a candidate that is beyond its bound, with a reason; it holds for this proof alone.

    NotAllowed without the capability or for its trainer (but for the engine in a demonstration); BadInput where the
    candidate has no such gap, or no reason.
    """
    demonstration = _demonstrates(house, actor)
    if not demonstration:
        require(actor, Capability.SIGN_OFF)
    if not reason.strip():
        raise BadInput("A gap is signed off with a reason, which the journal keeps. Say it with --reason.")
    with writing(house.engine) as connection:
        chosen = _candidate(connection, purpose, model)
        if actor.name == chosen.trainer and not demonstration:
            raise accounts.NotAllowed(f"{actor.name} may not sign off a gap of a model that {actor.name} trained.")
        wide = gates.wide_gaps(Proof.load(house.settings.proofs / chosen.proof))
        if gap not in wide:
            raise BadInput(
                f"Candidate {chosen.model[:12]} has no gap '{gap}' beyond its bound. "
                f"Beyond theirs are: {', '.join(wide) or 'none'}."
            )
        champions.record_sign_off(connection, actor, chosen, gap, reason.strip())


def follow(house: House, purpose: str) -> None:
    """Point MLflow's alias at what the journal says."""
    with house.engine.connect() as connection:
        named = champions.champions(connection).get(purpose)
    tracking.follow(house.settings.mlflow_uri, purpose, named.model if named else None)


def apart(house: House) -> list[str]:
    """Where MLflow's alias and the journal name different champions, one sentence each."""
    with house.engine.connect() as connection:
        named = champions.champions(connection)
    found = []
    for purpose in PURPOSES:
        ours = named[purpose].model if purpose in named else None
        theirs = tracking.champion(house.settings.mlflow_uri, purpose)
        if ours != theirs:
            found.append(
                f"The journal names {ours or 'no model'} champion of '{purpose}', MLflow {theirs or 'none'}. "
                "The journal decides: `basira check --mend` lets MLflow follow."
            )
    return found


def expired(house: House, now: datetime | None = None) -> list[str]:
    """Champions that are past the day their card names, one sentence each."""
    today = (now or datetime.now(UTC)).date()
    found = []
    with house.engine.connect() as connection:
        for purpose, champion in champions.champions(connection).items():
            trained = [c for c in champions.candidates(connection, purpose) if c.model == champion.model]
            if trained and (end := expires(Proof.load(house.settings.proofs / trained[-1].proof))) <= today:
                found.append(f"Champion '{purpose}' may speak until {end:%Y-%m-%d}. Train it again.")
    return found


def _candidate(connection: sa.Connection, purpose: str, model: str | None) -> Candidate:
    known = [c for c in champions.candidates(connection, _purpose(purpose)) if c.model.startswith(model or "")]
    if not known:
        which = f" whose hash begins with '{model}'" if model else ""
        raise BadInput(f"There is no candidate for '{purpose}'{which}. Train one: basira risk train {purpose}")
    newest = known[-1]
    # Whoever trained it first is its trainer: making the same model again passes it into no other hands.
    first = next(c for c in known if c.model == newest.model)
    return replace(newest, trainer=first.trainer)


def _purpose(purpose: str) -> str:
    declaration(purpose)
    return purpose


def _demonstrates(house: House, actor: Actor) -> bool:
    """Whether the engine itself acts in a demonstration."""
    return house.settings.mode is Mode.DEMO and actor.name == accounts.ENGINE_ACCOUNT and Role.ENGINE in actor.roles


def _holds_again(house: House, back: Champion) -> tuple[Gate, ...]:
    with house.engine.connect() as connection:
        known = [c for c in champions.candidates(connection, back.purpose) if c.model == back.model]
    model = RiskModel.load(house.settings.models / back.model)
    profile = Proof.load(house.settings.proofs / known[-1].proof).profile if known else "shipped"
    asked = (
        gates.lineage(model, back.model),
        gates.explainable(model, profile),
        gates.real(back.learnt_from, house.in_production),
    )
    refused = [gate.name for gate in asked if not gate.passed]
    if refused:
        raise BadInput(
            f"The champion before, {back.model[:12]}, may not speak any more: refused at {', '.join(refused)}. "
            "Promote a candidate, or close the purpose by rolling back once it is gone."
        )
    return asked

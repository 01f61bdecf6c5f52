"""Pages and addresses about models: who is champion and why, the card, the gates, and what was ever decided.

Reading needs a role that covers models; promoting, rolling back and signing off go through `promotion.py`, by a person
with a token of their own.
"""

from __future__ import annotations

from dataclasses import asdict, replace
from typing import Annotated, Any, Literal

from fastapi import FastAPI, Query, Request, Response
from fastapi.responses import HTMLResponse, JSONResponse, PlainTextResponse
from pydantic import BaseModel, ConfigDict, Field

from models.risk.card import Card, card, card_without_model
from models.risk.catalogue import declaration
from models.risk.gates import Gate
from models.risk.proof import Findings, Proof
from models.risk.training import LEAST_FINDINGS, LEAST_POSITIVES
from records.journal import Actor
from risk_rules.rule import PURPOSES
from serving import champions, model_cards, promotion
from serving.capabilities import Capability
from serving.card_pictures import pictures
from serving.champions import Candidate, Champion, Move
from serving.house import House
from serving.in_use import in_use
from serving.languages import Language
from serving.problems import Problem
from serving.sentences import isolated
from serving.visitor import OnPage, SignedIn, WithOwnToken, require
from serving.web import page_of, reader_of

SHORT = 12  # letters of a hash that a page shows

Reason = Annotated[str, Field(min_length=1, max_length=2_000)]


class ToPromote(BaseModel):
    """The candidate whose hash begins with `model`; the newest if left out."""

    model_config = ConfigDict(extra="forbid")
    model: str | None = None
    why: Annotated[str, Field(max_length=2_000)] = ""


class ToRollBack(BaseModel):
    """Why the champion before the present one is to speak again."""

    model_config = ConfigDict(extra="forbid")
    why: Reason


class ToSignOff(BaseModel):
    """A gap, named as the gate of groups names it, and why it is accepted."""

    model_config = ConfigDict(extra="forbid")
    gap: Reason
    reason: Reason
    model: str | None = None


def card_of(house: House, purpose: str, model: str | None = None) -> Card:
    """The card of the model whose hash begins with `model`; else of the champion, else of the newest candidate, else
    what there is to say without any; with what is known of its use. BadInput for a purpose or model that does not
    exist."""
    made = _of_run(house, purpose, model)
    return replace(made, fields=(*made.fields, *in_use(house, purpose, made.model)))


def _of_run(house: House, purpose: str, model: str | None) -> Card:
    declared = declaration(purpose)
    with house.engine.connect() as connection:
        known = champions.candidates(connection, purpose)
        named = champions.champions(connection).get(purpose)
        few = champions.too_few(connection, purpose)
    if model is not None:
        known = [promotion.candidate(house, purpose, model)]
    elif named is not None:
        known = [c for c in known if c.model == named.model] or known
    if not known:
        return card_without_model(declared, few or Findings(0, 0, LEAST_FINDINGS, LEAST_POSITIVES))
    chosen = known[-1]
    proof = Proof.load(house.settings.proofs / chosen.proof)
    return card(declared, proof, house.model(chosen.model))


def add_model_pages(app: FastAPI, house: House) -> None:
    @app.get("/models", include_in_schema=False)
    def all_models(request: Request, who: OnPage) -> Response:
        require(who, Capability.READ_MODELS)
        reader = reader_of(request)
        purposes = [_stands(house, purpose, reader) for purpose in PURPOSES]
        return page_of(request, house, who, "models.html", here="models", purposes=purposes)

    @app.get("/models/{purpose}", include_in_schema=False)
    def one_model(request: Request, who: OnPage, purpose: str, model: str | None = None) -> Response:
        require(who, Capability.READ_MODELS)
        known(purpose)
        return page_of(
            request, house, who, "model.html", **_page(house, who.actor, purpose, model or None, reader_of(request))
        )

    @app.get("/v1/models")
    def models(who: SignedIn) -> dict[str, Any]:
        """For each purpose the champion and the newest candidate; null where there is none."""
        require(who, Capability.READ_MODELS)
        with house.engine.connect() as connection:
            named = champions.champions(connection)
            newest = {purpose: champions.candidates(connection, purpose)[-1:] for purpose in PURPOSES}
        return {
            purpose: {
                "champion": asdict(named[purpose]) if purpose in named else None,
                "candidate": _plain(newest[purpose][0]) if newest[purpose] else None,
            }
            for purpose in PURPOSES
        }

    @app.get("/v1/models/{purpose}/card")
    def model_card(
        request: Request,
        who: SignedIn,
        purpose: str,
        model: str | None = None,
        lang: Literal["ar", "fr", "en"] | None = None,
        form: Annotated[Literal["json", "text", "page"], Query()] = "json",
    ) -> Response:
        """The card of the champion, or of the model whose hash begins with `model`: JSON, text, or a page to print."""
        require(who, Capability.READ_MODELS)
        known(purpose)
        found, reader = card_of(house, purpose, model), reader_of(request, lang)
        match form:
            case "text":
                return PlainTextResponse(model_cards.as_text(found, reader))
            case "page":
                return HTMLResponse(model_cards.as_page(found, reader, mode=house.settings.mode.value, alone=False))
            case _:
                return JSONResponse(model_cards.as_json(found, reader))

    @app.get("/v1/models/{purpose}/gates")
    def model_gates(request: Request, who: SignedIn, purpose: str, model: str | None = None) -> dict[str, Any]:
        """What every gate would say now, should you promote the candidate; nothing is changed."""
        require(who, Capability.READ_MODELS)
        known(purpose)
        return _weighed(promotion.weigh(house, purpose, who.actor, model), reader_of(request))

    @app.get("/v1/models/{purpose}/history")
    def model_history(who: SignedIn, purpose: str) -> list[dict[str, Any]]:
        """Every promotion, refusal and rolling back, the newest first, as the journal has them."""
        require(who, Capability.READ_MODELS)
        known(purpose)
        with house.engine.connect() as connection:
            return [_plain(move) for move in champions.moves(connection, purpose)]

    @app.post("/v1/models/{purpose}/promote")
    def promote(request: Request, who: WithOwnToken, purpose: str, body: ToPromote) -> dict[str, Any]:
        """Promote a candidate through its gates; `promoted` says whether every gate let it through."""
        known(purpose)
        told = promotion.promote(house, who.actor, purpose, body.model, why=body.why)
        return {"promoted": told.passed, **_weighed(told, reader_of(request))}

    @app.post("/v1/models/{purpose}/rollback")
    def roll_back(who: WithOwnToken, purpose: str, body: ToRollBack) -> dict[str, Any]:
        """Go back to the champion before the present one; null where no model speaks from then on."""
        known(purpose)
        back = promotion.roll_back(house, who.actor, purpose, why=body.why)
        return {"champion": asdict(back) if back else None}

    @app.post("/v1/models/{purpose}/sign-off")
    def sign_off(who: WithOwnToken, purpose: str, body: ToSignOff) -> dict[str, Any]:
        """Oversight accepts one gap of a candidate, with a reason."""
        known(purpose)
        promotion.sign_off(house, who.actor, purpose, body.gap, reason=body.reason, model=body.model)
        return {"signed_off": body.gap}


def known(purpose: str) -> None:
    """A 404 problem that names the models there are, where `purpose` is none of them."""
    if purpose not in PURPOSES:
        raise Problem(404, "No such model", f"There is no model '{purpose}'.", f"Models: {', '.join(PURPOSES)}.")


def _page(house: House, actor: Actor, purpose: str, model: str | None, reader: Language) -> dict[str, Any]:
    found = card_of(house, purpose, model)
    with house.engine.connect() as connection:
        moves = champions.moves(connection, purpose)
    asked = next((move.gates for move in moves if move.model == found.model and move.gates), None)
    if asked is None and found.model is not None:
        asked = promotion.weigh(house, purpose, actor, found.model).gates
    return {
        "here": "models",
        "title": reader.say(f"model.{purpose}"),
        "stands": _stands(house, purpose, reader),
        "model": isolated((found.model or "")[:SHORT]),
        "gates": [model_cards.gate_said(gate, reader) for gate in asked or ()],
        "moves": [_move(move, house, reader) for move in moves],
        "card_title": model_cards.title(found, reader),
        "sections": model_cards.sections(found, reader),
        "pictures": pictures(found, reader),
        "lacking": model_cards.fields_said(found.lacking, reader),
    }


def _stands(house: House, purpose: str, reader: Language) -> dict[str, str | None]:
    with house.engine.connect() as connection:
        moves = champions.moves(connection, purpose)
        newest = champions.candidates(connection, purpose)[-1:]
        named: Champion | None = champions.champions(connection).get(purpose)
    since = next((move for move in moves if named and move.how != "refused" and move.model == named.model), None)
    return {
        "name": purpose,
        "title": reader.say(f"model.{purpose}"),
        "champion": None
        if since is None or named is None
        else reader.say(
            "models.champion_of",
            model=isolated(named.model[:SHORT]),
            day=reader.day(house.day(since.at)),
            who=isolated(since.who),
        ),
        "candidate": _candidate(newest[0], house, reader) if newest else None,
    }


def _candidate(candidate: Candidate, house: House, reader: Language) -> str:
    return reader.say(
        "models.candidate_of",
        model=isolated(candidate.model[:SHORT]),
        day=reader.day(house.day(candidate.at)),
        who=isolated(candidate.trainer),
    )


def _move(move: Move, house: House, reader: Language) -> dict[str, str]:
    refused = [gate for gate in move.gates if not gate.passed]
    how = "gone" if move.model is None else move.how
    why = isolated(move.why) if move.why else ""
    if move.why == champions.DEMONSTRATION:
        why = reader.say("models.why.demonstration")
    if refused:
        why = reader.say(
            "models.refused_at", gates=reader.say("semicolon").join(reader.say(f"gate.{g.name}") for g in refused)
        )
    return {
        "when": f"{reader.day(house.day(move.at))} {reader.clock(move.at, house.settings.zone)}",
        "who": move.who,
        "what": reader.say(f"models.how.{how}"),
        "model": (move.model or move.before or "")[:SHORT],
        "why": why,
    }


def _weighed(told: promotion.Weighed, reader: Language) -> dict[str, Any]:
    return {
        "candidate": _plain(told.candidate),
        "gates": [_gate(gate, reader) for gate in told.gates],
        "evidence": told.evidence,
    }


def _gate(gate: Gate, reader: Language) -> dict[str, Any]:
    return model_cards.gate_said(gate, reader) | {"why": gate.why, "values": dict(gate.values)}


def _plain(record: Candidate | Move) -> dict[str, Any]:
    return asdict(record) | {"at": record.at.isoformat()}

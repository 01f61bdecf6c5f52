"""The page and addresses that say whether a model still holds: its state, why, what to do, and what is behind it; and
where a person acknowledges its alarms."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import date
from functools import lru_cache, partial
from typing import Annotated, Any, Final, Literal

from fastapi import FastAPI, Form, Request, Response
from fastapi.responses import RedirectResponse
from pydantic import BaseModel, ConfigDict, Field

from models.risk.watching import ALARM, What
from risk_rules.rule import PURPOSES
from serving.acknowledgements import MOST_LETTERS
from serving.capabilities import DRIVERS, Capability
from serving.drawing import Drawn, drawn
from serving.house import House
from serving.languages import Language, language
from serving.model_pages import known
from serving.problems import Problem
from serving.visitor import OnPage, SignedIn, WithOwnToken, from_own_form, not_allowed, require
from serving.watch_pictures import INPUTS, by_period, evidence, shifts
from serving.watches import (
    CLAIMED,
    LACKS,
    SENTENCES,
    Claim,
    Lack,
    Row,
    Standing,
    acknowledge,
    acknowledged_in_words,
    claim_in_words,
    evidence_in_words,
    in_words,
    input_in_words,
    standing,
)
from serving.web import bad_form, page_of, reader_of

_NAME: Final[Mapping[str, str]] = {kind: name for name, kind in PURPOSES.items()}
_WIDE: Final = 900
_OF_DAY: Final = ("day", "state", "since", "rows", "confirmed", "expected", "low", "high", "evidence")
_DISTANCES: Final = ("psi", "psi_limit", "js", "js_limit")
_SHARES: Final = ("missing", "missing_before", "unseen", "unseen_before")
_OF_INPUT: Final = ("about", "state", "rows", *_DISTANCES, *_SHARES)


class ToAcknowledge(BaseModel):
    """An alarm, by its claim and the day on which it was raised, and why it is acknowledged or what is being done."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={"examples": [{"claim": "calibration", "since": "2026-06-01", "reason": "Trained anew"}]},
    )
    claim: What
    since: date
    reason: Annotated[str, Field(max_length=MOST_LETTERS)]


def add_watch_pages(app: FastAPI, house: House) -> None:
    @app.get("/watch", include_in_schema=False)
    def watch(request: Request, who: OnPage, kind: str | None = None) -> Response:
        kinds = [each for each, capability in DRIVERS.items() if who.may(capability)]
        wanted = kind or next(iter(kinds), "crossing")
        if wanted not in DRIVERS:
            raise Problem(400, "No such kind", f"There is no kind '{wanted}' of event.", "Choose crossing or permit.")
        require(who, DRIVERS[wanted])
        found, reader, may = standing(house, _NAME[wanted]), reader_of(request), who.may(Capability.ACKNOWLEDGE)
        shown = _shown(found, reader) if isinstance(found, Standing) else None
        lack = None if isinstance(found, Standing) else reader.say(LACKS[found])
        return page_of(
            request, house, who, "watch.html", here="watch", kinds=kinds, kind=wanted, watch=shown, lack=lack, may=may
        )

    @app.post("/watch", include_in_schema=False)
    def acknowledge_on_page(
        request: Request,
        who: OnPage,
        form_key: Annotated[str, Form()],
        kind: Annotated[Literal["crossing", "permit"], Form()],
        claim: Annotated[What, Form()],
        since: Annotated[date, Form()],
        reason: Annotated[str, Form()] = "",
    ) -> Response:
        if not from_own_form(request, who, form_key):
            raise bad_form()
        acknowledge(house, who.actor, _NAME[kind], claim, since, reason)
        return RedirectResponse(f"/watch?kind={kind}", status_code=303)

    @app.get("/v1/watch")
    def watches(request: Request, who: SignedIn) -> dict[str, Any]:
        """Whether each champion still holds, in figures and in words: its claims day by day and who acknowledged their
        alarms, and its inputs, those that shifted most first; `lack` says why where that cannot be told.

        Only the models whose drivers your roles may read.
        """
        names = [name for name, kind in PURPOSES.items() if who.may(DRIVERS[kind])]
        if not names:
            raise not_allowed(" or ".join(DRIVERS.values()))
        return {name: _as_json(standing(house, name), reader_of(request)) for name in names}

    @app.post("/v1/watch/{purpose}")
    def acknowledge_alarm(request: Request, who: WithOwnToken, purpose: str, body: ToAcknowledge) -> dict[str, Any]:
        """Acknowledge an alarm of the champion, with a reason; noted in the journal under the account that sends it.

        The alarm stands all the same. Answers how the model stands now.
        """
        known(purpose)
        acknowledge(house, who.actor, purpose, body.claim, body.since, body.reason)
        return _as_json(standing(house, purpose), reader_of(request))


def _as_json(found: Standing | Lack, reader: Language) -> dict[str, Any]:
    if not isinstance(found, Standing):
        return {"lack": found, "said": {"state": reader.say(LACKS[found])}}
    return {
        "lack": None,
        "model": found.model,
        "finished": found.finished,
        "day": found.day,
        "state": found.state,
        "since": found.since,
        "said": asdict(in_words(found, reader)),
        "claims": [_claim_as_json(claim, reader) for claim in found.claims],
        "inputs": [_told(row, _OF_INPUT) for row in found.inputs],
        "score": found.score and _told(found.score, _OF_INPUT),
    }


def _claim_as_json(claim: Claim, reader: Language) -> dict[str, Any]:
    return {
        "claim": claim.what,
        **_told(claim.now, (*_OF_DAY, "needed", "awaited", "without_finding")),
        "said": {"claim": reader.say(CLAIMED[claim.what]), "stands": claim_in_words(claim, reader)},
        "acknowledged": [
            {"by": each.by, "at": each.at, "evidence": each.evidence, "reason": each.reason}
            for each in claim.acknowledged
        ],
        "days": [_told(row, _OF_DAY) for row in claim.rows],
    }


def _told(row: Row, names: Sequence[str]) -> dict[str, Any]:
    return {name: row[name] for name in names}


def _shown(found: Standing, reader: Language) -> dict[str, Any]:
    shown, rest = found.inputs[:INPUTS], found.inputs[INPUTS:]
    shifted = reader.say(
        "watch.inputs.shifted", count=len(found.shifted), all=reader.number(len(found.inputs), decimals=0)
    )
    return {
        "intro": reader.say(
            SENTENCES[found.kind]["intro"], first=reader.day(found.finished), last=reader.day(found.day)
        ),
        "state": found.state,
        "said": in_words(found, reader),
        "alarms": [_alarm(claim, reader) for claim in found.alarms],
        "claims": [_claim(claim, reader) for claim in found.claims],
        **_pictures(found, reader.code),
        "how": reader.say("watch.evidence.how", alarm=reader.number(ALARM, decimals=0)),
        "inputs": [input_in_words(row, found.kind, reader) for row in shown],
        "compared": reader.say("watch.inputs.intro", count=shown[0]["rows"]) if shown else None,
        "shifted": shifted,
        "rest": reader.say("watch.inputs.rest", count=len(rest)) if rest else None,
        "score": input_in_words(found.score, found.kind, reader) if found.score else None,
    }


@lru_cache(maxsize=12)
def _pictures(found: Standing, code: str) -> Mapping[str, Drawn | None]:
    """The pictures of a standing, which change once a day and cost a second to draw."""
    made = {"evidence": evidence, "found": by_period, "shifts": shifts}
    return {name: drawn(partial(picture, found), language(code), width=_WIDE) for name, picture in made.items()}


def _alarm(claim: Claim, reader: Language) -> dict[str, Any]:
    return {
        "claim": claim.what,
        "since": claim.now["since"].isoformat(),
        "title": reader.say(CLAIMED[claim.what]),
        "stands": claim_in_words(claim, reader),
        "said": [(each.by, acknowledged_in_words(each, reader), each.reason) for each in claim.acknowledged],
    }


def _claim(claim: Claim, reader: Language) -> dict[str, str]:
    now = claim.now
    whole = {name: reader.number(now[name] or 0, decimals=0) for name in ("rows", "confirmed")}
    bounds: dict[str, Any] = {name: reader.per_hundred(now[name]) for name in ("low", "high")}
    return whole | {
        "title": reader.say(CLAIMED[claim.what]),
        "expected": reader.number(now["expected"]),
        "allowed": reader.say("flows.between", **bounds) if now["high"] else "",
        "needed": reader.say("watch.never") if now["needed"] is None else reader.number(now["needed"], decimals=0),
        "evidence": evidence_in_words(now["evidence"], reader),
        "stands": claim_in_words(claim, reader),
        "state": now["state"],
    }

"""The page that says whether a model still holds: its state, why, what to do, and the pictures behind it."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any, Final

from fastapi import FastAPI, Request, Response

from models.risk.watching import ALARM
from risk_rules.rule import PURPOSES
from serving.capabilities import DRIVERS
from serving.drawing import drawn
from serving.house import House
from serving.languages import Language
from serving.problems import Problem
from serving.visitor import OnPage, require
from serving.watch_pictures import INPUTS, by_period, evidence, shifts
from serving.watches import (
    CLAIMED,
    LACKS,
    SENTENCES,
    Claim,
    Standing,
    claim_in_words,
    evidence_in_words,
    in_words,
    input_in_words,
    standing,
)
from serving.web import page_of, reader_of

_NAME: Final[Mapping[str, str]] = {kind: name for name, kind in PURPOSES.items()}
_WIDE: Final = 900


def add_watch_page(app: FastAPI, house: House) -> None:
    @app.get("/watch", include_in_schema=False)
    def watch(request: Request, who: OnPage, kind: str | None = None) -> Response:
        kinds = [each for each, capability in DRIVERS.items() if who.may(capability)]
        wanted = kind or next(iter(kinds), "crossing")
        if wanted not in DRIVERS:
            raise Problem(400, "No such kind", f"There is no kind '{wanted}' of event.", "Choose crossing or permit.")
        require(who, DRIVERS[wanted])
        found, reader = standing(house, _NAME[wanted]), reader_of(request)
        shown = _shown(found, reader) if isinstance(found, Standing) else None
        lack = None if isinstance(found, Standing) else reader.say(LACKS[found])
        return page_of(
            request, house, who, "watch.html", here="watch", kinds=kinds, kind=wanted, watch=shown, lack=lack
        )


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
        "claims": [_claim(claim, reader) for claim in found.claims],
        "evidence": drawn(partial(evidence, found), reader, width=_WIDE),
        "how": reader.say("watch.evidence.how", alarm=reader.number(ALARM, decimals=0)),
        "found": drawn(partial(by_period, found), reader, width=_WIDE),
        "inputs": [input_in_words(row, found.kind, reader) for row in shown],
        "compared": reader.say("watch.inputs.intro", count=shown[0]["rows"]) if shown else None,
        "shifted": shifted,
        "rest": reader.say("watch.inputs.rest", count=len(rest)) if rest else None,
        "score": input_in_words(found.score, found.kind, reader) if found.score else None,
        "shifts": drawn(partial(shifts, found), reader, width=_WIDE),
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

"""The HTTP interface: `create_app(settings)` makes the server, pages included.

Everything but /healthz and the sign-in page needs a token of a named account. Errors are problem documents that say
what, why and what to do. Nothing is loaded from outside: no page, style or description names another host.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import date
from typing import Annotated, Any, Literal

from fastapi import FastAPI, Query, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, RedirectResponse
from pydantic import BaseModel, ConfigDict, Field
from starlette.exceptions import HTTPException

from records import journal
from records.errors import BadInput
from records.settings import Settings
from risk_rules.rule import PURPOSES
from serving import live, planning_api, planning_pages, shown, store, web
from serving.accounts import NotAllowed
from serving.audit_pages import add_audit_pages
from serving.capabilities import Capability, reading
from serving.explanations import add_explanations
from serving.house import House, open_house
from serving.languages import chosen, language
from serving.model_pages import add_model_pages
from serving.problems import Problem
from serving.reason_pages import add_reason_pages
from serving.visitor import NobodyOnPage, SignedIn, Visitor, WithOwnToken, not_allowed, require
from serving.watch_pages import add_watch_pages

# Nothing runs in a page and nothing comes from elsewhere; frames and base addresses are refused.
POLICY = (
    "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
HEADERS = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    # Not `no-referrer`: with it browsers send "Origin: null" with our own forms, which nothing tells from a stranger's.
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
}
MOST_EVENTS = 500
EventKind = Literal["crossing", "permit"]
PURPOSE = {kind: purpose for purpose, kind in PURPOSES.items()}


class ToAssess(BaseModel):
    """Events of the lake to assess now: crossing numbers, or permits as `file|valid_to`."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={"examples": [{"event_kind": "crossing", "events": ["NUMBER", "NUMBER"]}]},
    )
    event_kind: EventKind
    events: list[Annotated[str, Field(min_length=1, max_length=200)]] = Field(min_length=1, max_length=MOST_EVENTS)


def create_app(settings: Settings) -> FastAPI:
    """The server of one installation. In production, BadInput names each thing that is lacking and nothing starts."""
    house = open_house(settings)
    if house.in_production and (lacking := house.lacks()):
        raise BadInput("Production does not start:\n" + "\n".join(f"- {sentence}" for sentence in lacking))
    # The usual description pages load their scripts from elsewhere; serving/web.py has one that does not.
    app = FastAPI(title="Basira", version="1", docs_url=None, redoc_url=None, openapi_url=None)
    app.state.house = house
    app.middleware("http")(_guarded)
    app.add_exception_handler(Problem, _problem)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(BadInput, _bad_input)
    app.add_exception_handler(NotAllowed, _refused)
    app.add_exception_handler(HTTPException, _http)
    app.add_exception_handler(NobodyOnPage, _to_sign_in)
    _routes(app, house)
    planning_api.add_routes(app, house)
    add_explanations(app, house)
    web.add_pages(app, house)
    add_reason_pages(app, house)
    add_audit_pages(app, house)
    add_watch_pages(app, house)
    add_model_pages(app, house)
    planning_pages.add_pages(app, house)
    return app


def _routes(app: FastAPI, house: House) -> None:
    @app.get("/healthz")
    def health() -> dict[str, Any]:
        """Whether the server answers, and what it answers with. Holds nothing about persons; needs no token."""
        return house.health()

    @app.get("/v1/openapi.json", include_in_schema=False)
    def description(_: SignedIn) -> dict[str, Any]:
        return app.openapi()

    @app.post("/v1/assess")
    def assess_now(request: Request, body: ToAssess, who: WithOwnToken) -> dict[str, Any]:
        """Assess events now, by the same function as the flows. Only who asked for what is stored.

        `behind` is how many batches of records came in that the answer does not rest on yet; `note` says so in the
        language of Accept-Language, and is null where there are none.
        """
        require(who, Capability.ASSESS)
        require(who, reading(body.event_kind))
        purpose = PURPOSE[body.event_kind]
        if house.live_behind() is None:
            raise Problem(
                503,
                "Nothing can be assessed live yet",
                "The live state, which holds everyone's history ready, was not made yet for this version.",
                "Make it: basira state build. `basira serve` makes it when it starts.",
            )
        now = live.assess_events(house, purpose, body.events)
        with store.writing(house.engine) as connection:
            answered = live.as_selected(connection, now.assessments)
            _journal_read(connection, who, "assess", {"event_kind": body.event_kind}, answered)
        found = {a.event for a in answered}
        reader = language(chosen(None, request.headers.get("accept-language")))
        return {
            "assessments": [shown.as_json(a, who.may(Capability.READ_PROTECTION)) for a in answered],
            "not_found": [event for event in body.events if event not in found],
            "behind": now.behind,
            "note": reader.say("live.behind", count=now.behind) if now.behind else None,
        }

    @app.get("/v1/assessments")
    def assessments(
        who: SignedIn,
        event_kind: EventKind = "crossing",
        day: date | None = None,
        place: str | None = None,
        limit: Annotated[int, Query(ge=1, le=500)] = 100,
        offset: Annotated[int, Query(ge=0)] = 0,
    ) -> dict[str, Any]:
        """The assessed events of one local day (by default the newest), ranked as on the page; how many were not."""
        require(who, reading(event_kind))
        sees = who.may(Capability.READ_PROTECTION)
        with store.writing(house.engine) as connection:
            of = day or store.newest_day(connection, event_kind)
            if of is None:
                return {"day": None, "total": 0, "assessments": [], "not_assessable": {}}
            ranked = store.ranked(connection, event_kind, of, place=place, limit=limit, offset=offset)
            asked = {"event_kind": event_kind, "day": of.isoformat(), "place": place}
            _journal_read(connection, who, "assessments", asked, ranked)
            return {
                "day": of.isoformat(),
                "total": store.how_many(connection, event_kind, of, place=place),
                "assessments": [shown.as_json(a, sees) for a in ranked],
                "not_assessable": shown.counts(store.not_assessed(connection, event_kind, of, place=place), sees),
            }


def _journal_read(connection: Any, who: Visitor, page: str, asked: dict[str, Any], seen: list[Any]) -> None:
    """One entry per answer, naming every case in it, in the transaction that read them."""
    if seen:
        payload = {"page": page, **asked, "ids": [a.id for a in seen]}
        journal.append(connection, kind="read", actor=who.actor, payload=payload)


async def _guarded(request: Request, call_next: Callable[[Request], Awaitable[Response]]) -> Response:
    response = await call_next(request)
    response.headers.update(HEADERS)
    if not request.url.path.startswith("/static/"):
        response.headers["Cache-Control"] = "no-store"
    return response


def _answer(request: Request, problem: Problem) -> Response:
    """A problem as a page for a person who browses, as a document for a program."""
    if request.url.path.startswith("/v1/") or "text/html" not in request.headers.get("accept", ""):
        return problem.response(request.url.path)
    return web.problem_page(request, problem)


async def _to_sign_in(request: Request, error: Exception) -> Response:
    return RedirectResponse("/", status_code=303)


async def _problem(request: Request, error: Exception) -> Response:
    assert isinstance(error, Problem)  # noqa: S101 - registered for this class alone
    return _answer(request, error)


async def _bad_input(request: Request, error: Exception) -> Response:
    return _answer(request, Problem(400, "The request cannot be used", str(error), "Correct it and send it again."))


async def _refused(request: Request, error: Exception) -> Response:
    return _answer(request, not_allowed(str(error)))


async def _invalid(request: Request, error: Exception) -> JSONResponse | Response:
    assert isinstance(error, RequestValidationError)  # noqa: S101 - registered for this class alone
    # What was sent is not repeated: it may hold what should stand in no log.
    wrong = "; ".join(f"{'.'.join(str(p) for p in e['loc'])}: {e['msg']}" for e in error.errors())
    return _answer(
        request,
        Problem(422, "The request is not formed as described", wrong, "Compare it with /docs and send it again."),
    )


async def _http(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)  # noqa: S101 - registered for this class alone
    remedies = {404: "Look the address up in /docs.", 405: "Look the method up in /docs."}
    remedy = remedies.get(error.status_code, "Send it again; if it fails again, tell an administrator.")
    return _answer(
        request, Problem(error.status_code, str(error.detail), f"{request.method} {request.url.path}", remedy)
    )

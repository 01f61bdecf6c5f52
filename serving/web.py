"""The pages: sign in, the newest day's queue, protection referrals. Rendered here, no script in any.

What planners open stands in `planning_pages.py`.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

from fastapi import FastAPI, Form, Query, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse
from fastapi.staticfiles import StaticFiles

from records import journal
from serving import shown, store
from serving.accounts import SESSION, SignInRefused, sign_in, sign_out
from serving.assessment import Assessment
from serving.capabilities import DRIVERS, Capability, reading
from serving.house import House
from serving.languages import LANGUAGES, LOCALES, Language, chosen, language
from serving.places import name_of, place_kind
from serving.problems import Problem
from serving.sentences import CHECKLIST, REASONS_SHOWN, checklist, fact_said, in_words
from serving.templates import templates
from serving.visitor import COOKIE, OnPage, Visitor, from_own_form, require, same_site, visitor

HERE = Path(__file__).parent
PER_PAGE = 50
LANGUAGE_COOKIE = "basira_language"
TABS = (
    ("crossings", "/?kind=crossing", Capability.READ_SECONDARY_CHECK),
    ("permits", "/?kind=permit", Capability.READ_PERMIT_LAPSE),
    ("referrals", "/referrals", Capability.READ_PROTECTION),
    ("forecasts", "/forecasts", Capability.READ_FORECASTS),
    ("drivers", "/drivers?kind=crossing", DRIVERS["crossing"]),
    ("drivers", "/drivers?kind=permit", DRIVERS["permit"]),
    ("groups", "/groups", Capability.AUDIT),
    ("watch", "/watch?kind=crossing", DRIVERS["crossing"]),
    ("watch", "/watch?kind=permit", DRIVERS["permit"]),
    ("models", "/models", Capability.READ_MODELS),
)


def add_pages(app: FastAPI, house: House) -> None:
    app.mount("/static", StaticFiles(directory=HERE / "static"), name="static")

    @app.get("/", include_in_schema=False)
    def first_page(
        request: Request,
        kind: str | None = None,
        place: str | None = None,
        page: Annotated[int, Query(ge=1, le=100_000)] = 1,
    ) -> Response:
        who = visitor(request, house.engine)
        if who is None:
            return page_of(request, house, None, "sign_in.html", refused=False)
        if kind is None:
            first = next((address for _, address, capability in TABS if who.may(capability)), None)
            if first is None:
                return page_of(request, house, who, "nothing.html")
            if not first.startswith("/?"):
                return RedirectResponse(first, status_code=303)
            kind = first.removeprefix("/?kind=")
        if kind not in CHECKLIST:
            raise Problem(400, "No such kind", f"There is no kind '{kind}' of event.", "Choose crossing or permit.")
        require(who, reading(kind))
        return page_of(
            request,
            house,
            who,
            "queue.html",
            **_queue(house, who, reader_of(request), kind, place=place or None, page=page),
        )

    @app.post("/sign-in", include_in_schema=False)
    def enter(request: Request, name: Annotated[str, Form()], password: Annotated[str, Form()]) -> Response:
        if not same_site(request):
            raise bad_form()
        try:
            session = sign_in(house.engine, name.strip().lower(), password)
        except SignInRefused:
            return page_of(request, house, None, "sign_in.html", status=403, refused=True)
        response = RedirectResponse("/", status_code=303)
        response.set_cookie(
            COOKIE,
            session.token,
            max_age=int(SESSION.total_seconds()),
            httponly=True,
            samesite="lax",
            secure=request.url.scheme == "https",
        )
        return response

    @app.post("/sign-out", include_in_schema=False)
    def leave(request: Request, who: OnPage, form_key: Annotated[str, Form()]) -> Response:
        if not from_own_form(request, who, form_key):
            raise bad_form()
        with store.writing(house.engine) as connection:
            sign_out(connection, who.token)
            journal.append(connection, kind="signed_out", actor=who.actor, payload={"account": who.actor.name})
        response = RedirectResponse("/", status_code=303)
        response.delete_cookie(COOKIE, httponly=True, samesite="lax")
        return response

    @app.get("/language/{code}", include_in_schema=False)
    def switch(request: Request, code: str, back: str = "/") -> Response:
        # Only a path of this server is gone back to: an address given from outside may lead anywhere.
        own = back.startswith("/") and not back.startswith("//") and "\\" not in back
        response = RedirectResponse(back if own else "/", status_code=303)
        if code in LOCALES:
            secure = request.url.scheme == "https"
            response.set_cookie(LANGUAGE_COOKIE, code, max_age=31_536_000, httponly=True, samesite="lax", secure=secure)
        return response

    @app.get("/referrals", include_in_schema=False)
    def referrals(request: Request, who: OnPage) -> Response:
        require(who, Capability.READ_PROTECTION)
        return page_of(request, house, who, "referrals.html", **_referrals(house, who, reader_of(request)))

    @app.get("/docs", include_in_schema=False)
    def docs(request: Request, who: OnPage) -> Response:
        return page_of(request, house, who, "docs.html", api=app.openapi())


def problem_page(request: Request, problem: Problem) -> Response:
    """A problem in the reader's language; programs get the document instead."""
    house: House = request.app.state.house
    keys = {401: "not_allowed", 403: "not_allowed", 404: "not_found"}
    key = "form" if problem.title == bad_form().title else keys.get(problem.status, "request")
    who = visitor(request, house.engine)
    return page_of(request, house, who, "problem.html", status=problem.status, key=f"problem.{key}")


def bad_form() -> Problem:
    return Problem(
        403,
        "The form was not accepted",
        "It was sent from another site, or belongs to another session.",
        "Load the page anew and send it again.",
    )


def reader_of(request: Request, wanted: str | None = None) -> Language:
    """The language to answer in: the one `wanted`, else what was chosen on a page, else what the browser asks for."""
    asked = wanted or request.cookies.get(LANGUAGE_COOKIE)
    return language(chosen(asked, request.headers.get("accept-language")))


def page_of(
    request: Request, house: House, who: Visitor | None, template: str, *, status: int = 200, **values: Any
) -> Response:
    reader = reader_of(request)
    back = request.url.path + (f"?{request.url.query}" if request.url.query else "")
    text = (
        templates()
        .get_template(template)
        .render(
            t=reader.say,
            language=reader,
            languages=[language(code) for code in LANGUAGES],
            back=back if request.method == "GET" else "/",
            mode=house.settings.mode.value,
            who=who,
            live_behind=house.live_behind() if who else 0,
            tabs=_tabs(who),
            **values,
        )
    )
    return HTMLResponse(text, status_code=status)


def _tabs(who: Visitor | None) -> list[tuple[str, str]]:
    """Each tab once, at the first of its addresses that `who` may open."""
    found: dict[str, str] = {}
    for key, address, capability in TABS:
        if who and who.may(capability):
            found.setdefault(key, address)
    return list(found.items())


def _queue(house: House, who: Visitor, reader: Language, kind: str, *, place: str | None, page: int) -> dict[str, Any]:
    """What the queue page shows, and the journal entry that says so, in one transaction."""
    found: dict[str, Any] = {"here": f"{kind}s", "kind": kind, "place": place, "cases": [], "day": None}
    with store.writing(house.engine) as connection:
        day = store.newest_day(connection, kind)
        if day is None:
            return found
        total = store.how_many(connection, kind, day, place=place)
        ranked = store.ranked(connection, kind, day, place=place, limit=PER_PAGE, offset=PER_PAGE * (page - 1))
        counted = store.not_assessed(connection, kind, day, place=place)
        places = store.places(connection, kind, day)
        if ranked:
            seen = {"page": "queue", "event_kind": kind, "day": day.isoformat(), "place": place}
            journal.append(connection, kind="read", actor=who.actor, payload={**seen, "ids": [a.id for a in ranked]})
    counts = shown.counts(counted, who.may(Capability.READ_PROTECTION))
    named = sorted((name_of(p, place_kind(kind), reader), p) for p in places)
    return found | {
        "day": reader.day(day),
        "cases": [case_shown(house, a, reader) for a in ranked],
        "total": total,
        "page": page,
        "pages": max(1, -(-total // PER_PAGE)),
        "places": [(p, name) for name, p in named],
        "counted": [(reader.say(f"why_not.{why}"), n) for why, n in sorted(counts.items())],
        "checklist": checklist(kind, reader),
    }


def case_shown(
    house: House, assessment: Assessment, reader: Language, *, most: int | None = REASONS_SHOWN
) -> dict[str, Any]:
    """What a card shows of one case, with the `most` weighty of its reasons (all, without `most`)."""
    zone = house.settings.zone
    return {
        "id": assessment.id,
        "event": assessment.event,
        "place": name_of(assessment.place, place_kind(assessment.event_kind), reader),
        "time": reader.clock(assessment.happened_at, zone) if assessment.event_kind == "crossing" else None,
        "moment": assessment.happened_at.isoformat(),
        "facts": [(reader.say(f"fact.{k}"), fact_said(k, v, reader)) for k, v in shown.facts(assessment).items()],
        "blind": assessment.blind,
        "score": None if assessment.score is None else reader.per_hundred(assessment.score),
        "probability": assessment.score,
        "band": assessment.band,
        "words": in_words(assessment, house.rulebook, reader, most=most),
    }


def _referrals(house: House, who: Visitor, reader: Language) -> dict[str, Any]:
    with store.writing(house.engine) as connection:
        day = store.newest_day(connection, "crossing")
        found = store.referred(connection, "crossing", day) if day else []
        if found and day:
            seen = {"page": "referrals", "day": day.isoformat(), "ids": [a.id for a in found]}
            journal.append(connection, kind="read", actor=who.actor, payload=seen)
    signs = {sign.id: sign for sign in house.protection.signs}
    cases = [
        {
            "event": a.event,
            "place": name_of(a.place, "post", reader),
            "time": reader.clock(a.happened_at, house.settings.zone),
            "moment": a.happened_at.isoformat(),
            "signs": [
                (
                    signs[s].title[reader.code],
                    signs[s].advice[reader.code],
                    house.protection.bodies[signs[s].to][reader.code],
                )
                for s in a.referrals
                if s in signs
            ],
        }
        for a in found
    ]
    return {"here": "referrals", "day": reader.day(day) if day else None, "cases": cases}

"""Pages that show reasons as pictures: one case with its explanation, and what drives scores this week."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any, Final

from fastapi import FastAPI, Request, Response

from features.groups import GROUPS
from records import journal
from risk_rules.rule import PURPOSES
from serving import drivers, store
from serving.assessment import Assessment
from serving.capabilities import DRIVERS, reading
from serving.drawing import drawn
from serving.driver_pictures import by_place, drift
from serving.house import House
from serving.languages import Language
from serving.places import place_kind
from serving.problems import Problem
from serving.second_opinion import in_words, second_opinion
from serving.sentences import checklist
from serving.visitor import OnPage, Visitor, require
from serving.waterfall import how_to_read, waterfall
from serving.web import case_shown, page_of, reader_of

PURPOSE: Final[Mapping[str, str]] = {kind: purpose for purpose, kind in PURPOSES.items()}
_WIDE: Final = 900


def add_reason_pages(app: FastAPI, house: House) -> None:
    @app.get("/cases/{id}", include_in_schema=False)
    def one_case(request: Request, who: OnPage, id: str) -> Response:
        found = _seen(house, who, id)
        if found is None:
            raise Problem(404, "No such case", f"No assessment '{id}' is stored.", "Open it from the queue.")
        return page_of(request, house, who, "case.html", **_case(house, found, reader_of(request)))

    @app.get("/drivers", include_in_schema=False)
    def what_drives(request: Request, who: OnPage, kind: str | None = None) -> Response:
        kinds = [each for each, capability in DRIVERS.items() if who.may(capability)]
        wanted = kind or next(iter(kinds), "crossing")
        if wanted not in DRIVERS:
            raise Problem(400, "No such kind", f"There is no kind '{wanted}' of event.", "Choose crossing or permit.")
        require(who, DRIVERS[wanted])
        week = _week(house, wanted, reader_of(request))
        return page_of(request, house, who, "drivers.html", here="drivers", kinds=kinds, kind=wanted, week=week)


def _seen(house: House, who: Visitor, id: str) -> Assessment | None:
    """The assessment, with the journal entry that says who opened it, in one transaction."""
    with store.writing(house.engine) as connection:
        found = store.by_id(connection, id)
        if found is None or not found.assessable:
            return None
        require(who, reading(found.event_kind))
        journal.append(connection, kind="read", actor=who.actor, payload={"page": "case", "ids": [found.id]})
    return found


def _case(house: House, assessment: Assessment, reader: Language) -> dict[str, Any]:
    kind = assessment.event_kind
    picture = drawn(partial(waterfall, assessment), reader)
    second = second_opinion(house, assessment)
    return {
        "here": "case",
        "kind": kind,
        "case": case_shown(house, assessment, reader, most=None),
        "checklist": checklist(kind, reader),
        "picture": picture,
        "how": how_to_read(assessment, reader) if picture else None,
        "second": in_words(second, assessment, reader) if second else (),
    }


def _week(house: House, kind: str, reader: Language) -> dict[str, Any] | None:
    model = house.champion(PURPOSE[kind])
    if model is None:
        return None
    with house.engine.connect() as connection:
        week = drivers.newest_week(connection, kind, model.hash)
    if week is None or not week.now.events:
        return None
    before = week.before.shares
    rows = [
        {
            "title": GROUPS[group][reader.code],
            "now": reader.share(share),
            "before": reader.share(before[group]) if group in before else "",
            "change": reader.signed(100 * (share - before[group])) if group in before else "",
            "raised": reader.share(week.now.raised_share(group)),
        }
        for group, share in week.now.shares.items()
    ]
    return {
        "first": reader.day(week.last - drivers.WEEK + drivers.DAY),
        "last": reader.day(week.last),
        "events": week.now.events,
        "rows": rows,
        "drift": drawn(partial(drift, week), reader, width=_WIDE),
        "places": drawn(partial(by_place, week, place_kind(kind)), reader, width=_WIDE),
        "few": reader.say("drivers.few", count=week.few, least=reader.number(drivers.LEAST)) if week.few else None,
    }

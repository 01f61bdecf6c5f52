"""Pages for planners: forecasts of flows, alarms, staffing, offices, scenarios, and how the runs do.

All figures are of the newest published run; what a page shows can also be asked of the programming interface, from
where its pictures and downloads come.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date, timedelta
from typing import Annotated, Any, Literal
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

import numpy as np
import pyarrow as pa
from fastapi import FastAPI, Form, Query, Request, Response
from fastapi.responses import RedirectResponse

from models.volumes.early_warning.alarms import Alarm, State
from models.volumes.publishing.published import LEVELS_OF_FLOWS, Card, Run
from models.volumes.rhythm import COLUMNS, MEDIAN
from models.volumes.what_if.overlay import reaches
from models.volumes.what_if.scenarios import Change, Scenario
from serving import alarm_answers, flows, movers, planning_desks, store, warnings, what_if
from serving.capabilities import Capability
from serving.flows import AT_ONCE, STEPS, Node
from serving.house import House
from serving.languages import Language
from serving.planning_api import Asked, Step, run_of
from serving.planning_runs import run_in_words
from serving.planning_words import (
    HIGH,
    LOW,
    between_in_words,
    class_in_words,
    count_in_words,
    row_in_words,
    running_in_words,
    signed_in_words,
)
from serving.visitor import OnPage, Visitor, from_own_form, require, visitor
from serving.web import bad_form, page_of, reader_of

PARTS = ("flows", "alarms", "staffing", "offices", "scenarios", "runs")
DAYS_TOLD = 7
"""Days of a page whose movers are said in words."""
YOUNG = "young"
"""The word by which a run's note says that a flow has little history."""
Told = Callable[[Run, Sequence[Alarm]], Mapping[str, Any]]
"""What a page shows of the newest run, with its alarms as they stand."""


def add_pages(app: FastAPI, house: House) -> None:
    def planner(request: Request, form_key: str) -> Visitor:
        """Who sends a form of these pages."""
        who = visitor(request, house.engine)
        if who is not None:
            require(who, Capability.PLAN)
        if who is None or not from_own_form(request, who, form_key):
            raise bad_form()
        return who

    def shown(request: Request, who: Visitor, part: str, told: Told) -> Response:
        common: dict[str, Any] = {"here": "forecasts", "part": part, "parts": PARTS}
        run = flows.newest_run(house.settings.home)
        if run is None:
            return page_of(request, house, who, "forecasts.html", **common, open_alarms=0, made=None)
        with house.engine.connect() as connection:
            standing = alarm_answers.standing(connection, run.alarms())
        common |= {"open_alarms": len(_open(standing)), "made": _made(run, house, reader_of(request))}
        common["may_plan"] = who.may(Capability.PLAN)
        name = "forecasts.html" if part == "flows" else f"forecasts_{part}.html"
        return page_of(request, house, who, name, **common, **told(run, standing))

    @app.get("/forecasts", include_in_schema=False)
    def forecasts(
        request: Request,
        who: OnPage,
        step: Step = "day",
        node: str | None = None,
        start: Annotated[date | None, Query(alias="from")] = None,
    ) -> Response:
        require(who, Capability.READ_FORECASTS)
        reader = reader_of(request)
        return shown(
            request, who, "flows", lambda run, standing: _flow(house, run, standing, reader, node, step, start)
        )

    @app.post("/forecasts/alarms", include_in_schema=False)
    def answer_alarm(
        request: Request,
        form_key: Annotated[str, Form()],
        alarm: Annotated[str, Form()],
        state: Annotated[State, Form()],
        note: Annotated[str, Form()] = "",
    ) -> Response:
        who = planner(request, form_key)
        run = flows.newest_run(house.settings.home)
        with store.writing(house.engine) as connection:
            alarm_answers.answer(connection, who.actor, run.alarms() if run else (), alarm, state, note)
        return RedirectResponse("/forecasts/alarms", status_code=303)

    @app.get("/forecasts/scenarios", include_in_schema=False)
    def scenarios(
        request: Request, who: OnPage, asked: Asked, step: Literal["day", "hour"] = "day", node: str | None = None
    ) -> Response:
        require(who, Capability.READ_FORECASTS)
        return shown(request, who, "scenarios", lambda run, _: _scenarios(house, run, request, asked(run), node, step))

    @app.post("/forecasts/scenarios", include_in_schema=False)
    def keep_scenario(
        request: Request,
        asked: Asked,
        form_key: Annotated[str, Form()],
        name: Annotated[str, Form(max_length=80)],
        note: Annotated[str, Form(max_length=2000)],
        node: str = "",
    ) -> Response:
        who = planner(request, form_key)
        composed = asked(run_of(house))
        if composed is None:
            raise bad_form()
        made = Scenario(name.strip(), who.actor.name, house.today, note.strip(), composed.changes)
        with store.writing(house.engine) as connection:
            kept = what_if.save(house.settings.home, connection, who.actor, made)
        return RedirectResponse("/forecasts/scenarios?" + urlencode({"scenario": kept, "node": node}), status_code=303)

    @app.get("/forecasts/{part}", include_in_schema=False)
    def of_part(
        request: Request,
        who: OnPage,
        part: Literal["alarms", "staffing", "offices", "runs"],
        post: str | None = None,
        office: str | None = None,
        day: date | None = None,
    ) -> Response:
        require(who, Capability.READ_FORECASTS)
        reader = reader_of(request)
        told: dict[str, Told] = {
            "alarms": lambda _, standing: _alarms(standing, reader),
            "staffing": lambda run, _: planning_desks.staffing(run, reader, post, day),
            "offices": lambda run, _: planning_desks.offices(run, reader, office),
            "runs": lambda run, _: run_in_words(run, reader),
        }
        return shown(request, who, part, told[part])


def _flow(
    house: House,
    run: Run,
    standing: Sequence[Alarm],
    reader: Language,
    name: str | None,
    step: str,
    start: date | None,
) -> dict[str, Any]:
    """One flow by one step: its picture, its numbers, what moved it, and what to know of it."""
    node = flows.node_of(run, name)
    begins = flows.begins(run, step)
    begin = start or (begins[0] if begins else None)
    rows = flows.series(run, node.node, step, begin, AT_ONCE[step])
    first, last = _span(rows, step)
    address = urlencode({"node": node.node, "step": step, **({"from": begin.isoformat()} if begin else {})})
    every = run.words()
    words = [w for w in every if w.node == node.node and first and last and first <= w.ds <= last]
    notes = _notes(run.card(), node, rows, first, last, reader)
    if not any(word.parts.get("ahead") for word in every):
        notes.append(reader.say("note.no_schedule"))
    return {
        "node": node,
        "title": flows.name_in_words(node, reader),
        "places": _places(run, reader),
        "step": step,
        "steps": list(STEPS),
        "pages": [(b.isoformat(), reader.short_weekday(b), b == begin) for b in begins] if len(begins) > 1 else [],
        "rows": _range_rows(rows, step, reader),
        "classes": _classes(run, node, begin, reader) if step == "day" and begin else [],
        "classes_day": reader.weekday(begin) if begin else None,
        "now": running_in_words(flows.running(house.settings.home, node.node), reader),
        "address": address,
        "words": [(reader.short_weekday(w.ds), movers.in_words(w, reader)) for w in words[:DAYS_TOLD]],
        "moved": urlencode({"node": node.node, "day": words[0].ds.isoformat()}) if words else None,
        "moved_day": reader.weekday(words[0].ds) if words else None,
        "notes": notes,
        "alarms": [warnings.in_words(a, reader) for a in standing if _is_of(a, node)],
    }


def _classes(run: Run, node: Node, day: date, reader: Language) -> list[tuple[str, str, str]]:
    """One day of a flow by class of traveller."""
    rows = flows.of_day(run.table("classes", where=[("node", "=", node.node)]), day).to_pylist()
    return [(class_in_words(row["class"], reader), *row_in_words(row, reader)) for row in rows]


def _range_rows(rows: pa.Table, step: str, reader: Language) -> list[dict[str, Any]]:
    return [
        {
            "when": flows.moment_in_words(row["ds"], step, reader),
            "median": count_in_words(row[COLUMNS[MEDIAN]], reader),
            "mean": count_in_words(row["mean"], reader),
            "wide": between_in_words(row[COLUMNS[LOW]], row[COLUMNS[HIGH]], reader),
            "widest": between_in_words(row["q0.025"], row["q0.975"], reader),
            "closed": row["closed"],
        }
        for row in rows.to_pylist()
    ]


def _notes(
    card: Card, node: Node, rows: pa.Table, first: date | None, last: date | None, reader: Language
) -> list[str]:
    """What a reader must know before using the numbers, in words."""
    said = []
    if first and last:
        for begin, end in _spans(day for day in card.uncertain_days if first <= day <= last):
            if begin == end:
                said.append(reader.say("note.uncertain_day", day=reader.weekday(begin)))
            else:
                said.append(reader.say("note.uncertain_days", first=reader.weekday(begin), last=reader.weekday(end)))
    if rows.num_rows and any(rows["closed"].to_pylist()):
        said.append(reader.say("note.closed"))
    if any(YOUNG in str(note.get("problem")) and note.get("series") in _names(node) for note in card.notes):
        said.append(reader.say("note.young"))
    return said


def _names(node: Node) -> tuple[str, ...]:
    """How a run may name a flow: by its node, or by post and direction."""
    return (node.node, f"{node.post}|{node.direction}") if node.post and node.direction else (node.node,)


def _is_of(alarm: Alarm, node: Node) -> bool:
    """Whether an alarm is about a flow, or about a part of it that is a flow of its post."""
    return alarm.flow in _names(node) or (
        node.level == "post" and (alarm.flow.startswith(f"{node.post}|") or alarm.flow.startswith(f"{node.node} > "))
    )


def _alarms(standing: Sequence[Alarm], reader: Language) -> dict[str, Any]:
    def told(alarm: Alarm) -> dict[str, Any]:
        return {
            "id": alarm_answers.id_of(alarm),
            "flow": flows.flow_in_words(alarm.flow, reader),
            "why": warnings.in_words(alarm, reader),
            "state": alarm.state.value,
            "kind": alarm.kind.value,
            "raised_on": reader.day(alarm.raised_on),
            "by": alarm.by,
            "note": alarm.note,
            "answers": [state.value for state in alarm_answers.ANSWERS if state in alarm.can_become],
        }

    still = _open(standing)
    return {
        "standing": [told(alarm) for alarm in still],
        "over": [told(alarm) for alarm in standing if alarm not in still],
    }


def _scenarios(
    house: House, run: Run, request: Request, asked: Scenario | None, name: str | None, step: str
) -> dict[str, Any]:
    node, reader = flows.node_of(run, name), reader_of(request)
    given = {key: value for key, value in request.query_params.items() if value and key not in ("node", "step")}
    values: dict[str, Any] = {
        "saved": what_if.saved(house.settings.home),
        "places": _places(run, reader),
        "node": node,
        "title": flows.name_in_words(node, reader),
        "step": step,
        "steps": what_if.SHOWN_BY,
        "given": given,
        "asked": asked,
        "is_saved": "scenario" in given,
        "today": house.today.isoformat(),
    }
    if asked is None:
        return values
    query = given | {"node": node.node, "step": step}
    values |= {"changes": [_change(change, reader) for change in asked.changes], "made_on": reader.day(asked.made_on)}
    if not reaches(flows.series(run, node.node, step)["ds"].to_numpy(), asked):
        return values | {"effect": reader.say("scenarios.outside"), "rows": (), "query": urlencode(query)}
    rows, after, effect = what_if.overlaid(run, node, step, asked)
    moved = np.flatnonzero((flows.quantiles(rows) != after).any(axis=1))
    begin = (int(moved[0]) // AT_ONCE[step]) * AT_ONCE[step] if len(moved) else 0
    shown, under = rows.slice(begin, AT_ONCE[step]), after[begin : begin + AT_ONCE[step]]
    start = {"from": shown["ds"][0].as_py().date().isoformat()} if shown.num_rows else {}
    return values | {
        "address": urlencode(query | start),
        "query": urlencode(query),
        "effect": reader.say(
            "scenarios.effect",
            before=count_in_words(effect.median_before, reader),
            after=count_in_words(effect.median_after, reader),
            width_before=count_in_words(effect.width_before, reader),
            width_after=count_in_words(effect.width_after, reader),
        ),
        "rows": [
            {
                "when": flows.moment_in_words(row["ds"], step, reader),
                "before": count_in_words(row[COLUMNS[MEDIAN]], reader),
                "before_between": between_in_words(row[COLUMNS[LOW]], row[COLUMNS[HIGH]], reader),
                "after": count_in_words(new[MEDIAN], reader),
                "after_between": between_in_words(new[LOW], new[HIGH], reader),
            }
            for row, new in zip(shown.to_pylist(), under, strict=True)
        ],
    }


def _change(change: Change, reader: Language) -> str:
    """A change in words: which flows, from when to when, and what happens."""
    where = " > ".join(f"{name}={value}" for name, value in (change.where or {}).items()) or "total"
    when = reader.say("scenarios.from", first=reader.day(change.first))
    if change.last:
        when = reader.say("scenarios.between", first=reader.day(change.first), last=reader.day(change.last))
    low, high = (signed_in_words(factor - 1, reader) for factor in (change.low, change.high))
    what = reader.say("scenarios.moved", low=low, high=high) if change.low != change.high else low
    if change.high == 0:
        what = reader.say("scenarios.closed")
    if change.chance < 1:
        what = reader.say("scenarios.perhaps", what=what, chance=reader.share(change.chance))
    return reader.say("scenarios.change", flow=flows.flow_in_words(where, reader), when=when, what=what)


def _places(run: Run, reader: Language) -> list[tuple[str, list[tuple[str, str]]]]:
    """The flows to choose from, by level, each level in the order of its names."""
    by_level: dict[str, list[tuple[str, str]]] = {}
    for node in flows.nodes(run).values():
        by_level.setdefault(node.level, []).append((flows.name_in_words(node, reader), node.node))
    return [(reader.say(f"level.{level}"), sorted(by_level[level])) for level in LEVELS_OF_FLOWS if level in by_level]


def _made(run: Run, house: House, reader: Language) -> str:
    at = run.made_at.astimezone(ZoneInfo(house.settings.zone))
    return reader.say("flows.made", day=reader.day(at.date()), time=f"{at:%H:%M}")


def _open(alarms: Iterable[Alarm]) -> list[Alarm]:
    return [alarm for alarm in alarms if alarm.state is not State.CLOSED]


def _span(rows: pa.Table, step: str) -> tuple[date | None, date | None]:
    if not rows.num_rows:
        return None, None
    moments = rows["ds"]
    return moments[0].as_py().date(), flows.last_day(moments[-1].as_py(), step)


def _spans(days: Iterable[date]) -> list[tuple[date, date]]:
    """Runs of days that follow one another, as first and last."""
    found: list[tuple[date, date]] = []
    for day in sorted(days):
        if found and day - found[-1][1] == timedelta(days=1):
            found[-1] = (found[-1][0], day)
        else:
            found.append((day, day))
    return found

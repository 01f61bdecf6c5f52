"""The part of the HTTP interface that planners' programs use: forecasts, staffing, offices, alarms, scenarios, runs.

Figures come from the newest published run. Tables are answered as JSON, CSV or Parquet; pictures as SVG or as their
Vega-Lite specification. Nothing here is about a person.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from datetime import date
from typing import Annotated, Any, Literal

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv
import pyarrow.parquet as pq
from fastapi import APIRouter, Depends, FastAPI, Query, Request, Response
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict, Field

from models.volumes.early_warning.alarms import Alarm, State
from models.volumes.publishing.published import Run, newest_nowcast
from models.volumes.rhythm import COLUMNS
from models.volumes.what_if.scenarios import Change, Effect, Scenario
from records.errors import BadInput
from serving import alarm_answers, flows, store, volume_pictures, warnings, what_if
from serving.capabilities import Capability
from serving.drawing import Look, svg
from serving.house import House
from serving.languages import Language
from serving.problems import Problem
from serving.visitor import SignedIn, WithOwnToken, require
from serving.web import reader_of

Form = Literal["json", "csv", "parquet"]
Drawn = Literal["svg", "json"]
Step = Literal["hour", "day", "month"]
Level = Literal["nation", "mode", "governorate", "post", "flow"]
OfOffices = Literal["offices", "caseload", "renewals", "stock"]
MOST_ROWS = 200_000
WIDTH = 860


class AlarmAnswer(BaseModel):
    """A person's word on an alarm; an explanation needs its note."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"state": "explained", "note": "…"}]})
    state: Literal["acknowledged", "explained", "closed"]
    note: Annotated[str, Field(max_length=alarm_answers.MOST_WORDS)] | None = None


class ToChange(BaseModel):
    """From `first` to `last` (none: to the end), flows with the values of `where` come `low` to `high` times."""

    model_config = ConfigDict(extra="forbid")
    first: date
    last: date | None = None
    where: dict[Literal["mode", "governorate", "post", "direction"], str] | None = None
    low: float = 0.0
    high: float = 0.0
    chance: float = 1.0


_EXAMPLE: dict[str, Any] = {
    "name": "Ferry strike",
    "note": "Announced",
    "changes": [{"first": "2026-06-01", "where": {"mode": "sea"}}],
}


class ToKeep(BaseModel):
    """A scenario to save; its author is who sends it, its date today."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [_EXAMPLE]})
    name: Annotated[str, Field(min_length=1, max_length=80)]
    note: Annotated[str, Field(min_length=1, max_length=2000)]
    changes: Annotated[list[ToChange], Field(min_length=1, max_length=50)]


def look(request: Request, dark: bool = False, width: Annotated[int, Query(ge=240, le=2000)] = WIDTH) -> Look:
    """How a picture is drawn; its language is the reader's."""
    return Look(reader_of(request), dark, width)


Looked = Annotated[Look, Depends(look)]


def asked_scenario(
    request: Request,
    scenario: Annotated[str | None, Query(description="File name of a saved one")] = None,
    change: Annotated[str | None, Query(description="closed or moved: one that is not saved")] = None,
    first: date | None = None,
    last: date | Literal[""] | None = None,
    at: Annotated[str | None, Query(description="The flow that changes; all where none is named")] = None,
    low: float | Literal[""] | None = None,
    high: float | Literal[""] | None = None,
) -> Callable[[Run], Scenario | None]:
    """What reads the scenario that an address names, or composes it over a run without saving it; None where it does
    neither. A page calls it once it has seen who asks."""
    house: House = request.app.state.house

    def read(run: Run) -> Scenario | None:
        if scenario:
            return what_if.named(house.settings.home, scenario)
        if not change or first is None:
            return None
        where = flows.node_of(run, at).labels()
        made = what_if.change_of(change, first, last or None, where, *(None if v == "" else v for v in (low, high)))
        return Scenario("—", "—", house.today, "—", (made,))

    return read


Asked = Annotated[Callable[[Run], Scenario | None], Depends(asked_scenario)]


def reads_forecasts(who: SignedIn) -> None:
    """A 403 problem for who may not read forecasts."""
    require(who, Capability.READ_FORECASTS)


def add_routes(app: FastAPI, house: House) -> None:
    router = APIRouter(dependencies=[Depends(reads_forecasts)])
    for add in (_forecasts, _staffing, _offices, _alarms, _scenarios):
        add(router, house)
    app.include_router(router)


def _forecasts(router: APIRouter, house: House) -> None:
    @router.get("/v1/forecasts", response_model=None)
    def forecasts(
        step: Step = "day",
        level: Level | None = None,
        node: str | None = None,
        start: Annotated[date | None, Query(alias="from")] = None,
        end: Annotated[date | None, Query(alias="to", description="The first day no longer wanted")] = None,
        form: Form = "json",
    ) -> Response:
        """Persons expected per flow and step: mean and quantiles 1 to 99%, of one level or one node."""
        run = run_of(house)
        if start and end and end <= start:
            raise BadInput(f"'from' is {start} and 'to' is {end}, so no day lies between. Give a later 'to'.")
        wanted = [("node", "=", flows.node_of(run, node).node)] if node or not level else []
        wanted += [("level", "=", level)] if level else []
        rows = run.table(flows.STEPS[step], where=wanted).sort_by([("node", "ascending"), ("ds", "ascending")])
        return answered(flows.between(rows, start, end), form, f"forecasts-{step}", run)

    @router.get("/v1/forecasts/nodes")
    def forecast_nodes(request: Request) -> list[dict[str, Any]]:
        """The flows of the newest run and what they are sums of, named in the language of Accept-Language."""
        reader = reader_of(request)
        return [asdict(n) | {"name": flows.name_in_words(n, reader)} for n in flows.nodes(run_of(house)).values()]

    @router.get("/v1/forecasts/picture", response_model=None)
    def forecast_picture(
        looked: Looked,
        asked: Asked,
        step: Step = "day",
        node: str | None = None,
        start: Annotated[date | None, Query(alias="from")] = None,
        form: Drawn = "svg",
    ) -> Response:
        """A fan of the steps that a page shows at once, the first after what came before it; with a scenario, its fan
        over the published one."""
        run = run_of(house)
        of, steps, scenario = flows.node_of(run, node), flows.AT_ONCE[step], asked(run)
        if scenario is None:
            begins = start is None or start <= flows.begins(run, step)[0]
            came = flows.came(run, of.node, step, flows.BEFORE[step]) if begins else None
            rows = flows.series(run, of.node, step, start, steps)
            return drawn(volume_pictures.fan(rows, step, looked, came=came), form)
        rows, after, _ = what_if.overlaid(run, of, step, scenario)
        begin = int(np.searchsorted(rows["ds"].to_numpy(), np.datetime64(start))) if start else 0
        shown, under = rows.slice(begin, steps), after[begin : begin + steps]
        return drawn(volume_pictures.fan(shown, step, looked, under), form)

    @router.get("/v1/forecasts/came", response_model=None)
    def came(step: Step = "day", node: str | None = None, form: Form = "json") -> Response:
        """What came of one flow in the steps before the newest run."""
        run = run_of(house)
        return answered(flows.came(run, flows.node_of(run, node).node, step), form, f"came-{step}", run)

    @router.get("/v1/forecasts/classes", response_model=None)
    def classes(node: str | None = None, form: Form = "json") -> Response:
        """Persons expected of one flow by day and class of traveller; classes of few are told together."""
        run = run_of(house)
        wanted = [("node", "=", flows.node_of(run, node).node)]
        return answered(run.table("classes", where=wanted), form, "classes", run)

    @router.get("/v1/forecasts/now", response_model=None)
    def now(level: Level | None = None, node: str | None = None, form: Form = "json") -> Response:
        """The running day and month, of one level or one node: what has come, and what is expected in all."""
        run = run_of(house)
        told = newest_nowcast(house.settings.home / "volumes")
        if told is None:
            raise BadInput("The running day has not been told yet. Tell it: basira volumes nowcast.")
        if node or not level:
            told = told.filter(pc.equal(told["node"], flows.node_of(run, node).node))
        if level:
            told = told.filter(pc.equal(told["level"], level))
        return answered(told, form, "now", run)

    @router.get("/v1/forecasts/moved/picture", response_model=None)
    def moved_picture(looked: Looked, node: str, day: date, form: Drawn = "svg") -> Response:
        """What moved the forecast of one flow and day, as bars."""
        found = [w for w in run_of(house).words() if w.node == node and w.ds == day]
        if not found:
            raise BadInput(f"The run does not say what moved '{node}' on {day}. It says so for the first days.")
        return drawn(volume_pictures.moved(found[0], looked), form)

    @router.get("/v1/forecasts/card")
    def card() -> dict[str, Any]:
        """The newest run: when it was made and of what, how such forecasts did, what changed since the run before."""
        return asdict(run_of(house).card())


def _staffing(router: APIRouter, house: House) -> None:
    @router.get("/v1/staffing", response_model=None)
    def staffing(post: str | None = None, form: Form = "json") -> Response:
        """Booths and officers per post, direction and hour that keep the promised wait."""
        run = run_of(house)
        rows = run.table("staffing", where=[("post", "=", post)] if post else None)
        return answered(rows.sort_by([("post", "ascending"), ("ds", "ascending")]), form, "staffing", run)

    @router.get("/v1/staffing/curve", response_model=None)
    def curve(post: str | None = None, form: Form = "json") -> Response:
        """What the promise costs: booth-hours for each share of travellers in time."""
        run = run_of(house)
        return answered(run.table("curve", where=[("post", "=", post)] if post else None), form, "curve", run)

    @router.get("/v1/staffing/picture", response_model=None)
    def staffing_picture(
        looked: Looked,
        post: str,
        day: date | None = None,
        of: Literal["hours", "curve"] = "hours",
        form: Drawn = "svg",
    ) -> Response:
        """Booths and officers of one post by hour, or what its promise costs."""
        rows = run_of(house).table("staffing" if of == "hours" else "curve", where=[("post", "=", post)])
        if of == "curve":
            return drawn(volume_pictures.curve(rows, looked), form)
        return drawn(volume_pictures.hours(flows.of_day(rows, day) if day else rows, looked), form)


def _offices(router: APIRouter, house: House) -> None:
    @router.get("/v1/offices", response_model=None)
    def offices(table: OfOffices = "caseload", office: str | None = None, form: Form = "json") -> Response:
        """Applications, caseload and days to decision per office; renewals that fall due; foreigners present."""
        run = run_of(house)
        if office and table not in ("offices", "caseload"):
            raise BadInput(f"The table {table} is not by office. Leave 'office' out.")
        return answered(run.table(table, where=[("office", "=", office)] if office else None), form, table, run)

    @router.get("/v1/offices/picture", response_model=None)
    def office_picture(looked: Looked, office: str, form: Drawn = "svg") -> Response:
        """Open applications of one office, day by day."""
        return drawn(
            volume_pictures.backlog(run_of(house).table("caseload", where=[("office", "=", office)]), looked), form
        )


def _alarms(router: APIRouter, house: House) -> None:
    @router.get("/v1/alarms")
    def alarms(request: Request) -> list[dict[str, Any]]:
        """Alarms on flows as they stand: what came, what was expected, why, and what people said of them."""
        with house.engine.connect() as connection:
            found = alarm_answers.standing(connection, run_of(house).alarms())
        return [alarm_as_json(alarm, reader_of(request)) for alarm in found]

    @router.post("/v1/alarms/{alarm}")
    def answer_alarm(request: Request, who: WithOwnToken, alarm: str, body: AlarmAnswer) -> dict[str, Any]:
        """Acknowledge, explain or close an alarm; noted in the journal under the account that sends it."""
        require(who, Capability.PLAN)
        published = run_of(house).alarms()
        with store.writing(house.engine) as connection:
            after = alarm_answers.answer(connection, who.actor, published, alarm, State(body.state), body.note)
        return alarm_as_json(after, reader_of(request))


def _scenarios(router: APIRouter, house: House) -> None:
    @router.get("/v1/scenarios")
    def scenarios() -> dict[str, Any]:
        """The saved scenarios by file name, each with author, day and changes."""
        return {name: asdict(one) for name, one in what_if.saved(house.settings.home).items()}

    @router.get("/v1/scenarios/effect", response_model=None)
    def scenario_effect(
        asked: Asked,
        node: str | None = None,
        step: Literal["hour", "day"] = "day",
        form: Form = "json",
    ) -> Response:
        """The forecast of one flow under a scenario: quantiles before, and after with the widened range."""
        run = run_of(house)
        scenario = asked(run)
        if scenario is None:
            raise BadInput("No scenario was named. Give 'scenario', or 'change' and 'first'.")
        rows, after, effect = what_if.overlaid(run, flows.node_of(run, node), step, scenario)
        for place, column in enumerate(COLUMNS):
            rows = rows.append_column(f"{column} after", pa.array(after[:, place]))
        return answered(rows, form, "scenario", run, effect)

    @router.post("/v1/scenarios", status_code=201)
    def keep_scenario(who: WithOwnToken, body: ToKeep) -> dict[str, str]:
        """Save a scenario; its file name. A name that was used today is refused."""
        require(who, Capability.PLAN)
        changes = tuple(Change(**change.model_dump()) for change in body.changes)
        made = Scenario(body.name, who.actor.name, house.today, body.note, changes)
        with store.writing(house.engine) as connection:
            return {"scenario": what_if.save(house.settings.home, connection, who.actor, made)}


def run_of(house: House) -> Run:
    """The run that is served; a 404 problem before the first."""
    run = flows.newest_run(house.settings.home)
    if run is None:
        raise Problem(
            404,
            "Nothing is forecast yet",
            "No nightly run has published its forecasts here.",
            "Make one: basira volumes nightly.",
        )
    return run


def alarm_as_json(alarm: Alarm, reader: Language) -> dict[str, Any]:
    return {"id": alarm_answers.id_of(alarm), **asdict(alarm), "why": warnings.in_words(alarm, reader)}


def answered(rows: pa.Table, form: Form, name: str, run: Run, effect: Effect | None = None) -> Response:
    """A table in the form asked for. BadInput where JSON of it would be too long to read at once."""
    named = {"Content-Disposition": f'attachment; filename="{name}.{form}"'}
    if form == "csv":
        sink = io.BytesIO()
        pyarrow.csv.write_csv(rows, sink)
        return Response(sink.getvalue(), media_type="text/csv; charset=utf-8", headers=named)
    if form == "parquet":
        sink = io.BytesIO()
        pq.write_table(rows, sink)
        return Response(sink.getvalue(), media_type="application/vnd.apache.parquet", headers=named)
    if rows.num_rows > MOST_ROWS:
        raise BadInput(f"That are {rows.num_rows} rows, more than JSON is sent for. Ask for form=parquet, or for less.")
    told: dict[str, Any] = {"made_at": run.made_at.isoformat(), "rows": _plain(rows)}
    return JSONResponse(told | ({"effect": asdict(effect)} if effect else {}))


def drawn(spec: Mapping[str, Any], form: Drawn) -> Response:
    if form == "json":
        return JSONResponse(dict(spec))
    return Response(svg(dict(spec)), media_type="image/svg+xml")


def _plain(rows: pa.Table) -> Sequence[Mapping[str, Any]]:
    for place, field in enumerate(rows.schema):
        column = rows[field.name]
        if pa.types.is_timestamp(field.type):
            rows = rows.set_column(place, field.name, pc.strftime(column, "%Y-%m-%dT%H:%M"))
        elif pa.types.is_floating(field.type):
            known = pc.if_else(pc.is_finite(column), column, pa.scalar(None, field.type))
            rows = rows.set_column(place, field.name, known)
    listed: list[dict[str, Any]] = rows.to_pylist()
    return listed

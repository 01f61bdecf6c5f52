"""Look whether a champion still holds: findings of the control as they become known, and inputs as they come now.

Findings count from known_at, and not before as long has passed since their case as nearly all findings take: those that
are known sooner would count for more. Cases are scored anew with the features of their own moment, which is what they
were scored by if this model was champion then.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from evidence.drift import shift
from features.engine import compute
from features.spine import crossing_spine, permit_spine
from models.risk.catalogue import declaration
from models.risk.declaration import RiskDeclaration
from models.risk.labels import INSTANT, Labels
from models.risk.model import RiskModel
from models.risk.reference import SCORE, Reference, control_of
from models.risk.watching import FALSE_ALARMS, Course, Findings, courses
from pipelines.steps.building import assessable, labelled
from pipelines.steps.moments import known_until, newest_day
from pipelines.steps.sampling import drawn
from records.lake import Lake
from records.settings import Settings
from records.tables import table
from serving.house import open_house
from serving.watches import Lack, Standing, standing

NOW = timedelta(days=28)  # of cases that inputs are compared from
ROWS = 3_000  # of them, at most
Say = Callable[[str], None]
Row = dict[str, Any]


@dataclass(frozen=True)
class _Control:
    """Cases that speak for all, since the model was finished: `spine` of those with an outcome, which is `label` and
    counted at `counts_at`; how many are awaited, and how many were drawn and have none."""

    spine: pa.Table
    label: np.ndarray
    counts_at: list[datetime]
    awaited: int
    without: int


def watch(settings: Settings, name: str, say: Say) -> Standing | Lack:
    """Look at the champion of `name`, put what was seen into the lake, and tell how it stands; or what is lacking.

    Days that were not looked at are looked at now, since each rests only on what was known by its end. Looking again on
    the same records changes nothing.
    """
    house = open_house(settings)
    model = house.champion(name)
    if model is not None and model.reference is not None:
        lake = Lake.open(settings.lake)
        rows = _looked(lake, settings, model, model.reference, say)
        text = json.dumps(rows, sort_keys=True, default=str)
        lake.append("watches", _as_table(rows), batch=hashlib.sha256(text.encode()).hexdigest()[:32])
    return standing(house, name)


def _looked(lake: Lake, settings: Settings, model: RiskModel, reference: Reference, say: Say) -> list[Row]:
    declared, at, zone = declaration(model.name), known_until(lake), ZoneInfo(settings.zone)
    first, last = reference.until.astimezone(zone).date(), newest_day(lake, settings.zone)
    control = _control(lake, declared, reference, at)
    newest = _newest(lake, declared, at)
    say(f"{model.name}: {len(control.label):,} findings of the control, {newest.num_rows:,} cases of the last weeks")
    both = pa.concat_tables([control.spine, newest])
    with ThreadPoolExecutor(settings.workers) as workers:
        values = compute(both, model.names, lake, executor=workers)
    scores = model.score(values)
    size = control.spine.num_rows
    day = np.array([(moment.astimezone(zone).date() - first).days for moment in control.counts_at], dtype=np.int64)
    order = np.argsort(day, kind="stable")
    found = Findings(control.label[order], scores.probability[:size][order], day[order])
    told = courses(reference, found, scores.probability[size:], (last - first).days + 1)
    held = _days_held(lake, model)
    rows = [
        row
        for course in told
        for row in claim_rows(course, first, control.awaited, control.without)
        if row["day"] == last or (row["day"], row["what"]) not in held
    ]
    rows += input_rows(reference, model, values.slice(size), scores.raw[size:], last)
    now = datetime.now(UTC)
    common = {"name": model.name, "model": model.hash, "happened_at": at, "known_at": now}
    return [common | row for row in rows]


def _control(lake: Lake, declared: RiskDeclaration, reference: Reference, at: datetime) -> _Control:
    spine, labels = labelled(lake, declared, at, reference.until)
    spine = spine.filter(pc.greater_equal(spine["as_of"], pa.scalar(reference.until, INSTANT)))
    known = labels.table.filter(control_of(labels.table["selected_by"]))
    place = pc.index_in(spine["event"], value_set=known["event"].combine_chunks())
    spine, outcome = spine.filter(pc.is_valid(place)), known.take(place.drop_null())
    settled = pc.add(spine["as_of"], pa.scalar(reference.wait, pa.duration("us")))
    counts_at = pc.if_else(pc.greater(settled, outcome["known_at"]), settled, outcome["known_at"])
    counted = pc.less_equal(counts_at, pa.scalar(at, INSTANT))
    early = spine.num_rows - int(pc.sum(counted).as_py() or 0)
    awaited, without = _without_outcome(lake, declared, labels, reference, at)
    return _Control(
        spine.filter(counted),
        np.asarray(outcome["label"].filter(counted).to_numpy(zero_copy_only=False), dtype=np.float64),
        counts_at.filter(counted).to_pylist(),
        awaited + early,
        without,
    )


def _without_outcome(
    lake: Lake, declared: RiskDeclaration, labels: Labels, reference: Reference, at: datetime
) -> tuple[int, int]:
    """Cases that were drawn since the model was finished and wait for a finding; and those that ended without one."""
    if declared.subject_kind == "permit":
        still_open = labels.unknown.get("outcome window still open", 0)
        return still_open, sum(labels.unknown.values()) - still_open
    since = pc.field("happened_at") >= pa.scalar(reference.until, INSTANT)
    checks = lake.as_known("checks", at, ["event", "event_kind", "selected_by", "finding", "happened_at"])
    checks = checks.filter(since & (pc.field("event_kind") == "crossing"))
    ended = checks.filter(
        (pc.field("selected_by") == "random") & ~pc.field("finding").isin(["confirmed", "refuted"])
    ).num_rows
    selections = lake.as_known("selections", at, ["event", "event_kind", "why", "outcome", "as_of"])
    open_ones = selections.filter(
        (pc.field("as_of") >= pa.scalar(reference.until, INSTANT))
        & (pc.field("event_kind") == "crossing")
        & (pc.field("why") == "random")
        & (pc.field("outcome") == "selected")
        & ~pc.field("event").isin(checks["event"].combine_chunks())
    )
    return pc.count_distinct(open_ones["event"]).as_py(), ended


def _newest(lake: Lake, declared: RiskDeclaration, at: datetime) -> pa.Table:
    if declared.subject_kind == "crossing":
        return drawn(assessable(crossing_spine(lake, at - NOW, at)), ROWS)
    return drawn(permit_spine(lake, at - NOW, at), ROWS)


def _days_held(lake: Lake, model: RiskModel) -> set[tuple[date, str]]:
    rows = lake.read("watches", ["model", "day", "what"])
    rows = rows.filter(pc.equal(rows["model"], model.hash))
    return set(zip(rows["day"].to_pylist(), rows["what"].to_pylist(), strict=True))


def claim_rows(course: Course, first: date, awaited: int, without: int) -> list[Row]:
    """One row per day of a claim's course, from the day `first` on; the newest says how many cases have no finding."""
    rows: list[Row] = []
    for day in range(len(course.rows)):
        alarmed = course.since is not None and course.since <= day
        rows.append(
            {
                "day": first + timedelta(days=day),
                "what": course.what,
                "about": "control",
                "state": course.state(day),
                "since": first + timedelta(days=course.since) if alarmed and course.since is not None else None,
                "rows": int(course.rows[day]),
                "needed": course.needed,
                "confirmed": int(course.confirmed[day]),
                "expected": float(course.expected[day]),
                "low": float(course.low[day]),
                "high": float(course.high[day]),
                "evidence": float(course.evidence[day]),
            }
        )
    rows[-1] |= {"awaited": awaited, "without_finding": without}
    return rows


def input_rows(reference: Reference, model: RiskModel, values: pa.Table, raw: np.ndarray, day: date) -> list[Row]:
    """One row per input and one for the score, compared with what is usual in these months; none where no case came.
    They share the chance of a false shift."""
    months = pc.unique(pc.month(values["as_of"])).to_pylist()
    columns = {name: values.column(name) for name in model.names} | {SCORE: pa.chunked_array([raw])}
    rows: list[Row] = []
    for about, column in columns.items():
        found = shift(reference.usual(about, months), column, error=FALSE_ALARMS / len(columns))
        if found is not None:
            what, state = "score" if about == SCORE else "input", "shifted" if found.beyond else "as_learnt"
            rows.append({"day": day, "what": what, "about": about, "state": state, **vars(found)})
    return rows


def _as_table(rows: list[Row]) -> pa.Table:
    return pa.Table.from_pylist(rows, schema=table("watches").lake_schema)

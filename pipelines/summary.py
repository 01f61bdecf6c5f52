"""What a run has to say, as text for a terminal and for Prefect's artifacts."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import timedelta
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from models.risk.gates import Gate
from models.risk.judging import BASE, FLOOR, MODEL
from models.risk.labels import Labels
from models.risk.report import figure, table
from models.risk.training import TooFewFindings
from models.volumes.desks.posts import Staffed
from models.volumes.desks.staffing import CERTAINTIES
from models.volumes.forecast import FlowForecast
from models.volumes.publishing.nightly import labels_of
from models.volumes.publishing.published import Run
from models.volumes.what_if.scenarios import Effect
from pipelines.steps.assessing import DayAssessed
from pipelines.steps.catching_up import Standing
from pipelines.steps.training import Training
from pipelines.steps.upkeep import Retired
from records.receipts import Receipt
from records.settings import Settings
from serving.assessment import Assessment
from serving.drivers import Week
from serving.house import House, open_house
from serving.languages import Language, language
from serving.model_cards import MARKS, gate_said
from serving.places import name_of
from serving.sentences import in_words
from serving.store import ranked

TOP = 5
NOTES = 3
CHANGED = {
    "changed.nothing": "same data; nothing changed",
    "changed.model": "same data; model, settings, calendar or closures differ",
    "changed.later": "no new counts; a later beginning",
    "changed.days": "new counts of {days} day(s)",
    "changed.corrected": "corrected counts of earlier days",
    "changed.others": "new counts of other flows",
    "changed.counts": "other counts",
    "changed.closure": "a closure",
    "changed.new": "a new flow",
    "changed.gone": "no longer forecast",
}
SHOWN_METRICS = ("pr_auc", "precision_0.05", "recall_0.05", "calibration_error", "log_loss")


def receipts_text(receipts: Collection[Receipt]) -> str:
    """Rows in, accepted, quarantined and duplicate per table; reasons of the quarantine below."""
    by_table: dict[str, list[Receipt]] = {}
    for receipt in receipts:
        by_table.setdefault(receipt.table, []).append(receipt)
    rows = [
        (name, *(f"{sum(getattr(r, c) for r in each):,}" for c in ("rows", "accepted", "quarantined", "duplicates")))
        for name, each in by_table.items()
    ]
    lines = [table(("table", "rows in", "accepted", "quarantined", "duplicate"), rows)]
    reasons: dict[str, int] = {}
    for receipt in receipts:
        for reason, count in receipt.reasons.items():
            name = f"{receipt.table}.{reason}"
            reasons[name] = reasons.get(name, 0) + count
    if reasons:
        listed = ", ".join(f"{name} ({count})" for name, count in sorted(reasons.items()))
        lines.append(f"Quarantined because of: {listed}")
    if receipts and all(r.already for r in receipts):
        lines.append("Nothing changed: all of it was taken in before.")
    return "\n".join(lines)


def quarantine_text(rows: pa.Table, each: bool) -> str:
    """The open quarantine, by batch and reason or row by row."""
    if rows.num_rows == 0:
        return "Nothing is in quarantine."
    if each:
        cells = [tuple(str(v) if v is not None else "" for v in row.values()) for row in rows.to_pylist()]
        return table(tuple(rows.column_names), cells)
    counted = rows.group_by(["table", "batch", "column", "code"]).aggregate([([], "count_all")])
    cells = [(r["table"], r["batch"], r["column"] or "", r["code"], f"{r['count_all']:,}") for r in counted.to_pylist()]
    return table(("table", "batch", "column", "reason", "rows"), sorted(cells)) + (
        "\nCorrect the mapping and try a batch again: basira quarantine retry BATCH --mapping FILE"
    )


def built_text(name: str, values: pa.Table, labels: Labels) -> str:
    """How many subjects a training table has, and why others are not in it."""
    unknown = "".join(f"; {count:,} {reason}" for reason, count in labels.unknown.items())
    return (
        f"{name}: {values.num_columns - 3} features of {values.num_rows:,} subjects, "
        f"{labels.table.num_rows:,} outcomes known ({labels.positives:,} positive{unknown})"
    )


def training_text(training: Training) -> str:
    """A model's test figures beside logistic regression and the base rate, and what became of it."""
    outcome = training.outcome
    if isinstance(outcome, TooFewFindings):
        return str(outcome)
    rows = []
    for who in (MODEL, FLOOR, BASE):
        figures = outcome.figures[who]
        rows.append((who, *(figure(figures[name]) if name in figures else "" for name in SHOWN_METRICS)))
    heads = (training.name, "PR-AUC", "precision at 5%", "recall at 5%", "calibration error", "log loss")
    counts = outcome.counts
    lines = [
        table(heads, rows),
        f"test rows {counts['test rows']:,} ({counts['test positives']:,} positive), trained on "
        f"{counts['train rows']:,}; PR-AUC above logistic regression {figure(outcome.gain)}",
    ]
    if outcome.control.value is not None:
        lines.append(
            f"among all, not only the checked: precision at capacity {figure(outcome.control.interval)}, risk missed "
            f"{figure(outcome.among_all.missed.interval)}, prevalence {figure(outcome.among_all.prevalence.interval)}"
        )
    if held := outcome.model.stability:
        never = ", ".join(sorted(group for group, least in held.least.items() if least is None)) or "none"
        lines.append(
            f"first reason of {held.cases:,} cases: another one in {held.refit:.1%} after a bootstrap refit "
            f"({held.refits} of at most {held.grown:,} rows), in {held.noise:.1%} under input noise; reasons always "
            f"less certain: {never}"
        )
    return "\n".join([*lines, _standing(training)])


def _standing(training: Training) -> str:
    """Whether the trained model is champion now; if not, at which gates it was refused or what it waits for."""
    if training.champion:
        return f"champion: all {len(training.gates)} gates passed, the engine's own promotion in this demonstration"
    if not training.gates:
        return f"a candidate now; somebody else promotes it: basira risk promote {training.name}"
    return "not champion:\n" + gates_text([gate for gate in training.gates if not gate.passed])


def gates_text(gates: Sequence[Gate]) -> str:
    """Each gate's verdict with its figure, and what would mend a refusal."""
    english = language("en")
    told = [gate_said(gate, english) for gate in gates]
    lines = [f"{g['title']}: {g['verdict']}. {g['said']}" + (f" {g['mend']}" if g["mend"] else "") for g in told]
    return "\n".join(lines).translate(MARKS)


def forecast_text(run: Run) -> str:
    """How each level did on the days before, beside seasonal naive; tomorrow per post; alarms; where the run lies."""
    card = run.card()
    # The first day forecast is the one still running; tomorrow is the day after it.
    posts = run.table("days", where=[("level", "=", "post")])
    first = pc.min(posts["ds"]).as_py() + timedelta(days=1)
    tomorrow = posts.filter(pc.equal(posts["ds"], pa.scalar(first, posts["ds"].type)))
    each = [
        (r["post"], "shut" if r["closed"] else f"{r['mean']:,.0f}", f"{r['q0.1']:,.0f} to {r['q0.9']:,.0f}")
        for r in tomorrow.sort_by([("mean", "descending")]).to_pylist()
    ]
    levels = [
        (level, *(_share(of.get(name)) for name in ("wape", "naive_wape", "coverage_80")))
        for level, of in card.figures.get("days", {}).items()
    ]
    lines = [table(("volumes by day", "WAPE", "seasonal naive", "cover of 80% range"), levels)] if levels else []
    lines += [table((f"{first:%A %d %B %Y}", "expected", "80% range"), each), alarms_text(run)]
    if card.compared:
        lines.append(f"Since the run before: {why_changed(card.compared)}")
    if card.changed:
        lines.append(changed_text(card.changed))
    took = ", ".join(f"{part} {seconds:.0f}" for part, seconds in card.seconds.items())
    learnt = "learnt anew" if card.learnt_at == card.made_at else f"weights of {card.learnt_at:%Y-%m-%d %H:%M}"
    lines.append(f"Published in {run.path} ({learnt}; CPU seconds: {took}; {len(card.notes)} notes in its card)")
    return "\n\n".join(lines)


def alarms_text(run: Run) -> str:
    """The alarms of a run, feeds before flows."""
    rows = []
    for alarm in run.alarms():
        years = "" if alarm.years is None else f"once in {alarm.years:.1f} years"
        change = f"{alarm.change:+.0%}" if alarm.expected > 0 else "more"
        what = "feed silent" if alarm.kind == "feed" else change
        came = f"{alarm.came:,.0f} of {alarm.expected:,.0f}"
        rows.append((short_name(alarm.flow), what, str(alarm.since), str(alarm.until), came, years, alarm.state.value))
    if not rows:
        return "Alarms: none stand; every flow came as it was forecast."
    return table(("alarm", "what", "since", "until", "came of expected", "as unusual as", "state"), rows)


def changed_text(changed: Sequence[Mapping[str, Any]]) -> str:
    """What moved most between two runs."""
    rows = [(short_name(c["name"]), f"{c['before']:,.0f}", f"{c['after']:,.0f}", why_changed(c)) for c in changed]
    return table(("flow", "before", "now", "because of"), rows)


def why_changed(why: Mapping[str, Any]) -> str:
    """Why forecasts moved between two runs: `reason`, and the `days` that it speaks of."""
    reason: str = why["reason"]
    return CHANGED.get(reason, reason).format(days=why.get("days", 0))


def did_text(told: Sequence[Mapping[str, Any]]) -> str:
    """How runs did, by level."""
    rows = [
        (d["run"], d["name"], f"{d['days']:,}", _share(d["coverage_80"]), _share(d["wape"]), _share(d["bias"], "+"))
        for d in told
    ]
    return table(("run", "level", "flow-days", "inside 80% range", "WAPE", "bias"), rows)


def effects_text(effects: Mapping[str, Effect]) -> str:
    """What a scenario does: sums over the horizon, and the mean width of a day's 80% range."""
    rows = [
        (
            short_name(node),
            f"{e.median_before:,.0f}",
            f"{e.median_after:,.0f}",
            f"{e.median_after - e.median_before:+,.0f}",
            f"{e.width_before:,.1f}",
            f"{e.width_after:,.1f}",
        )
        for node, e in effects.items()
    ]
    return table(("flow", "expected", "then", "change", "width of 80% range", "then"), rows)


def staffing_text(staffed: Mapping[str, tuple[np.ndarray, Staffed]], days: int) -> str:
    """The plan of each direction of a post by hour, hours without a booth left out, and the curve of its costs."""
    lines = []
    for direction, (hours, made) in staffed.items():
        rows = [
            (
                f"{hour.astype('datetime64[m]')}".replace("T", " "),
                f"{made.travellers[at]:,.0f}",
                str(made.plan.booths[at]),
                str(made.officers[at]),
                f"{made.plan.in_time[at]:.0%}" + ("" if made.plan.kept[at] else " (not kept with all booths)"),
            )
            for at, hour in enumerate(hours[: 24 * days])
            if made.plan.booths[at]
        ]
        lines.append(table((f"{made.post} {direction}", "travellers", "booths", "officers", "in time"), rows))
        curve = [
            (f"{level:.0%}", f"{share:.1%}", f"{cost:,}")
            for level, (share, cost) in zip(CERTAINTIES, made.curve, strict=True)
        ]
        lines.append(table((f"{direction}, all days: kept at", "travellers in time", "booth-hours"), curve))
    return "\n\n".join(lines)


def short_name(node: str) -> str:
    """The last labels of a node: "la-goulette entry", or "nation"."""
    labels = labels_of(node)
    if not labels:
        return "nation"
    return " ".join(labels[label] for label in ("post", "direction") if label in labels) or [*labels.values()][-1]


def _share(value: float | None, sign: str = "") -> str:
    return "" if value is None else f"{value:{sign}.1%}"


def flows_text(made: FlowForecast) -> str:
    """How the forecasts did on the steps before, beside seasonal naive."""
    rows = []
    for who, parts in (("forecast", made.pool), ("seasonal naive", made.naive)):
        for part, losses in parts.items():
            cells = (losses.mase, losses.scaled_crps, losses.coverage_80)
            name = who if part == "all" else f"{who}, {part} days"
            rows.append((name, *("undefined" if c is None else f"{c:.3f}" for c in cells)))
    told = [table(("volumes", "MASE", "scaled CRPS", "cover of 80% range"), rows)] if rows else []
    told += [f"refused: {n.series}: {n.problem}" for n in made.notes if n.refused]
    notes = [n for n in made.notes if not n.refused]
    told += [f"note: {n.series}: {n.problem}" for n in notes[:NOTES]]
    if len(notes) > NOTES:
        told.append(f"and {len(notes) - NOTES} notes more of this kind")
    return "\n".join(told)


def assessed_text(settings: Settings, assessed: DayAssessed, code: str = "en") -> str:
    """The highest-ranked of a day with score, band, three reasons in words, proposal; how many were not scored."""
    house = open_house(settings)
    kind = assessed.assessments[0].event_kind if assessed.assessments else "crossing"
    scored = sum(a.assessable for a in assessed.assessments)
    explained = sum(a.base is not None for a in assessed.assessments)
    counted = ", ".join(f"{n:,} {why.replace('_', ' ')}" for why, n in sorted(assessed.not_scored.items()))
    lines = [
        f"{assessed.purpose}, {assessed.day}: {scored:,} assessed, {explained:,} scores explained"
        + (f"; counted and not scored: {counted}" if counted else "")
    ]
    with house.engine.connect() as connection:
        listed = ranked(connection, kind, assessed.day, limit=100_000)
    blind = sum(a.blind for a in listed)
    if blind:
        lines.append(f"{blind} of them are blind until their check is done: random control, and as many others.")
    open_ones = [a for a in listed if not a.blind][:TOP]
    spoken = language(code)
    lines += [_one(a, house, spoken, place + 1) for place, a in enumerate(open_ones)]
    if open_ones and explained:
        lines.append(f"In full, once signed in (`basira login NAME`): basira explain {open_ones[0].id}")
    return "\n".join(lines)


def _one(a: Assessment, house: House, spoken: Language, place: int) -> str:
    said = in_words(a, house.rulebook, spoken)
    crossing = a.event_kind == "crossing"
    where = name_of(a.place, "post" if crossing else "office", spoken)
    when = f"  {spoken.clock(a.happened_at, house.settings.zone)}" if crossing else ""
    score = "no score" if a.score is None else f"{spoken.per_hundred(a.score)} per 100, {a.band}"
    lines = [f"{place}. {a.event}  {where}{when}  {score}"]
    for r in said.reasons:
        marks = ", ".join(part for part in (r.share_text, r.caution) if part)
        lines.append(f"     {r.direction_text}: {r.title} ({marks}): {r.said}")
    if said.similar and said.reasons:
        lines.append(f"     {spoken.say('similar.title')}: {said.similar}")
    lines += [f"     rule: {finding}" for finding in said.findings]
    lines.append(f"     proposal: {said.proposal}")
    return "\n".join(lines)


def weighed_text(purpose: str, week: Week | None) -> str:
    """What drove the scores of the newest week, beside the month before it."""
    if week is None or not week.now.events:
        return f"{purpose}: no scores to tell what drove them."
    before = week.before.shares
    rows = [(g, f"{share:.1%}", f"{before[g]:.1%}" if g in before else "") for g, share in week.now.shares.items()]
    head = (f"what drove {week.now.events:,} scores", "this week", "month before")
    return f"{purpose}, week to {week.last}\n{table(head, rows)}"


def collected_text(receipts: Sequence[Receipt]) -> str:
    """What went from casework into the lake."""
    return "Nothing waited to be collected." if not receipts else "Collected into the lake:\n" + receipts_text(receipts)


def caught_up_text(came: int) -> str:
    """What came into the live state."""
    return f"Live state: {came:,} versions of rows came in." if came else "Live state: nothing new."


def standing_text(standing: Standing) -> str:
    """How far the live state is, its rows by table and its size."""
    if standing.rows is None:
        return "There is no live state yet for these features. Make it: basira state build"
    rows = [(name, f"{count:,}") for name, count in standing.rows.items() if count]
    lines = [table(("live state", "versions of rows"), rows)] if rows else []
    counted = f"{standing.behind} batch{'es' if standing.behind > 1 else ''}"
    far = f"{counted} behind the lake" if standing.behind else "as the lake is"
    return "\n".join([*lines, f"{far}; {standing.bytes / 1e6:,.1f} MB in {standing.folder}"])


def compacted_text(fewer: Mapping[str, int]) -> str:
    """How many files fewer each table has."""
    said = ", ".join(f"{name} {count}" for name, count in sorted(fewer.items()) if count)
    return f"Files fewer: {said}" if said else "Nothing to tidy."


def retired_text(gone: Retired) -> str:
    """How many rows went, by table, in the vault, in casework and in the journal."""
    lake = ", ".join(f"{name} {count:,}" for name, count in sorted(gone.records.lake.items()) if count) or "none"
    vault, casework = gone.records.vault, gone.casework
    return (
        f"Past their retention and deleted: lake rows {lake}; vault {vault.identities:,} identities, "
        f"{vault.documents:,} documents, {vault.rejected:,} refused rows; {casework.assessments:,} assessments, "
        f"{casework.payloads:,} journal payloads. The live state is as the lake is."
    )


def duration_text(took: timedelta) -> str:
    seconds = round(took.total_seconds())
    return f"{seconds // 60} min {seconds % 60} s" if seconds >= 60 else f"{seconds} s"

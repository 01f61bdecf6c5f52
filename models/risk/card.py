"""The card of a model: what a person must know before leaning on it, generated from its proof alone.

A card is fields of lines and tables. A line is a text key with its values, so that it can be said in every language
and no figure is ever typed by hand; `serving/model_cards.py` says it. A field that has nothing to say, or whose line
lacks a value, is empty, and a card with an empty field stops a promotion.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from datetime import date, timedelta
from typing import Any, Final

from evidence.cells import TIMES, GroupTable
from evidence.intervals import Interval
from features.declaration import SubjectKind
from models.risk.card_parts import Field, Line, Rows, Value, Word
from models.risk.declaration import RiskDeclaration
from models.risk.fallback import LEAST as THIN
from models.risk.gates import BOUNDS, wide_gaps
from models.risk.judging import BASE, FLOOR, MODEL
from models.risk.less_discriminatory import MARGIN, Equal, Recipe
from models.risk.model import RiskModel
from models.risk.proof import Findings, Promised, Proof, plain

LIFETIME: Final = timedelta(days=365)
"""How long after it was trained a model may speak: two summers must never lie between learning and use."""

PLACES: Final[Mapping[SubjectKind, str]] = {"crossing": "post", "permit": "office"}
SHOWN: Final = ("pr_auc", "roc_auc", "precision_0.05", "recall_0.05", "calibration_error", "log_loss", "brier")


@dataclass(frozen=True)
class Card:
    """The card of model `name`; `model` is the hash of its folder, None while there is no model."""

    name: str
    model: str | None
    fields: tuple[Field, ...]

    @property
    def lacking(self) -> tuple[str, ...]:
        """Fields with nothing in them."""
        return tuple(f.key for f in self.fields if f.empty)

    def as_json(self) -> dict[str, Any]:
        """Keys and values; dates as text."""
        written: dict[str, Any] = plain(asdict(self))
        return written


def card(declaration: RiskDeclaration, proof: Proof, model: RiskModel) -> Card:
    """The whole card of a candidate."""
    return Card(
        declaration.name,
        proof.model,
        (
            _purpose(declaration),
            LIMITS,
            _data(proof),
            _periods(proof),
            _findings(proof.findings, declaration.name),
            _selection(proof, declaration),
            _examiners(proof),
            _figures(proof),
            _calibration(proof),
            _places(proof, declaration),
            _fallback(proof, model, declaration),
            _groups(proof),
            *_group_tables(proof),
            _frontier(proof),
            _stability(proof),
            _inputs(model, declaration),
            _failures(proof),
            Field("expiry", (Line("expiry.on", {"made": proof.made_on, "ends": expires(proof)}),)),
        ),
    )


def card_without_model(declaration: RiskDeclaration, findings: Findings) -> Card:
    """What there is to say while there are too few findings for any model."""
    return Card(
        declaration.name,
        None,
        (
            _purpose(declaration),
            LIMITS,
            Field("data", (Line("data.public"),)),
            _findings(findings, declaration.name, none=True),
        ),
    )


def expires(proof: Proof) -> date:
    """The day from which the model may not speak any more."""
    return proof.made_on + LIFETIME


LIMITS: Final = Field("limits", tuple(Line(f"limits.{each}") for each in ("decides", "inputs", "purpose", "contest")))


def _purpose(declaration: RiskDeclaration) -> Field:
    name = declaration.name
    return Field(
        "purpose",
        (
            Line("purpose.for", {"purpose": Word("model_purpose", name)}),
            Line("purpose.label", {"label": Word("model_label", name), "days": declaration.horizon.days}),
            Line("purpose.capacity", {"capacity_share": declaration.capacity}),
        ),
    )


def _data(proof: Proof) -> Field:
    return Field(
        "data",
        (
            Line("data.public"),
            Line("data.origin", {"origin": Word("origin", proof.learnt_from)}),
            Line("data.hash", {"model": proof.model, "tables": len(proof.versions)}),
        ),
    )


def _periods(proof: Proof) -> Field:
    rows = tuple(
        (
            Word("part", part),
            _day(proof.periods[part][0]),
            _day(proof.periods[part][-1]),
            proof.counts[f"{part} rows"],
            proof.counts[f"{part} positives"],
        )
        for part in ("train", "validation", "test")
    )
    late = proof.counts.get("label not known in time", 0)
    unknown = sum(n for name, n in proof.counts.items() if name.startswith("unknown: "))
    return Field(
        "periods",
        (Line("periods.dropped", {"late": late, "unknown": unknown}),),
        ("part", "from", "to", "rows", "positives"),
        rows,
    )


def _findings(findings: Findings, name: str, *, none: bool = False) -> Field:
    counts: dict[str, Value] = {
        "usable": findings.usable,
        "positives": findings.positives,
        "needed": findings.needed,
        "needed_positives": findings.needed_positives,
    }
    lines = [Line("findings.count", counts)]
    return Field("findings", (*lines, Line("findings.none", {"model": Word("model", name)})) if none else tuple(lines))


def _selection(proof: Proof, declaration: RiskDeclaration) -> Field:
    lines = [Line("selection.chosen" if proof.chosen else "selection.everyone")]
    if proof.control.value is not None:
        held: dict[str, Value] = {
            "precision": proof.control,
            "rows": proof.control_rows,
            "capacity_share": declaration.capacity,
        }
        lines.append(Line("selection.control", held))
    elif proof.chosen:
        lines.append(Line("selection.no_control"))
    rows: Rows = tuple((Word("looked", each.how), each.rows, each.positives, each.drawn) for each in proof.looked)
    return Field("selection", tuple(lines), ("looked", "rows", "positives", "drawn"), rows)


def _examiners(proof: Proof) -> Field:
    if not proof.chosen:
        return Field("examiners", (Line("examiners.nobody"),))
    if proof.examined is None:
        return Field("examiners")
    told: dict[str, Value] = {"share": proof.examined.share, "examiners": proof.examined.examiners}
    return Field("examiners", (Line("examiners.share", told),))


def _figures(proof: Proof) -> Field:
    rows: Rows = tuple(
        (Word("metric", metric), *(proof.figures.get(who, {}).get(metric, Interval()) for who in (MODEL, FLOOR, BASE)))
        for metric in SHOWN
    )
    lines = [Line("figures.over_floor", {"gain": proof.over_floor.gain, "rows": proof.over_floor.rows})]
    if proof.over_champion is not None:
        beside = proof.over_champion
        lines.append(
            Line("figures.over_champion", {"gain": beside.gain, "rows": beside.rows, "champion": beside.over[:12]})
        )
    else:
        lines.append(Line("figures.no_champion"))
    return Field("figures", tuple(lines), ("metric", "model", "floor", "base"), rows)


def _calibration(proof: Proof) -> Field:
    c = proof.calibrated
    lines = (
        Line("calibration.error", {"error": c.error, "chance": c.by_chance, "at_most": c.at_most, "draws": c.draws}),
        Line("calibration.slope", {"slope": c.slope}),
        Line("calibration.no_control")
        if c.control.promised is None
        else Line(
            "calibration.control", {"promised": c.control.promised, "found": c.control.found, "rows": c.control.rows}
        ),
    )
    return Field("calibration", lines, ("band", "rows", "promised", "found"), _promised(c.bands, "band"))


def _places(proof: Proof, declaration: RiskDeclaration) -> Field:
    held = [each for each in proof.calibrated.places if each.note is None]
    few = len(proof.calibrated.places) - len(held)
    lines = (Line("places.few", {"shown": len(held), "few": few}),)
    head = ("place", "rows", "promised", "found")
    return Field("places", lines, head, _promised(held, PLACES[declaration.subject_kind]))


def _fallback(proof: Proof, model: RiskModel, declaration: RiskDeclaration) -> Field:
    """Where the line leads, and whether it is the better one there. Empty without a second opinion, or where nobody
    held it against the trees."""
    second, told = model.second, proof.where_few
    if second is None or told is None:
        return Field("fallback")
    if second.post is None:
        return Field("fallback", (Line("fallback.nowhere"),))
    counts: dict[str, Value] = {"places": len(proof.thin_places), "unseen": len(proof.unseen_places), "least": THIN}
    lines = (
        Line("fallback.leads", {"least": THIN}),
        *((Line("fallback.places", counts),) if proof.thin_places or proof.unseen_places else ()),
        Line("fallback.found", {"rows": told.rows, "trees": told.trees, "line": told.line, "apart": told.apart})
        if told.rows
        else Line("fallback.no_rows"),
    )
    rows = {**dict.fromkeys(proof.unseen_places, 0), **proof.thin_places}
    kind, least = PLACES[declaration.subject_kind], sorted(rows.items(), key=lambda each: (each[1], each[0]))
    return Field("fallback", lines, ("place", "learnt"), tuple((Word(kind, name), n) for name, n in least))


def _groups(proof: Proof) -> Field:
    audit = proof.audit
    if audit is None or not audit.tables:
        return Field("groups")
    counted: dict[str, Value] = {
        "looked": len(audit.gaps),
        "tested": sum(gap.tested for gap in audit.gaps),
        "found": len(audit.found),
        "ratio": BOUNDS.ratio,
        "gap_share": BOUNDS.gap,
        "promise_share": BOUNDS.promise,
    }
    lines = (Line("groups.looked", counted), Line("groups.wide", {"wide": len(wide_gaps(proof))}))
    rows = tuple(
        (
            Word("view", g.view),
            Word("attribute", g.attribute),
            group_of(g.attribute, g.group),
            Word("rate", g.rate),
            g.rows,
            g.gap,
        )
        for g in audit.found
    )
    return Field("groups", lines, ("view", "attribute", "group", "rate", "rows", "difference"), rows)


def _group_tables(proof: Proof) -> Iterable[Field]:
    """One table per view and attribute; crossings of two stand in the proof, gaps found in them above."""
    head = ("group", "rows", "selected", "confirmed", "missed", "false_positive", "promise")
    for table in () if proof.audit is None else proof.audit.tables:
        if TIMES not in table.attribute:
            about: dict[str, Value] = {
                "view": Word("view", table.view),
                "attribute": Word("attribute", table.attribute),
            }
            yield Field("group_table", (_ratio(table),), head, tuple(_group_rows(table)), about)


def group_of(attribute: str, group: str) -> Word:
    """A group by its attribute, so that each language can say it."""
    return Word("group_of", f"{attribute}/{group}")


def _ratio(table: GroupTable) -> Line:
    ratio = table.selection_ratio
    return Line("groups.ratio", {"ratio": ratio}) if ratio.value is not None else Line("groups.no_ratio")


def _group_rows(table: GroupTable) -> Iterable[tuple[Value, ...]]:
    for row in table.rows:
        if row.shown:
            rates = (row.selection_rate, row.confirmation_rate, row.missed_risk_rate, row.false_positive_rate)
            yield (group_of(table.attribute, row.group), row.rows, *rates, row.calibration_gap)
        else:
            thin = Word("card.thin", "none") if row.detectable is None else Word("thin", f"{row.detectable:.3f}")
            yield (group_of(table.attribute, row.group), row.rows or Word("card", "few"), thin, "", "", "", "")


def _frontier(proof: Proof) -> Field:
    """What the search for the less discriminatory equal found and took, or why nobody searched; empty where neither is
    on record."""
    found = proof.frontier
    if found is None:
        return Field("frontier", (Line(f"frontier.{proof.unsearched}"),) if proof.unsearched else ())
    margin: dict[str, Value] = {"tried": found.tried, "equals": found.equals, "margin_share": MARGIN}
    gained: dict[str, Value] = {"chosen": found.chosen.parity, "best": found.best.parity, "level": found.chosen.level}
    shown = sorted({e.name: e for e in (*found.frontier, found.best, found.chosen)}.values(), key=lambda e: -e.level)

    def role(each: Equal) -> str:
        return "chosen" if each == found.chosen else "best" if each == found.best else "other"

    return Field(
        "frontier",
        (Line("frontier.searched", margin), Line("frontier.chosen", gained)),
        ("candidate", "level", "parity", "role"),
        tuple((_mix(each), each.level, each.parity, Word("card.role", role(each))) for each in shown),
    )


def _mix(of: Equal) -> tuple[Line, ...]:
    """How many of its models are grown by which recipe, without which column."""
    return tuple(_part(recipe, count) for recipe, count in of.members)


def _part(recipe: Recipe, count: int) -> Line:
    values: dict[str, Value] = {"members": count, "recipe": Word("card.recipe", recipe.candidate.name)}
    if recipe.without is None:
        return Line("mix", values)
    return Line("mix_without", values | {"column": recipe.without})


def _stability(proof: Proof) -> Field:
    held = proof.stability
    if held is None:
        return Field("stability")
    weak = sorted(group for group, least in held.least.items() if least is None)
    tried: dict[str, Value] = {
        "cases": held.cases,
        "refits": held.refits,
        "flags_share": held.flags,
        "refit_share": held.refit,
        "noise_share": held.noise,
    }
    lines = [Line("stability.changed", tried)]
    return Field("stability", tuple(lines), ("less_certain",), tuple((Word("group", name),) for name in weak))


def _inputs(model: RiskModel, declaration: RiskDeclaration) -> Field:
    counted: dict[str, int] = {}
    for one in model.inputs:
        counted[one.group] = counted.get(one.group, 0) + 1
    directed = [name for name in declaration.monotone if name in model.names]
    lines = (
        Line("inputs.count", {"inputs": len(model.inputs), "groups": len(counted)}),
        Line("inputs.directed", {"directed": len(directed)}),
    )
    return Field("inputs", lines, ("reasons", "inputs"), tuple((Word("group", g), n) for g, n in counted.items()))


def _failures(proof: Proof) -> Field:
    thin = Line("failures.thin", {"places": len(proof.thin_places), "least": THIN})
    unseen = Line("failures.unseen", {"places": len(proof.unseen_places), "rows": sum(proof.unseen_places.values())})
    always = (Line("failures.checked" if proof.chosen else "failures.exits"), Line("failures.rare"))
    there = [line for line, places in ((thin, proof.thin_places), (unseen, proof.unseen_places)) if places]
    return Field("failures", (*there, *always))


def _promised(each: Iterable[Promised], kind: str) -> Rows:
    return tuple((Word(kind, p.name), p.rows, Interval(p.promised), p.found) for p in each)


def _day(moment: str) -> date:
    return date.fromisoformat(moment[:10])

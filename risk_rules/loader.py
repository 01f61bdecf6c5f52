"""Reading rules and refusing bad ones: one invalid rule refuses the whole rulebook, so that nobody is checked by half.

Every refusal names the file, the rule, what is wrong, why it matters and how to mend it; all bad rules are named at
once.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from itertools import permutations
from pathlib import Path
from typing import Any

from records.errors import BadInput
from records.schema import Tier
from risk_rules import analysis
from risk_rules.columns import Column, SubjectKind, nearest
from risk_rules.conditions import All, Node, Value, for_one, parse, read_columns
from risk_rules.mitigations import Ladder
from risk_rules.reading import read_rule
from risk_rules.rule import PURPOSES, AppliesTo, Case, Result, Rule, threshold_names
from risk_rules.strict_yaml import read
from risk_rules.texts import placeholders
from risk_rules.thresholds import Threshold, values_at

Columns = Mapping[SubjectKind, Mapping[str, Column]]


def load_rules(folder: Path, columns: Columns, thresholds: Mapping[str, Threshold], ladder: Ladder) -> tuple[Rule, ...]:
    """Every rule of `folder`, checked alone and against the others, in order of id. BadInput lists each bad rule."""
    rules: list[Rule] = []
    refusals: list[str] = []
    for path in sorted(folder.glob("*.yaml")):
        raw = read(path)
        if not isinstance(raw, list) or not raw:
            refusals.append(f"rules/{path.name}: a rule file is a list of rules, each beginning with `- id:`.")
            continue
        for entry in raw:
            name = entry.get("id") if isinstance(entry, Mapping) else None
            try:
                rule = read_rule(entry, path.name)
                check_rule(rule, columns[rule.applies_to.subject_kind], thresholds, ladder)
                rules.append(rule)
            except BadInput as error:
                refusals.append(f"rules/{path.name}, rule '{name}': {error}")
    refusals += _against_each_other(rules, columns, thresholds, ladder)
    if refusals:
        raise BadInput("The rulebook is refused; no rule of it is in force.\n" + "\n".join(refusals))
    return tuple(sorted(rules, key=lambda r: r.id))


# ---- checking one rule ---------------------------------------------------------------------------------------------


def check_rule(rule: Rule, columns: Mapping[str, Column], thresholds: Mapping[str, Threshold], ladder: Ladder) -> None:
    """Everything that can be known of a rule before it meets data. BadInput for the first thing that is wrong."""
    if PURPOSES[rule.purpose] != rule.applies_to.subject_kind:
        raise BadInput(f"its purpose {rule.purpose} is about a {PURPOSES[rule.purpose]}; applies_to says otherwise.")
    check_mitigation(rule, ladder)
    for day in days_of_change(rule, thresholds):
        node = parse_on(rule.when, rule.applies_to.subject_kind, day, columns, thresholds)
        _check_meaning(rule, node, columns, day)
        _check_texts(rule, node, columns)
    _check_cases(rule, columns, thresholds)


def check_mitigation(rule: Rule, ladder: Ladder) -> None:
    """The mitigation exists, serves the rule's purpose, and needs no more than the rule's evidence."""
    mitigation = ladder.mitigations.get(rule.mitigation)
    if mitigation is None:
        raise BadInput(f"its mitigation '{rule.mitigation}' is unknown. {nearest(rule.mitigation, ladder.mitigations)}")
    if rule.purpose not in mitigation.purposes:
        raise BadInput(f"its mitigation '{rule.mitigation}' does not serve {rule.purpose}. Choose one that does.")
    if mitigation.needs == "fact_hit" and rule.evidence != "fact":
        raise BadInput(f"its mitigation '{rule.mitigation}' needs a fact, and this rule is an indication. Step down.")


def days_of_change(rule: Rule, thresholds: Mapping[str, Threshold]) -> list[date]:
    """The first day of the rule, and each later day of its validity on which one of its thresholds changes."""
    names = threshold_names(rule.when)
    changes = {step.since for name in names if name in thresholds for step in thresholds[name].steps}
    return sorted({rule.valid_from, *(day for day in changes if rule.in_force(day))})


def parse_on(
    when: Any,
    subject_kind: SubjectKind,
    day: date,
    columns: Mapping[str, Column],
    thresholds: Mapping[str, Threshold],
) -> Node:
    """`when` with the thresholds of `day`. BadInput for an undefined threshold, or a column that may not be read."""
    for name in threshold_names(when):
        if name in thresholds and thresholds[name].at(day) is None:
            raise BadInput(
                f"its threshold '@{name}' has no value on {day}; it begins on {thresholds[name].steps[0].since}. "
                "Add a dated value, or begin the rule later."
            )
    node = parse(when, columns, values_at(thresholds, day))
    refuse_guarded(read_columns(node), subject_kind, columns)
    return node


def refuse_guarded(names: Sequence[str], subject_kind: SubjectKind, columns: Mapping[str, Column]) -> None:
    """BadInput if a condition reads a gate or who someone is; the chain of columns stands in the message."""
    for name in names:
        if columns[name].tier is not Tier.FREE:
            raise BadInput(
                f"`when` reads '{name}', which is {columns[name].tier.value}: it may decide whom a rule is about "
                "(applies_to), never be a condition. Remove it from `when`."
            )
    features = [name for name in names if columns[name].feature]
    if features:
        from features.lineage import check_inputs

        check_inputs(features, subject_kind, "rule")


def _check_meaning(rule: Rule, node: Node, columns: Mapping[str, Column], day: date) -> None:
    can = analysis.possible(node, columns)
    if not can.hit:
        raise BadInput(f"on {day} no values at all make it hit. Conditions contradict each other; mend or remove it.")
    if not can.no:
        raise BadInput(f"on {day} no values at all make it say no: everyone would hit. Narrow or remove it.")
    if rule.points.on is not None:
        if rule.points.on not in read_columns(node):
            raise BadInput(f"its bands are on '{rule.points.on}', which `when` does not read. Name a column of `when`.")
        if columns[rule.points.on].kind != "number":
            raise BadInput(f"its bands are on '{rule.points.on}', which is no number. Name a number.")
    if rule.evidence == "fact" and not any(columns[name].fact for name in read_columns(node)):
        raise BadInput("it calls itself a fact, but reads no column that an authority stated. Call it an indication.")


def _check_texts(rule: Rule, node: Node, columns: Mapping[str, Column]) -> None:
    can = analysis.possible(node, columns)
    if any(placeholders(text, "title") for text in rule.title.values()):
        raise BadInput("its title has a placeholder. Values stand in the reason; keep the title fixed.")
    names = read_columns(node)
    limits = threshold_names(rule.when)
    for name in sorted(placeholders(rule.reason["en"], "reason")):
        if name in limits and name in names:
            raise BadInput(f"'{name}' is a column and a threshold at once. Rename the threshold's file.")
        if name not in names and name not in limits:
            raise BadInput(
                f"its reason shows {{{name}}}, which `when` does not read. {nearest(name, (*names, *limits))}"
            )
        if name in names and name not in can.known_on_hit:
            raise BadInput(
                f"its reason shows {{{name}}}, which may be missing when it hits. Take it out of the reason."
            )


def _check_cases(rule: Rule, columns: Mapping[str, Column], thresholds: Mapping[str, Threshold]) -> None:
    for case in rule.cases:
        told = f"the case given {dict(case.given)!r} as of {case.as_of}"
        node = parse_on(rule.when, rule.applies_to.subject_kind, case.as_of, columns, thresholds)
        applies = rule.applies_to.node
        row = case_row(case, read_columns(node), applies_values(rule.applies_to), columns, told)
        said = answer(node if applies is None else All((applies, node)), rule.on_missing, row)
        if said is not case.expect:
            raise BadInput(
                f"{told} says {said.name.lower()}, not {case.expect.name.lower()}. Mend the rule or the case."
            )
    node = parse_on(rule.when, rule.applies_to.subject_kind, rule.valid_from, columns, thresholds)
    needed = {Result.HIT, Result.NO}
    if rule.on_missing == "undecided" and analysis.possible(node, columns).undecided:
        needed.add(Result.UNDECIDED)
    lacking = sorted(r.name.lower() for r in needed - {case.expect for case in rule.cases})
    if lacking:
        raise BadInput(f"no case expects {', '.join(lacking)}. Add at least one, so that others see what it says when.")


def applies_values(applies: AppliesTo) -> dict[str, Value]:
    """Values of the gates for which a rule applies; a case need not repeat them."""
    if applies.subject_kind == "permit":
        return {}
    return {"direction": applies.direction or "entry", "regime": applies.regimes[0], "under_18": False}


def case_row(
    case: Case, names: Sequence[str], usual: Mapping[str, Value], columns: Mapping[str, Column], told: str
) -> dict[str, Value]:
    """The event a case describes. BadInput if it names a column the rule does not read, or leaves one out."""
    unread = sorted(set(case.given) - set(names) - set(usual))
    if unread:
        raise BadInput(f"{told} gives '{unread[0]}', which the rule does not read. {nearest(unread[0], names)}")
    left_out = sorted(set(names) - set(case.given) - set(usual))
    if left_out:
        raise BadInput(f"{told} leaves out '{left_out[0]}'. Give each column the rule reads a value, or null.")
    return {**usual, **{name: columns[name].checked(value) for name, value in case.given.items()}}


def answer(node: Node, on_missing: str, row: Mapping[str, Value]) -> Result:
    """What a condition says of one event, its missing values treated as the rule says."""
    truth = for_one(node)(row)
    if truth == 0:
        return Result.NO if on_missing == "no_hit" else Result.UNDECIDED
    return Result.HIT if truth > 0 else Result.NO


# ---- checking rules against each other -----------------------------------------------------------------------------


def _against_each_other(
    rules: Sequence[Rule], columns: Columns, thresholds: Mapping[str, Threshold], ladder: Ladder
) -> list[str]:
    refusals = []
    ids = [rule.id for rule in rules]
    for name in sorted({i for i in ids if ids.count(i) > 1}):
        refusals.append(f"rule '{name}': two rules have this id. Ids are cited in decisions; give one another id.")
    for narrow, wide in permutations(rules, 2):
        if narrow.purpose != wide.purpose or not narrow.applies_to.within(wide.applies_to):
            continue
        day = max(narrow.valid_from, wide.valid_from)
        if not (narrow.in_force(day) and wide.in_force(day)):
            continue
        kind = narrow.applies_to.subject_kind
        trees = [parse_on(rule.when, kind, day, columns[kind], thresholds) for rule in (narrow, wide)]
        rungs = [ladder.mitigations[rule.mitigation].rung for rule in (narrow, wide)]
        if rungs[0] <= rungs[1] and analysis.implies(trees[0], trees[1], columns[kind]):
            refusals.append(
                f"rules/{narrow.file}, rule '{narrow.id}': whenever it hits, '{wide.id}' hits too and proposes no "
                "less. It would count the same thing twice; remove one, or let the narrower propose a higher rung."
            )
    return refusals

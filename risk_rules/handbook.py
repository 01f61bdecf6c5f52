"""The published page of rules, mitigations and protection: what is looked for, on what basis, and what may follow."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from risk_rules.protection import Protection
from risk_rules.rule import Rule, threshold_names
from risk_rules.rulebook import Rulebook


def handbook(book: Rulebook, protection: Protection) -> str:
    """The page as Markdown, from the files alone; it is the same on every day."""
    return "\n".join([*_rules(book), *_mitigations(book), *_protection(protection)]) + "\n"


def _rules(book: Rulebook) -> Iterator[str]:
    yield "# Rules, mitigations, protection"
    yield ""
    yield "Made from the YAML files of `risk_rules`; do not edit it. `make docs` writes it again."
    yield "A rule proposes, an officer decides. A basis that begins with `example` is invented and never goes live."
    for rule in book.rules:
        yield from ("", f"## {rule.id}", "")
        yield f"{rule.title['en']} / {rule.title['fr']} / {rule.title['ar']}"
        yield ""
        yield f"- says: {rule.reason['en']}"
        yield f"- about: {_about(rule)}"
        yield f"- when: {condition(rule.when)}; missing values: {rule.on_missing.replace('_', ' ')}"
        for name in threshold_names(rule.when):
            steps = "; ".join(f"{s.value} from {s.since} ({s.basis})" for s in book.thresholds[name].steps)
            yield f"- threshold `{name}`: {steps}"
        yield f"- evidence: {rule.evidence}; points: {_points(rule)}; mitigation: `{rule.mitigation}`"
        yield f"- basis: {rule.basis}; owner: {rule.owner}; valid from {rule.valid_from} until {rule.valid_until}"


def _about(rule: Rule) -> str:
    if rule.applies_to.subject_kind == "permit":
        return "a residence permit that ends within 60 days"
    way = {"entry": "adults who enter", "exit": "adults who leave", None: "adults who enter or leave"}
    return f"{way[rule.applies_to.direction]} under the regimes {', '.join(rule.applies_to.regimes)}"


def _points(rule: Rule) -> str:
    if rule.points.on is None:
        return str(rule.points.steps[0][1])
    return ", ".join(f"{points} from {start:g}" for start, points in rule.points.steps) + f" {rule.points.on}"


def condition(raw: Any) -> str:
    """A raw `when` in one line, as it is read aloud.

    >>> condition({"all": [{"col": "size", "op": "ge", "value": 2}, {"not": {"col": "age", "op": "is_missing"}}]})
    '(`size` ge 2 and not `age` is missing)'
    """
    if "col" in raw:
        value = "" if "value" not in raw else f" {_literal(raw['value'])}"
        return f"`{raw['col']}` {raw['op'].replace('_', ' ')}{value}"
    if "not" in raw:
        return f"not {condition(raw['not'])}"
    ((word, parts),) = raw.items()
    return "(" + {"all": " and ", "any": " or "}[word].join(condition(part) for part in parts) + ")"


def _literal(value: Any) -> str:
    return {True: "true", False: "false"}[value] if isinstance(value, bool) else str(value)


def _mitigations(book: Rulebook) -> Iterator[str]:
    yield from ("", "# Mitigations, least intrusive first", "")
    yield "| rung | mitigation | for | ordered by | at most | needs |"
    yield "|---|---|---|---|---|---|"
    for m in book.ladder.mitigations.values():
        needs = m.needs.replace("_", " ") + (" and a second person" if m.second_person else "")
        purposes = ", ".join(m.purposes)
        yield f"| {m.rung} | {m.title['en']} (`{m.id}`) | {purposes} | {m.may_order} | {m.max_minutes} min | {needs} |"


def _protection(protection: Protection) -> Iterator[str]:
    yield from ("", "# Protection, apart from risk", "")
    for sign in protection.signs:
        body: Mapping[str, str] = protection.bodies[sign.to]
        minutes = int(sign.within.total_seconds() // 60)
        yield f"- {sign.title['en']} (`{sign.id}`): {body['en']} within {minutes} minutes. Basis: {sign.basis}."

"""What the person concerned is told: facts about themselves, the legal basis, and how to correct or contest.

No score, weight or threshold, no rule's inside, and nobody else: a value is told only where it is made of the person's
own records, and nothing that an authority entered as an alert. What cannot be told is never hinted at: the same
sentence about it stands in every form.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from features.catalogue import features
from features.declaration import Derived, Feature, Operand, Own, SubjectKind
from features.entities import TRAVELLER
from risk_rules.rule import Rule
from risk_rules.rulebook import Rulebook
from serving.assessment import Assessment
from serving.dossier_officer import not_scored
from serving.dossier_parts import Document, facts, section
from serving.languages import Language
from serving.sentences import isolated, observed_text

OTHERS = frozenset({"party", "party_size", "declared_guardian", "sponsor", "permit_file", "officer"})
"""Columns of an event that are about somebody else, or may be."""
TABLES = frozenset({"crossings", "permits", "checks", "calendar"})
"""What may be told from: not alerts, which the authority that entered them answers for."""


def person(assessment: Assessment, rulebook: Rulebook, reader: Language) -> Document:
    """The explanation for the person an assessment is about. While it is blind, nothing that the score rests on."""
    if assessment.blind:
        assessment = replace(assessment, reasons=(), findings=())
    own = own_data(assessment.event_kind)
    if assessment.assessable:
        used = tuple(
            own[o.feature].texts[reader.code].format(value=observed_text(own[o.feature], o.value, reader))
            for reason in assessment.reasons
            for o in sorted(reason.observed, key=lambda o: o.feature)
            if o.feature in own and o.value is not None
        )
        used_section = section("used", reader, reader.say("dossier.used.line"), *sorted(used))
    else:
        used_section = not_scored(assessment, reader)
    found = {finding.rule for finding in assessment.findings}
    told = [rule for rule in rulebook.rules if rule.id in found and _tells(rule, rulebook, own)]
    return Document(
        reader.say("dossier.title.person"),
        (
            section(
                "what", reader, reader.say(f"dossier.what.{assessment.purpose}"), reader.say("dossier.what.decides")
            ),
            facts(assessment, reader, without=("party_size",)),
            used_section,
            section(
                "basis",
                reader,
                reader.say(f"dossier.basis.{assessment.purpose}"),
                reader.say("dossier.basis.data"),
                rows=tuple((rule.title[reader.code], _cited(rule, reader)) for rule in told),
            ),
            section("correct", reader, *(reader.say(f"dossier.correct.{n}") for n in (1, 2, 3))),
            section("contest", reader, *(reader.say(f"dossier.contest.{n}") for n in (1, 2, 3))),
            section("limits", reader, reader.say("dossier.limits.line")),
            section("reference", reader, reader.say("dossier.reference.line", id=isolated(assessment.id))),
        ),
    )


def own_data(kind: SubjectKind) -> dict[str, Feature]:
    """The features that are made of nothing but the person's own records and the calendar."""
    known = features(kind)
    return {name: f for name, f in known.items() if all(_own(leaf, kind) for leaf in _leaves(name, kind))}


def _leaves(of: Operand, kind: SubjectKind) -> Iterator[Operand]:
    if isinstance(of, str):
        yield from _leaves(features(kind)[of].expression, kind)
    elif isinstance(of, Derived):
        for operand in of.of:
            yield from _leaves(operand, kind)
    else:
        yield of


def _own(leaf: Operand, kind: SubjectKind) -> bool:
    if isinstance(leaf, Own):
        return leaf.column not in OTHERS
    assert not isinstance(leaf, str | Derived)  # noqa: S101 - `_leaves` went through these
    if leaf.of.table not in TABLES or (leaf.of.beside and leaf.of.beside[0] not in TABLES):
        return False
    theirs = {TRAVELLER, "day", *(("permit file",) if kind == "permit" else ())}
    column = getattr(getattr(leaf, "aggregate", None), "column", None)
    return bool(theirs & set(leaf.per)) and OTHERS.isdisjoint({column, *leaf.per})


def _tells(rule: Rule, rulebook: Rulebook, own: dict[str, Feature]) -> bool:
    """Whether a rule reads only what may be told."""
    kind = rule.applies_to.subject_kind
    read = [c for c in rulebook.reads(kind) if rule.id in {reader.id for reader in rulebook.readers(kind, c)}]
    return all(name in own if rulebook.columns[kind][name].feature else name not in OTHERS for name in read)


def _cited(rule: Rule, reader: Language) -> str:
    """The legal basis as it is written, without the word that marks an invented one: that is said in the language."""
    basis = rule.basis.partition(": ")[2] if rule.example else rule.basis
    return isolated(basis) + (f" ({reader.say('dossier.basis.example')})" if rule.example else "")

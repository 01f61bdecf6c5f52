"""What oversight is told: everything that went into one score, and how its parts add up to what was shown."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from features.catalogue import features
from features.declaration import Feature
from features.groups import GROUPS
from risk_rules.rulebook import Rulebook
from serving.assessment import Assessment
from serving.dossier_officer import not_scored, proposal, reasons, rules, score
from serving.dossier_parts import Document, Section, facts, section
from serving.languages import Language
from serving.sentences import in_words, isolated, observed_text, said

_PLACES = 4  # decimals of a log-odds


def oversight(assessment: Assessment, found: Mapping[str, Any], rulebook: Rulebook, reader: Language) -> Document:
    """The whole dossier of one assessment; `found` are its values (`dossier.values`)."""
    title = reader.say("dossier.title.oversight")
    if not assessment.assessable:
        return Document(
            title,
            (
                facts(assessment, reader),
                not_scored(assessment, reader),
                _made_from(assessment, found, rulebook, reader),
            ),
        )
    words = in_words(assessment, rulebook, reader, most=None)
    parts: list[Section] = [facts(assessment, reader), score(assessment, reader), reasons(words, reader)]
    if found["score"]:
        known = features(assessment.event_kind)
        parts += [
            _contributions(found, known, reader),
            _probability(found["score"], reader),
            _what_if(found["what_if"], known, reader),
        ]
    parts += [
        rules(words, reader),
        _rules_inside(found["rules"], rulebook, reader),
        _undecided(found["undecided"], rulebook, reader),
        proposal(words, reader),
        _made_from(assessment, found, rulebook, reader),
    ]
    return Document(title, tuple(parts))


def _contributions(found: Mapping[str, Any], known: Mapping[str, Feature], reader: Language) -> Section:
    """Every input with what it added, from the base to the raw score."""
    rows = [(reader.say("dossier.base"), "", _signed(found["score"]["base"], reader))]
    for part in found["contributions"]:
        feature = known.get(part["feature"])
        what = _observed(feature, part["value"], reader) if feature else said(part["value"], reader)
        rows.append((GROUPS[part["group"]][reader.code], what, _signed(part["contribution"], reader)))
    rows.append((reader.say("dossier.raw"), "", _signed(found["score"]["raw"], reader)))
    line = reader.say("dossier.contributions.line")
    return section("contributions", reader, line, heads=("reason", "observed", "contribution"), rows=rows)


def _probability(figures: Mapping[str, Any], reader: Language) -> Section:
    """The way from log-odds to the probability shown, in words."""
    calibrator = figures["calibrator"]
    starts = [
        reader.say("dossier.band.from", band=reader.say(f"band.{name}"), least=reader.per_hundred(least))
        for name, least in figures["bands"]
    ]
    return section(
        "probability",
        reader,
        reader.say("dossier.mean", count=figures["models"]),
        reader.say("dossier.log_odds", raw=_signed(figures["raw"], reader)),
        reader.say(
            f"dossier.calibrator.{calibrator['kind']}",
            slope=reader.number(calibrator["slope"], decimals=_PLACES),
            against=reader.number(calibrator["against"], decimals=_PLACES),
            offset=_signed(calibrator["offset"], reader),
        ),
        reader.say("dossier.calibrator_shift", shift=_signed(calibrator["shift"], reader))
        if calibrator["shift"]
        else None,
        reader.say(
            "dossier.shown",
            chance=reader.per_hundred(figures["probability"]),
            band=reader.say(f"band.{figures['band']}"),
        ),
        *starts,
    )


def _what_if(found: Sequence[Mapping[str, Any]], known: Mapping[str, Feature], reader: Language) -> Section:
    """The fewest changes that would have led to another band."""
    if not found:
        return section("what_if", reader, reader.say("dossier.what_if.none"))
    rows = []
    for what_if in found:
        changes = " · ".join(
            reader.say(
                "dossier.change",
                would_be=_observed(known[c["feature"]], c["would_be"], reader),
                was=observed_text(known[c["feature"]], c["was"], reader),
            )
            for c in what_if["changes"]
        )
        chance = reader.say("score.per_hundred", score=reader.per_hundred(what_if["probability"]))
        rows.append((changes, reader.say(f"band.{what_if['band']}"), chance))
    line = reader.say("dossier.what_if.line")
    return section("what_if", reader, line, heads=("change", "band", "probability"), rows=rows)


def _rules_inside(hits: Sequence[Mapping[str, Any]], rulebook: Rulebook, reader: Language) -> Section:
    """Each rule that hit with its number, its basis, and the limits of the day."""
    titles = {rule.id: rule.title[reader.code] for rule in rulebook.rules}
    rows = tuple(
        (
            titles[hit["rule"]],
            isolated(hit["rule"]),
            reader.say(f"dossier.evidence.{hit['evidence']}"),
            isolated(hit["basis"]),
            isolated(", ".join(f"{name} = {value}" for name, value in hit["limits"].items())) if hit["limits"] else "",
        )
        for hit in hits
    )
    none = None if rows else reader.say("dossier.rules.none")
    return section("rules_inside", reader, none, heads=("rule", "number", "evidence", "basis", "limits"), rows=rows)


def _undecided(undecided: Sequence[Mapping[str, Any]], rulebook: Rulebook, reader: Language) -> Section:
    """Each rule that could not be decided, and what was missing for it."""
    titles = {rule.id: rule.title[reader.code] for rule in rulebook.rules}
    rows = tuple((titles[u["rule"]], isolated(u["rule"]), isolated(", ".join(u["missing"]))) for u in undecided)
    none = None if rows else reader.say("dossier.undecided.none")
    return section("undecided", reader, none, heads=("rule", "number", "missing"), rows=rows)


def _made_from(assessment: Assessment, found: Mapping[str, Any], rulebook: Rulebook, reader: Language) -> Section:
    """The model, the rules, the versions of the data and the moment whose knowledge counted."""
    rows = [
        (reader.say("dossier.id"), isolated(assessment.id)),
        (reader.say("dossier.as_of"), isolated(assessment.as_of.isoformat())),
        (reader.say("dossier.mode"), reader.say(f"mode.{assessment.mode}")),
    ]
    if "model" in found:
        rows.append((reader.say("dossier.model"), isolated(f"{found['model']['name']} {found['model']['hash']}")))
        for name, value in sorted(found["model"]["trained_from"].items()):
            rows.append((reader.say("dossier.trained_from"), isolated(f"{name}: {_plainly(value)}")))
    rows += [
        (reader.say("dossier.rulebook"), isolated(f"{assessment.rulebook} ({rulebook.on})")),
        (reader.say("dossier.data_versions"), isolated(_plainly(assessment.data_versions))),
    ]
    return section("made_from", reader, rows=rows)


def _observed(feature: Feature, value: Any, reader: Language) -> str:
    if value is None:
        return reader.say("dossier.unknown", what=feature.texts[reader.code].format(value="…"))
    return feature.texts[reader.code].format(value=observed_text(feature, value, reader))


def _signed(number: float, reader: Language) -> str:
    """A log-odds with its sign, kept left to right."""
    return isolated(("+" if number > 0 else "") + reader.number(number, decimals=_PLACES))


def _plainly(value: Any) -> str:
    """A value of the model card on one line."""
    if isinstance(value, Mapping):
        return ", ".join(f"{name} {_plainly(part)}" for name, part in sorted(value.items()))
    return " … ".join(map(str, value)) if isinstance(value, list | tuple) else str(value)

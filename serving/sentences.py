"""Sentences a person reads: reasons, findings and proposals, from the templates that features and rules declare.

What an analyst sees holds words and observed values: never a column name, never a contribution. A reason is one idea:
the features of one group together, with its share of what moved the score and its direction.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Final

from features.catalogue import features
from features.declaration import Feature
from features.groups import GROUPS
from risk_rules.rulebook import Rulebook
from serving.assessment import Assessment, Finding, Observed, Reason, Value
from serving.languages import Language
from serving.places import name_of

REASONS_SHOWN = 3
FEATURES_SHOWN = 2
UNUSUAL = 0.8  # a number is usual where fewer similar subjects than this lie on one side of it
CYCLES = ("hour", "day of the week", "month")  # numbers of which none is more than another
CHECKLIST: Final[Mapping[str, int]] = {"crossing": 4, "permit": 3}  # what to look at, with or without a score


@dataclass(frozen=True)
class ReasonInWords:
    """`title` names the idea, `sentences` say what was observed, and how that compares with similar subjects.

    `share` is 0..1 and `share_text` the same in words; `caution` stands beside a reason that is less certain.
    """

    title: str
    direction: str
    direction_text: str
    share: float
    share_text: str
    sentences: tuple[str, ...]
    caution: str | None = None

    @property
    def said(self) -> str:
        """The sentences one after the other, each with its full stop, as they are read aloud."""
        return " ".join(f"{sentence.rstrip('.')}." for sentence in self.sentences)


@dataclass(frozen=True)
class InWords:
    """One assessment, said in one language.

    `similar` are those its observed values were compared with; `caution` says what a less certain reason is.
    """

    reasons: tuple[ReasonInWords, ...]
    findings: tuple[str, ...]
    undecided: str | None
    proposal: str
    advice: str | None
    similar: str | None = None
    caution: str | None = None


def in_words(
    assessment: Assessment, rulebook: Rulebook, language: Language, *, most: int | None = REASONS_SHOWN
) -> InWords:
    """The reasons that weigh most (all, without `most`), every finding and the proposal, in words.

    A blind assessment says none of them.
    """
    if assessment.blind:
        return InWords((), (), None, "", None)
    known = features(assessment.event_kind)
    mitigation = rulebook.ladder.mitigations.get(assessment.mitigation) if assessment.mitigation else None
    return InWords(
        reasons=tuple(reason_in_words(r, known, language) for r in assessment.reasons[:most]),
        findings=tuple(s for f in assessment.findings if (s := finding_sentence(f, rulebook, language))),
        undecided=language.say("findings.undecided", count=len(assessment.undecided)) if assessment.undecided else None,
        proposal=mitigation.title[language.code] if mitigation else language.say("proposal.none"),
        advice=mitigation.advice[language.code] if mitigation else None,
        similar=similar_in_words(assessment, language),
        caution=None if all(r.certain for r in assessment.reasons[:most]) else language.say("reasons.less_certain"),
    )


def similar_in_words(assessment: Assessment, language: Language) -> str | None:
    """Whom the observed values were compared with, such as crossings by air in winter; None without a comparison."""
    if assessment.similar is None:
        return None
    parts = [language.say(f"similar.{assessment.event_kind}")]
    for word in assessment.similar.key:
        known = language.has(f"similar.{word}")
        parts.append(language.say(f"similar.{word}") if known else _category(word, language))
    return " ".join(parts)


def reason_in_words(reason: Reason, known: Mapping[str, Feature], language: Language) -> ReasonInWords:
    """One reason: its group's name, direction and share, and a sentence for each of the features that weigh most."""
    told = [o for o in reason.observed if o.feature in known and o.value is not None][:FEATURES_SHOWN]
    return ReasonInWords(
        title=GROUPS[reason.group][language.code],
        direction=reason.direction,
        direction_text=language.say(f"reasons.{reason.direction}"),
        share=reason.share,
        share_text=language.say("reasons.share", share=language.share(reason.share)),
        sentences=tuple(feature_sentence(known[o.feature], o, language) for o in told)
        or (language.say("reasons.not_on_record"),),
        caution=None if reason.certain else language.say("reasons.less_certain.short"),
    )


def feature_sentence(feature: Feature, observed: Observed, language: Language) -> str:
    """What was observed, in the feature's own template, and how it compares with similar subjects."""
    sentence = feature.texts[language.code].format(value=observed_text(feature, observed.value, language))
    compared = None if feature.unit in CYCLES else comparison(observed, language)
    return language.say("similar.said", observed=sentence, compared=compared) if compared else sentence


def comparison(observed: Observed, language: Language) -> str | None:
    """Where a value stands among similar subjects, in words; None where there was nothing to compare with."""
    if observed.same is not None:
        share = round(observed.same, 2)
        return language.say("similar.same", share=language.share(share)) if share else language.say("similar.rare")
    if observed.lower is None or observed.higher is None:
        return None
    for way, share in (("higher", observed.lower), ("lower", observed.higher)):
        if share >= UNUSUAL:
            return language.say(f"similar.{way}", share=language.share(share))
    return language.say("similar.usual")


def observed_text(feature: Feature, value: Value, language: Language) -> str:
    """A value of a feature with its unit, as the language says it."""
    number = value if isinstance(value, int | float) and not isinstance(value, bool) else None
    unit = f"unit.{feature.unit.split(' per ')[0]}"  # days a year are said in days; the template says a year
    match feature.unit:
        case "share" if number is not None:
            text = language.share(number)
        case "day of the week" if number is not None:
            text = language.weekday_name(int(number))
        case "month" if number is not None:
            text = language.month_name(int(number))
        case "post" | "office" as place:
            text = name_of(None if value is None else str(value), place, language)
        case _ if number is not None and language.has(unit):
            text = language.quantity(unit, number, decimals=_decimals(number))
        case _:
            text = said(value, language)
    return text


def finding_sentence(finding: Finding, rulebook: Rulebook, language: Language) -> str | None:
    """Why a rule hit, with the values it read; None for a rule that the rulebook no longer holds."""
    rule = next((rule for rule in rulebook.rules if rule.id == finding.rule), None)
    if rule is None:
        return None
    values = {name: _Spoken(value, language) for name, value in finding.values.items()}
    return rule.reason[language.code].format(**values)


@dataclass(frozen=True)
class _Spoken:
    """A value as a template says it: `{name}` alone, or `{name:days}` with what it counts, in the plural it takes."""

    value: Value
    language: Language

    def __format__(self, counted: str) -> str:
        if counted and isinstance(self.value, int | float):
            return self.language.quantity(f"unit.{counted}", self.value, decimals=_decimals(self.value))
        return said(self.value, self.language)


def said(value: Value, language: Language) -> str:
    """An observed value as a person says it: a number in the language's digits, a day, a word of the language."""
    if value is None:
        return language.say("word.unknown")
    if isinstance(value, bool):
        return language.say("word.yes" if value else "word.no")
    if isinstance(value, int | float):
        return language.number(value, decimals=_decimals(value))
    if language.has(f"word.{value}"):
        return language.say(f"word.{value}")
    try:
        return language.day(date.fromisoformat(value))
    except ValueError:
        return isolated(value)


def fact_said(name: str, value: Value, language: Language) -> str:
    """A fact of the event itself, as `shown.facts` names it."""
    return name_of(str(value), "governorate", language) if name == "address_governorate" else said(value, language)


def checklist(event_kind: str, language: Language) -> tuple[str, ...]:
    """What an officer looks at where there is no score to go by."""
    return tuple(language.say(f"checklist.{event_kind}.{n + 1}") for n in range(CHECKLIST[event_kind]))


def titled(feature: Feature, language: Language) -> str:
    """What a feature is, without a value: "Crossings in the previous 5 years", "Last entered … before"."""
    return re.sub(r"\s*:\s*…$", "", feature.texts[language.code].format(value="…"))


def isolated(text: str) -> str:
    """Letters and digits that keep their order inside a sentence that runs the other way (Unicode FSI and PDI)."""
    return f"\u2068{text}\u2069"


def _decimals(value: float) -> int:
    return 1 if abs(value) < 10 else 0


def _category(word: str, language: Language) -> str:
    return language.say("similar.category", category=said(word or None, language))

"""Sentences a person reads: reasons, findings and proposals, from the templates that features and rules declare.

What an analyst sees holds words and observed values: never a column name, never a contribution. A reason is one idea:
the features of one group together, with its share of what moved the score and its direction.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from features.catalogue import features
from features.declaration import Feature, SubjectKind
from features.groups import GROUPS
from risk_rules.rulebook import Rulebook
from serving.assessment import Assessment, Finding, Observed, Reason, Value
from serving.languages import Language
from serving.places import name_of

REASONS_SHOWN = 3
FEATURES_SHOWN = 2
# Letters of an observed value may run against the direction of the sentence around it: each is isolated (Unicode FSI,
# PDI), so that a flight number inside Arabic text keeps its order.
_ISOLATE, _END = "\u2068", "\u2069"


@dataclass(frozen=True)
class ReasonInWords:
    """`title` names the idea, `sentences` say what was observed; `share` is 0..1 and `share_text` the same in words."""

    title: str
    direction: str
    direction_text: str
    share: float
    share_text: str
    sentences: tuple[str, ...]

    @property
    def said(self) -> str:
        """The sentences one after the other, each with its full stop, as they are read aloud."""
        return " ".join(f"{sentence.rstrip('.')}." for sentence in self.sentences)


@dataclass(frozen=True)
class InWords:
    """One assessment, said in one language."""

    reasons: tuple[ReasonInWords, ...]
    findings: tuple[str, ...]
    undecided: str | None
    proposal: str
    advice: str | None


def in_words(assessment: Assessment, rulebook: Rulebook, language: Language) -> InWords:
    """The reasons that weigh most, every finding and the proposal, in words. A blind assessment says none of them."""
    if assessment.blind:
        return InWords((), (), None, "", None)
    kind: SubjectKind = "crossing" if assessment.event_kind == "crossing" else "permit"
    known = features(kind)
    mitigation = rulebook.ladder.mitigations.get(assessment.mitigation) if assessment.mitigation else None
    return InWords(
        reasons=tuple(reason_in_words(r, known, language) for r in assessment.reasons[:REASONS_SHOWN]),
        findings=tuple(s for f in assessment.findings if (s := finding_sentence(f, rulebook, language))),
        undecided=language.say("findings.undecided", count=len(assessment.undecided)) if assessment.undecided else None,
        proposal=mitigation.title[language.code] if mitigation else language.say("proposal.none"),
        advice=mitigation.advice[language.code] if mitigation else None,
    )


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
    )


def feature_sentence(feature: Feature, observed: Observed, language: Language) -> str:
    """What was observed, in the feature's own template."""
    value = observed.value
    number = value if isinstance(value, int | float) and not isinstance(value, bool) else None
    match feature.unit:
        case "share" if number is not None:
            text = language.share(number)
        case "day of the week" if number is not None:
            text = language.weekday_name(int(number))
        case "month" if number is not None:
            text = language.month_name(int(number))
        case "post" | "office" as place:
            text = name_of(None if value is None else str(value), place, language)
        case _:
            text = said(value, language)
    return feature.texts[language.code].format(value=text)


def finding_sentence(finding: Finding, rulebook: Rulebook, language: Language) -> str | None:
    """Why a rule hit, with the values it read; None for a rule that the rulebook no longer holds."""
    rule = next((rule for rule in rulebook.rules if rule.id == finding.rule), None)
    if rule is None:
        return None
    values = {name: said(value, language) for name, value in finding.values.items()}
    return rule.reason[language.code].format(**values)


def said(value: Value, language: Language) -> str:
    """An observed value as a person says it: a number in the language's digits, a day, a word of the language."""
    if value is None:
        return language.say("word.unknown")
    if isinstance(value, bool):
        return language.say("word.yes" if value else "word.no")
    if isinstance(value, int | float):
        return language.number(value, decimals=1 if abs(value) < 10 else 0)
    if language.has(f"word.{value}"):
        return language.say(f"word.{value}")
    try:
        return language.day(date.fromisoformat(value))
    except ValueError:
        return f"{_ISOLATE}{value}{_END}"

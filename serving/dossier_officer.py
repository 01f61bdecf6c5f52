"""What the officer is told: what happened, the score with its reasons, the rules, the proposal. Nothing beyond.

No word of what would have changed the score: an officer weighs reasons and does not bargain.
"""

from __future__ import annotations

from risk_rules.rulebook import Rulebook
from serving import shown
from serving.assessment import Assessment
from serving.dossier_parts import Document, Section, facts, section
from serving.languages import Language
from serving.sentences import InWords, checklist, in_words


def officer(assessment: Assessment, rulebook: Rulebook, reader: Language) -> Document:
    """The explanation of one assessment. While it is blind: its facts and a checklist."""
    title = reader.say(f"dossier.title.{assessment.event_kind}")
    if not assessment.assessable:
        return Document(title, (facts(assessment, reader), not_scored(assessment, reader)))
    if assessment.blind:
        listed = checklist(assessment.event_kind, reader)
        return Document(title, (facts(assessment, reader), section("blind", reader, *listed)))
    words = in_words(assessment, rulebook, reader)
    return Document(
        title,
        (
            facts(assessment, reader),
            score(assessment, reader),
            reasons(words, reader),
            rules(words, reader),
            proposal(words, reader),
        ),
    )


def not_scored(assessment: Assessment, reader: Language) -> Section:
    """Why an event was counted and not scored, as far as everybody may know."""
    why = shown.why_not(assessment.why_not or "other", sees_protection=False)
    return section("not_scored", reader, reader.say("dossier.not_scored.why", why=reader.say(f"why_not.{why}")))


def score(assessment: Assessment, reader: Language) -> Section:
    """The probability and its band, and of what it is the probability."""
    if assessment.score is None or assessment.band is None:
        return section("score", reader, reader.say("score.none.why"))
    chance = reader.say("score.per_hundred", score=reader.per_hundred(assessment.score))
    return section(
        "score",
        reader,
        reader.say(f"dossier.score.{assessment.purpose}", chance=chance, band=reader.say(f"band.{assessment.band}")),
    )


def reasons(words: InWords, reader: Language) -> Section:
    """The reasons, each with its share of what moved the score, its direction and what was observed."""
    if not words.reasons:
        return section("reasons", reader, reader.say("reasons.none"))
    compared = reader.say("dossier.compared", similar=words.similar) if words.similar else None
    rows = tuple(
        (
            r.title,
            reader.say("dossier.weight", direction=r.direction_text, share=r.share_text),
            " ".join(part for part in (r.said, r.caution) if part),
        )
        for r in words.reasons
    )
    return section("reasons", reader, compared, words.caution, rows=rows)


def rules(words: InWords, reader: Language) -> Section:
    return section("rules", reader, *(words.findings or (reader.say("dossier.rules.none"),)), words.undecided)


def proposal(words: InWords, reader: Language) -> Section:
    return section("proposal", reader, words.proposal, words.advice, reader.say("dossier.proposal.line"))

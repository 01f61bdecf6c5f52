"""What moved a forecast, in words: what is expected, its recent level, and the parts that came on top."""

from __future__ import annotations

from models.volumes.publishing.published import Word
from serving.languages import Language

# Keys of the parts of models.volumes.publishing.explained; spelled out so that no text is without use.
NAMES = ("moved.level", "moved.season", "moved.holiday", "moved.trend", "moved.ahead", "moved.others")
SAID_FROM = 0.01
"""Share of the forecast from which a part is said; smaller ones stay in the picture."""


def name_of(part: str, language: Language) -> str:
    """A part as a label."""
    return language.say(f"moved.{part}")


def in_words(word: Word, language: Language) -> str:
    """One forecast and what moved it, the largest first.

    "Expected 5,300: recent level 4,800, holidays +700, season -200"
    """
    least = SAID_FROM * max(word.expected, 1.0)
    rest = sorted((part for part in word.parts if part != "level"), key=lambda part: -abs(word.parts[part]))
    said = [f"{_inside('level', language)} {language.number(word.parts['level'], decimals=0)}"]
    said += [
        f"{_inside(part, language)} {language.signed(word.parts[part], decimals=0)}"
        for part in rest
        if abs(word.parts[part]) >= least
    ]
    expected = language.number(word.expected, decimals=0)
    return language.say("moved.said", expected=expected, parts=language.say("flows.comma").join(said))


def _inside(part: str, language: Language) -> str:
    """A part's name as it stands inside a sentence."""
    name = name_of(part, language)
    return name[:1].lower() + name[1:]

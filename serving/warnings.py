"""Alarms on flows in words: which post and direction, since when, how far from what was expected, and how unusual."""

from __future__ import annotations

from models.volumes.early_warning.alarms import Alarm, why
from serving.flows import flow_in_words
from serving.languages import Language

# Keys that models.volumes.early_warning.alarms.why answers; spelled out so that no text is without use.
SENTENCES = ("warning.more", "warning.fewer", "warning.feed")


def in_words(alarm: Alarm, language: Language) -> str:
    """One sentence or two."""
    years = alarm.years
    return language.say(
        why(alarm),
        flow=flow_in_words(alarm.flow, language),
        since=language.day(alarm.since),
        came=language.number(alarm.came, decimals=0),
        expected=language.number(alarm.expected, decimals=0),
        change=language.share(abs(alarm.change)),
        years="" if years is None else language.number(years, decimals=1 if years < 10 else 0),
    )

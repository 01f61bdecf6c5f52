"""Alarms on flows in words: which post and direction, since when, how far from what was expected, and how unusual."""

from __future__ import annotations

from models.volumes.alarms import Alarm, why
from serving.languages import Language
from serving.places import name_of

# Keys that models.volumes.alarms.why answers; spelled out so that no text is without use.
SENTENCES = ("warning.more", "warning.fewer", "warning.feed")


def in_words(alarm: Alarm, language: Language) -> str:
    """One sentence or two. The flow is written `post|direction`, as forecasts of the lake name it."""
    years = alarm.years
    return language.say(
        why(alarm),
        flow=flow_name(alarm.flow, language),
        since=language.day(alarm.since),
        came=language.number(alarm.came, decimals=0),
        expected=language.number(alarm.expected, decimals=0),
        change=language.share(abs(alarm.change)),
        years="" if years is None else language.number(years, decimals=1 if years < 10 else 0),
    )


def flow_name(flow: str, language: Language) -> str:
    """Post and direction as pages write them; a flow that is named otherwise is written as it is."""
    post, mark, direction = flow.rpartition("|")
    if not mark:
        return flow
    return f"{name_of(post, 'post', language)}, {language.say('word.' + direction)}"

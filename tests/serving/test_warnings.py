"""An alarm in words: its flow, since when, what came and what was expected, in each language."""

from datetime import date

import pytest

from models.volumes.early_warning.alarms import Alarm, Kind
from serving.languages import LANGUAGES, language
from serving.warnings import SENTENCES, in_words


def alarm(kind: Kind = Kind.FLOW, came: float = 650.0) -> Alarm:
    day = date(2026, 6, 3)
    return Alarm("Ras Jedir|entry", kind, date(2026, 6, 1), day, day, came, 500.0, 4.2 if kind is Kind.FLOW else None)


def test_more_fewer_and_silence_are_told_apart_in_english():
    english = language("en")
    assert "650 instead of 500 expected (30% more)" in in_words(alarm(), english)
    assert "1 June 2026" in in_words(alarm(), english)
    assert "once in 4.2 years" in in_words(alarm(), english)
    assert "(30% fewer)" in in_words(alarm(came=350.0), english)
    assert "The feed is silent" in in_words(alarm(Kind.FEED, 0.0), english)


@pytest.mark.parametrize("code", LANGUAGES)
def test_each_language_says_each_sentence(code):
    said = {in_words(a, language(code)) for a in (alarm(), alarm(came=1.0), alarm(Kind.FEED, 0.0))}
    assert len(said) == len(SENTENCES)
    assert not any("{" in sentence for sentence in said)


def test_a_flow_named_otherwise_is_written_as_it_is():
    from dataclasses import replace

    assert in_words(replace(alarm(), flow="all posts"), language("en")).startswith("all posts:")

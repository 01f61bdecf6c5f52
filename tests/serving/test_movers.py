"""What moved a forecast is said and drawn in three languages."""

from datetime import date

import pytest

from models.volumes.publishing.explained import PARTS
from models.volumes.publishing.published import Word
from serving import movers, volume_pictures
from serving.drawing import Look
from serving.languages import LANGUAGES, language

VALUES = (4800.0, -200.0, 700.0, 3.0, 0.0, -3.0)
WORD = Word("total", date(2026, 1, 3), 5300.0, dict(zip(PARTS, VALUES, strict=True)))


@pytest.mark.parametrize("code", LANGUAGES)
def test_it_is_said_and_drawn_in_every_language(code):
    reader = language(code)
    names = {movers.name_of(part, reader) for part in PARTS}
    assert movers.name_of("level", reader).lower()[1:] in movers.in_words(WORD, reader)
    spec = volume_pictures.moved(WORD, Look(reader))
    (bars,) = spec["datasets"].values()
    assert {row["part"] for row in bars} == names
    assert bars[-1]["to"] == pytest.approx(WORD.expected)


def test_the_largest_part_is_said_first_and_the_smallest_not_at_all():
    told = {code: movers.in_words(WORD, language(code)) for code in LANGUAGES}
    assert told["en"] == "Expected 5,300: recent level 4,800, holidays +700, season -200"
    assert told["fr"] == "Attendu 5\u202f300\u00a0: niveau récent 4\u202f800, fêtes et jours fériés +700, saison -200"
    assert told["ar"] == "المتوقع 5.300: المستوى الأخير 4.800، العطل والأعياد +700، الموسم -200"
    few = Word("total", WORD.ds, 5.0, {"level": 4.0, "holiday": 1.0})
    assert "level 4" in movers.in_words(few, language("en"))


def test_every_part_has_words_in_every_language():
    assert tuple(f"moved.{part}" for part in PARTS) == movers.NAMES
    assert all(language(code).say(name) for code in LANGUAGES for name in movers.NAMES)

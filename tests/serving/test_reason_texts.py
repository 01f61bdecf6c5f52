"""What a reason says of a value: its unit in the plural of the language, and where it stands among similar cases."""

from dataclasses import replace

import pytest
from babel import Locale

from features.catalogue import features
from models.risk.peers import SEASONS
from serving.assessment import Observed, Similar
from serving.languages import LANGUAGES, LOCALES, language
from serving.sentences import comparison, feature_sentence, in_words, observed_text, similar_in_words
from tests.serving.crossings import assessed, crossing

KNOWN = features("crossing")
UNITS = [key for key in language("en").texts if key.startswith("unit.")]


@pytest.mark.parametrize("code", LANGUAGES)
def test_every_plural_has_every_form_of_its_language(code):
    wanted = {*Locale.parse(LOCALES[code]).plural_form.tags, "other"}
    if code == "fr":
        wanted -= {"many"}  # of whole millions, and said as `other`
    for key, text in language(code).texts.items():
        if not isinstance(text, str):
            assert wanted <= set(text), key


@pytest.mark.parametrize(
    ("code", "said"),
    [
        ("ar", {0: "0 يوم", 1: "يوم واحد", 2: "يومان", 3: "3 أيام", 11: "11 يوما", 100: "100 يوم", 103: "103 أيام"}),
        ("fr", {0: "0 jour", 1: "1 jour", 1.5: "1,5 jour", 2: "2 jours", 1200: "1 200 jours"}),
        ("en", {0: "0 days", 1: "1 day", 1.5: "1.5 days", 0.96: "1 day", -1: "-1 day", -3: "-3 days"}),
    ],
)
def test_days_are_counted_as_the_language_counts(code, said):
    spoken = language(code)
    found = {n: spoken.quantity("unit.days", n).replace("\u202f", " ").replace("\xa0", " ") for n in said}
    assert {n: text.replace("\u200e", "") for n, text in found.items()} == said


def test_below_zero_arabic_says_the_digits_it_otherwise_leaves_out():
    for n in (-1, -2):
        assert str(-n) in language("ar").quantity("unit.days", n)


@pytest.mark.parametrize("code", LANGUAGES)
def test_every_number_of_a_reason_has_its_unit(code):
    spoken = language(code)
    for feature in features("crossing").values():
        unit = f"unit.{feature.unit.split(' per ')[0]}"
        if unit in UNITS and feature.type == "number":
            text = observed_text(feature, 2.0, spoken)
            assert text == spoken.quantity(unit, 2.0), feature.name
            # The template leaves the unit to the value, so that it is never said twice.
            assert spoken.texts[unit]["other"].format(count="{value}") not in feature.texts[code], feature.name


def test_a_value_is_said_with_where_it_stands():
    age = KNOWN["document_age_days"]
    spoken = language("en")
    low = Observed("document_age_days", 12.0, 0.1, lower=0.0, higher=0.95)
    assert feature_sentence(age, low, spoken) == "Document issued 12 days before, less than for 95% of similar cases"
    assert comparison(Observed("x", 9.0, 0.1, lower=0.98, higher=0.01), spoken) == "more than for 98% of similar cases"
    assert (
        comparison(Observed("x", 9.0, 0.1, lower=0.4, higher=0.5), spoken) == "within what is usual for similar cases"
    )
    assert comparison(Observed("x", True, 0.1, same=0.12), spoken) == "as for 12% of similar cases"
    assert comparison(Observed("x", "lost", 0.1, same=0.0), spoken) == "as for hardly any similar case"
    assert comparison(Observed("x", None, 0.1), spoken) is None


def test_no_hour_or_weekday_is_more_than_another():
    sentence = feature_sentence(
        KNOWN["weekday_of_crossing"], Observed("weekday_of_crossing", 7.0, 0.1, lower=0.9, higher=0.0), language("fr")
    )
    assert sentence == "Jour de la semaine : dimanche"


@pytest.mark.parametrize("code", LANGUAGES)
def test_whom_a_case_is_compared_with_is_said_in_words(code, model, rulebook):
    spoken = language(code)
    assert all(spoken.has(f"similar.{word}") for word in (*SEASONS, "air", "sea", "land", "crossing", "permit"))
    (found,) = assessed([crossing(1)], model, rulebook)
    said = {
        "ar": "عمليات العبور جوا في الربيع",
        "fr": "les passages par voie aérienne au printemps",
        "en": "crossings by air in spring",
    }
    assert similar_in_words(found, spoken) == said[code]
    lapse = replace(found, event_kind="permit", similar=Similar(("work",), 300))
    assert spoken.say("word.work") in similar_in_words(lapse, spoken)
    assert similar_in_words(replace(found, similar=None), spoken) is None


@pytest.mark.parametrize("code", LANGUAGES)
def test_less_certain_is_said_beside_the_reason_and_explained_once(code, model, rulebook):
    (found,) = assessed([crossing(2)], model, rulebook)
    unsure = replace(found, reasons=tuple(replace(r, certain=n != 1) for n, r in enumerate(found.reasons)))
    words = in_words(unsure, rulebook, language(code))
    assert [r.caution is None for r in words.reasons] == [n != 1 for n in range(len(words.reasons))]
    assert words.caution == language(code).say("reasons.less_certain")
    assert in_words(unsure, rulebook, language(code), most=1).caution is None

"""Three languages, complete and alike; numbers, plurals and sentences as each writes them."""

import re
import string
from functools import cache
from pathlib import Path
from typing import get_args, get_type_hints

import pytest

from features.catalogue import features
from features.groups import GROUPS
from models.risk import calibration, permit_lapse, secondary_check
from models.risk.peers import SEASONS
from records.settings import Mode
from records.tables import table
from risk_rules.rule import ASSESSED_REGIMES, PURPOSES, Rule
from risk_rules.texts import COUNTED
from serving.assessment import Observed, Reason
from serving.capabilities import Role
from serving.dossier import AUDIENCES
from serving.languages import LANGUAGES, chosen, language
from serving.places import name_of
from serving.sentences import CHECKLIST, feature_sentence, reason_in_words, said
from serving.shown import FACTS

OBSERVED = {
    "number": (0.0, 1.0, 3.0, 0.25, None),
    "boolean": (True, False, None),
    "string": ("granted", "TU 723", None),
}


def placeholders(text):
    forms = [text] if isinstance(text, str) else text.values()
    return {name for form in forms for _, name, _, _ in string.Formatter().parse(form) if name} - {"count"}


@pytest.mark.parametrize("code", LANGUAGES)
def test_texts_are_complete_in_each_language(code):
    english, other = language("en").texts, language(code).texts
    assert list(other) == list(english)
    for key, text in other.items():
        assert placeholders(text) == placeholders(english[key]), key
        assert all(
            (form if isinstance(text, str) else text[form]).strip()
            for form in ([text] if isinstance(text, str) else text)
        )
        if not isinstance(text, str):
            assert "other" in text, key


def test_every_label_of_a_band_and_every_fact_has_its_text():
    for declaration in (secondary_check.DECLARATION, permit_lapse.DECLARATION):
        for name, _ in declaration.bands.least:
            assert language("ar").has(f"band.{name}")
    for names in FACTS.values():
        assert all(language("ar").has(f"fact.{name}") for name in names)
    assert Role.ENGINE in Role


COLUMNS = {
    "word": {
        "crossings": ("direction", "mode", "document_type"),
        "permits": ("category", "state"),
    },
    "dossier.finding": {"checks": ("finding", "finding_kind")},
    "dossier.why": {"checks": ("selected_by",), "selections": ("why",)},
    "dossier.outcome": {"selections": ("outcome",)},
}


@cache
def said_of_explanations() -> set[str]:
    """Every text that an explanation may ask for: those the code names, and those of what a value can be."""
    rooms = Path(__file__).parents[2] / "serving"
    code = "".join(p.read_text(encoding="utf-8") for p in rooms.glob("*.py"))
    pages = "".join(p.read_text(encoding="utf-8") for p in rooms.glob("pages/*.html"))
    keys = {*re.findall(r'\bsay\(\s*"([\w.]+)"', code), *re.findall(r"\bt\('([\w.]+)'[,)]", pages)}
    for family, of in COLUMNS.items():
        keys |= {f"{family}.{v}" for name, held in of.items() for c in held for v in table(name).column(c).values}
    keys |= {"dossier.why.none", "dossier.outcome.none"}
    for purpose, kind in PURPOSES.items():
        keys |= {f"dossier.{part}.{purpose}" for part in ("score", "what", "basis")}
        keys |= {f"dossier.title.{kind}", f"dossier.place.{kind}", f"similar.{kind}"}
        keys |= {f"checklist.{kind}.{n + 1}" for n in range(CHECKLIST[kind])} | {f"fact.{name}" for name in FACTS[kind]}
    keys |= {f"dossier.title.{audience}" for audience in ("oversight", "person")}
    keys |= {f"dossier.look.explanation.{audience}" for audience in AUDIENCES}
    keys |= {f"dossier.look.{page}" for page in ("queue", "case", "assessments", "assess", "referrals", "replay")}
    keys |= {f"dossier.calibrator.{kind}" for kind in calibrators()} | {"reasons.raises", "reasons.lowers"}
    keys |= {f"dossier.evidence.{kind}" for kind in get_args(get_type_hints(Rule)["evidence"])}
    keys |= {f"mode.{mode.value}{line}" for mode in Mode for line in ("", ".line")}
    keys |= {f"similar.{word}" for word in (*SEASONS, *table("crossings").column("mode").values)}
    keys |= {f"unit.{counted}" for counted in COUNTED}
    keys |= {f"band.{name}" for d in (secondary_check, permit_lapse) for name, _ in d.DECLARATION.bands.least}
    regimes = {*table("crossings").column("regime").values} - {*ASSESSED_REGIMES}
    return keys | {f"why_not.{why}" for why in (*regimes, "child", "unknown_age", "unknown_regime", "open_referral")}


def calibrators() -> set[str]:
    """The kinds of calibrator there are, as its code compares them."""
    source = Path(calibration.__file__).read_text(encoding="utf-8")
    return {"raw", "platt", *re.findall(r'kind == "(\w+)"', source)}


def lacking(code: str) -> set[str]:
    """What another language says and this one does not, and what none of them says."""
    others = set().union(*(language(other).texts for other in LANGUAGES))
    return (others | said_of_explanations()) - set(language(code).texts)


@pytest.mark.parametrize("code", LANGUAGES)
def test_a_missing_text_is_found(code, monkeypatch):
    """Each text of an explanation is taken out of one language, and of all three, and is missed each time."""
    assert lacking(code) == set()
    texts = language(code).texts
    for key in [key for key in texts if key.startswith(("dossier.", "reasons.", "waterfall.", "drivers.", "similar."))]:
        with monkeypatch.context() as patch:
            patch.delitem(texts, key)
            assert lacking(code) == {key}
    for key in said_of_explanations():
        with monkeypatch.context() as patch:
            for other in LANGUAGES:
                patch.delitem(language(other).texts, key)
            assert lacking(code) == {key}


def test_no_text_is_without_use():
    rooms = Path(__file__).parents[2] / "serving"
    sources = "".join(p.read_text(encoding="utf-8") for p in (*rooms.glob("*.py"), *rooms.glob("pages/*.html")))
    words = (
        "mode.",
        "band.",
        "why_not.",
        "fact.",
        "word.",
        "similar.",
        "unit.",
        "level.",
        "step.",
        "alarm.",
        "changed.",
    )
    pages = ("checklist.", "problem.", "nav.", "queue.", "reasons.", "planning.", "flows.by_")
    pages += ("audit.",)
    pages += ("compare.",)  # held to it in test_comparisons.py
    pages += ("card.", "gate.", "model.", "models.how.", "origin.", "part.", "looked.", "metric.", "view.", "rate.")
    pages += ("attribute.",)  # all of them held to it in test_model_pages.py
    pages += ("dossier.",)  # held to it in test_dossier.py
    unused = [k for k in language("en").texts if not k.startswith(words + pages) and k not in sources]
    assert unused == []


def test_plurals_are_those_of_the_language():
    arabic = language("ar")
    assert [arabic.say("queue.count", count=n) for n in (1, 2, 3, 11, 100)] == [
        "ملف واحد مقيَّم",
        "ملفان مقيَّمان",
        "3 ملفات مقيَّمة",
        "11 ملفا مقيَّما",
        "100 ملف مقيَّم",
    ]
    assert language("fr").say("queue.count", count=1) == "1 dossier évalué"
    assert language("en").say("queue.count", count=2) == "2 assessed events"


def test_a_small_probability_is_not_written_as_none():
    english = language("en")
    said_so = {0.0: "0", 0.0004: "under 0.1", 0.004: "0.4", 0.034: "3.4", 0.34: "34", 1.0: "100"}
    assert {p: english.per_hundred(p) for p in said_so} == said_so
    assert language("fr").per_hundred(0.034) == "3,4"


@pytest.mark.parametrize("code", LANGUAGES)
def test_what_rounds_to_nothing_is_nothing_and_has_no_sign(code):
    reader = language(code)
    assert {reader.number(value, 2) for value in (-0.0, -0.004, 0.004)} == {"0"}
    assert {reader.signed(value) for value in (-0.04, 0, 0.04)} == {"0"}
    assert reader.signed(0.06) == f"+{reader.number(0.1)}"


def test_in_french_no_line_begins_with_a_sign():
    forms = [f for text in language("fr").texts.values() for f in ([text] if isinstance(text, str) else text.values())]
    assert [form for form in forms if re.search(r" [:;?!»%]|« ", form)] == []
    assert sum("\u00a0:" in form for form in forms) > 100


def test_the_language_asked_for_goes_before_the_browser_s():
    assert chosen("ar", "en-GB,fr;q=0.8") == "ar"
    assert chosen(None, "de-DE,en-GB;q=0.8") == "en"
    assert chosen("xx", "de") == "fr"
    with pytest.raises(KeyError, match="Languages: ar, fr, en"):
        language("xx")


@pytest.mark.parametrize("code", LANGUAGES)
@pytest.mark.parametrize("kind", ["crossing", "permit"])
def test_every_feature_is_said_in_words(code, kind):
    reader = language(code)
    for feature in features(kind).values():
        for value in OBSERVED[feature.type]:
            if feature.unit in ("month", "day of the week") and value not in (1.0, 3.0):
                continue
            sentence = feature_sentence(feature, Observed(feature.name, value, 0.1), reader)
            assert feature.name not in sentence or "_" not in feature.name
            assert not re.search(r"[{}]|\b(None|nan|True|False)\b", sentence), sentence
    assert all(group[code] for group in GROUPS.values())


def test_a_reason_says_what_was_observed_and_skips_what_was_not():
    known = features("crossing")
    observed = (Observed("document_age_days", None, 0.4), Observed("days_to_document_expiry", 12.0, 0.2))
    words = reason_in_words(Reason("papers", 0.5, "raises", observed), known, language("en"))
    assert words.sentences == ("Validity left on the document (below 0: ended): 12 days",)
    empty = reason_in_words(Reason("papers", 0.5, "lowers", observed[:1]), known, language("fr"))
    assert empty.sentences == (language("fr").say("reasons.not_on_record"),)
    assert empty.share_text.startswith("50")


def test_foreign_letters_inside_a_sentence_keep_their_order():
    assert said("TU 723", language("ar")) == "\u2068TU 723\u2069"
    assert said("2026-03-02", language("fr")) == "2 mars 2026"
    assert said(True, language("ar")) == "نعم"


def test_a_post_and_an_office_of_one_short_name_keep_their_own():
    assert name_of("tunis-carthage", "post", language("en")) == "Tunis-Carthage International Airport"
    assert name_of("elsewhere", "office", language("en")) == "elsewhere"

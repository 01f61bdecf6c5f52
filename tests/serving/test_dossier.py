"""The dossier of one score: complete in every language, adding up, and telling each reader what is theirs."""

import json
import re
from dataclasses import replace
from pathlib import Path

import lightgbm
import numpy as np
import pytest

from features.catalogue import features
from models.risk.counterfactual import Change, changed
from serving import dossier
from serving.dossier_parts import Document
from serving.dossier_person import own_data
from serving.languages import LANGUAGES, language
from serving.replay import assess_again, differences, tables_of
from serving.sentences import finding_sentence
from tests.serving.crossings import crossing
from tests.serving.explained import explained, model

READERS = [(audience, code) for audience in dossier.AUDIENCES for code in LANGUAGES]
FOREIGN = {"ar": re.compile("[\u0600-\u06ff]"), "fr": re.compile("[a-zé]"), "en": re.compile("[a-z]")}


@pytest.fixture(scope="module")
def by():
    return model()


@pytest.fixture(scope="module")
def cases(by, rulebook, protection):
    """Crossings in both directions, scored, ruled upon and undecided."""
    rows = [crossing(n, direction=("entry", "exit")[n % 2]) for n in range(24)]
    return explained(rows, by, rulebook, protection)


@pytest.fixture(scope="module")
def dossiers(cases, by, rulebook):
    return [dossier.read(dossier.made(a, by, rulebook)) for a in cases]


def words(document: Document) -> list[str]:
    parts = [document.title]
    for section in document.sections:
        parts += [section.title, *section.sentences, *section.head, *(cell for row in section.rows for cell in row)]
    return parts


@pytest.mark.parametrize(("audience", "code"), READERS)
def test_every_audience_is_told_in_every_language(dossiers, audience, code):
    for content in dossiers:
        told = dossier.document(content, audience, code)
        english = dossier.document(content, audience, "en")
        assert [s.key for s in told.sections] == [s.key for s in english.sections]
        for mine, theirs in zip(told.sections, english.sections, strict=True):
            assert (len(mine.sentences), len(mine.rows)) == (len(theirs.sentences), len(theirs.rows))
            assert mine.sentences or mine.rows
        for part in words(told):
            assert not re.search(r"[{}]|\b(None|nan|True|False|dossier\.)\b", part), part
        assert all(FOREIGN[code].search(s.title) for s in told.sections)
        if code != "en":
            same = {s.title for s in told.sections} & {s.title for s in english.sections}
            assert same <= {"Score"}  # the one word that French shares


@pytest.mark.parametrize("audience", ["officer", "person"])
@pytest.mark.parametrize("code", LANGUAGES)
def test_officer_and_person_see_no_column_name_and_no_figure_of_the_model(dossiers, cases, audience, code):
    for assessment, content in zip(cases, dossiers, strict=True):
        text = "\n".join(words(dossier.document(content, audience, code)))
        for name in (*assessment.inputs, *(f.rule for f in assessment.findings)):
            assert "_" not in name or name not in text
        for part in content["values"]["contributions"]:
            if abs(part["contribution"]) > 0.01:
                assert str(part["contribution"]) not in text
        assert language(code).say("dossier.what_if") not in text
        assert language(code).say("dossier.made_from") not in text


@pytest.mark.parametrize("code", LANGUAGES)
def test_the_person_is_told_no_score_no_threshold_no_rule_s_inside_and_nobody_else(dossiers, cases, rulebook, code):
    reader, own, known = language(code), own_data("crossing"), features("crossing")
    others = [f.texts[code].partition("{value}")[0].strip(" :") for n, f in known.items() if n not in own]
    others += [reader.say("fact.party_size")]
    rules = {rule.id: rule for rule in rulebook.rules}
    for assessment, content in zip(cases, dossiers, strict=True):
        text = "\n".join(words(dossier.document(content, "person", code)))
        assert reader.say(f"band.{assessment.band}") not in text
        assert reader.say("score.per_hundred", score=reader.per_hundred(assessment.score)) not in text
        for way in ("raises", "lowers"):
            assert reader.say(f"reasons.{way}") not in text
        for finding in assessment.findings:
            rule = rules[finding.rule]
            assert finding_sentence(finding, rulebook, reader) not in text
            assert not rule.basis.startswith("example") or rule.basis not in text
        assert not [name for name in others if len(name) > 8 and name in text]


def test_an_alert_about_a_document_is_not_hinted_at(dossiers, cases):
    hit = next(n for n, a in enumerate(cases) if any(f.rule == "document-reported-stolen" for f in a.findings))
    basis = [s for s in dossier.document(dossiers[hit], "person", "en").sections if s.key == "basis"]
    assert not any("stolen" in cell.lower() for row in basis[0].rows for cell in row)
    limits = [dossier.document(dossiers[n], "person", "en").sections[-2] for n in (hit, 0)]
    assert limits[0].key == "limits"
    assert limits[0] == limits[1]


def test_contributions_and_base_add_up_to_the_score_as_written(dossiers):
    for content in dossiers:
        figures = content["values"]
        whole = figures["score"]["base"] + sum(part["contribution"] for part in figures["contributions"])
        assert abs(whole - figures["score"]["raw"]) < 1e-6
        assert len(figures["contributions"]) == 7


def test_every_contribution_a_person_may_see_is_lightgbm_s_own(dossiers, cases, by):
    """In the reasons and in the dossier alike, to the last digit that is written."""
    members = [lightgbm.Booster(model_str=text) for text in by.trees]
    for assessment, content in zip(cases, dossiers, strict=True):
        row = by.matrix(tables_of(assessment)[1]).values
        theirs = np.mean([member.predict(row, pred_contrib=True)[0] for member in members], axis=0)
        own = dict(zip(by.names, theirs, strict=False))
        written = {part["feature"]: part["contribution"] for part in content["values"]["contributions"]}
        assert written == pytest.approx(own, abs=1e-8, rel=0)
        reasons = {o.feature: o.contribution for reason in assessment.reasons for o in reason.observed}
        assert reasons == pytest.approx({name: push for name, push in own.items() if push}, abs=1e-8, rel=0)
        assert (assessment.base, content["values"]["score"]["base"]) == pytest.approx(
            (theirs[-1],) * 2, abs=1e-8, rel=0
        )


def test_another_model_s_contributions_are_refused(cases, rulebook):
    with pytest.raises(ArithmeticError, match="do not show them"):
        dossier.values(cases[0], model(seed=9), rulebook)


def test_what_would_have_changed_the_band_does_when_it_is_scored_again(dossiers, cases, by):
    found = [(a, w) for a, content in zip(cases, dossiers, strict=True) for w in content["values"]["what_if"]]
    assert found
    for assessment, what_if in found:
        row = tables_of(assessment)[1]
        after = by.score(changed(row, [Change(**c) for c in what_if["changes"]]))
        assert str(after.band[0]) == what_if["band"] != assessment.band
        assert len(what_if["changes"]) <= 2


def test_the_officer_s_explanation_reads_like_this(dossiers, cases):
    told = dossier.document(dossiers[3], "officer", "en")
    assert [s.key for s in told.sections] == ["facts", "score", "reasons", "rules", "proposal"]
    assert told.sections[0].rows[:3] == (
        ("Reference", "\u2068C0003\u2069"),
        ("Border post", "Ras Jedir Crossing"),
        ("Day and time", "2 March 2026, 09:03"),
    )
    assert told.sections[1].sentences[0].startswith("Probability that a check would confirm an irregularity")
    assert "The stay ran 40 days past what was authorised; the grace is 3 days" in told.sections[3].sentences
    assert told.sections[4].sentences[-1].startswith("This is a proposal.")


def test_making_it_again_from_its_own_inputs_gives_the_same_bytes(cases, by, rulebook, protection):
    for assessment in cases:
        again = assess_again(assessment, by, rulebook, protection)
        assert list(differences(assessment.as_json(), again.as_json())) == []
        assert dossier.made(again, by, rulebook) == dossier.made(assessment, by, rulebook)


def test_a_changed_input_is_found(cases, by, rulebook, protection):
    tampered = replace(cases[1], inputs={**cases[1].inputs, "days_to_document_expiry": 1.0})
    again = assess_again(tampered, by, rulebook, protection)
    assert any(d.startswith("id: ") for d in differences(tampered.as_json(), again.as_json()))


@pytest.mark.parametrize("change", [{"regime": "national"}, {"under_18": True}, {"regime": None}])
def test_who_was_not_scored_is_told_so(by, rulebook, protection, change):
    (assessment,) = explained([crossing(3, **change)], by, rulebook, protection)
    content = dossier.read(dossier.made(assessment, by, rulebook))
    for audience, code in READERS:
        told = dossier.document(content, audience, code)
        assert "not_scored" in {s.key for s in told.sections}
        assert "score" not in {s.key for s in told.sections}
    assert assess_again(assessment, None, rulebook, protection) == assessment


def test_referrals_and_gates_are_in_no_dossier(by, rulebook, protection):
    (assessment,) = explained([crossing(3)], by, rulebook, protection)
    body = dossier.made(replace(assessment, referrals=("child-alone",)), by, rulebook)
    assert b"child-alone" not in body
    assert not {"regime", "under_18"} & set(json.loads(body)["assessment"]["facts"])


def test_while_it_is_blind_nothing_says_what_the_score_rests_on(by, rulebook, protection):
    from serving.dossier_officer import officer
    from serving.dossier_person import person

    (assessment,) = explained([crossing(1, direction="exit")], by, rulebook, protection)
    hidden = replace(assessment, blind=True)
    assert [s.key for s in officer(hidden, rulebook, language("en")).sections] == ["facts", "blind"]
    told = {s.key: s for s in person(hidden, rulebook, language("en")).sections}
    assert len(told["used"].sentences) == 1
    assert told["basis"].rows == ()


def test_no_text_of_an_explanation_is_without_use():
    rooms = Path(__file__).parents[2] / "serving"
    sources = "".join(p.read_text(encoding="utf-8") for p in (*rooms.glob("*.py"), *rooms.glob("pages/*.html")))
    for key in [k for k in language("en").texts if k.startswith("dossier.")]:
        parts = key.split(".")
        families = [".".join(parts[:n]) for n in range(2, len(parts))]
        named = [f'"{key}"', f'"{key.removeprefix("dossier.")}"']
        named += [start for family in families for start in (f'"{family}.{{', f"'{family}.' ~")]
        assert any(name in sources for name in named), key

"""The line's word on a case: the same at every look, quiet where it agrees, and clear about where it leads."""

from dataclasses import replace
from html import unescape

import pytest

from models.risk.model import RiskModel
from records.errors import BadInput
from records.journal import Actor
from serving import dossiers, store
from serving.dossier_forms import as_json, as_text
from serving.house import House
from serving.languages import LANGUAGES, language
from serving.second_opinion import in_words, second_opinion
from tests.serving.crossings import assessed, crossing, spine, values

ANALYST = Actor("ann", frozenset({"analyst"}))
OVERSIGHT = Actor("eve", frozenset({"oversight"}))


@pytest.fixture
def house(installation):
    return House(installation.settings, installation.engine)


@pytest.fixture
def cases(house, model, rulebook):
    """Crossings at a place that taught enough, at one that taught little, and at one never seen, stored."""
    model.save(house.settings.models)
    rows = [crossing(n, post=post) for n, post in enumerate(["ras-jedir", "tunis-carthage", "tabarka"] * 4)]
    made = assessed(rows, model, rulebook)
    with store.writing(house.engine) as connection:
        store.save_assessments(connection, made, zone="Africa/Tunis")
    return made


def test_it_is_what_the_model_kept_beside_its_trees_says_of_the_case_s_own_inputs(house, cases, model):
    for case in cases:
        told = second_opinion(house, case)
        of = spine([crossing(int(case.event[1:]))])
        row = values(of, model.names, lambda _, case=case: case.inputs)
        chance = model.second.probability(model.matrix(row))[0]
        assert told.probability == pytest.approx(chance)
        assert told.band == model.band(chance)
        assert told.agrees == (told.band == case.band)


def test_it_leads_where_little_or_nothing_was_learnt_and_says_of_which_place(house, cases):
    few = [second_opinion(house, case) for case in cases[:3]]
    assert [(told.leads, told.learnt) for told in few] == [(False, 1200), (True, 40), (True, 0)]
    for code in LANGUAGES:
        reader = language(code)
        said = [in_words(told, case, reader) for told, case in zip(few, cases, strict=False)]
        assert [len(each) for each in said] == [2, 3, 3]
        assert "40" in said[1][2]
        assert reader.number(1000, 0) in said[1][2]
        assert said[2][2] != said[1][2]


@pytest.mark.parametrize("code", LANGUAGES)
def test_words_say_whether_both_put_the_case_in_one_band(house, cases, code):
    reader, told = language(code), second_opinion(house, cases[0])
    for agrees, key in ((True, "second.agrees"), (False, "second.differs")):
        says, word = in_words(replace(told, agrees=agrees), cases[0], reader)
        assert reader.per_hundred(told.probability) in says
        assert word == reader.say(key)


def test_a_model_that_was_taught_no_places_leads_nowhere(house, cases, model):
    nowhere = replace(model, second=replace(model.second, post=None, rows={}))
    nowhere.save(house.settings.models)
    told = second_opinion(house, replace(cases[2], model=nowhere.hash))
    assert (told.leads, told.learnt) == (False, None)


def test_nothing_is_said_where_there_is_nothing_to_say_or_nobody_may_see_it(house, cases, model):
    without = replace(model, second=None)
    RiskModel.save(without, house.settings.models)
    case = cases[0]
    for silent in ({"blind": True}, {"score": None}, {"model": None}, {"model": without.hash}, {"model": "gone"}):
        assert second_opinion(house, replace(case, **silent)) is None


def test_a_model_that_can_no_longer_be_read_keeps_nobody_from_the_case(client, installation, house, cases, model):
    kept = house.settings.models / model.hash / "model.json"
    kept.write_text(kept.read_text(encoding="utf-8") + " ", encoding="utf-8")
    with pytest.raises(BadInput, match="changed after it was written"):
        RiskModel.load(kept.parent)
    page = client.get(f"/cases/{cases[2].id}", headers=installation.bearer("analyst"))
    assert page.status_code == 200
    assert language("en").say("dossier.second") not in page.text


def test_the_explanation_holds_it_for_officer_and_oversight_and_tells_the_person_that_there_is_one(house, cases):
    case = cases[1]
    told = {
        audience: dossiers.explanation(house, who, case.id, audience, "en")
        for audience, who in (("officer", ANALYST), ("oversight", OVERSIGHT), ("person", ANALYST))
    }
    for audience in ("officer", "oversight"):
        written = as_json(told[audience])
        assert written["second_opinion"]["learnt"] == 40
        assert "second" in [part["key"] for part in written["sections"]]
        assert "lean on" in as_text(told[audience])
    assert "second_opinion" not in as_json(told["person"])
    letter = as_text(told["person"])
    assert language("en").say("dossier.second.person") in " ".join(letter.split())
    assert "straight line" not in letter
    assert language("en").per_hundred(told["person"].second.probability) + " per 100" not in letter
    assert dossiers.replay(house, OVERSIGHT, case.id).same


def test_the_page_of_a_case_says_it_quietly_and_the_queue_does_not(client, installation, house, cases):
    for code in LANGUAGES:
        asked = installation.bearer("analyst") | {"Accept-Language": code}
        page = unescape(client.get(f"/cases/{cases[2].id}", headers=asked).text)
        assert page.count(language(code).say("dossier.second")) == 1
        assert " ".join(in_words(second_opinion(house, cases[2]), cases[2], language(code))) in page
        assert language(code).say("dossier.second") not in client.get("/?kind=crossing", headers=asked).text

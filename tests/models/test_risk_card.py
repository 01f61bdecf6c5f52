"""A card says what the proof says, and what nobody measured is an empty field."""

from dataclasses import replace

import pytest

from evidence.intervals import Interval
from models.risk.card import LIFETIME, card, card_without_model, expires
from models.risk.card_parts import Line, Word
from models.risk.gates import complete
from models.risk.proof import EVERYONE, Findings, Looked, WhereFew
from models.risk.secondary_check import DECLARATION
from tests.models.made_proof import made_proof
from tests.serving.small_model import small_model


@pytest.fixture(scope="module")
def model():
    return small_model()


@pytest.fixture(scope="module")
def proof(model):
    return made_proof(model)


def test_a_card_in_good_order_lacks_nothing(proof, model):
    made = card(DECLARATION, proof, model)
    assert made.lacking == ()
    keys = [field.key for field in made.fields]
    for expected in ("limits", "data", "findings", "selection", "examiners", "calibration", "places", "failures"):
        assert expected in keys
    assert "data.public" in {line.key for field in made.fields for line in field.lines}


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"examined": None}, "examiners"),
        ({"audit": None}, "groups"),
        ({"stability": None}, "stability"),
        ({"where_few": None}, "fallback"),
        ({"frontier": None}, "frontier"),
    ],
)
def test_what_nobody_measured_is_an_empty_field_and_stops_a_promotion(proof, model, changes, field):
    made = card(DECLARATION, replace(proof, **changes), model)
    assert made.lacking == (field,)
    assert not complete(made.lacking).passed


def test_where_nobody_chooses_whom_to_look_at_no_examiner_is_missed(proof, model):
    everyone = replace(proof, looked=(Looked(EVERYONE, 4500, 450, 0),), examined=None)
    assert card(DECLARATION, everyone, model).lacking == ()


def test_places_that_do_not_exist_are_not_counted(proof, model):
    def said(of):
        return {line.key for field in card(DECLARATION, of, model).fields for line in field.lines}

    counted = {"failures.thin", "failures.unseen", "fallback.places"}
    assert said(replace(proof, thin_places={}, unseen_places={})) == said(proof) - counted
    assert counted <= said(proof)


def test_a_line_that_lacks_its_value_makes_the_field_empty(proof, model):
    never_tried = replace(proof, stability=replace(proof.stability, flags=None))
    assert card(DECLARATION, never_tried, model).lacking == ("stability",)


def test_a_model_without_a_second_opinion_has_an_empty_field(proof, model):
    assert card(DECLARATION, proof, replace(model, second=None)).lacking == ("fallback",)


def test_places_where_the_line_leads_are_listed_with_what_is_known_of_them(proof, model):
    (few,) = [field for field in card(DECLARATION, proof, model).fields if field.key == "fallback"]
    assert few.rows == ((Word("post", "tabarka"), 0), (Word("post", "tozeur"), 40))
    (found,) = [line for line in few.lines if line.key == "fallback.found"]
    assert found.values["apart"] == proof.where_few.apart
    nobody = replace(proof, where_few=WhereFew(0, Interval(), Interval(), Interval()))
    assert "fallback.no_rows" in {line.key for field in card(DECLARATION, nobody, model).fields for line in field.lines}


@pytest.mark.parametrize("why", ["unasked", "too_small"])
def test_where_nobody_searched_for_an_equal_the_card_says_why(proof, model, why):
    made = card(DECLARATION, replace(proof, frontier=None, unsearched=why), model)
    assert made.lacking == ()
    assert Line(f"frontier.{why}") in [line for field in made.fields for line in field.lines]


def test_the_frontier_is_told_with_the_one_taken_and_the_best(proof, model):
    (told,) = [field for field in card(DECLARATION, proof, model).fields if field.key == "frontier"]
    cells = [dict(zip(told.head, row, strict=True)) for row in told.rows]
    assert [(cell["level"], cell["parity"], cell["role"].name) for cell in cells] == [
        (1.0, 0.62, "best"),
        (0.994, 0.81, "chosen"),
        (0.83, 0.9, "other"),
    ]
    assert [line.key for line in cells[1]["candidate"]] == ["mix", "mix_without"]
    alone = replace(proof.frontier, chosen=proof.frontier.best)
    (told,) = [f for f in card(DECLARATION, replace(proof, frontier=alone), model).fields if f.key == "frontier"]
    assert [row[-1].name for row in told.rows] == ["chosen", "other", "other"]


def test_without_a_model_the_card_says_how_many_findings_are_needed():
    made = card_without_model(DECLARATION, Findings(120, 9, 500, 60))
    (counted,) = [line for field in made.fields for line in field.lines if line.key == "findings.count"]
    assert counted.values == {"usable": 120, "positives": 9, "needed": 500, "needed_positives": 60}
    assert made.model is None


def test_a_model_may_not_speak_for_ever(proof):
    assert expires(proof) == proof.made_on + LIFETIME

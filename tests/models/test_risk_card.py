"""A card says what the proof says, and what nobody measured is an empty field."""

from dataclasses import replace

import pytest

from models.risk.card import LIFETIME, card, card_without_model, expires
from models.risk.gates import complete
from models.risk.proof import EVERYONE, Findings, Looked
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
    ],
)
def test_what_nobody_measured_is_an_empty_field_and_stops_a_promotion(proof, model, changes, field):
    made = card(DECLARATION, replace(proof, **changes), model)
    assert made.lacking == (field,)
    assert not complete(made.lacking).passed


def test_where_nobody_chooses_whom_to_look_at_no_examiner_is_missed(proof, model):
    everyone = replace(proof, looked=(Looked(EVERYONE, 4500, 450, 0),), examined=None)
    assert card(DECLARATION, everyone, model).lacking == ()


def test_a_line_that_lacks_its_value_makes_the_field_empty(proof, model):
    never_tried = replace(proof, stability=replace(proof.stability, flags=None))
    assert card(DECLARATION, never_tried, model).lacking == ("stability",)


def test_without_a_model_the_card_says_how_many_findings_are_needed():
    made = card_without_model(DECLARATION, Findings(120, 9, 500, 60))
    (counted,) = [line for field in made.fields for line in field.lines if line.key == "findings.count"]
    assert counted.values == {"usable": 120, "positives": 9, "needed": 500, "needed_positives": 60}
    assert made.model is None


def test_a_model_may_not_speak_for_ever(proof):
    assert expires(proof) == proof.made_on + LIFETIME

"""Every gate lets a model in good order through, and refuses it once one thing is off, with the figure that is."""

import json
from dataclasses import asdict, replace

import numpy as np
import pytest

from evidence.intervals import Interval
from models import folder
from models.risk import gates
from models.risk.gates import BOUNDS, Hands, SignedOff
from models.risk.judging import BASE, MODEL
from models.risk.model import Input
from models.risk.proof import FILE, Gained, Proof, plain
from records.errors import BadInput
from tests.models.made_proof import NONE_OFF, audited, made_proof
from tests.serving.small_model import small_model

OTHER = "c" * 32


@pytest.fixture(scope="module")
def model():
    return small_model()


@pytest.fixture(scope="module")
def proof(model) -> Proof:
    return made_proof(model)


def test_a_proof_is_kept_as_it_was_made_under_the_hash_of_its_content(proof, tmp_path):
    path = proof.save(tmp_path)
    assert path.name == proof.hash
    assert Proof.load(path) == proof
    assert Proof.load(path).frontier.chosen.members == proof.frontier.chosen.members
    assert replace(proof, learnt_from="records").hash != proof.hash


def test_a_proof_of_an_earlier_version_is_read_under_its_name_and_lacks_what_that_did_not_look_at(proof, tmp_path):
    written = plain(asdict(proof))
    for name in ("where_few", "frontier", "unsearched"):
        del written[name]
    path = folder.write(tmp_path, {FILE: json.dumps(written).encode()})
    earlier = Proof.load(path)
    assert earlier.hash == path.name
    assert (earlier.where_few, earlier.frontier, earlier.unsearched) == (None, None, None)
    assert replace(proof, where_few=None, frontier=None) == earlier
    del written["stability"]
    with pytest.raises(BadInput, match="another version"):
        Proof.load(folder.write(tmp_path, {FILE: json.dumps(written).encode()}))


def test_a_model_in_good_order_passes_every_gate(model, proof):
    answers = (
        gates.better(proof, None),
        gates.calibrated(proof),
        gates.groups(proof),
        gates.stable(proof),
        gates.lineage(model, proof.model),
        gates.explainable(model, proof.profile),
        gates.complete(()),
        gates.four_eyes(Hands("amal", "bilel", ("amal", "bilel"))),
        gates.real("records", True),
    )
    assert [gate.name for gate in answers] == list(gates.GATES)
    assert all(gate.passed for gate in answers)


def over(model, low, high, **rest):
    return {"over_champion": Gained(model, Interval((low + high) / 2, low, high), 900), "champion": model} | rest


@pytest.mark.parametrize(
    ("changes", "champion", "why"),
    [
        ({"over_floor": Gained("logistic regression", Interval(-0.05, -0.09, -0.01), 1500)}, None, "floor"),
        (over(OTHER, -0.09, -0.01), OTHER, "champion"),
        (over("d" * 32, 0.01, 0.05), OTHER, "stale"),
        ({}, OTHER, "stale"),
        ({"figures": {}}, None, "unknown"),
        ({"over_floor": Gained("logistic regression", Interval(), 0)}, None, "unknown"),
        (
            {"figures": {MODEL: {"pr_auc": Interval(0.1, 0.05, 0.2)}, BASE: {"pr_auc": Interval(0.11)}}},
            None,
            "base",
        ),
    ],
)
def test_a_model_that_is_not_better_or_equal_is_refused(proof, changes, champion, why):
    answer = gates.better(replace(proof, **changes), champion)
    assert (answer.passed, answer.why) == (False, why)


def test_equal_within_noise_is_enough_and_the_champion_is_not_compared_with_itself(proof):
    assert gates.better(replace(proof, **over(OTHER, -0.03, 0.02)), OTHER).passed
    assert gates.better(proof, proof.model).passed


def test_probabilities_off_by_more_than_chance_are_refused(proof):
    off = replace(NONE_OFF, error=Interval(0.06, 0.05, 0.07))
    answer = gates.calibrated(replace(proof, calibrated=off))
    assert (answer.passed, answer.values["excess"]) == (False, pytest.approx(0.041))
    # Beyond chance in a set so large that chance is next to nothing, and still nothing that anybody would notice.
    fine = replace(NONE_OFF, error=Interval(0.012), by_chance=0.004, at_most=0.006)
    assert gates.calibrated(replace(proof, calibrated=fine)).passed
    assert not gates.calibrated(replace(proof, calibrated=replace(NONE_OFF, error=Interval()))).passed


def test_probabilities_that_the_random_control_contradicts_are_refused(proof):
    far = replace(NONE_OFF, control=replace(NONE_OFF.control, promised=0.2))
    assert gates.calibrated(replace(proof, calibrated=far)).why == "control"
    none = replace(NONE_OFF, control=replace(NONE_OFF.control, promised=None, found=Interval()))
    assert gates.calibrated(replace(proof, calibrated=none)).passed


def test_a_wide_gap_between_groups_is_refused_until_oversight_signs_it_off_with_a_reason(proof):
    uneven = replace(proof, audit=audited(0.9))
    answer = gates.groups(uneven)
    wide = gates.wide_gaps(uneven)
    assert not answer.passed
    assert "checked / sex / ratio" in wide
    assert {gap["gap"]: gap["value"] for gap in answer.values["gaps"]} == wide
    signed = [SignedOff(name, "oversight", "the flight of nurses") for name in wide]
    assert gates.groups(uneven, signed).passed
    assert not gates.groups(uneven, signed[1:]).passed
    assert not gates.groups(uneven, [replace(signed[0], reason=" "), *signed[1:]]).passed


def test_groups_that_nobody_audited_are_refused(proof):
    answer = gates.groups(replace(proof, audit=None))
    assert (answer.passed, answer.why) == (False, "unknown")


@pytest.mark.parametrize(("changes", "why"), [({"flags": 0.7}, "flags"), ({"refit": 0.8}, "reasons")])
def test_flags_or_reasons_that_change_are_refused(proof, changes, why):
    answer = gates.stable(replace(proof, stability=replace(proof.stability, **changes)))
    assert (answer.passed, answer.why) == (False, why)
    few = replace(proof.stability, **changes, cases=10)
    assert why == "reasons" or gates.stable(replace(proof, stability=few)).passed  # half a flag says nothing


def test_stability_that_was_never_tried_is_refused(proof):
    assert not gates.stable(replace(proof, stability=None)).passed
    assert not gates.stable(replace(proof, stability=replace(proof.stability, flags=None))).passed


def test_a_model_that_reads_what_it_may_not_is_refused(model, proof):
    gate_input = replace(model, inputs=(Input("regime", "string", "papers"), *model.inputs[1:]))
    answer = gates.lineage(gate_input, gate_input.hash)
    assert (answer.passed, answer.why) == (False, "prohibited")
    assert "regime" in answer.values["chain"]
    assert gates.lineage(model, OTHER).why == "other"


def test_a_model_too_large_to_explain_in_time_is_refused_unless_its_profile_waives_it(model):
    tight = replace(BOUNDS, milliseconds=0.0)
    assert gates.explainable(model, "shipped", tight).why == "slow"
    assert gates.explainable(model, "large", tight).why == "waived"
    assert gates.explainable(model, "shipped").values["trees"] == 20


def test_time_to_explain_is_that_of_one_row_on_rows_that_are_usual(model):
    ticks = iter([0.0, 5.12, 10.0, 12.56, 20.0, 30.0])
    assert gates.milliseconds_to_explain(model, lambda: next(ticks)) == pytest.approx(10.0)
    rows = gates.sample_rows(model)
    np.testing.assert_array_equal(rows, gates.sample_rows(model))
    assert 0 < np.isnan(rows).mean() < 0.2


def test_a_card_with_an_empty_field_is_refused():
    answer = gates.complete(("examiners", "groups"))
    assert (answer.passed, answer.values["fields"]) == (False, "examiners, groups")


@pytest.mark.parametrize(
    ("hands", "why"),
    [
        (Hands("amal", "amal", ("amal", "bilel")), "trainer"),
        (Hands("engine", "amal", ("amal",)), "alone"),
        (Hands("amal", "engine", ("amal", "bilel")), "nobody"),
        (Hands("amal", "root", ("amal", "bilel")), "nobody"),
    ],
)
def test_four_eyes(hands, why):
    answer = gates.four_eyes(hands)
    assert (answer.passed, answer.why) == (False, why)


def test_nothing_invented_goes_live():
    assert not gates.real("sample", True).passed
    assert not gates.real("public", True).passed
    assert gates.real("sample", False).why == "not_live"

"""The pure function: a batch answers what each event would alone, and what is not to be scored is not."""

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from records.errors import BadInput
from serving.assess import assess
from serving.assessment import from_json
from tests.serving.crossings import PURPOSE, READS, assessed, crossing, plausible, spine, values

WHO = [
    {},
    {"regime": "national"},
    {"regime": "crew"},
    {"under_18": True},
    {"under_18": None},
    {"regime": None},
    {"direction": "exit", "service": None},
]


@given(
    numbers=st.lists(st.integers(0, 400), unique=True, max_size=12), kinds=st.lists(st.sampled_from(WHO), min_size=12)
)
@hypothesis_settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_batch_answers_what_its_events_would_alone(numbers, kinds, model, rulebook, protection):
    rows = [crossing(n, **kind) for n, kind in zip(numbers, kinds, strict=False)]
    together = assessed(rows, model, rulebook, protection)
    alone = [a for row in rows for a in assessed([row], model, rulebook, protection)]
    assert together == alone


def test_order_of_rows_changes_nothing(model, rulebook, protection):
    rows = [crossing(n) for n in range(8)]
    forward = assessed(rows, model, rulebook, protection)
    assert assessed(rows[::-1], model, rulebook, protection) == forward[::-1]


@pytest.mark.parametrize(
    ("changed", "why"),
    [
        ({"regime": "national"}, "national"),
        ({"regime": "diplomat"}, "diplomat"),
        ({"regime": "crew"}, "crew"),
        ({"regime": None}, "unknown_regime"),
        ({"under_18": True}, "child"),
        ({"under_18": None}, "unknown_age"),
        ({"subject": "k1.protected"}, "open_referral"),
    ],
)
def test_who_the_purpose_does_not_cover_is_counted_and_not_scored(changed, why, model, rulebook, protection):
    (found,) = assessed(
        [crossing(5, **changed)], model, rulebook, protection, open_referrals=frozenset({"k1.protected"})
    )
    assert (found.assessable, found.why_not) == (False, why)
    assert found.raw is found.score is found.band is found.mitigation is found.model is None
    assert found.reasons == found.findings == found.undecided == ()
    assert found.inputs == {}


def test_every_event_is_accounted_for(model, rulebook, protection):
    rows = [crossing(n, **WHO[n % len(WHO)]) for n in range(20)]
    found = assessed(rows, model, rulebook, protection)
    assert [a.event for a in found] == [row["event"] for row in rows]
    assert all(a.assessable == (a.why_not is None) for a in found)


def test_reasons_are_groups_whose_shares_are_all_of_what_moved_the_score(model, rulebook):
    for found in assessed([crossing(n) for n in range(12)], model, rulebook):
        groups = [r.group for r in found.reasons]
        assert len(groups) == len(set(groups))
        assert sum(r.share for r in found.reasons) == pytest.approx(1, abs=1e-5)
        for reason in found.reasons:
            moved = sum(o.contribution for o in reason.observed)
            assert (moved > 0) == (reason.direction == "raises")
            assert all(o.value == found.inputs[o.feature] for o in reason.observed)


def test_contributions_add_up_to_the_raw_score(model, rulebook):
    rows = [crossing(n) for n in range(6)]
    base = model.contributions(values(spine(rows), READS, plausible)).base
    for found in assessed(rows, model, rulebook):
        moved = sum(o.contribution for r in found.reasons for o in r.observed)
        assert moved + base == pytest.approx(found.raw, abs=1e-6)


def test_without_a_champion_rules_speak_alone(rulebook):
    found = assessed([crossing(n) for n in range(12)], None, rulebook)
    assert all(a.score is None and a.raw is None and a.band is None and a.reasons == () for a in found)
    assert any(a.findings and a.mitigation for a in found)


def test_a_finding_carries_the_values_its_sentence_needs(model, rulebook):
    rules = {rule.id: rule for rule in rulebook.rules}
    found = [f for a in assessed([crossing(n) for n in range(40)], model, rulebook) for f in a.findings]
    assert found
    for finding in found:
        for text in rules[finding.rule].reason.values():
            assert "{" not in text.format(**finding.values)


def test_a_child_alone_leads_to_a_referral_and_to_no_points(model, rulebook, protection):
    alone = crossing(1, under_18=True, declared_guardian=False, party_size=1)
    (found,) = assessed([alone], model, rulebook, protection)
    assert found.referrals == ("child-alone",)
    assert (found.raw, found.findings, found.lane) == (None, (), None)


def test_a_sign_of_protection_changes_no_score(model, rulebook, protection):
    rows = [crossing(n) for n in range(10)]
    for with_signs, without in zip(
        assessed(rows, model, rulebook, protection), assessed(rows, model, rulebook), strict=True
    ):
        assert (with_signs.raw, with_signs.mitigation) == (without.raw, without.mitigation)


def test_the_id_is_the_content_and_not_where_it_was_read(model, rulebook):
    (first,) = assessed([crossing(3)], model, rulebook)
    (again,) = assessed([crossing(3)], model, rulebook, data_versions={"crossings": 99})
    (other,) = assessed([crossing(3, declared_stay_days=80)], model, rulebook)
    assert first.id == again.id != other.id
    assert len(first.id) == 32


def test_json_and_back_is_the_same(model, rulebook, protection):
    for found in assessed([crossing(n, **WHO[n % len(WHO)]) for n in range(14)], model, rulebook, protection):
        assert from_json(found.as_json()) == found


def test_refusals_say_what_to_do(model, rulebook):
    with pytest.raises(BadInput, match="not permit_lapse"):
        assessed([crossing(1)], model, rulebook, purpose="permit_lapse")
    with pytest.raises(BadInput, match="Purposes are"):
        assessed([crossing(1)], model, rulebook, purpose="anything")
    one, other = spine([crossing(1)]), spine([crossing(2)])
    options = {"purpose": PURPOSE, "model": model, "rulebook": rulebook, "mode": "demo", "data_versions": {}}
    with pytest.raises(BadInput, match="Compute values from this spine"):
        assess(one, values(other, READS), **options)


def test_no_assessment_reads_another_purpose(model, rulebook):
    with pytest.raises(BadInput, match="own purpose"):
        assessed([crossing(1)], replace(model, name="permit_lapse"), rulebook)


def test_reasons_with_the_base_add_up_to_the_score(model, rulebook):
    for found in assessed([crossing(n) for n in range(40)], model, rulebook):
        assert found.base + sum(r.push for r in found.reasons) == pytest.approx(found.raw, abs=1e-7)
        assert sum(r.share for r in found.reasons) == pytest.approx(1.0, abs=1e-4)
        assert 0 < found.usual < 1


def test_a_contribution_off_by_a_millionth_is_never_shown(model, rulebook, monkeypatch):
    right = model.explainer
    wrong = SimpleNamespace(
        base=right.base, values=lambda rows, threads=None: right.values(rows) + 1e-6 * np.eye(1, rows.shape[1])
    )
    monkeypatch.setitem(model.__dict__, "explainer", wrong)
    with pytest.raises(ArithmeticError, match="miss the score"):
        assessed([crossing(1)], model, rulebook)


def test_every_known_value_is_compared_with_crossings_of_its_mode_and_season(model, rulebook):
    rows = [crossing(n, mode=mode) for n, mode in enumerate(["air", "land", "sea"])]
    air, land, sea = assessed(rows, model, rulebook)
    # The reference was made of crossings in spring; these are of early March.
    assert (air.similar.key, air.similar.subjects) == (("air", "spring"), 400)
    assert land.similar.key == ("land", "spring")
    assert sea.similar.key == ()
    for found in (air, land, sea):
        for observed in (o for r in found.reasons for o in r.observed):
            placed = observed.same is not None or (observed.lower is not None and observed.higher is not None)
            assert placed is (observed.value is not None)


def test_reasons_that_often_went_are_less_certain(model, rulebook):
    reasons = [r for a in assessed([crossing(n) for n in range(40)], model, rulebook) for r in a.reasons]
    assert not any(r.certain for r in reasons if r.group == "permit")
    assert all(r.certain == (abs(r.push) >= 0.05) for r in reasons if r.group in ("papers", "frequency"))

"""Who someone is, and what the engine itself put out, never gets into a feature; the message shows the way it took."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from features.catalogue import assemble, features
from features.declaration import (
    EVER,
    Feature,
    checks,
    count,
    crossings,
    days,
    derived,
    distinct,
    lookup,
    mean,
    own,
    permits,
    posts,
    share,
    window,
)
from features.formulas import ratio
from features.lineage import ProhibitedInput, check_inputs
from records.errors import BadInput
from records.schema import Tier

TEXTS = {"ar": "{value}", "fr": "{value}", "en": "{value}"}


def whole(feature: Feature) -> Feature:
    return Feature(feature.expression, "What it says.", "unit", TEXTS, feature.role, group="papers")


@pytest.mark.parametrize("kind", ["crossing", "permit"])
def test_no_feature_reads_who_someone_is(kind: str) -> None:
    for feature in features(kind).values():
        assert feature.tier is not Tier.PROHIBITED, feature.name
        assert feature.reads, feature.name


def test_only_facts_read_a_gate() -> None:
    gated = [f for f in features("crossing").values() if f.tier is Tier.RESTRICTED]
    assert [f.name for f in gated] == ["child_without_declared_guardian"]
    assert gated[0].role == "fact"


def test_a_feature_that_reads_the_issuer_is_refused_and_so_is_a_ratio_built_on_it() -> None:
    declared = {
        "issuers_last_5_years": whole(
            window(distinct("document_issuer"), of=crossings, per="traveller", last=days(1826))
        ),
        "crossings_ever": whole(window(count, of=crossings, per="traveller", last=EVER)),
        "issuers_per_crossing": whole(derived(ratio, "issuers_last_5_years", "crossings_ever")),
    }
    catalogue = assemble(declared, "crossing")
    assert catalogue["issuers_per_crossing"].tier is Tier.PROHIBITED
    for purpose in ("model", "rule", "gate", "protection"):
        with pytest.raises(ProhibitedInput, match=r"issuers_last_5_years → crossings\.document_issuer"):
            check_inputs(["issuers_last_5_years"], "crossing", purpose, catalogue=catalogue)
        with pytest.raises(
            ProhibitedInput, match=r"issuers_per_crossing → issuers_last_5_years → crossings\.document_issuer"
        ):
            check_inputs(["issuers_per_crossing"], "crossing", purpose, catalogue=catalogue)
    check_inputs(["crossings_ever"], "crossing", "model", catalogue=catalogue)


@pytest.mark.parametrize("column", ["document_issuer", "crossings.document_issuer", "nationality", "travellers.sex"])
def test_a_prohibited_column_named_outright_is_refused(column: str) -> None:
    with pytest.raises(ProhibitedInput, match="Who someone is never scores a person"):
        check_inputs([column], "crossing", "rule")


@pytest.mark.parametrize("name", ["regime", "under_18", "child_without_declared_guardian"])
def test_a_gate_decides_which_rule_applies_and_nothing_else(name: str) -> None:
    check_inputs([name], "crossing", "gate")
    check_inputs([name], "crossing", "protection")
    for purpose in ("model", "rule"):
        with pytest.raises(ProhibitedInput, match="applies_to"):
            check_inputs([name], "crossing", purpose)


def test_a_model_reads_no_facts_and_a_rule_does() -> None:
    check_inputs(["document_reported_stolen", "post"], "crossing", "rule")
    with pytest.raises(ProhibitedInput, match="fact that a rule states"):
        check_inputs(["document_reported_stolen"], "crossing", "model")
    with pytest.raises(BadInput, match="'post' is not one"):
        check_inputs(["post"], "crossing", "model")


@pytest.mark.parametrize("name", ["selections.score", "selections.lane", "checks.selected_by", "checks.probability"])
def test_the_engines_own_output_named_outright_is_refused(name: str) -> None:
    with pytest.raises(ProhibitedInput, match="own output"):
        check_inputs([name], "crossing", "rule")


CONFIRMED = checks.where(finding="confirmed", event_kind="crossing")
OWN_OUTPUT: dict[str, Callable[[], Feature]] = {
    "how often checked": lambda: window(count, of=checks, per="traveller", last=days(90)),
    "refuted": lambda: window(
        count, of=checks.where(finding="refuted", event_kind="crossing"), per="traveller", last=days(90)
    ),
    "another kind": lambda: window(
        count, of=checks.where(finding="confirmed", event_kind="permit"), per="traveller", last=days(90)
    ),
    "too long ago": lambda: window(count, of=CONFIRMED, per="traveller", last=days(731)),
    "ever": lambda: window(count, of=CONFIRMED, per="traveller", last=EVER),
    "selected by": lambda: window(share(selected_by="model"), of=CONFIRMED, per="traveller", last=days(90)),
    "probability": lambda: window(mean("probability"), of=CONFIRMED, per="traveller", last=days(90)),
    "looked up": lambda: lookup("finding", of=CONFIRMED, per="traveller"),
}


@pytest.mark.parametrize("declare", OWN_OUTPUT.values(), ids=list(OWN_OUTPUT))
def test_earlier_checks_are_not_read(declare: Callable[[], Feature]) -> None:
    with pytest.raises(ProhibitedInput, match=r"f → checks.*Use checks\.where"):
        assemble({"f": whole(declare())}, "crossing")


def test_a_confirmed_finding_of_the_same_kind_may_be_read_for_24_months() -> None:
    assemble({"f": whole(window(count, of=CONFIRMED, per="traveller", last=days(730)))}, "crossing")


def test_an_unknown_column_is_refused_with_those_there_are() -> None:
    with pytest.raises(BadInput, match=r"f → crossings\.directon.*direction"):
        assemble(
            {"f": whole(window(count, of=crossings.where(directon="entry"), per="traveller", last=days(1)))}, "crossing"
        )
    with pytest.raises(BadInput, match=r"f → colour.*Columns: "):
        assemble({"f": whole(own("colour"))}, "crossing")
    with pytest.raises(BadInput, match="not known at as_of"):
        assemble({"f": whole(own("booth_wait_minutes"))}, "crossing")
    with pytest.raises(BadInput, match="neither a feature nor a column"):
        check_inputs(["entries_last_9_days"], "crossing", "model")


def test_a_window_without_width_is_refused() -> None:
    with pytest.raises(BadInput, match="above zero"):
        window(count, of=crossings, per="traveller", last=days(0))


def test_features_that_go_round_in_a_circle_are_refused() -> None:
    declared = {
        "a": whole(derived(ratio, "b", "c")),
        "b": whole(derived(ratio, "c", "c")),
        "c": whole(derived(ratio, "a", "a")),
    }
    with pytest.raises(BadInput, match="a → b → c → a"):
        assemble(declared, "crossing")


def test_a_feature_built_on_one_that_is_not_declared_is_refused() -> None:
    with pytest.raises(BadInput, match=r"a → gone.*Declare it in features/permits"):
        assemble({"a": whole(derived(ratio, "gone", "gone"))}, "permit")


def test_an_entity_the_event_does_not_name_is_refused() -> None:
    with pytest.raises(BadInput, match="booths"):
        assemble({"f": whole(window(count, of=posts, per="booths", last=days(1)))}, "permit")


def test_a_feature_is_a_number_a_boolean_or_a_text() -> None:
    with pytest.raises(BadInput, match="would be a day"):
        assemble({"f": whole(lookup("valid_to", of=permits, per="permit file"))}, "crossing")


def test_a_feature_is_published_whole() -> None:
    with pytest.raises(BadInput, match=r"no doc, unit, texts\['ar'\]"):
        assemble({"f": window(count, of=crossings, per="traveller", last=days(1))}, "crossing")
    with pytest.raises(BadInput, match="reason group"):
        assemble({"f": Feature(own("mode").expression, "d", "u", TEXTS, group="luck")}, "crossing")

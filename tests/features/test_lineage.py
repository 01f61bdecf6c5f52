"""Who someone is, and what the engine itself put out, never gets into a feature; the message shows the way it took."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from features.catalogue import assemble, features
from features.crossings import papers
from features.declaration import (
    EVER,
    Feature,
    Rows,
    alerts,
    checks,
    count,
    crossings,
    days,
    derived,
    distinct,
    in_force,
    lookup,
    mean,
    own,
    permits,
    posts,
    services,
    share,
    window,
)
from features.formulas import ratio
from features.lineage import ProhibitedInput, check_inputs, reads
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


TRAVELLERS = Rows("travellers")
PROHIBITED: dict[str, tuple[Callable[[], Feature], str]] = {
    "counted": (
        lambda: window(distinct("document_issuer"), of=crossings, per="traveller", last=EVER),
        r"f → crossings\.document_issuer",
    ),
    "as a condition": (
        lambda: window(count, of=crossings.where(document_issuer="XXX"), per="traveller", last=EVER),
        r"f → crossings\.document_issuer",
    ),
    "as a share": (
        lambda: window(share(sex="F"), of=TRAVELLERS, per="traveller", last=EVER),
        r"f → travellers\.sex",
    ),
    "looked up": (
        lambda: lookup("nationality", of=TRAVELLERS, per="traveller"),
        r"f → travellers\.nationality",
    ),
    "beside": (
        lambda: window(share(nationality="TUN"), of=crossings.with_(TRAVELLERS, on="subject"), per="post", last=EVER),
        r"f → travellers\.nationality",
    ),
    "as an entity": (
        lambda: window(count, of=crossings, per="document_issuer", last=days(90)),
        r"f → crossings\.document_issuer",
    ),
    "of the event": (lambda: own("document_issuer"), r"f → crossings\.document_issuer"),
    "a number that names a person": (
        lambda: window(distinct("unified_number"), of=permits, per="traveller", last=EVER),
        r"f → permits\.unified_number",
    ),
    "two formulas deep": (
        lambda: derived(ratio, derived(ratio, own("party_size"), lookup("sex", of=TRAVELLERS, per="traveller"))),
        r"f → travellers\.sex",
    ),
}


@pytest.mark.parametrize(("declare", "way"), PROHIBITED.values(), ids=list(PROHIBITED))
def test_a_catalogue_that_reads_who_someone_is_does_not_load(
    monkeypatch: pytest.MonkeyPatch, declare: Callable[[], Feature], way: str
) -> None:
    monkeypatch.setattr(papers, "f", whole(declare()), raising=False)
    with pytest.raises(ProhibitedInput, match=f"{way}.*Remove it from what is read"):
        features.__wrapped__("crossing")


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


SELECTIONS = Rows("selections")
CONFIRMED = checks.where(finding="confirmed", event_kind="crossing")
OWN_OUTPUT: dict[str, Callable[[], Feature]] = {
    "how often checked": lambda: window(count, of=checks, per="traveller", last=days(90)),
    "unfinished": lambda: window(
        count, of=checks.where(finding="not_checked", event_kind="crossing"), per="traveller", last=days(90)
    ),
    "not clear": lambda: window(
        count, of=checks.where(finding="inconclusive", event_kind="crossing"), per="traveller", last=days(90)
    ),
    "any finding": lambda: window(
        count, of=checks.where(finding=("confirmed", "refuted"), event_kind="crossing"), per="traveller", last=days(90)
    ),
    "at the post": lambda: window(count, of=CONFIRMED, per="post", last=days(90)),
    "how long they took": lambda: window(mean("minutes"), of=CONFIRMED, per="traveller", last=days(90)),
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


CHECKED = crossings.with_(checks, on="subject")
MORE_OWN_OUTPUT: dict[str, Callable[[], Feature]] = {
    "scores": lambda: window(mean("score"), of=SELECTIONS, per="traveller", last=days(90)),
    "bands": lambda: window(distinct("band"), of=SELECTIONS, per="traveller", last=days(90)),
    "lanes": lambda: window(share(lane="model"), of=SELECTIONS, per="traveller", last=days(90)),
    "how often selected": lambda: window(count, of=SELECTIONS, per="traveller", last=days(90)),
    "last lane": lambda: lookup("lane", of=SELECTIONS, per="traveller"),
    "beside a crossing": lambda: window(
        count, of=crossings.with_(SELECTIONS, on="subject"), per="traveller", last=days(90)
    ),
    "checks beside a crossing": lambda: window(count, of=CHECKED, per="traveller", last=days(90)),
    "findings beside a crossing": lambda: window(
        count, of=CHECKED.where(finding="confirmed", event_kind="crossing"), per="traveller", last=days(90)
    ),
}


@pytest.mark.parametrize("declare", MORE_OWN_OUTPUT.values(), ids=list(MORE_OWN_OUTPUT))
def test_what_the_engine_put_out_is_not_read_at_any_depth(declare: Callable[[], Feature]) -> None:
    declared = {"f": whole(declare()), "g": whole(derived(ratio, "f", own("party_size")))}
    with pytest.raises(ProhibitedInput, match=r"f → (crossings|selections).*Remove it"):
        assemble(declared, "crossing")
    with pytest.raises(ProhibitedInput, match=r"g → f → (crossings|selections)"):
        reads("g", "crossing", declared)


@pytest.mark.parametrize("declare", OWN_OUTPUT.values(), ids=list(OWN_OUTPUT))
def test_earlier_checks_are_not_read(declare: Callable[[], Feature]) -> None:
    with pytest.raises(ProhibitedInput, match=r"f → checks.*Use checks\.where"):
        assemble({"f": whole(declare())}, "crossing")


def test_a_confirmed_finding_of_the_same_kind_may_be_read_for_24_months() -> None:
    assemble({"f": whole(window(count, of=CONFIRMED, per="traveller", last=days(730)))}, "crossing")


UNKNOWN: dict[str, tuple[Callable[[], Feature], str]] = {
    "condition": (
        lambda: window(count, of=crossings.where(directon="entry"), per="traveller", last=days(1)),
        r"f → crossings\.directon.*Columns: .*direction.*Correct the name",
    ),
    "counted": (
        lambda: window(distinct("pots"), of=crossings, per="traveller", last=days(1)),
        r"f → crossings\.pots",
    ),
    "share": (lambda: window(share(mod="air"), of=crossings, per="traveller", last=days(1)), r"f → crossings\.mod,?\)"),
    "looked up": (lambda: lookup("booth", of=posts, per="post"), r"f → posts\.booth.*Columns: .*booths"),
    "interval": (lambda: in_force(of=alerts, per="document", until="ends"), r"f → alerts\.ends"),
    "entity": (lambda: window(count, of=permits, per="document", last=days(1)), r"f → permits\.document"),
    "beside": (
        lambda: window(distinct("seat"), of=crossings.with_(services, on="service"), per="traveller", last=days(1)),
        "crossings and services declare no such column",
    ),
    "table": (lambda: window(count, of=Rows("crosings"), per="traveller", last=days(1)), "table 'crosings'.*Tables: "),
    "of the event": (lambda: own("colour"), r"f → colour.*Columns: "),
    "of the event, afterwards": (lambda: own("booth_wait_minutes"), "f → booth_wait_minutes.*not known at as_of"),
    "operand of an operand": (
        lambda: derived(ratio, derived(ratio, own("party_size"), own("partysize"))),
        "f → partysize",
    ),
}


@pytest.mark.parametrize(("declare", "why"), UNKNOWN.values(), ids=list(UNKNOWN))
def test_an_unknown_column_is_refused_with_those_there_are(declare: Callable[[], Feature], why: str) -> None:
    with pytest.raises(BadInput, match=why):
        assemble({"f": whole(declare())}, "crossing")


def test_a_model_names_features_that_there_are() -> None:
    with pytest.raises(BadInput, match="neither a feature nor a column"):
        check_inputs(["entries_last_9_days"], "crossing", "model")


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

"""A bad rule refuses the whole rulebook, and the message names file, rule, what is wrong and how to mend it."""

from __future__ import annotations

import copy
import shutil
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import pytest
import yaml

from records.errors import BadInput
from records.schema import Tier
from risk_rules.columns import Column, columns
from risk_rules.rulebook import HERE, Rulebook

ON = date(2026, 2, 1)
KNOWN = {
    "crossing": {
        "overrun_days": Column("overrun_days", "number", minimum=0, maximum=400),
        "wait_days": Column("wait_days", "number"),
        "reported": Column("reported", "boolean", fact=True),
        "mode": Column("mode", "string", values=("air", "sea", "land")),
        "direction": Column("direction", "string", values=("entry", "exit")),
        "regime": Column("regime", "string", tier=Tier.RESTRICTED),
        "under_18": Column("under_18", "boolean", tier=Tier.RESTRICTED),
    },
    "permit": {"category": Column("category", "string", values=("work", "study"))},
}
TEXTS = {"ar": "نص", "fr": "texte", "en": "text"}
REASON = {k: f"{v} {{overrun_days}} {{grace_days}}" for k, v in TEXTS.items()}
RULE: dict[str, Any] = {
    "id": "stay-outlasts-permit",
    "title": TEXTS,
    "reason": REASON,
    "basis": "Entry Regulation 2019, art. 5",
    "purpose": "secondary_check",
    "owner": "stay-desk",
    "evidence": "indication",
    "valid": {"from": date(2026, 1, 1), "until": date(2026, 7, 1)},
    "applies_to": {"subject_kind": "crossing", "direction": "entry", "regimes": ["visa"]},
    "when": {"all": [{"col": "overrun_days", "op": "gt", "value": "@grace_days"}]},
    "on_missing": "undecided",
    "points": 10,
    "mitigation": "document-check",
    "cases": [
        {"given": {"overrun_days": 5}, "as_of": date(2025, 3, 1), "expect": "hit"},
        {"given": {"overrun_days": 5}, "as_of": date(2019, 3, 1), "expect": "no"},
        {"given": {"overrun_days": None}, "as_of": date(2025, 3, 1), "expect": "undecided"},
    ],
}
GRACE = {
    date(2019, 1, 1): {"value": 7, "basis": "Entry Regulation 2019, art. 5"},
    date(2024, 3, 1): {"value": 3, "basis": "Amendment 12/2024, art. 1"},
}


def write(folder: Path, *rules: Any, grace: Any = GRACE) -> Path:
    (folder / "rules").mkdir(parents=True)
    (folder / "thresholds").mkdir()
    for name in ("mitigations.yaml", "protection.yaml"):
        shutil.copy(HERE / name, folder / name)
    (folder / "rules" / "stay.yaml").write_text(yaml.safe_dump(list(rules), allow_unicode=True), encoding="utf-8")
    (folder / "thresholds" / "grace_days.yaml").write_text(yaml.safe_dump(grace), encoding="utf-8")
    return folder


def load(folder: Path, on: date = ON) -> Rulebook:
    return Rulebook.load(folder, on=on, known=KNOWN)  # type: ignore[arg-type]  # a plain dict of the two kinds


def changed(**parts: Any) -> dict[str, Any]:
    return {**copy.deepcopy(RULE), **parts}


def without(part: str) -> dict[str, Any]:
    return {k: v for k, v in RULE.items() if k != part}


def when(**condition: Any) -> dict[str, Any]:
    """The rule with one condition, and no placeholder that would be refused first."""
    return changed(when=condition, reason=TEXTS)


def test_the_rule_as_written_is_taken(tmp_path: Path) -> None:
    book = load(write(tmp_path / "r", RULE))
    assert [rule.id for rule in book.in_force("crossing")] == ["stay-outlasts-permit"]
    assert book.examples == ()


@pytest.mark.parametrize(
    ("rule", "message"),
    [
        (changed(colour="red"), "'colour' is no part of a rule"),
        (without("owner"), "owner missing"),
        (changed(basis=" "), "basis is empty"),
        (changed(purpose="deter"), "purpose is 'deter'"),
        (changed(on_missing="hit"), "on_missing is 'hit'"),
        (changed(title={"ar": "نص", "en": "text"}), "title must be there in ar, fr and en"),
        (changed(reason={**REASON, "fr": "texte"}), "other {placeholders} in one language"),
        (changed(reason=dict.fromkeys(TEXTS, "{wait_days}")), "shows {wait_days}, which `when` does not read"),
        (changed(reason=dict.fromkeys(TEXTS, "{overrun_days")), "braces that do not match"),
        (changed(title=dict.fromkeys(TEXTS, "{overrun_days}")), "title has a placeholder"),
        (changed(valid={"from": date(2026, 1, 1)}), "exactly from and until"),
        (changed(valid={"from": date(2026, 1, 1), "until": date(2026, 1, 1)}), "is no span of days"),
        (changed(valid={"from": date(2026, 1, 1), "until": date(2027, 6, 1)}), "at most 12 months"),
        (changed(applies_to={"subject_kind": "person"}), "crossing or permit"),
        (changed(applies_to={**RULE["applies_to"], "regimes": ["national"]}), "under the law on foreigners"),
        (changed(applies_to={**RULE["applies_to"], "under_18": True}), "Children are left out always"),
        (changed(applies_to={"subject_kind": "permit"}), "its purpose secondary_check is about a crossing"),
        (changed(mitigation="document-chek"), "Did you mean 'document-check'"),
        (changed(mitigation="remind"), "does not serve secondary_check"),
        (changed(mitigation="refer-to-authority"), "needs a fact, and this rule is an indication"),
        (changed(evidence="fact"), "reads no column that an authority stated"),
        (changed(points=101), "whole number from 0 to 100"),
        (changed(bands={"on": "overrun_days", "steps": [{"from": 0, "points": 1}]}), "points and bands"),
        (when(col="overrun_dais", op="gt", value=1), "Did you mean 'overrun_days'"),
        (when(col="overrun_days", op="gt", value="3"), "'overrun_days' is a number"),
        (when(col="overrun_days", op="gt", value=900), "outside what 'overrun_days' can hold"),
        (when(col="overrun_days", op="gt", value="@grce_days"), "Did you mean 'grace_days'"),
        (when(col="under_18", op="eq", value=False), "'under_18', which is restricted"),
        (when(col="regime", op="eq", value="visa"), "'regime', which is restricted"),
        (when(col="overrun_days", op="lt", value=0), "no values at all make it hit"),
        (when(col="overrun_days", op="ge", value=0), "no values at all make it say no"),
        (
            when(
                all=[{"col": "overrun_days", "op": "gt", "value": 5}, {"col": "overrun_days", "op": "lt", "value": 5}]
            ),
            "no values at all make it hit",
        ),
        (
            changed(
                when={"any": [*RULE["when"]["all"], {"col": "wait_days", "op": "is_missing"}]},
            ),
            "may be missing when it hits",
        ),
        (changed(cases=RULE["cases"][:2]), "no case expects undecided"),
        (changed(cases=RULE["cases"][1:]), "no case expects hit"),
        (changed(cases=[{**RULE["cases"][0], "expect": "no"}]), "says hit, not no"),
        (changed(cases=[{**RULE["cases"][0], "expect": "maybe"}]), "expects 'maybe'"),
        (changed(cases=[{**RULE["cases"][0], "given": {}}]), "leaves out 'overrun_days'"),
        (changed(cases=[{**RULE["cases"][0], "given": {"wait_days": 1}}]), "which the rule does not read"),
        (changed(cases=[{**RULE["cases"][0], "as_of": date(2018, 1, 1)}]), "has no value on 2018-01-01"),
    ],
)
def test_a_bad_rule_refuses_the_rulebook(rule: Any, message: str, tmp_path: Path) -> None:
    with pytest.raises(BadInput) as refused:
        load(write(tmp_path / "r", rule))
    assert message in str(refused.value)
    assert f"rules/stay.yaml, rule '{rule['id']}'" in str(refused.value)


def test_every_bad_rule_is_named_at_once(tmp_path: Path) -> None:
    bad = [changed(id="one", points=-1), changed(id="two", owner="")]
    with pytest.raises(BadInput, match=r"(?s)rule 'one'.*rule 'two'"):
        load(write(tmp_path / "r", *bad))


def test_an_invented_basis_may_last_longer_and_is_listed(tmp_path: Path) -> None:
    rule = changed(basis="example: invented", valid={"from": date(2020, 1, 1), "until": date(2035, 1, 1)})
    grace = {date(2019, 1, 1): {"value": 3, "basis": "example: invented"}}
    rule["cases"][1]["given"] = {"overrun_days": 1}
    assert load(write(tmp_path / "r", rule, grace=grace)).examples == ("stay-outlasts-permit", "@grace_days")


def test_one_id_stands_for_one_rule(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="two rules have this id"):
        load(write(tmp_path / "r", RULE, RULE))


NARROW = changed(
    id="stay-far-outlasts-permit",
    when={"all": [{"col": "overrun_days", "op": "gt", "value": 30}]},
    reason=TEXTS,
    cases=[
        {"given": {"overrun_days": 50}, "as_of": date(2025, 3, 1), "expect": "hit"},
        {"given": {"overrun_days": 5}, "as_of": date(2025, 3, 1), "expect": "no"},
        {"given": {"overrun_days": None}, "as_of": date(2025, 3, 1), "expect": "undecided"},
    ],
)


def test_a_rule_inside_another_is_refused_unless_it_proposes_more(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="'stay-far-outlasts-permit': whenever it hits, 'stay-outlasts-permit' hits too"):
        load(write(tmp_path / "same", RULE, NARROW))
    assert len(load(write(tmp_path / "more", RULE, {**NARROW, "mitigation": "second-line-talk"})).rules) == 2


def test_a_threshold_that_changes_inside_the_validity_is_checked_on_each_side(tmp_path: Path) -> None:
    grace = {date(2019, 1, 1): {"value": 3, "basis": "a"}, date(2026, 5, 1): {"value": 400, "basis": "b"}}
    rule = changed(cases=[RULE["cases"][0], RULE["cases"][2]])
    with pytest.raises(BadInput, match="on 2026-05-01 no values at all make it hit"):
        load(write(tmp_path / "r", rule, grace=grace))


@pytest.mark.parametrize(
    ("grace", "message"),
    [
        ({}, "holds no dated values"),
        ({"soon": {"value": 1, "basis": "a"}}, "'soon' is no day"),
        ({date(2019, 1, 1): {"value": 1}}, "exactly value and basis"),
        ({date(2019, 1, 1): {"value": 1, "basis": ""}}, "basis is empty"),
    ],
)
def test_a_bad_threshold_is_refused(grace: Any, message: str, tmp_path: Path) -> None:
    with pytest.raises(BadInput, match=message):
        load(write(tmp_path / "r", RULE, grace=grace))


def test_yaml_words_stay_words_and_keys_stand_once(tmp_path: Path) -> None:
    folder = write(tmp_path / "r", RULE)
    path = folder / "rules" / "stay.yaml"
    path.write_text(path.read_text(encoding="utf-8").replace("expect: 'no'", "expect: no"), encoding="utf-8")
    assert load(folder).rules[0].cases[1].expect == 0
    path.write_text(path.read_text(encoding="utf-8") + "  id: again\n", encoding="utf-8")
    with pytest.raises(BadInput, match="the key 'id' stands twice"):
        load(folder)


def test_rules_outside_their_days_are_listed_but_not_in_force(tmp_path: Path) -> None:
    folder = write(tmp_path / "r", RULE)
    for on in (date(2025, 12, 31), date(2026, 7, 1)):
        book = load(folder, on)
        assert book.in_force("crossing") == ()
        assert [rule.id for rule in book.dormant] == ["stay-outlasts-permit"]
    assert load(folder, date(2026, 6, 30)).dormant == ()


def _rewrite(change: Callable[[str], str], path: Path) -> None:
    path.write_text(change(path.read_text(encoding="utf-8")), encoding="utf-8")


def test_the_hash_follows_content_not_layout(tmp_path: Path) -> None:
    folder = write(tmp_path / "r", RULE)
    first = load(folder).hash
    _rewrite(lambda s: "# a comment\n" + s, folder / "rules" / "stay.yaml")
    assert load(folder, date(2026, 3, 1)).hash == first
    _rewrite(lambda s: s.replace("points: 10", "points: 11"), folder / "rules" / "stay.yaml")
    assert load(folder).hash != first


def test_a_feature_that_reads_a_gate_is_refused_with_the_chain(tmp_path: Path) -> None:
    """The catalogue's own lineage decides, even if the column table given to the loader calls it free."""
    feature = Column("child_without_declared_guardian", "boolean", feature=True)
    known = {**KNOWN, "crossing": {**KNOWN["crossing"], feature.name: feature}}
    folder = write(tmp_path / "r", when(col=feature.name, op="eq", value=True))
    with pytest.raises(BadInput, match=r"child_without_declared_guardian.*crossings\.under_18"):
        Rulebook.load(folder, on=ON, known=known)  # type: ignore[arg-type]  # a plain dict of the two kinds


def test_columns_come_from_tables_and_the_catalogue() -> None:
    crossing = columns()["crossing"]
    assert crossing["declared_stay_days"].maximum == 3650
    assert crossing["declared_stay_days"].feature
    assert crossing["document_reported_stolen"].fact
    assert crossing["regime"].tier is Tier.RESTRICTED
    assert not {"subject", "document", "party", "happened_at", "nationality", "score"} & set(crossing)

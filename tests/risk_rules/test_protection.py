"""Protection stays apart: its own clock, few who see it, no points, no finding, and nothing a lane could rank."""

from __future__ import annotations

import dataclasses
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
import yaml

from records.errors import BadInput
from risk_rules.protection import Protection, Sign
from risk_rules.rulebook import HERE, Findings, Rulebook
from risk_rules.texts import LANGUAGES

AT = datetime(2025, 6, 1, 12, tzinfo=UTC)
PROTECTION = Protection.load()
CHILD = {"under_18": True, "declared_guardian": False, "party_size": 1, "document_travellers_last_5_years": 1}


def _seen(**row: Any) -> list[str]:
    return [referral.sign.id for referral in PROTECTION.referrals({**CHILD, **row}, AT)]


def test_a_child_alone_is_referred_whoever_they_are() -> None:
    (referral,) = PROTECTION.referrals(CHILD, AT)
    assert referral.sign.id == "child-alone"
    assert referral.due_at == AT + timedelta(minutes=60)
    assert set(PROTECTION.bodies[referral.sign.to]) == set(LANGUAGES)
    assert "regime" not in PROTECTION.reads


def test_what_is_not_seen_is_not_referred() -> None:
    assert _seen(under_18=False) == []
    assert _seen(declared_guardian=True) == []
    assert _seen(party_size=5) == ["child-without-guardian-in-group"]
    assert _seen(under_18=None) == []
    assert _seen(party_size=5, declared_guardian=True, document_travellers_last_5_years=2) == [
        "child-on-a-document-others-used"
    ]


def test_a_table_and_one_event_are_answered_the_same() -> None:
    rows = [
        {"under_18": u, "declared_guardian": g, "party_size": s, "document_travellers_last_5_years": d}
        for u in (True, False, None)
        for g in (True, False, None)
        for s in (1, 2, None)
        for d in (1, 2, None)
    ]
    types = [pa.bool_(), pa.bool_(), pa.int64(), pa.int64()]
    table = pa.Table.from_pylist(rows, schema=pa.schema(list(zip(rows[0], types, strict=True))))
    results = PROTECTION.evaluate(table)
    for i, row in enumerate(rows):
        by_table = [sign.id for sign, r in zip(PROTECTION.signs, results[:, i], strict=True) if r == 1]
        assert by_table == [referral.sign.id for referral in PROTECTION.referrals(row, AT)]


def test_protection_never_meets_risk() -> None:
    assert "points" not in {field.name for field in dataclasses.fields(Sign)}
    assert "referrals" not in {field.name for field in dataclasses.fields(Findings)}
    signs = {sign.id for sign in PROTECTION.signs}
    assert {sign.to for sign in PROTECTION.signs} == set(PROTECTION.bodies)
    assert not signs & {rule.id for rule in Rulebook.load(on=date(2025, 6, 1)).rules}
    assert all("officer" not in sign.seen_by for sign in PROTECTION.signs)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"points": 5}, "missing or unknown: points"),
        ({"to": "police"}, "refers to 'police'"),
        ({"within_minutes": 0}, "A clock needs"),
        ({"seen_by": ["officer"]}, "Few may see it"),
        ({"basis": ""}, "basis is empty"),
        ({"title": {"en": "Child"}}, "must be there in ar, fr and en"),
        ({"applies_to": {"regime": "visa"}}, "may have under_18 and direction"),
        ({"when": {"col": "under_18", "op": "eq", "value": True}}, "A gate stands in applies_to"),
        ({"when": {"col": "party_siz", "op": "eq", "value": 1}}, "Did you mean 'party_size'"),
        ({"when": {"col": "party_size", "op": "ge", "value": 1}}, "no values make it be absent"),
        ({"cases": []}, "no case expects hit, no, undecided"),
    ],
)
def test_a_bad_sign_is_refused(changes: dict[str, Any], message: str, tmp_path: Path) -> None:
    raw = yaml.safe_load((HERE / "protection.yaml").read_text(encoding="utf-8").replace("expect: no}", 'expect: "no"}'))
    raw["signs"]["child-alone"].update(changes)
    (tmp_path / "protection.yaml").write_text(yaml.safe_dump(raw, allow_unicode=True), encoding="utf-8")
    with pytest.raises(BadInput, match=message) as refused:
        Protection.load(tmp_path)
    assert "sign 'child-alone'" in str(refused.value)

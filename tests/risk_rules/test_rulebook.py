"""The engine's own rulebook: its cases, and one answer whether asked for a table or for one event."""

from __future__ import annotations

import math
import random
import re
from datetime import date
from functools import cache
from typing import Any, cast

import numpy as np
import pyarrow as pa
import pytest

from records.errors import BadInput
from records.schema import Tier
from risk_rules.columns import SUBJECT_KINDS, Column, SubjectKind
from risk_rules.conditions import leaves, read_columns
from risk_rules.loader import parse_on
from risk_rules.rule import Result, Rule
from risk_rules.rulebook import Rulebook
from risk_rules.texts import LANGUAGES

ON = date(2025, 6, 1)
BOOK = Rulebook.load(on=ON)
_ARROW = {"number": pa.float64(), "boolean": pa.bool_(), "string": pa.string()}


@cache
def _literals(name: str, kind: SubjectKind) -> tuple[Any, ...]:
    """What rules compare `name` with, and what lies beside it."""
    found: list[Any] = []
    for rule in BOOK.in_force(kind):
        for leaf in leaves(parse_on(rule.when, kind, ON, BOOK.columns[kind], BOOK.thresholds)):
            if leaf.col == name and leaf.value is not None:
                found += leaf.value if isinstance(leaf.value, tuple) else [leaf.value]
    return tuple(found)


def _value(column: Column, kind: SubjectKind, dice: random.Random) -> Any:
    if dice.random() < 0.15:
        return None
    if column.kind == "boolean":
        return dice.random() < 0.5
    literals = _literals(column.name, kind)
    if column.kind == "string":
        return dice.choice([*(column.values or ()), *literals, "elsewhere"])
    return float(dice.choice([*literals, 0, 1, 1000]) + dice.choice([-1, 0, 0.5, 1]))


def _rows(kind: SubjectKind, n: int) -> list[dict[str, Any]]:
    dice = random.Random(7)  # noqa: S311  # test data, not a secret
    names = BOOK.reads(kind)
    rows = [{name: _value(BOOK.columns[kind][name], kind, dice) for name in names} for _ in range(n)]
    if kind == "crossing":
        for row in rows[: n // 2]:
            row.update(regime=dice.choice(["visa", "visa_exempt", "resident"]), under_18=False)
    return rows


def _table(rows: list[dict[str, Any]], kind: SubjectKind) -> pa.Table:
    names = BOOK.reads(kind)
    return pa.table({n: pa.array([row[n] for row in rows], _ARROW[BOOK.columns[kind][n].kind]) for n in names})


@pytest.mark.parametrize("kind", SUBJECT_KINDS)
def test_a_table_and_one_event_are_answered_the_same(kind: SubjectKind) -> None:
    rows = _rows(kind, 400)
    found = BOOK.evaluate(_table(rows, kind), kind)
    assert found.results.dtype == np.int8
    assert set(np.unique(found.results)) <= {-1, 0, 1}
    for i, row in enumerate(rows):
        one = BOOK.evaluate_one(row, kind)
        assert [f.result for f in one] == found.results[:, i].tolist()
        assert [f.points for f in one] == found.points[:, i].tolist()
        assert tuple(f.rule for f in one if f.result is Result.HIT) == found.hits(i)
        assert tuple(f.rule for f in one if f.result is Result.UNDECIDED) == found.undecided(i)
        assert sum(f.points for f in one) == found.total_points[i]
        assert any(f.result is Result.HIT for f in one) == found.any_hit[i]
        assert any(f.result is Result.HIT and f.rule.evidence == "fact" for f in one) == found.fact_hit[i]


@pytest.mark.parametrize("kind", SUBJECT_KINDS)
def test_every_rule_hits_and_misses_somewhere(kind: SubjectKind) -> None:
    found = BOOK.evaluate(_table(_rows(kind, 3000), kind), kind)
    for rule, results in zip(found.rules, found.results, strict=True):
        assert {Result.HIT, Result.NO} <= set(results.tolist()), rule.id


@pytest.mark.parametrize("kind", SUBJECT_KINDS)
def test_findings_bring_what_a_sentence_needs(kind: SubjectKind) -> None:
    for row in _rows(kind, 300):
        for finding in BOOK.evaluate_one(row, kind):
            values = {**finding.limits, **finding.observed}
            if finding.result is Result.HIT:
                for language in LANGUAGES:
                    said = re.sub(r":\w+}", "}", finding.rule.reason[language]).format(**values)
                    assert "None" not in said
                    assert "nan" not in said
            assert bool(finding.missing) == (finding.result is Result.UNDECIDED)


def test_no_value_and_not_a_number_are_both_missing() -> None:
    row: dict[str, Any] = dict.fromkeys(BOOK.reads("crossing"))
    row.update(direction="exit", regime="visa", under_18=False)
    with_none = BOOK.evaluate_one(row, "crossing")
    with_nan = BOOK.evaluate_one({**row, "days_over_authorised_stay": math.nan}, "crossing")
    assert with_none == with_nan
    assert not any(f.result is Result.HIT for f in with_none)


def test_nobody_outside_the_law_on_foreigners_and_no_child_is_ever_found() -> None:
    rows = _rows("crossing", 600)
    for change in ({"under_18": True}, {"regime": "national"}, {"regime": "diplomat"}, {"regime": "crew"}):
        table = _table([{**row, **change} for row in rows], "crossing")
        assert not BOOK.evaluate(table, "crossing").results.any()


def test_an_unknown_gate_leaves_a_rule_undecided() -> None:
    row = {**_rows("crossing", 1)[0], "document_reported_stolen": True, "regime": None, "under_18": False}
    said = {f.rule.id: f for f in BOOK.evaluate_one(row, "crossing")}
    assert said["document-reported-stolen"].result is Result.UNDECIDED
    assert said["document-reported-stolen"].missing == ("regime",)


def test_a_column_left_out_is_not_a_missing_value() -> None:
    table = _table(_rows("crossing", 3), "crossing").drop_columns(["document_expired"])
    with pytest.raises(BadInput, match="Rules read document_expired, which the event does not bring"):
        BOOK.evaluate(table, "crossing")
    with pytest.raises(BadInput, match="Rules read document_expired"):
        BOOK.evaluate_one(table.to_pylist()[0], "crossing")


def test_an_empty_table_has_no_findings() -> None:
    found = BOOK.evaluate(_table([], "crossing"), "crossing")
    assert found.results.shape == (len(BOOK.in_force("crossing")), 0)


@pytest.mark.parametrize("rule", BOOK.rules, ids=lambda rule: cast(Rule, rule).id)
def test_promises_of_every_rule(rule: Rule) -> None:
    kind = rule.applies_to.subject_kind
    for on in (rule.valid_from, ON):
        names = read_columns(parse_on(rule.when, kind, on, BOOK.columns[kind], BOOK.thresholds))
        assert all(BOOK.columns[kind][name].tier is Tier.FREE for name in names)
        assert not [name for name in names if "score" in name or "band" in name]
    mitigation = BOOK.ladder.mitigations[rule.mitigation]
    assert rule.purpose in mitigation.purposes
    assert rule.example, "no article has been confirmed yet, so every basis is marked as an example"
    assert {case.expect for case in rule.cases} >= {Result.HIT, Result.NO}
    assert (rule.on_missing == "no_hit") == (Result.UNDECIDED not in {case.expect for case in rule.cases})


def test_every_threshold_is_used() -> None:
    from risk_rules.rule import threshold_names

    assert set(BOOK.thresholds) == {name for rule in BOOK.rules for name in threshold_names(rule.when)}


def test_thresholds_follow_their_dates() -> None:
    row: dict[str, Any] = dict.fromkeys(BOOK.reads("crossing"))
    row.update(direction="exit", regime="visa", under_18=False, days_over_authorised_stay=5.0)
    says = {
        on: {f.rule.id: f.result for f in Rulebook.load(on=on).evaluate_one(row, "crossing")}
        for on in (date(2023, 12, 31), date(2024, 1, 1))
    }
    assert [r["stay-ran-past-what-was-authorised"] for r in says.values()] == [Result.NO, Result.HIT]

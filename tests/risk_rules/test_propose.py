"""The least intrusive mitigation that answers what was found, and never more than stands behind it."""

from __future__ import annotations

import itertools
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml

from records.errors import BadInput
from risk_rules.mitigations import load
from risk_rules.propose import propose, propose_all
from risk_rules.rule import PURPOSES, Rule
from risk_rules.rulebook import HERE, Findings, Rulebook

BOOK = Rulebook.load(on=date(2025, 6, 1))
LADDER = BOOK.ladder
RULES = {rule.id: rule for rule in BOOK.rules}
STOLEN, ENDED, LONG = (
    RULES[i]
    for i in ("document-reported-stolen", "permit-ended-without-renewal", "stay-ran-far-past-what-was-authorised")
)


def _propose(*hits: Rule, band: str | None = None, drawn: bool = False) -> Any:
    return propose(hits, band, drawn=drawn, purpose="secondary_check", ladder=LADDER)


def test_nothing_found_proposes_nothing() -> None:
    for band in (None, "low", "moderate"):
        assert (_propose(band=band).mitigation, _propose(band=band).cause) == (None, "none")


def test_a_band_alone_leads_to_a_document_check_at_most() -> None:
    proposal = _propose(band="high")
    assert (proposal.mitigation, proposal.cause) == ("document-check", "model")
    for purpose, by_band in LADDER.bands.items():
        for name in filter(None, by_band.values()):
            assert LADDER.mitigations[name].rung <= LADDER.mitigations["document-check"].rung
            assert purpose in LADDER.mitigations[name].purposes


def test_rules_ask_for_the_rung_they_name_and_the_highest_is_needed() -> None:
    assert _propose(ENDED).mitigation == "advise"
    assert _propose(ENDED, LONG).mitigation == "document-check"
    assert _propose(ENDED, LONG).rule == LONG.id
    assert _propose(STOLEN, ENDED).mitigation == "refer-to-authority"


def test_a_rule_explains_more_than_a_band() -> None:
    assert _propose(LONG, band="high").cause == "rule"
    assert _propose(ENDED, band="high").cause == "model"


def test_the_rungs_looked_at_are_told() -> None:
    told = {c.mitigation: c.verdict for c in _propose(LONG).considered}
    assert told.pop("document-check") == "proposed"
    assert {"inform", "advise"} <= set(told)
    assert set(told.values()) == {"too_little"}
    by_band = {c.mitigation: c.verdict for c in _propose(band="high").considered}
    assert by_band["second-line-talk"] == by_band["refer-to-authority"] == "not_warranted"


def test_drawn_subjects_all_get_the_same_whatever_was_found() -> None:
    found = [_propose(*hits, band=band, drawn=True) for hits in ((), (STOLEN,)) for band in (None, "high")]
    assert {(p.mitigation, p.cause, p.rule) for p in found} == {("document-check", "random", None)}
    assert [p.afterwards.mitigation for p in found] == [None, "document-check", *["refer-to-authority"] * 2]


@pytest.mark.parametrize("purpose", PURPOSES)
def test_proposals_serve_their_purpose_and_are_warranted(purpose: str) -> None:
    rules = [rule for rule in BOOK.rules if rule.purpose == purpose]
    for hits in itertools.chain(((r,) for r in rules), itertools.combinations(rules, 2)):
        chosen = propose(hits, "high", drawn=False, purpose=purpose, ladder=LADDER).mitigation
        assert chosen is not None
        mitigation = LADDER.mitigations[chosen]
        assert purpose in mitigation.purposes
        if mitigation.needs == "fact_hit":
            assert any(rule.evidence == "fact" for rule in hits)


def test_a_permit_lapse_is_answered_by_the_office_and_never_at_a_post() -> None:
    proposal = propose((), "high", drawn=True, purpose="permit_lapse", ladder=LADDER)
    assert proposal.mitigation == "remind"
    assert LADDER.mitigations["remind"].purposes == ("permit_lapse",)
    assert LADDER.mitigations["remind"].lane == "office"


def test_a_finding_is_read_for_its_own_purpose_alone() -> None:
    with pytest.raises(BadInput, match="is not for permit_lapse"):
        propose((STOLEN,), None, drawn=False, purpose="permit_lapse", ladder=LADDER)
    with pytest.raises(BadInput, match="no purpose 'deter'"):
        propose((), None, drawn=False, purpose="deter", ladder=LADDER)
    with pytest.raises(BadInput, match="the band 'extreme'"):
        _propose(band="extreme")


def test_a_table_is_proposed_row_by_row() -> None:
    rules = (STOLEN, ENDED, LONG)
    results = np.array([[1, 0, 0, -1], [0, 1, 1, -1], [0, 0, 1, 0]], dtype=np.int8)
    findings = Findings(rules, results, np.zeros_like(results, dtype=np.int16))
    bands = ["low", "high", None, "moderate"]
    drawn = np.array([False, False, True, False])
    for row, made in enumerate(propose_all(findings, bands, drawn, purpose="secondary_check", ladder=LADDER)):
        assert made == _propose(*findings.hits(row), band=bands[row], drawn=bool(drawn[row]))


def test_nothing_on_the_ladder_refuses_detains_or_cancels() -> None:
    for mitigation in LADDER.mitigations.values():
        said = f"{mitigation.id} {mitigation.title['en']} {mitigation.advice['en']}".lower()
        assert not any(word in said for word in ("refus", "detain", "arrest", "cancel", "deport"))


def _ladder(**changes: Any) -> dict[str, Any]:
    raw: dict[str, Any] = yaml.safe_load((HERE / "mitigations.yaml").read_text(encoding="utf-8"))
    for path, value in changes.items():
        part: Any = raw
        *way, leaf = path.split("__")
        for step in way:
            part = part[step]
        part[leaf] = value
    return raw


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"mitigations__inform__rung": 10}, "share a rung"),
        ({"mitigations__inform__lane": "jail"}, "lane 'jail' is unknown"),
        ({"mitigations__inform__needs": "fact_hit"}, "a higher rung needs less evidence"),
        ({"mitigations__inform__max_minutes": -1}, "max_minutes is -1"),
        ({"mitigations__inform__takes_capacity": "yes"}, "Write true or false"),
        ({"mitigations__inform__purposes": ["deter"]}, "must be a list of"),
        ({"mitigations__inform__title": {"en": "Inform"}}, "must be there in ar, fr and en"),
        ({"mitigations__inform__colour": "red"}, "missing or unknown: colour"),
        ({"mitigations__refer-to-authority__second_person": False}, "must need a fact and a second person"),
        ({"bands__secondary_check__high": "second-line-talk"}, "needs rule_hit, which neither a band nor a draw is"),
        ({"bands__secondary_check__high": "remind"}, "does not serve this purpose"),
        ({"random__secondary_check": "document-chek"}, "Did you mean 'document-check'"),
    ],
)
def test_a_bad_ladder_is_refused(changes: dict[str, Any], message: str, tmp_path: Path) -> None:
    path = tmp_path / "mitigations.yaml"
    path.write_text(yaml.safe_dump(_ladder(**changes), allow_unicode=True), encoding="utf-8")
    with pytest.raises(BadInput, match=message):
        load(path)

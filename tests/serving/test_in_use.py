"""What stands beside a card: what officers did with proposals, what an audit found of inputs, and whom to ask."""

import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pyarrow as pa
import pytest

from evidence.intervals import Interval
from evidence.proxies import TOGETHER, Proxy
from models.risk.card import Card
from records.lake import Lake
from records.tables import table
from serving import audits, model_cards
from serving.accounts import engine_actor
from serving.audits import Kept
from serving.house import House
from serving.in_use import in_use
from serving.languages import LANGUAGES, language
from serving.overrides import overrides
from serving.store import writing
from tests.models.made_proof import audited
from tests.serving.crossings import PURPOSE
from tests.serving.watched_model import speaks_for

SINCE = datetime(2026, 3, 1, tzinfo=UTC)
NOW = SINCE + timedelta(days=30)
MODEL = "ab" * 16
CASES = (
    # event, why and outcome of the selection, and finding and selected_by of the check an hour later
    ("followed", "model", "selected", "refuted", "model"),
    ("followed too", "rule", "selected", "confirmed", "rule"),
    ("left", "model", "selected", "not_checked", "model"),
    ("own choice", None, None, "refuted", "officer"),
    ("no room, checked all the same", "rule", "dropped", "confirmed", "officer"),
    ("drawn", "random", "selected", "not_checked", "random"),
    ("drawn elsewhere", None, None, "refuted", "random"),
    ("open", "model", "selected", None, None),
)


def rows(of, name):
    return pa.Table.from_pylist(of, schema=table(name).lake_schema)


def selection(event, why, outcome, at, model=MODEL, kind="crossing"):
    named = {"selection_id": f"{event} {at}", "subject": "k1.someone", "event_kind": kind, "event": event}
    what = {"model": model, "rulebook": "r", "why": why, "outcome": outcome}
    return named | what | dict.fromkeys(("as_of", "happened_at", "known_at"), at)


def check(event, finding, selected_by, at, kind="crossing"):
    named = {"check_id": f"{event} {at}", "subject": "k1.someone", "event_kind": kind, "event": event}
    return named | {"finding": finding, "selected_by": selected_by} | dict.fromkeys(("happened_at", "known_at"), at)


@pytest.fixture
def lake(installation):
    return Lake.create(installation.settings.lake, buckets=2)


def decided(lake, cases=CASES, at=SINCE):
    """Each case proposed at `at`, and decided an hour later if at all."""
    lake.append(
        "selections", rows([selection(e, why, became, at) for e, why, became, *_ in cases], "selections"), batch="s"
    )
    later = at + timedelta(hours=1)
    checks = [check(event, finding, by, later) for event, _, _, finding, by in cases if finding]
    lake.append("checks", rows(checks, "checks"), batch="c")


def test_cases_are_counted_by_what_asked_for_a_check_and_whether_one_was_made(lake):
    decided(lake)
    found = overrides(lake, PURPOSE, MODEL, SINCE, NOW)
    assert {cause: (share.cases, share.otherwise.value) for cause, share in found.left.items()} == {
        "rule": (1, 0.0),
        "model": (2, 0.5),
    }
    assert (found.own.cases, found.own.otherwise.value) == (4, 0.25)
    assert found.left["model"].otherwise.low < 0.5 < found.left["model"].otherwise.high


def test_only_a_later_check_answers_a_proposal_and_the_newest_counts(lake):
    decided(lake)
    more = [
        check("open", "refuted", "officer", SINCE - timedelta(hours=1)),  # before it was proposed
        check("left", "confirmed", "officer", SINCE + timedelta(hours=2)),  # in the end it was made
        check("followed", "not_checked", "model", NOW + timedelta(hours=1)),  # not known yet
        check("nobody scored it", "refuted", "officer", SINCE + timedelta(hours=2)),
        check("followed", "not_checked", "officer", SINCE + timedelta(hours=2), kind="permit"),
    ]
    lake.append("checks", rows(more, "checks"), batch="more")
    found = overrides(lake, PURPOSE, MODEL, SINCE, NOW)
    assert (found.left["model"].cases, found.left["model"].otherwise.value) == (2, 0.0)
    assert found.own.cases == 5
    assert overrides(lake, PURPOSE, "other", SINCE, NOW).own.cases == 0
    assert overrides(lake, PURPOSE, MODEL, NOW, NOW).own.cases == 0
    assert overrides(lake, "permit_lapse", MODEL, SINCE, NOW).own.cases == 0


def test_a_case_proposed_anew_is_judged_by_the_proposal_that_stood(lake):
    decided(lake)
    anew = [
        selection("own choice", "rule", "selected", SINCE + timedelta(minutes=5)),  # before the check
        selection("left", None, None, SINCE + timedelta(days=1)),  # after it
        selection("followed", None, None, SINCE + timedelta(minutes=5), model="other"),
    ]
    lake.append("selections", rows(anew, "selections"), batch="anew")
    found = overrides(lake, PURPOSE, MODEL, SINCE, NOW)
    assert (found.left["rule"].cases, found.left["model"].cases) == (2, 2)
    assert found.own.otherwise.value == 0.0


@pytest.fixture
def house(installation):
    return House(installation.settings, installation.engine)


def told(house, model, code="en"):
    """The fields of a model's use by their keys, each said in one language."""
    said = model_cards.sections(Card(PURPOSE, model, in_use(house, PURPOSE, model)), language(code))
    return {part.key: part for part in said}


def test_decisions_since_promotion_stand_beside_the_card(house, lake, model):
    assert language("en").say("card.overrides.never") in told(house, model.hash)["overrides"].sentences
    speaks_for(house.settings, model)
    assert "no decision" in told(house, model.hash)["overrides"].sentences[0]
    now = datetime.now(UTC) + timedelta(seconds=1)
    proposed = [{**row, "model": model.hash} for row in (selection(*case[:3], now) for case in CASES)]
    lake.append("selections", rows(proposed, "selections"), batch="s")
    checks = [check(event, finding, by, now) for event, _, _, finding, by in CASES if finding]
    lake.append("checks", rows([{**row, "known_at": SINCE} for row in checks], "checks"), batch="c")
    for code in LANGUAGES:
        part = told(house, model.hash, code)["overrides"]
        assert [row[0] for row in part.rows] == [language(code).say(f"looked.{each}") for each in ("rule", "model")]
        assert [row[1] for row in part.rows] == ["1", "2"]
        assert language(code).number(0.25, 3) in part.sentences[1]


def test_what_stands_for_an_attribute_comes_from_the_newest_audit_that_looked_at_this_model(house, model):
    assert "basira risk audit" in told(house, model.hash)["proxies"].sentences[0]
    found = (
        Proxy("sex", TOGETHER, "F", Interval(0.81, 0.75, 0.85)),
        Proxy("sex", "post_of_crossing", "F", Interval(0.7, 0.6, 0.8), *(Interval(0.44, 0.4, 0.5),) * 3),
    )
    kept = Kept(PURPOSE, model.hash, SINCE, "oversight", audited(0.5), found)
    actor = engine_actor(house.engine, house.settings.keys)
    with writing(house.engine) as connection:
        audits.save(connection, actor, kept)
        audits.save(connection, actor, replace(kept, proxies=()))
        audits.save(connection, actor, replace(kept, model="other", proxies=found[:1]))
    for code in LANGUAGES:
        reader = language(code)
        together, alone = told(house, model.hash, code)["proxies"].rows
        assert together[:3] == (
            reader.say("attribute.sex"),
            reader.say("audit.proxy.together"),
            reader.say("audit.group.sex.F"),
        )
        assert together[4:] == ("", "", "")
        assert "post_of_crossing" in alone[1]
        assert reader.number(0.44, 2) in alone[4]


def test_who_answers_is_read_from_the_charter_and_said_where_nobody_does(house):
    lacking = told(house, None)["contact"].sentences
    assert all("charter.toml" in sentence for sentence in lacking)
    assert any("No data-protection contact" in lack for lack in house.lacks())  # what `basira check` lists
    text = 'controller = "The border authority"\ndata_protection_contact = "rights@authority.example"\n'
    (house.settings.home / "charter.toml").write_text(text, encoding="utf-8")
    for code in LANGUAGES:
        sentences = " ".join(told(house, None, code)["contact"].sentences)
        assert "rights@authority.example" in sentences
        assert "The border authority" in sentences
        assert not re.search(r"charter|card\.", sentences)

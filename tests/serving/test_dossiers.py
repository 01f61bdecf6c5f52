"""Dossiers kept: who may see what, every look written down, and the same bytes once the lake has forgotten."""

import json
import re
import shutil
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from html import unescape

import pytest
import sqlalchemy as sa

from models import folder
from pipelines.steps.assessing import assess_day
from records import journal
from records.errors import BadInput
from records.journal import Actor
from records.lake import Lake
from records.retirement import retire_lake
from serving import dossiers, store
from serving.accounts import NotAllowed
from serving.dossier_forms import as_json, as_page, as_text
from serving.house import House, open_house
from serving.languages import LANGUAGES, language
from serving.outbox import queue_selections
from serving.retirement import retire_casework
from tests.serving.crossings import crossing
from tests.serving.explained import explained, model

OVERSIGHT = Actor("eve", frozenset({"oversight"}))
ANALYST = Actor("ann", frozenset({"analyst"}))


@pytest.fixture
def house(installation):
    made = open_house(installation.settings)
    yield made
    made.engine.dispose()


@pytest.fixture
def batch(house):
    """Six crossings assessed by a model that is kept, the third of them blind."""
    by = model()
    by.save(house.settings.models)
    made = explained([crossing(n) for n in range(6)], by, house.rulebook, house.protection)
    made = [replace(a, blind=n == 2, why="random" if n == 2 else None) for n, a in enumerate(made)]
    with store.writing(house.engine) as connection:
        store.save_assessments(connection, made, zone="Africa/Tunis")
        queue_selections(connection, made)
    return made


def reads(house):
    with house.engine.connect() as connection:
        return list(journal.entries(connection, kind="read"))


def test_it_is_frozen_once_and_every_look_is_written_down(house, batch):
    id = batch[0].id
    first = dossiers.explanation(house, ANALYST, id, "officer", "fr")
    whole = dossiers.explanation(house, OVERSIGHT, id, "oversight", "en", form="page")
    assert (first.digest, first.frozen_at) == (whole.digest, whole.frozen_at)
    assert [(e.actor, e.payload["audience"], e.payload["form"]) for e in reads(house)] == [
        ("ann", "officer", "json"),
        ("eve", "oversight", "page"),
    ]
    assert [(look.who, look.what) for look in whole.looks] == [("ann", "explanation.officer")]
    assert [d.kind for d in whole.decisions] == ["selections"]
    assert first.values is None
    assert first.looks == first.decisions == ()


@pytest.mark.parametrize(
    ("roles", "audience"),
    [
        ({"analyst"}, "oversight"),
        ({"caseworker"}, "officer"),
        ({"planner"}, "officer"),
        ({"administrator"}, "person"),
        ({"protection"}, "person"),
        ({"data_scientist"}, "oversight"),
    ],
)
def test_a_role_that_may_not_is_refused_and_nothing_is_written(house, batch, roles, audience):
    with pytest.raises(NotAllowed):
        dossiers.explanation(house, Actor("x", frozenset(roles)), batch[0].id, audience, "en")
    assert reads(house) == []


def test_an_unknown_id_and_an_unknown_audience_are_said_in_a_sentence(house, batch):
    with pytest.raises(dossiers.Unknown, match="No assessment 'nobody' is stored here"):
        dossiers.explanation(house, OVERSIGHT, "nobody", "officer", "en")
    with pytest.raises(BadInput, match="Audiences are"):
        dossiers.explanation(house, OVERSIGHT, batch[0].id, "press", "en")


def test_a_blind_case_has_no_dossier_before_its_finding(house, batch):
    blind = batch[2]
    with pytest.raises(dossiers.Unseen, match="before its finding is recorded"):
        dossiers.explanation(house, OVERSIGHT, blind.id, "oversight", "en")
    with pytest.raises(dossiers.Unseen):
        dossiers.replay(house, OVERSIGHT, blind.id)
    told = dossiers.explanation(house, ANALYST, blind.id, "officer", "en")
    assert (told.digest, [s.key for s in told.document.sections]) == (None, ["facts", "blind"])
    found = {
        "decision": "check-1",
        "kind": "checks",
        "event_kind": "crossing",
        "event": blind.event,
        "body": {"finding": "confirmed", "finding_kind": "stay_irregular", "selected_by": "random", "officer": "o1"},
        "decided_at": datetime(2026, 3, 2, 12, tzinfo=UTC),
    }
    with store.writing(house.engine) as connection:
        store.insert_new(connection, store.outbox, [found])
    whole = dossiers.explanation(house, OVERSIGHT, blind.id, "oversight", "en")
    assert whole.digest
    assert {d.kind for d in whole.decisions} == {"selections", "checks"}
    assert "Check, selected by random control: irregularity of the stay." in as_text(whole)


def test_what_is_decided_is_frozen_with_it_and_a_blind_case_is_shown_to_nobody_for_that(house, batch):
    """The third is drawn by random control; its dossier is kept as it will read, and asked for in vain until then."""
    made = dossiers.of_decided(house, [replace(batch[0], mitigation=None), replace(batch[2], outcome="selected")])
    assert list(made) == [batch[2].id]
    with store.writing(house.engine) as connection:
        assert dossiers.freeze(connection, OVERSIGHT, made) == 1
        assert dossiers.freeze(connection, OVERSIGHT, made) == 0
        (entry,) = journal.entries(connection, kind=dossiers.FROZEN)
    assert entry.payload["ids"] == [batch[2].id]
    for audience in ("officer", "person"):
        told = dossiers.explanation(house, OVERSIGHT, batch[2].id, audience, "en")
        assert (told.digest, told.pictured) == (None, None)
    with pytest.raises(dossiers.Unseen):
        dossiers.explanation(house, OVERSIGHT, batch[2].id, "oversight", "en")


@pytest.mark.parametrize("code", LANGUAGES)
def test_the_page_shows_how_the_reasons_lead_to_the_score(house, batch, code):
    pages = {
        audience: as_page(dossiers.explanation(house, OVERSIGHT, batch[1].id, audience, code), alone=True)
        for audience in ("officer", "oversight", "person")
    }
    for audience in ("officer", "oversight"):
        assert pages[audience].count("<svg") == 2  # for a desk and for a phone
        assert language(code).say("waterfall.title") in unescape(pages[audience])
        assert not re.search(r"\b(?:https?:)?//(?!www\.w3\.org)", pages[audience])
    assert "<svg" not in pages["person"]
    blind = dossiers.explanation(house, ANALYST, batch[2].id, "officer", code)
    assert "<svg" not in as_page(blind, alone=True)
    told = dossiers.explanation(house, OVERSIGHT, batch[1].id, "oversight", code)
    steps = next(iter(as_json(told)["picture"]["datasets"].values()))
    assert steps[0]["after"] == batch[1].base
    assert steps[-1]["before"] == pytest.approx(batch[1].raw, abs=1e-6)


def test_forms_say_the_same_and_the_page_stands_alone(house, batch):
    for code in LANGUAGES:
        told = dossiers.explanation(house, OVERSIGHT, batch[1].id, "oversight", code)
        text, written = as_text(told), as_json(told)
        page = as_page(told, alone=True)
        assert f'<html lang="{code}" dir="{"rtl" if code == "ar" else "ltr"}">' in page
        assert "<style>" in page
        assert "<script" not in page
        assert "href=" not in page
        assert "size: A4" in page
        for section in written["sections"]:
            assert section["title"] in text
            assert section["title"] in page.replace("&#39;", "'")
        assert written["values"]["score"]["raw"] == batch[1].raw
    officer = as_json(dossiers.explanation(house, ANALYST, batch[1].id, "officer", "en"))
    assert not {"values", "looks", "decisions", "digest"} & set(officer)


def test_replaying_gives_the_same_bytes_and_says_what_differs_where_it_does_not(house, batch):
    again = dossiers.replay(house, OVERSIGHT, batch[0].id)
    assert (again.same, again.differs) == (True, ())
    with store.writing(house.engine) as connection:
        body = dict(connection.scalar(sa.select(store.assessments.c.body).where(store.assessments.c.id == batch[0].id)))
        body["inputs"] = {**body["inputs"], "declared_stay_days": 100.0}
        changed = store.assessments.update().where(store.assessments.c.id == batch[0].id).values(body=body)
        connection.execute(changed)
    again = dossiers.replay(house, OVERSIGHT, batch[0].id)
    assert not again.same
    assert any(d.startswith("assessment.raw: ") for d in again.differs)
    assert not again.words_alone


def test_a_dossier_put_in_the_place_of_another_is_noticed(house, batch):
    dossiers.explanation(house, OVERSIGHT, batch[0].id, "oversight", "en")
    with store.writing(house.engine) as connection:
        one = store.dossiers.c.assessment == batch[0].id
        held = connection.scalar(sa.select(store.dossiers.c.body).where(one))
        connection.execute(store.dossiers.update().where(one).values(body=held.replace(b"raised", b"low")))
    again = dossiers.replay(house, OVERSIGHT, batch[0].id)
    assert not again.same
    assert any(d.startswith("digest: ") for d in again.differs)


def test_words_that_were_changed_since_are_told_from_figures(house, batch, monkeypatch):
    dossiers.explanation(house, OVERSIGHT, batch[0].id, "oversight", "en")
    monkeypatch.setitem(dossiers.language("en").texts, "dossier.proposal.line", "Another sentence.")
    again = dossiers.replay(house, OVERSIGHT, batch[0].id)
    assert not again.same
    assert again.words_alone


def test_a_model_keeps_the_name_it_was_written_under(house):
    """A later version may write more than it finds; a replay asks by the name that was known then."""
    by = model()
    files = folder.read(by.save(house.settings.models))
    content = json.loads(files["model.json"])
    del content["calibrator"]["shift"]
    earlier = folder.write(house.settings.models, files | {"model.json": json.dumps(content).encode()})
    assert house.model(earlier.name).hash == earlier.name != by.hash


def test_a_rulebook_that_is_not_kept_is_asked_for(house, batch):
    shutil.rmtree(house.settings.rulebooks)
    (house.settings.rulebooks).mkdir()
    strange = replace(batch[0], rulebook="0" * 64)
    with pytest.raises(BadInput, match="is not kept"):
        dossiers.frozen(house, OVERSIGHT, strange)


def test_a_dossier_goes_with_its_assessment(house, batch):
    dossiers.explanation(house, OVERSIGHT, batch[0].id, "oversight", "en")
    now = datetime.now(UTC) + timedelta(days=1)
    with store.writing(house.engine) as connection:
        gone = retire_casework(connection, OVERSIGHT, now, now=now)
        assert gone.payloads == 2  # the look, and that it was frozen
        assert connection.scalar(sa.select(sa.func.count()).select_from(store.dossiers)) == 0
    assert journal.verify(house.engine).sound


def test_the_same_bytes_once_the_lake_has_forgotten(house, small_home, monkeypatch):
    """Frozen with what the day decided, nobody having asked, and made again when no row of the lake is left."""
    shutil.copytree(small_home.lake, house.settings.lake)
    by = model()
    by.save(house.settings.models)
    monkeypatch.setattr(House, "champion", lambda _, purpose: by)
    assessed = assess_day(house.settings, "secondary_check", print).assessments
    for a in (a for a in assessed if a.assessable):  # every score is explained, and nothing has to be asked for
        assert a.base + sum(reason.push for reason in a.reasons) == pytest.approx(a.raw, abs=1e-7)
    kept = sa.select(store.dossiers.c.assessment, store.dossiers.c.digest)
    with house.engine.connect() as connection:
        then = dict(connection.execute(kept).all())
    assert then.keys() == {a.id for a in assessed if a.mitigation or a.outcome}
    assert then
    lake = Lake.open(house.settings.lake)
    assert retire_lake(datetime(2100, 1, 1, tzinfo=UTC), lake)["crossings"] > 0
    assert lake.read("crossings").num_rows == 0
    shown = [a.id for a in assessed if a.id in then and not a.blind]
    assert shown
    for id in shown:
        again = dossiers.replay(house, OVERSIGHT, id)
        assert (again.same, again.digest) == (True, then[id]), again.differs


@pytest.mark.parametrize("form", ["json", "text", "page"])
def test_over_http(client, installation, house, batch, form):
    address = f"/v1/assessments/{batch[0].id}/explanation"
    asked = {"audience": "oversight", "lang": "ar", "form": form}
    answer = client.get(address, params=asked, headers=installation.bearer("oversight"))
    assert answer.status_code == 200, answer.text
    assert "ملف تقييم واحد" in (answer.json()["title"] if form == "json" else answer.text)
    assert client.get(address, params=asked, headers=installation.bearer("analyst")).status_code == 403
    assert client.get(address, params=asked).status_code == 401
    assert client.get(address.replace(batch[0].id, "x"), headers=installation.bearer("analyst")).status_code == 404
    blind = client.get(
        address.replace(batch[0].id, batch[2].id), params=asked, headers=installation.bearer("oversight")
    )
    assert (blind.status_code, "blind" in blind.json()["title"]) == (409, True)
    assert client.get(address, params={"audience": "press"}, headers=installation.bearer("analyst")).status_code == 422

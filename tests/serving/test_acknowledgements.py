"""An alarm on a model is acknowledged by a person, with a reason, in the journal; it stands all the same."""

import re
from dataclasses import replace
from datetime import date, timedelta

import pyarrow as pa
import pytest

from records import journal
from records.errors import BadInput
from records.journal import Actor
from records.lake import Lake
from records.tables import table
from serving.accounts import NotAllowed
from serving.acknowledgements import KIND, MOST_LETTERS
from serving.house import open_house
from serving.languages import LANGUAGES, language
from serving.watches import Standing, acknowledge, acknowledged_in_words, standing
from tests.serving.crossings import PURPOSE
from tests.serving.pages import form_key
from tests.serving.watched_model import ALARMED, looked, referenced, speaks_for

DORA = Actor("dora", frozenset({"data_scientist"}))
OLGA = Actor("olga", frozenset({"oversight"}))
WHY = "New routes since May; trained anew on Monday"


@pytest.fixture
def house(installation):
    """A house whose champion gives an alarm about both claims."""
    looked(installation.settings, **ALARMED)
    made = open_house(installation.settings)
    yield made
    made.engine.dispose()


def alarmed(house) -> Standing:
    found = standing(house, PURPOSE)
    assert isinstance(found, Standing)
    assert {claim.what for claim in found.alarms} == {"calibration", "prevalence"}
    return found


def since_of(house, what="calibration"):
    return next(claim.alarm.since for claim in alarmed(house).alarms if claim.what == what)


def look(house, found: Standing, day: date, **said) -> None:
    """Put one more look at a model into the lake, by which both its claims stand as `said`."""
    rows = [dict(claim.now) | {"day": day, **said} for claim in found.claims]
    made = pa.Table.from_pylist(rows, schema=table("watches").lake_schema)
    Lake.open(house.settings.lake).append("watches", made, batch=f"{day}")


def entries(house):
    with house.engine.connect() as connection:
        return list(journal.entries(connection, kind=KIND))


def test_the_journal_keeps_who_when_which_alarm_with_what_evidence_and_why(house):
    acknowledge(house, DORA, PURPOSE, "calibration", since_of(house), f"  {WHY} ")
    found = alarmed(house)
    (entry,), (calibration, prevalence) = entries(house), found.claims
    assert (entry.actor, entry.roles) == ("dora", ("data_scientist",))
    assert entry.payload == {
        "purpose": PURPOSE,
        "model": found.model,
        "what": "calibration",
        "since": calibration.now["since"].isoformat(),
        "evidence": calibration.now["evidence"],
        "reason": WHY,
    }
    (said,) = calibration.acknowledged
    assert (said.by, said.at, said.reason) == ("dora", entry.at, WHY)
    assert said.at.utcoffset() == timedelta(hours=1)  # as clocks in Tunis show it
    assert prevalence.acknowledged == ()
    assert journal.verify(house.engine).sound


def test_it_silences_nothing_and_starts_nothing_afresh(house):
    before, lake = alarmed(house), Lake.open(house.settings.lake)
    version = lake.version("watches")
    for what in ("calibration", "prevalence"):
        acknowledge(house, DORA, PURPOSE, what, since_of(house, what), WHY)
    after = alarmed(house)
    assert (after.state, after.since) == ("alarm", before.since)
    assert replace(after, claims=tuple(replace(claim, acknowledged=()) for claim in after.claims)) == before
    assert lake.version("watches") == version


def test_each_person_says_it_once(house):
    for actor in (DORA, OLGA):
        acknowledge(house, actor, PURPOSE, "calibration", since_of(house), f"{actor.name} looks into it")
    with pytest.raises(BadInput, match="dora has acknowledged this alarm before"):
        acknowledge(house, DORA, PURPOSE, "calibration", since_of(house), "again")
    assert [said.by for said in alarmed(house).claims[0].acknowledged] == ["dora", "olga"]


def test_an_alarm_raised_on_another_day_is_not_acknowledged_yet(house):
    acknowledge(house, DORA, PURPOSE, "calibration", since_of(house), WHY)
    found = alarmed(house)
    end, restart = found.day + timedelta(days=1), found.day + timedelta(days=2)
    look(house, found, end, state="quiet", since=None)
    quiet = standing(house, PURPOSE)
    assert (quiet.state, quiet.claims[0].acknowledged) == ("quiet", ())
    look(house, found, restart, state="alarm", since=restart)
    again = alarmed(house)
    assert all(claim.acknowledged == () for claim in again.claims)
    with pytest.raises(BadInput, match=f"Alarms now: 'calibration' since {restart}"):
        acknowledge(house, DORA, PURPOSE, "calibration", found.alarms[0].alarm.since, WHY)
    acknowledge(house, DORA, PURPOSE, "calibration", since_of(house), "Once more")
    assert [said.reason for said in alarmed(house).claims[0].acknowledged] == ["Once more"]


def test_the_next_champion_is_not_acknowledged_by_what_was_said_of_the_former(house):
    acknowledge(house, DORA, PURPOSE, "calibration", since_of(house), WHY)
    former = alarmed(house)
    rows = Lake.open(house.settings.lake).read("watches")
    other = referenced(confirmed=181)
    speaks_for(house.settings, other)
    named = pa.array([other.hash] * rows.num_rows)
    again = rows.set_column(rows.schema.get_field_index("model"), "model", named)
    Lake.open(house.settings.lake).append("watches", again.select(table("watches").lake_schema.names), batch="other")
    found = alarmed(house)
    assert found.model == other.hash != former.model
    assert found.claims[0].alarm.since == former.claims[0].alarm.since
    assert all(claim.acknowledged == () for claim in found.claims)


def test_what_cannot_be_acknowledged_is_said(house):
    day = since_of(house)
    with pytest.raises(BadInput, match="with a reason"):
        acknowledge(house, DORA, PURPOSE, "calibration", day, " \n ")
    with pytest.raises(BadInput, match=f"{MOST_LETTERS + 1} letters"):
        acknowledge(house, DORA, PURPOSE, "calibration", day, "x" * (MOST_LETTERS + 1))
    with pytest.raises(BadInput, match="there is none to acknowledge"):
        acknowledge(house, DORA, PURPOSE, "calibration", day + timedelta(days=1), WHY)
    with pytest.raises(BadInput, match=r"'permit_lapse' gives no alarm .* Alarms now: none"):
        acknowledge(house, DORA, "permit_lapse", "calibration", day, WHY)
    for role in ("analyst", "caseworker", "planner", "administrator", "engine"):
        with pytest.raises(NotAllowed):
            acknowledge(house, Actor("x", frozenset({role})), PURPOSE, "calibration", day, WHY)
    assert entries(house) == []


@pytest.mark.parametrize("code", LANGUAGES)
def test_it_is_said_in_every_language(house, code):
    acknowledge(house, DORA, PURPOSE, "calibration", since_of(house), WHY)
    (said,) = alarmed(house).claims[0].acknowledged
    words = acknowledged_in_words(said, language(code))
    assert "dora" in words
    assert language(code).day(said.at.date()) in words


def test_it_is_done_by_the_api_under_the_account_that_sends_it(house, client, installation):
    headers, address = installation.bearer("oversight"), f"/v1/watch/{PURPOSE}"
    sent = {"claim": "calibration", "since": since_of(house).isoformat(), "reason": WHY}
    told = client.post(address, json=sent, headers=headers).json()
    assert (told["state"], told["claims"][0]["state"]) == ("alarm", "alarm")
    (said,) = told["claims"][0]["acknowledged"]
    assert (said["by"], said["reason"], said["evidence"]) == ("oversight", WHY, told["claims"][0]["evidence"])
    assert told == client.get("/v1/watch", headers=headers).json()[PURPOSE]
    assert [entry.actor for entry in entries(house)] == ["oversight"]


REFUSED = (
    (PURPOSE, {"reason": "  "}, 400, "with a reason"),
    (PURPOSE, {"since": "2020-01-01"}, 400, "there is none to acknowledge"),
    ("permit_lapse", {}, 400, "Alarms now: none"),
    ("weather", {}, 404, "There is no model 'weather'"),
    (PURPOSE, {"claim": "order"}, 422, "claim"),
    (PURPOSE, {"since": "soon"}, 422, "since"),
    (PURPOSE, {"reason": "x" * (MOST_LETTERS + 1)}, 422, "reason"),
    (PURPOSE, {"silence": True}, 422, "silence"),
)


def test_the_api_refuses_in_words(house, client, installation):
    good = {"claim": "calibration", "since": since_of(house).isoformat(), "reason": WHY}
    headers = installation.bearer("data_scientist")
    for address, changed, status, words in REFUSED:
        answer = client.post(f"/v1/watch/{address}", json=good | changed, headers=headers)
        assert (answer.status_code, answer.headers["content-type"]) == (status, "application/problem+json"), changed
        assert words in answer.json()["detail"]
    assert entries(house) == []


def test_who_may_acknowledge(house, client, installation):
    sent = {"claim": "calibration", "since": since_of(house).isoformat(), "reason": WHY}
    for role in installation.passwords:
        answer = client.post(f"/v1/watch/{PURPOSE}", json=sent, headers=installation.bearer(role))
        assert answer.status_code == (200 if role in ("data_scientist", "oversight") else 403), role
    assert sorted(entry.actor for entry in entries(house)) == ["data_scientist", "oversight"]


def test_a_page_session_cannot_send_it_to_the_api(house, enter):
    sent = {"claim": "calibration", "since": since_of(house).isoformat(), "reason": WHY}
    assert enter("oversight").post(f"/v1/watch/{PURPOSE}", json=sent).status_code == 403
    assert entries(house) == []


@pytest.mark.parametrize("code", LANGUAGES)
def test_the_page_takes_it_from_its_own_form(house, enter, code):
    client, reader = enter("data_scientist", code), language(code)
    page = client.get("/watch?kind=crossing").text
    assert page.count(reader.say("watch.acknowledged.nobody")) == 2
    hidden = dict(re.findall(r'name="(kind|claim|since)" value="([^"]+)"', page.split('value="prevalence"')[0]))
    assert hidden == {"kind": "crossing", "claim": "calibration", "since": since_of(house).isoformat()}
    sent = hidden | {"form_key": form_key(page), "reason": f"<b>{WHY}</b>"}
    assert client.post("/watch", data={**sent, "form_key": "guess"}).status_code == 403
    assert client.post("/watch", data=sent, headers={"origin": "http://elsewhere.test"}).status_code == 403
    assert client.post("/watch", data={**sent, "reason": ""}).status_code == 400
    assert client.post("/watch", data={**sent, "since": "2020-01-01"}).status_code == 400
    assert client.post("/watch", data={**sent, "kind": "permit"}).status_code == 400
    assert entries(house) == []
    answer = client.post("/watch", data=sent)
    assert (answer.status_code, answer.headers["location"]) == (303, "/watch?kind=crossing")
    page = client.get("/watch?kind=crossing").text
    assert f'<blockquote dir="auto">&lt;b&gt;{WHY}&lt;/b&gt;</blockquote>' in page
    assert page.count(reader.say("watch.acknowledged.nobody")) == 1
    assert 'name="claim" value="calibration"' not in page  # once is enough
    assert 'name="claim" value="prevalence"' in page
    assert "watch-alarm" in page


def test_who_only_reads_sees_it_and_sends_nothing(house, enter):
    acknowledge(house, DORA, PURPOSE, "calibration", since_of(house), WHY)
    client = enter("analyst")
    page = client.get("/watch?kind=crossing").text
    assert WHY in page
    assert 'name="reason"' not in page
    sent = {"kind": "crossing", "claim": "prevalence", "since": since_of(house, "prevalence").isoformat()}
    answer = client.post("/watch", data={**sent, "form_key": form_key(page), "reason": WHY})
    assert answer.status_code == 403
    assert len(entries(house)) == 1


def test_where_there_is_no_alarm_nothing_asks_for_a_word(installation, enter):
    looked(installation.settings)
    page = enter("oversight").get("/watch?kind=crossing").text
    assert "watch-quiet" in page
    assert 'name="reason"' not in page
    assert language("en").say("watch.acknowledged.title") not in page

"""Whether a model still holds, said and drawn in three languages: quiet, alarm, or too few findings to say."""

import json

import pytest

from models.risk.watching import ALARM
from serving.drawing import Look, svg
from serving.house import open_house
from serving.languages import LANGUAGES, language
from serving.watch_pictures import by_period, evidence, shifts
from serving.watches import LACKS, Standing, claim_in_words, evidence_in_words, in_words, input_in_words, standing
from tests.serving.crossings import PURPOSE, READS
from tests.serving.pages import hosts
from tests.serving.small_model import small_model
from tests.serving.watched_model import ALARMED, looked, referenced, speaks_for

STATES = {"quiet": {}, "alarm": ALARMED, "too_few": {"days": 40, "per_day": 1.5}}


@pytest.fixture
def found(installation):
    def made(**how) -> Standing:
        looked(installation.settings, **how)
        told = standing(open_house(installation.settings), PURPOSE)
        assert isinstance(told, Standing)
        return told

    return made


@pytest.mark.parametrize("state", STATES)
def test_the_state_is_what_the_claims_say(found, state):
    told = found(**STATES[state])
    assert told.state == state
    assert (told.since is not None) == (state == "alarm")
    said = in_words(told, language("en"))
    begins = {"quiet": "Quiet", "alarm": "Alarm since ", "too_few": "Too few control findings to say: "}
    assert said.state.startswith(begins[state])
    assert said.because
    assert said.do
    assert said.counted == "3 drawn cases await their finding. Drawn and ended without one: 11."
    assert "at most 5 of 100" in said.promise


def test_an_alarm_says_since_when_why_and_what_to_do(found):
    told = found(**ALARMED)
    said = in_words(told, language("en"))
    (calibration, prevalence) = told.claims
    assert told.since == min(claim.now["since"] for claim in (calibration, prevalence))
    assert language("en").day(told.since) in said.state
    findings, confirmed, expected = calibration.recently(calibration.now["since"])
    assert 0 < findings < calibration.now["rows"]
    assert confirmed > expected
    assert f"{findings:,} findings" in said.because[0]
    assert f"basira risk train {PURPOSE}" in said.do


def test_too_few_says_how_many_of_how_many(found):
    told = found(**STATES["too_few"])
    now = told.claims[0].now
    assert f"{now['rows']} of {now['needed']}" in in_words(told, language("en")).state


def test_what_is_lacking_is_said(installation):
    house = open_house(installation.settings)
    assert standing(house, PURPOSE) == "no_champion"
    looked(installation.settings, days=5)
    assert isinstance(standing(house, PURPOSE), Standing)
    assert standing(house, "permit_lapse") == "no_champion"


def test_inputs_that_shifted_most_come_first(found):
    told = found()
    assert told.inputs[0]["about"] in (READS[0], READS[2])
    assert {row["about"] for row in told.shifted} == {READS[0], READS[2]}
    for code in LANGUAGES:
        named = {input_in_words(row, "crossing", language(code))["title"] for row in told.inputs}
        assert not any(name in READS or name.endswith((":", ": …")) for name in named)
    states = {row["about"]: input_in_words(row, "crossing", language("en")) for row in told.inputs}
    assert states[READS[2]]["unseen_before"] == "0"
    assert float(states[READS[2]]["unseen"]) > 20
    assert states[READS[1]]["state"] == "As it did"


@pytest.mark.parametrize("code", LANGUAGES)
@pytest.mark.parametrize("state", STATES)
def test_all_of_it_is_said_and_drawn_in_every_language(found, code, state):
    told, reader = found(**STATES[state]), language(code)
    said = in_words(told, reader)
    assert all((said.state, *said.because, said.do, said.counted, said.promise))
    assert all(claim_in_words(claim, reader) for claim in told.claims)
    look, narrow = Look(reader), Look(reader, width=340)
    pictures = [picture(told, each) for picture in (evidence, by_period, shifts) for each in (look, narrow)]
    for spec in pictures:
        assert json.loads(json.dumps(spec)) == spec
        assert svg(spec).startswith("<svg")


def test_evidence_beyond_a_million_is_no_more():
    assert evidence_in_words(3e12, language("en")) == "more than 1,000,000"
    assert evidence_in_words(49.96, language("en")) == "50"
    assert evidence_in_words(0.0123, language("en")) == "0.012"


def test_the_picture_of_evidence_has_the_line_of_the_alarm(found):
    spec = evidence(found(**ALARMED), Look(language("fr")))
    drawn = [row for rows in spec["datasets"].values() for row in rows]
    assert {"evidence": ALARM, "words": "Alarme"} in drawn
    assert max(row["evidence"] for row in drawn) > ALARM


@pytest.mark.parametrize("code", LANGUAGES)
def test_the_page_shows_it_and_asks_no_other_host(installation, enter, code):
    looked(installation.settings, **ALARMED)
    page = enter("data_scientist", code).get("/watch?kind=crossing")
    assert page.status_code == 200
    assert language(code).say("watch.title") in page.text
    assert page.text.count("<svg") == 6  # three pictures, for a desk and for a phone
    assert hosts(page.text) == set()
    assert READS[0] in page.text.replace("\u200b", "")
    assert "watch-alarm" in page.text


def test_the_page_says_what_is_lacking(installation, enter):
    client = enter("data_scientist")
    assert "No model speaks for this yet" in client.get("/watch?kind=permit").text
    assert client.get("/watch?kind=bogus").status_code == 400


def test_the_api_tells_what_the_page_shows(installation, client, found):
    told, reader = found(**ALARMED), language("fr")
    headers = installation.bearer("oversight") | {"accept-language": "fr"}
    answer = client.get("/v1/watch", headers=headers).json()
    assert answer["permit_lapse"] == {"lack": "no_champion", "said": {"state": reader.say(LACKS["no_champion"])}}
    model, said = answer[PURPOSE], in_words(told, reader)
    assert (model["lack"], model["model"], model["state"]) == (None, told.model, "alarm")
    assert [model[name] for name in ("finished", "day", "since")] == [
        day.isoformat() for day in (told.finished, told.day, told.since)
    ]
    assert model["said"] == {**vars(said), "because": list(said.because)}
    for claim, have in zip(model["claims"], told.claims, strict=True):
        assert (claim["claim"], claim["acknowledged"]) == (have.what, [])
        assert claim["said"]["stands"] == claim_in_words(have, reader)
        assert claim["since"] == have.now["since"].isoformat()
        assert all(claim[name] == have.now[name] for name in ("rows", "needed", "confirmed", "expected", "evidence"))
        assert len(claim["days"]) == len(have.rows) == ALARMED["days"]
        assert [day["evidence"] for day in claim["days"]] == [row["evidence"] for row in have.rows]
    assert [each["about"] for each in model["inputs"]] == [row["about"] for row in told.inputs]
    assert [each["about"] for each in model["inputs"] if each["state"] == "shifted"] == [
        row["about"] for row in told.shifted
    ]
    assert model["score"]["psi"] == told.score["psi"]


def test_each_reads_of_the_models_whose_drivers_they_may_read(installation, client):
    allowed = {"analyst": {PURPOSE}, "caseworker": {"permit_lapse"}, "data_scientist": {PURPOSE, "permit_lapse"}}
    for role, names in allowed.items():
        assert set(client.get("/v1/watch", headers=installation.bearer(role)).json()) == names
    refused = client.get("/v1/watch", headers=installation.bearer("planner"))
    assert refused.status_code == 403
    assert "read:secondary_check_drivers or read:permit_lapse_drivers" in refused.json()["detail"]


def test_who_may_not_read_drivers_may_not_read_this(installation, enter):
    assert enter("planner").get("/watch").status_code == 403
    assert enter("caseworker").get("/watch?kind=crossing").status_code == 403
    assert enter("oversight").get("/watch?kind=permit").status_code == 200


def test_a_model_made_before_references_were_kept_is_named(installation, enter):
    speaks_for(installation.settings, small_model())
    assert standing(open_house(installation.settings), PURPOSE) == "no_reference"
    assert "before references were kept" in enter("data_scientist", "en").get("/watch").text


def test_a_model_that_nobody_looked_at_is_named(installation):
    speaks_for(installation.settings, referenced())
    assert standing(open_house(installation.settings), PURPOSE) == "not_looked"

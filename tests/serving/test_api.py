"""The HTTP interface: tokens, purposes, problem documents, and the same answers live as stored."""

import subprocess
import sys
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from records import journal
from records.errors import BadInput
from records.settings import Mode
from serving import api, live, store
from tests.serving.crossings import assessed, crossing

PLANNERS = ("/v1/forecasts", "/v1/forecasts/card", "/v1/staffing", "/v1/offices", "/v1/alarms", "/v1/scenarios")
EVERYTHING = ("/v1/assessments", "/v1/openapi.json", "/v1/watch", *PLANNERS)


@pytest.fixture
def batch(model, rulebook, protection):
    return assessed([crossing(n) for n in range(6)], model, rulebook, protection)


@pytest.fixture
def filled(installation, batch):
    blind = [replace(a, blind=n == 2, why="random" if n == 2 else None) for n, a in enumerate(batch)]
    with store.writing(installation.engine) as connection:
        store.save_assessments(connection, blind, zone="Africa/Tunis")
    return blind


def test_health_needs_no_token_and_names_nobody(client, filled, rulebook):
    answer = client.get("/healthz")
    told = answer.json()
    assert (answer.status_code, told["status"], told["mode"]) == (200, "ok", "demo")
    assert told["newest_day"] == {"crossing": "2026-03-02", "permit": None}
    assert told["rulebook"] == rulebook.hash
    assert "k1." not in answer.text
    assert "C000" not in answer.text


@pytest.mark.parametrize("address", EVERYTHING)
def test_everything_else_needs_a_token(client, address):
    for headers in ({}, {"Authorization": "Bearer made-up"}, {"Authorization": "Basic YTpi"}):
        answer = client.get(address, headers=headers)
        assert answer.status_code == 401
        assert answer.headers["content-type"] == "application/problem+json"
        assert answer.headers["www-authenticate"] == "Bearer"
        assert set(answer.json()) == {"type", "title", "status", "detail", "remedy", "instance"}
    assert client.post("/v1/assess", json={"event_kind": "crossing", "events": ["C1"]}).status_code == 401


def test_assessments_of_the_newest_day(client, installation, filled):
    told = client.get("/v1/assessments", headers=installation.bearer("analyst")).json()
    assert (told["day"], told["total"]) == ("2026-03-02", 6)
    first, *others = told["assessments"]
    assert first["blind"]
    assert not {"raw", "score", "band", "reasons", "why", "inputs", "findings", "mitigation"} & set(first)
    assert [a["raw"] for a in others] == sorted((a["raw"] for a in others), reverse=True)
    assert all("referrals" not in a and "regime" not in a["facts"] for a in told["assessments"])


def test_reading_is_journalled_once_per_answer(client, installation, filled):
    client.get("/v1/assessments?limit=3", headers=installation.bearer("oversight"))
    with installation.engine.connect() as connection:
        (read,) = journal.entries(connection, kind="read")
    assert (read.actor, len(read.payload["ids"])) == ("oversight", 3)


@pytest.mark.parametrize("role", ["planner", "administrator", "data_scientist", "protection", "caseworker"])
def test_scores_are_read_for_their_purpose_only(client, installation, filled, role):
    answer = client.get("/v1/assessments?event_kind=crossing", headers=installation.bearer(role))
    assert (answer.status_code, answer.json()["title"]) == (403, "Not covered by your roles")


def test_a_post_never_sees_permit_scores(client, installation, filled):
    headers = installation.bearer("analyst")
    assert client.get("/v1/assessments?event_kind=permit", headers=headers).status_code == 403
    body = {"event_kind": "permit", "events": ["F1|2026-05-01"]}
    assert client.post("/v1/assess", json=body, headers=headers).status_code == 403


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"event_kind": "crossing", "events": []},
        {"event_kind": "ship", "events": ["C1"]},
        {"event_kind": "crossing", "events": ["C1"], "score": 1},
        {"event_kind": "crossing", "events": ["C1"] * 501},
    ],
)
def test_a_body_that_is_not_as_described(client, installation, body):
    answer = client.post("/v1/assess", json=body, headers=installation.bearer("analyst"))
    assert answer.status_code == 422
    assert answer.headers["content-type"] == "application/problem+json"
    assert "C1" not in answer.json()["detail"]


@pytest.fixture
def lake(monkeypatch, model, rulebook, protection):
    """A lake of 10 crossings, as far as live requests look at it."""

    held = {f"C{n:04}": crossing(n) for n in range(10)}

    def answer(_house, _purpose, events):
        return live.Answer(assessed([held[e] for e in events if e in held], model, rulebook, protection), behind=0)

    monkeypatch.setattr(live, "assess_events", answer)


def test_live_answers_as_stored_and_names_what_it_did_not_find(client, installation, filled, lake):
    body = {"event_kind": "crossing", "events": ["C0001", "C0002", "C0008", "C9999"]}
    told = client.post("/v1/assess", json=body, headers=installation.bearer("analyst")).json()
    assert told["not_found"] == ["C9999"]
    one, blind, new = told["assessments"]
    assert (one["id"], one["raw"]) == (filled[1].id, filled[1].raw)
    assert blind["blind"]
    assert "score" not in blind
    assert new["event"] == "C0008"
    assert new["score"] is not None


def test_a_page_session_cannot_post_to_the_api(client, installation, lake):
    client.post("/sign-in", data={"name": "analyst", "password": installation.passwords["analyst"]})
    answer = client.post("/v1/assess", json={"event_kind": "crossing", "events": ["C0001"]})
    assert answer.status_code == 403


def test_before_there_is_a_lake_the_answer_says_what_to_do(client, installation):
    body = {"event_kind": "crossing", "events": ["C0001"]}
    answer = client.post("/v1/assess", json=body, headers=installation.bearer("analyst"))
    assert answer.status_code == 400
    assert answer.json()["remedy"]


def test_an_unknown_address_is_a_problem_too(client):
    answer = client.get("/v1/nowhere")
    assert (answer.status_code, answer.json()["status"]) == (404, 404)


def test_production_names_each_thing_it_lacks(installation):
    with pytest.raises(BadInput) as refused:
        api.create_app(replace(installation.settings, mode=Mode.PRODUCTION))
    for lack in ("invented basis", "Demonstration accounts", "controller", "data-protection", "retention", "signed"):
        assert lack in str(refused.value)


def test_the_server_leaves_prefect_mlflow_and_shap_alone(tmp_path):
    program = f"""
import sys
from pathlib import Path
from records.settings import settings
from serving.api import create_app
create_app(settings(Path({str(tmp_path)!r})))
heavy = [m for m in ("prefect", "mlflow", "shap") if m in sys.modules]
assert not heavy, heavy
"""
    done = subprocess.run([sys.executable, "-c", program], check=False, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_times_are_told_in_utc(filled):
    assert filled[0].as_json()["as_of"] == datetime(2026, 3, 2, 8, tzinfo=UTC).isoformat()

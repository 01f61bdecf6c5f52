"""The programming interface for planners: tables in three forms, pictures, alarms and scenarios, by role."""

import io
from itertools import pairwise

import pyarrow.csv
import pyarrow.parquet as pq
import pytest

from models.volumes.rhythm import COLUMNS
from tests.serving.published_run import RAS_JEDIR

READ = (
    "/v1/forecasts?level=post",
    "/v1/forecasts/nodes",
    "/v1/forecasts/card",
    "/v1/forecasts/came",
    "/v1/forecasts/now",
    "/v1/forecasts/classes",
    "/v1/staffing",
    "/v1/staffing/curve",
    "/v1/offices",
    "/v1/alarms",
    "/v1/scenarios",
    "/v1/scenarios/effect?change=closed&first=2026-03-10",
)


@pytest.fixture
def planner(client, installation):
    client.headers.update(installation.bearer("planner"))
    return client


@pytest.mark.parametrize("role", ["planner", "oversight", "caseworker", "administrator", "protection"])
def test_who_reads_forecasts_reads_all_of_it(client, installation, run, role):
    headers = installation.bearer(role)
    expected = 200 if role in ("planner", "oversight") else 403
    assert {address: client.get(address, headers=headers).status_code for address in READ} == dict.fromkeys(
        READ, expected
    )


def test_forecasts_of_a_level_and_of_a_node_between_days(planner, run):
    rows = planner.get("/v1/forecasts?level=mode&step=month").json()["rows"]
    assert {row["mode"] for row in rows} == {"air", "land"}
    asked = {"node": RAS_JEDIR, "from": "2026-03-05", "to": "2026-03-07"}
    rows = planner.get("/v1/forecasts", params=asked).json()["rows"]
    assert [row["ds"] for row in rows] == ["2026-03-05T00:00", "2026-03-06T00:00"]
    assert all(row[low] <= row[high] for row in rows for low, high in pairwise(COLUMNS))
    refused = planner.get("/v1/forecasts", params={**asked, "to": "2026-03-05"})
    assert (refused.status_code, "Give a later" in refused.json()["detail"]) == (400, True)
    assert planner.get("/v1/forecasts?node=nowhere").status_code == 400


def test_the_same_rows_as_csv_and_parquet(planner, run):
    address = "/v1/forecasts?level=nation&step=day"
    rows = planner.get(address).json()["rows"]
    as_csv = pyarrow.csv.read_csv(io.BytesIO(planner.get(f"{address}&form=csv").content))
    answer = planner.get(f"{address}&form=parquet")
    as_parquet = pq.read_table(io.BytesIO(answer.content))
    assert as_csv["q0.5"].to_pylist() == as_parquet["q0.5"].to_pylist() == [row["q0.5"] for row in rows]
    assert "forecasts-day.parquet" in answer.headers["content-disposition"]


def test_pictures_are_specifications_and_drawings(planner, run):
    told = planner.get("/v1/forecasts/picture?form=json&width=350&dark=true", headers={"accept-language": "ar"}).json()
    assert told["config"]["axisY"]["orient"] == "right"
    assert told["config"]["locale"]["time"]["months"][0] == "جانفي"
    for address in (
        "/v1/forecasts/picture?change=closed&first=2026-03-10&last=2026-03-11",
        "/v1/forecasts/moved/picture?node=total&day=2026-03-02",
        "/v1/staffing/picture?post=ras-jedir&day=2026-03-02",
        "/v1/staffing/picture?post=ras-jedir&of=curve",
        "/v1/offices/picture?office=tunis-bab-bhar",
    ):
        assert planner.get(address).text.startswith("<svg"), address
    assert planner.get("/v1/forecasts/moved/picture?node=total&day=2026-12-02").status_code == 400


def test_a_picture_shows_what_came_before_on_its_first_page_alone(planner, run):
    def drawn(**params):
        told = planner.get("/v1/forecasts/picture", params={"form": "json", "node": RAS_JEDIR, **params}).json()
        return "came" in str(told["layer"])

    assert drawn()
    assert drawn(**{"from": "2026-03-02"})
    assert not drawn(**{"from": "2026-04-01"})
    rows = planner.get("/v1/forecasts/came", params={"node": RAS_JEDIR}).json()["rows"]
    assert (len(rows), rows[-1]["ds"][:10]) == (28, "2026-03-01")


def test_the_running_day_and_month_are_told_of_a_node_or_a_level(planner, run, installation):
    rows = planner.get("/v1/forecasts/now", params={"node": RAS_JEDIR}).json()["rows"]
    assert [(row["period"], row["silent"]) for row in rows] == [("day", 1), ("month", 1)]
    posts = planner.get("/v1/forecasts/now", params={"level": "post"}).json()["rows"]
    assert {row["post"] for row in posts} == {"ras-jedir", "tunis-carthage"}


def test_an_alarm_is_answered_with_a_token_of_who_plans(client, installation, run):
    headers = installation.bearer("planner")
    flow = next(a for a in client.get("/v1/alarms", headers=headers).json() if a["kind"] == "flow")
    assert (flow["state"], "47% more" in flow["why"]) == ("raised", False)  # French is the default
    address = f"/v1/alarms/{flow['id']}"
    assert client.post(address, json={"state": "closed"}, headers=installation.bearer("oversight")).status_code == 403
    told = client.post(address, json={"state": "acknowledged"}, headers=headers).json()
    assert (told["state"], told["by"]) == ("acknowledged", "planner")
    assert client.post(address, json={"state": "explained"}, headers=headers).status_code == 400
    assert client.post("/v1/alarms/nothing", json={"state": "closed"}, headers=headers).status_code == 400
    client.post("/sign-in", data={"name": "planner", "password": installation.passwords["planner"]})
    assert client.post(address, json={"state": "closed"}).status_code == 403


def test_a_scenario_is_saved_and_its_effect_asked_for(planner, run):
    change = {"first": "2026-03-10", "last": "2026-03-11", "where": {"post": "ras-jedir"}}
    kept = planner.post("/v1/scenarios", json={"name": "Shut", "note": "Works", "changes": [change]})
    assert kept.status_code == 201
    name = kept.json()["scenario"]
    assert planner.get("/v1/scenarios").json()[name]["author"] == "planner"
    told = planner.get("/v1/scenarios/effect", params={"scenario": name, "node": RAS_JEDIR}).json()
    shut = [row for row in told["rows"] if row["q0.5 after"] == 0]
    assert [row["ds"][:10] for row in shut] == ["2026-03-10", "2026-03-11"]
    assert all(row[f"{column} after"] == 0 for row in shut for column in COLUMNS)
    assert told["effect"]["median_after"] < told["effect"]["median_before"]
    assert planner.get("/v1/scenarios/effect?scenario=..%2Fx").status_code == 400
    assert planner.post("/v1/scenarios", json={"name": " ", "note": "x", "changes": [change]}).status_code == 400


def test_before_the_first_run_the_answer_says_what_to_do(planner):
    answer = planner.get("/v1/forecasts")
    assert (answer.status_code, "basira volumes nightly" in answer.json()["remedy"]) == (404, True)

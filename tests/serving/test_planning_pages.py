"""What planners open: forecasts, alarms, staffing, offices, scenarios, runs; in each language, by role."""

import re

import pytest

from models.volumes.what_if import scenarios
from records import journal
from serving.languages import LANGUAGES, language
from serving.planning_pages import PARTS
from tests.serving.pages import form_key, hosts
from tests.serving.published_run import RAS_JEDIR

PAGES = ["/forecasts", *(f"/forecasts/{part}" for part in PARTS[1:])]
TRIED = {"change": "moved", "first": "2026-03-10", "last": "2026-03-12", "low": "20", "high": "60", "at": RAS_JEDIR}


@pytest.mark.parametrize("code", LANGUAGES)
def test_each_page_speaks_the_reader_s_language_and_loads_nothing_from_outside(enter, run, code):
    client, reader = enter("planner", code), language(code)
    for address in PAGES:
        page = client.get(address)
        assert page.status_code == 200, (address, page.text)
        assert reader.say("planning.scenarios") in page.text
        assert not hosts(page.text)
        for forbidden in ("<script", "style=", "word.", "level.", "None", "nan"):
            assert forbidden not in page.text, (address, forbidden)


@pytest.mark.parametrize(
    ("code", "said"),
    [("en", "counts of 2 new days"), ("fr", "les comptes de 2 jours de plus"), ("ar", "أعداد يومين جديدين")],
)
def test_what_changed_says_what_was_read_since(enter, run, code, said):
    page = enter("planner", code).get("/forecasts/runs").text
    assert language(code).say("runs.compared", what=said) in page
    assert f"<td>{said}</td>" in page


@pytest.mark.parametrize("step", ["hour", "day", "month"])
def test_a_flow_by_each_step_with_its_picture(enter, run, step):
    client = enter("planner")
    page = client.get("/forecasts", params={"node": RAS_JEDIR, "step": step}).text
    assert "<h1>Ras Jedir Crossing</h1>" in page
    address = re.search(r'<img src="(/v1/forecasts/picture[^"]+)"', page)[1].replace("&amp;", "&")
    picture = client.get(address)
    assert picture.headers["content-type"] == "image/svg+xml"
    assert picture.text.startswith("<svg")


def test_what_moved_it_notes_and_alarms_stand_with_the_numbers(enter, run):
    page = enter("planner").get("/forecasts", params={"node": f"{RAS_JEDIR} > direction=entry"}).text
    english = language("en")
    assert "recent level" in page
    assert english.say("note.uncertain_day", day="Friday 20 March") in page
    assert english.say("note.young") in page
    assert english.say("note.no_schedule") in page
    assert "instead of 1,800 expected (47% more)" in page


def test_the_running_day_and_month_stand_above_the_forecast(enter, run):
    page = enter("planner").get("/forecasts", params={"node": RAS_JEDIR}).text
    assert "Monday 2 March, until 13:00: 540 have come, and 990 in all are expected by midnight" in page
    assert "March 2026: 540 have come so far" in page
    assert language("en").say("classes.title", day="Monday 2 March") in page
    assert "565 to 835" in page
    assert language("en").say("now.silent", count=1) in page
    assert language("en").say("now.uncounted", count=2) in page
    elsewhere = enter("planner").get("/forecasts", params={"node": "mode=air"}).text
    assert language("en").say("now.title") in elsewhere
    assert language("en").say("now.silent", count=1) not in elsewhere


def test_a_scenario_whose_days_are_over_says_so(enter, run):
    page = enter("planner").get("/forecasts/scenarios", params={**TRIED, "first": "2026-01-10", "last": "2026-01-12"})
    assert (page.status_code, language("en").say("scenarios.outside") in page.text) == (200, True)


def test_an_alarm_is_answered_by_who_plans_and_noted_in_the_journal(enter, run, installation):
    client = enter("planner")
    page = client.get("/forecasts/alarms").text
    alarm = re.findall(r'name="alarm" value="([0-9a-f]+)"', page)[-1]
    sent = {"form_key": form_key(page), "alarm": alarm, "state": "explained", "note": ""}
    refused = client.post("/forecasts/alarms", data=sent, headers={"accept": "application/json"})
    assert "needs its explanation" in refused.text
    assert client.post("/forecasts/alarms", data={**sent, "form_key": "guess", "note": "x"}).status_code == 403
    assert client.post("/forecasts/alarms", data={**sent, "note": "A fair at Zarzis"}).status_code == 303
    page = client.get("/forecasts/alarms").text
    assert "A fair at Zarzis" in page
    assert language("en").say("alarms.by", name="planner") in page
    assert client.post("/forecasts/alarms", data={**sent, "state": "closed"}).status_code == 303
    assert client.post("/forecasts/alarms", data={**sent, "state": "closed"}).status_code == 400
    with installation.engine.connect() as connection:
        said = list(journal.entries(connection, kind="alarm_answered"))
    assert [(entry.actor, entry.payload["state"]) for entry in said] == [
        ("planner", "explained"),
        ("planner", "closed"),
    ]
    assert said[1].payload["note"] == "A fair at Zarzis"


def test_who_only_reads_forecasts_answers_no_alarm_and_saves_no_scenario(enter, run):
    client = enter("analyst")
    page = client.get("/forecasts/alarms").text
    assert 'name="alarm"' not in page
    sent = {"form_key": form_key(page), "alarm": "x", "state": "closed"}
    assert client.post("/forecasts/alarms", data=sent).status_code == 403
    page = client.get("/forecasts/scenarios", params=TRIED).text
    assert language("en").say("scenarios.save") not in page


def test_a_scenario_is_tried_then_saved_with_author_and_day(enter, run, installation):
    client = enter("planner")
    page = client.get("/forecasts/scenarios", params=TRIED).text
    assert "Ras Jedir Crossing, from 10 March 2026 to 12 March 2026: +20% to +60%" in page
    assert not (installation.settings.home / "scenarios").exists()
    kept = client.post(
        "/forecasts/scenarios", params=TRIED, data={"form_key": form_key(page), "name": "Fair", "note": "Zarzis"}
    )
    assert kept.status_code == 303
    (path,) = (installation.settings.home / "scenarios").glob("*.yaml")
    saved = scenarios.read(path)
    assert (saved.author, saved.note, saved.changes[0].low, saved.changes[0].high) == ("planner", "Zarzis", 1.2, 1.6)
    page = client.get(kept.headers["location"]).text
    assert "Zarzis" in page
    assert client.get("/forecasts/scenarios").text.count("Fair") == 1
    again = client.post(
        "/forecasts/scenarios", params=TRIED, data={"form_key": form_key(page), "name": "Fair", "note": "again"}
    )
    assert again.status_code == 400
    with installation.engine.connect() as connection:
        assert [e.payload["file"] for e in journal.entries(connection, kind="scenario_saved")] == [path.stem]


def test_a_scenario_is_read_for_nobody_who_may_not_see_it(enter, client, run):
    slip = {**TRIED, "at": "nowhere"}
    for asked in (TRIED, slip, {"scenario": "absent"}):
        assert client.get("/forecasts/scenarios", params=asked).headers["location"] == "/"
    enter("caseworker")
    for address in ("/forecasts/scenarios", "/v1/scenarios/effect", "/v1/forecasts/picture"):
        assert client.get(address, params=slip).status_code == 403


def test_a_slip_in_a_scenario_is_told(enter, run):
    client = enter("planner")
    for wrong in ({"low": "-150"}, {"last": "2026-03-01"}, {"at": "nowhere"}, {"change": "odd"}):
        assert client.get("/forecasts/scenarios", params={**TRIED, **wrong}).status_code == 400


def test_staffing_adds_both_directions_up_by_hour_and_shift(enter, run):
    client = enter("planner")
    assert 'value="tunis-carthage" selected' in client.get("/forecasts/staffing").text  # the busiest
    page = client.get("/forecasts/staffing?post=ras-jedir").text
    assert "08:00–16:00" in page
    assert language("en").say("staffing.curve") in page
    assert "330" in page


def test_of_offices_the_one_with_most_open_applications_comes_first(enter, run):
    client = enter("planner")
    page = client.get("/forecasts/offices").text
    assert page.index('value="sousse-akouda"') < page.index('value="tunis-bab-bhar" selected')  # listed by name
    assert 'value="sousse-akouda" selected' in client.get("/forecasts/offices?office=sousse-akouda").text


def test_a_forecast_page_of_an_unknown_flow_or_day_is_refused(enter, run):
    client = enter("planner")
    assert client.get("/forecasts?node=nowhere").status_code == 400
    assert client.get("/forecasts?from=nonsense").status_code == 422
    assert client.get("/forecasts/elsewhere").status_code == 422


def test_before_the_first_run_each_page_says_so(enter):
    client = enter("planner")
    for address in PAGES:
        assert language("en").say("forecasts.empty") in client.get(address).text

"""Live requests over a real lake: what a batch stored, what is asked now and what one event gets alone are the same."""

import json
import shutil
import warnings
from datetime import UTC, datetime, timedelta

import pytest

from features.spine import crossing_spine, permit_spine
from features.state import State
from pipelines.steps.assessing import assess_day
from pipelines.steps.catching_up import catch_up
from pipelines.steps.moments import day_bounds, newest_day
from records.lake import Lake
from serving import accounts, live, store
from serving.api import create_app
from serving.house import open_house
from serving.languages import LANGUAGES, language
from tests.serving import named
from tests.serving.conftest import installed

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # as in conftest.py: Starlette asks for another client
    from fastapi.testclient import TestClient

CROSSINGS, PERMITS = "secondary_check", "permit_lapse"


@pytest.fixture(scope="module")
def assess(small_lake, rulebook, protection):
    """Assess rows of a spine as a batch does, or as a live request by what it knows."""

    def assessed(spine, model=None, purpose=CROSSINGS, known=small_lake):
        options = {"rulebook": rulebook, "protection": protection, "mode": "demo"}
        return live.assess_spine(known, spine, purpose=purpose, model=model, **options)

    return assessed


@pytest.fixture(scope="module")
def state(tmp_path_factory, small_lake):
    """The live state of the lake."""
    made = State.open(tmp_path_factory.mktemp("live") / "state")
    made.catch_up(small_lake)
    return made


@pytest.fixture(scope="module")
def month(small_home, small_lake):
    """The crossings of the lake's last thirty days."""
    _, end = day_bounds(newest_day(small_lake, small_home.zone), small_home.zone)
    return crossing_spine(small_lake, end - timedelta(days=30), end)


@pytest.fixture(scope="module")
def unscored(assess, month):
    return assess(month)


@pytest.fixture(scope="module")
def scored(assess, month, model):
    return assess(month, model)


def test_without_a_champion_there_is_no_score_and_the_rules_speak(unscored, month):
    assert [a.event for a in unscored] == month["event"].to_pylist()
    assert all(a.score is a.raw is a.band is a.model is None and a.reasons == () for a in unscored)
    assert any(a.findings and a.mitigation and a.cause == "rule" for a in unscored)
    assert {"national"} < {a.why_not for a in unscored if not a.assessable}


def test_a_model_scores_those_its_purpose_covers_and_nobody_else(scored, unscored, model):
    assert [a.assessable for a in scored] == [a.assessable for a in unscored]
    assert all((a.score is not None) == a.assessable for a in scored)
    assert {a.model for a in scored if a.assessable} == {model.hash}
    assert len({a.raw for a in scored if a.assessable}) > 5
    # Score and rules are kept apart: no finding is another because a model speaks.
    assert [(a.findings, a.undecided) for a in scored] == [(a.findings, a.undecided) for a in unscored]


def test_a_month_asked_for_live_gets_what_the_batch_gave_it(assess, state, month, scored, model):
    with state.reading() as known:
        spine = live.spine_of(known, CROSSINGS, month["event"].to_pylist())
        assert spine.equals(month)
        assert assess(spine, model, known=known) == scored


def test_an_event_asked_for_alone_gets_what_the_batch_gave_it(assess, small_lake, state, scored, model):
    hit = next(a for a in scored if a.findings)
    counted = next(a for a in scored if not a.assessable)
    with state.reading() as snapshot:
        for expected in (hit, counted, scored[-1]):
            for known in (small_lake, snapshot):
                assert assess(live.spine_of(known, CROSSINGS, [expected.event]), model, known=known) == [expected]


def test_a_spine_holds_the_events_asked_for_and_leaves_out_what_is_not_on_record(small_lake, state, month):
    wanted = month["event"].to_pylist()[:3]
    with state.reading() as snapshot:
        for known in (small_lake, snapshot):
            found = live.spine_of(known, CROSSINGS, [*wanted, "never-happened"])
            assert sorted(found["event"].to_pylist()) == sorted(wanted)
            assert live.spine_of(known, CROSSINGS, ["never-happened"]).num_rows == 0
            assert live.spine_of(known, PERMITS, ["never-issued|2026-01-01"]).num_rows == 0


@pytest.fixture(scope="module")
def permits(small_lake):
    """The permits the lake knows to fall due, whenever; the last forty."""
    spine = permit_spine(small_lake, datetime(2000, 1, 1, tzinfo=UTC), datetime(2100, 1, 1, tzinfo=UTC))
    return spine.sort_by("as_of").slice(max(0, spine.num_rows - 40))


def test_permits_are_assessed_sixty_days_ahead_and_alone_as_together(assess, state, permits):
    found = assess(permits, purpose=PERMITS)
    assert len(found) == 40
    assert all(a.assessable and a.purpose == PERMITS and a.event_kind == "permit" for a in found)
    assert all(a.score is None and a.referrals == () and a.facts["office"] == a.place for a in found)
    one = found[len(found) // 2]
    assert one.event == f"{one.facts['file']}|{one.facts['valid_to']}"
    with state.reading() as known:
        assert assess(live.spine_of(known, PERMITS, [one.event]), purpose=PERMITS, known=known) == [one]
        spine = live.spine_of(known, PERMITS, permits["event"].to_pylist())
        assert sorted(assess(spine, purpose=PERMITS, known=known), key=str) == sorted(found, key=str)


@pytest.fixture(scope="module")
def served(tmp_path_factory, quick_passwords, small_home, small_lake, model, permits):
    """An installation over the lake: a champion for crossings, the newest day and one day's permits stored."""
    with installed(tmp_path_factory.mktemp("served"), small_home.lake) as made:
        catch_up(made.settings, print)
        house = open_house(made.settings)
        actor = accounts.engine_actor(made.engine, made.settings.keys)
        with store.writing(made.engine) as connection:
            named.name(connection, actor, CROSSINGS, model.save(made.settings.models).name)
        due = permits["as_of"][-1].as_py()
        batches = {
            "crossing": assess_day(made.settings, CROSSINGS, print),
            "permit": assess_day(made.settings, PERMITS, print, (due + timedelta(hours=2)).date()),
        }
        app = create_app(made.settings)
        with TestClient(app, base_url="http://basira.test") as client:
            yield made, client, batches
        app.state.house.engine.dispose()
        house.engine.dispose()


def test_a_house_made_ready_has_prepared_what_explains_its_champions(served):
    house = open_house(served[0].settings)
    house.ready()
    assert {"explainer", "_boosters"} <= vars(house.champion(CROSSINGS)).keys()
    assert house.champion(PERMITS) is None
    house.engine.dispose()


@pytest.mark.parametrize(("kind", "role"), [("crossing", "analyst"), ("permit", "caseworker")])
def test_live_equals_stored_equals_batch(served, kind, role, monkeypatch):
    made, client, batches = served
    batch = batches[kind].assessments
    events = [a.event for a in batch]
    with monkeypatch.context() as patch:
        patch.setattr(Lake, "scan", _no_rows)
        told = client.post(
            "/v1/assess", json={"event_kind": kind, "events": [*events, "nothing"]}, headers=made.bearer(role)
        ).json()
    assert told["not_found"] == ["nothing"]
    assert (told["behind"], told["note"]) == (0, None)
    now = {a["event"]: a for a in told["assessments"]}
    assert {event: a["id"] for event, a in now.items()} == {a.event: a.id for a in batch}
    day = batches[kind].day.isoformat()
    stored = client.get(f"/v1/assessments?event_kind={kind}&day={day}", headers=made.bearer(role)).json()
    assert stored["total"] == len(stored["assessments"]) == sum(a.assessable for a in batch) > 0
    for one in stored["assessments"]:
        assert now[one["event"]] == one
    assert sum(stored["not_assessable"].values()) == sum(not a.assessable for a in batch)


def _no_rows(*_, **__):
    raise AssertionError("a live answer reads the live state, not the lake")


def test_the_batch_gave_checks_away_and_hides_what_is_blind(served):
    made, client, batches = served
    batch = batches["crossing"].assessments
    assert all((a.probability is not None) == a.assessable for a in batch)
    told = client.get("/v1/assessments", headers=made.bearer("analyst")).json()["assessments"]
    hidden = {a.event for a in batch if a.blind}
    assert {a["event"] for a in told if a["blind"]} == hidden
    for one in told:
        assert ("score" in one) == (one["event"] not in hidden)


def test_no_answer_holds_a_gate_or_who_someone_is(served):
    made, client, batches = served
    for kind, role in (("crossing", "analyst"), ("permit", "caseworker")):
        day = batches[kind].day.isoformat()
        answer = client.get(f"/v1/assessments?event_kind={kind}&day={day}", headers=made.bearer(role))
        written = json.dumps(answer.json()["assessments"])
        for name in ("regime", "under_18", "nationality", "birth", '"sex"', "referrals"):
            assert name not in written, name


def test_assessing_the_day_again_changes_nothing(served):
    made, client, batches = served
    again = assess_day(made.settings, CROSSINGS, print)
    assert again.assessments == batches["crossing"].assessments
    with made.engine.connect() as connection:
        assert store.how_many(connection, "crossing", again.day) == sum(a.assessable for a in again.assessments)
    assert client.get("/healthz").json()["models"].keys() == {CROSSINGS}


@pytest.fixture
def own(tmp_path, small_home):
    """An installation with a lake of its own, and one crossing of it."""
    shutil.copytree(small_home.lake, tmp_path / "lake")
    with installed(tmp_path, tmp_path / "lake") as made:
        app = create_app(made.settings)
        with TestClient(app, base_url="http://basira.test") as client:
            yield made, client, Lake.open(made.settings.lake).read("crossings").slice(0, 1)
        app.state.house.engine.dispose()


def _ask(made, client, event, code="en"):
    body = {"event_kind": "crossing", "events": [event]}
    return client.post("/v1/assess", json=body, headers={**made.bearer("analyst"), "Accept-Language": code})


def _page(made, client, code):
    client.cookies.clear()
    client.cookies.set("basira_language", code)
    client.post("/sign-in", data={"name": "analyst", "password": made.passwords["analyst"]})
    return client.get("/?kind=crossing").text


def test_without_a_live_state_nothing_is_answered_and_it_is_said(own):
    made, client, [one] = own[0], own[1], own[2]["crossing_id"].to_pylist()
    refused = _ask(made, client, one)
    assert refused.status_code == 503
    assert "basira state build" in refused.json()["remedy"]
    assert client.get("/healthz").json()["live_behind"] is None
    for code in LANGUAGES:
        assert language(code).say("live.none") in _page(made, client, code)


def test_who_is_behind_says_so_and_catches_up_as_soon_as_it_can(own):
    made, client, row = own
    catch_up(made.settings, print)
    [known] = row["crossing_id"].to_pylist()
    renamed = row.set_column(row.column_names.index("crossing_id"), "crossing_id", [["new"]])
    Lake.open(made.settings.lake).append("crossings", renamed, batch="came in since")
    with State.open(made.settings.state).generations.writing():  # another process is bringing it in
        for code in LANGUAGES:
            told = _ask(made, client, known, code).json()
            assert [a["event"] for a in told["assessments"]] == [known]
            assert told["behind"] == 1
            assert told["note"] == language(code).say("live.behind", count=1)
            assert told["note"] in _page(made, client, code)
        assert _ask(made, client, "new").json()["not_found"] == ["new"]
        assert client.get("/healthz").json()["live_behind"] == 1
    told = _ask(made, client, "new").json()
    assert [a["event"] for a in told["assessments"]] == ["new"]
    assert (told["behind"], told["note"]) == (0, None)
    assert client.get("/healthz").json()["live_behind"] == 0
    assert language("en").say("live.behind", count=1) not in _page(made, client, "en")


def test_the_versions_of_a_live_answer_are_those_of_the_state(own):
    made, client, row = own
    catch_up(made.settings, print)
    lake = Lake.open(made.settings.lake)
    before = lake.versions()
    lake.append("crossings", row, batch="the same again")
    with State.open(made.settings.state).generations.writing():
        [told] = _ask(made, client, row["crossing_id"][0].as_py()).json()["assessments"]
    assert told["data_versions"] == before != lake.versions()

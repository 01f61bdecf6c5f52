"""Looking at a champion on the records of a small world: what counts, from when, and that again is no different."""

from dataclasses import replace
from datetime import timedelta

import pyarrow.compute as pc
import pytest

from models.risk.reference import Reference
from pipelines.steps.ingesting import ingest_world
from pipelines.steps.moments import known_until, newest_day
from pipelines.steps.watching import watch
from pipelines.watched import watched_text
from records.journal import Actor
from records.lake import Lake
from records.settings import Settings, settings
from serving.house import open_house
from serving.watches import Standing, acknowledge, standing
from tests.serving.crossings import PURPOSE, READS
from tests.serving.watched_model import ALARMED, looked, referenced, speaks_for

WAIT = timedelta(hours=9)


@pytest.fixture(scope="module")
def home(tmp_path_factory, small_world) -> Settings:
    """The small world, with a champion that was finished 300 days before its newest record."""
    place = settings(tmp_path_factory.mktemp("watched"), {"BASIRA_BUCKETS": "2"})
    ingest_world(place, small_world.folder)
    until = known_until(Lake.open(place.lake)) - timedelta(days=300)
    model = referenced()
    assert isinstance(model.reference, Reference)
    speaks_for(place, replace(model, reference=replace(model.reference, until=until, wait=WAIT)))
    return place


@pytest.fixture(scope="module")
def found(home) -> Standing:
    told = watch(home, PURPOSE, lambda _: None)
    assert isinstance(told, Standing)
    return told


def test_findings_of_the_control_count_from_when_they_were_known(home, found):
    lake = Lake.open(home.lake)
    at = known_until(lake)
    until = at - timedelta(days=300)
    checks = lake.as_known("checks", at)
    drawn = [
        row
        for row in checks.to_pylist()
        if row["event_kind"] == "crossing"
        and row["selected_by"] == "random"
        and row["finding"] in ("confirmed", "refuted")
        and row["happened_at"] >= until
    ]
    calibration = found.claims[0]
    assert 0 < calibration.now["rows"] <= len(drawn)
    assert calibration.now["rows"] >= 0.8 * len(drawn)  # announcements from before, children and nationals are no cases
    for row in calibration.rows:
        seen = sum(check["known_at"].date() <= row["day"] + timedelta(days=1) for check in drawn)
        assert row["rows"] <= seen


def test_every_day_since_the_model_was_finished_is_looked_at(home, found):
    for claim in found.claims:
        days = [row["day"] for row in claim.rows]
        assert days == [found.finished + timedelta(days=n) for n in range(len(days))]
        assert days[-1] == newest_day(Lake.open(home.lake), home.zone)


def test_every_input_and_the_score_are_compared(found):
    assert {row["about"] for row in found.inputs} == set(READS)
    assert found.score is not None
    assert all(row["psi_limit"] > 0 for row in found.inputs)


def test_looking_again_changes_nothing(home, found):
    lake = Lake.open(home.lake)
    before = lake.size("watches")
    assert watch(home, PURPOSE, lambda _: None) == found
    assert lake.size("watches") == before
    assert pc.count_distinct(lake.read("watches", ["model"])["model"]).as_py() == 1


def test_it_is_told_in_words(home, found):
    told = watched_text(PURPOSE, found)
    assert told.startswith(f"{PURPOSE}: {'Alarm' if found.state == 'alarm' else ''}")
    assert "The probabilities hold" in told
    assert READS[0] in told
    assert "احتمالات" in watched_text(PURPOSE, found, "ar")


def test_without_a_champion_there_is_nothing_to_look_at(home):
    assert watch(home, "permit_lapse", lambda _: None) == "no_champion"
    assert "No model speaks for this yet" in watched_text("permit_lapse", "no_champion")


def test_who_acknowledged_an_alarm_is_told(tmp_path):
    place = settings(tmp_path, {})
    looked(place, **ALARMED)
    house = open_house(place)
    alarm = standing(house, PURPOSE).claims[0].alarm
    acknowledge(house, Actor("dora", frozenset({"data_scientist"})), PURPOSE, alarm.what, alarm.since, "Trained anew")
    told = watched_text(PURPOSE, standing(house, PURPOSE))
    assert told.startswith(f"{PURPOSE}: Alarm since ")
    (line,) = [line for line in told.splitlines() if line.startswith("The probabilities hold: Acknowledged by ")]
    assert "dora" in line
    assert "Trained anew" in line
    assert "As much is found as before: Nobody has acknowledged it yet." in told
    house.engine.dispose()

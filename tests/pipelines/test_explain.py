"""`basira explain`: who is signed in decides what it says; refusals are one clear sentence."""

import json

import pytest
from click.testing import CliRunner

from pipelines.cli import basira
from records.settings import settings
from serving import accounts, store
from serving.house import open_house
from tests.serving.crossings import crossing
from tests.serving.explained import explained, model


@pytest.fixture
def run(tmp_path, monkeypatch):
    monkeypatch.setenv("BASIRA_HOME", str(tmp_path / "home"))

    def invoke(*arguments):
        return CliRunner().invoke(basira, ["explain", *map(str, arguments)])

    return invoke


@pytest.fixture
def case(run, tmp_path):
    """One stored assessment and an account per role; who is signed in is up to the test."""
    place = settings(tmp_path / "home", environ={})
    house = open_house(place)
    by = model()
    by.save(place.models)
    (made,) = explained([crossing(3, direction="exit")], by, house.rulebook, house.protection)
    with store.writing(house.engine) as connection:
        store.save_assessments(connection, [made], zone="Africa/Tunis")
    passwords = accounts.demo_accounts(house.engine, place.keys)

    def enter(role):
        signed_in = CliRunner().invoke(basira, ["login", role, "--password", passwords[role]])
        assert signed_in.exit_code == 0, signed_in.output

    yield made, enter
    house.engine.dispose()


def test_nobody_is_told_anything_without_signing_in(run, case):
    result = run(case[0].id)
    assert (result.exit_code, "basira login" in result.output) == (2, True)


def test_each_audience_and_form(run, case, tmp_path):
    made, enter = case
    enter("oversight")
    assert "The stay ran 40 days past" in run(made.id).output
    assert "Comment contester" in run(made.id, "--audience", "person", "--lang", "fr").output
    told = json.loads(run(made.id, "--audience", "oversight", "--as", "json").stdout)
    assert told["values"]["score"]["raw"] == made.raw
    page = tmp_path / "dossier.html"
    assert run(made.id, "--audience", "oversight", "--lang", "ar", "--as", "page", "--out", page).exit_code == 0
    assert 'dir="rtl"' in page.read_text(encoding="utf-8")
    replayed = run(made.id, "--replay")
    assert (replayed.exit_code, "byte for byte" in replayed.output) == (0, True)


def test_refusals_are_one_sentence(run, case):
    made, enter = case
    enter("analyst")
    refused = run(made.id, "--audience", "oversight")
    assert (refused.exit_code, "granted read:dossier" in refused.output) == (2, True)
    unknown = run("0" * 32)
    assert (unknown.exit_code, "is stored here" in unknown.output) == (2, True)
    assert "Traceback" not in refused.output + unknown.output

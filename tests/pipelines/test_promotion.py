"""Promotion as it is done: the demonstration ends with champions through their gates, persons go on from there, and
MLflow holds nothing about anyone."""

import json
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow.compute as pc
import pytest
from click.testing import CliRunner

from models import tracking
from models.risk.gates import GATES
from pipelines.cli import basira
from records.lake import Lake
from risk_rules.rule import PURPOSES
from serving import accounts, champions, promotion
from serving.house import open_house

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::FutureWarning", "ignore::UserWarning")


def test_the_engine_asks_every_gate_of_what_it_trained_and_mlflow_follows_the_journal(small_run):
    house = open_house(small_run)
    with house.engine.connect() as connection:
        for purpose in PURPOSES:
            first = champions.moves(connection, purpose)[-1]
            assert first.who == "engine"
            assert [gate.name for gate in first.gates] == list(GATES)
            assert {gate.why for gate in first.gates if gate.name == "four_eyes"} == {"demonstration"}
            assert first.how == ("promoted" if all(gate.passed for gate in first.gates) else "refused")
            assert tracking.champion(small_run.mlflow_uri, purpose) == first.model
    assert promotion.apart(house) == []
    assert any("learnt from sample data" in lack for lack in house.lacks())
    house.engine.dispose()


def test_mlflow_holds_no_row_and_nothing_about_anyone(small_run):
    lake = Lake.open(small_run.lake)
    held = [Path(small_run.mlflow_uri.removeprefix("sqlite:///"))]
    held += [path for path in (small_run.home / "mlruns").rglob("*") if path.is_file()]
    assert {path.suffix for path in held} <= {".db", ".json", ".txt", ".npz"}
    content = b"\n".join(path.read_bytes() for path in held)
    for table, columns in {
        "crossings": ("subject", "crossing_id", "document", "party"),
        "checks": ("check_id", "officer"),
        "permits": ("file", "sponsor"),
    }.items():
        rows = lake.read(table, list(columns))
        for column in columns:
            named = {str(v).encode() for v in pc.unique(rows[column].drop_null()).to_pylist() if len(str(v)) >= 8}
            assert not [value for value in _perhaps_in(content, named) if value in content][:3], column


def _perhaps_in(content, values):
    """Those of `values` whose last eight bytes stand somewhere in `content`: searching for each alone takes minutes."""
    eights = np.lib.stride_tricks.sliding_window_view(np.frombuffer(content, np.uint8), 8)
    listed = sorted(values)
    ends = np.array([np.frombuffer(value[-8:], np.uint64)[0] for value in listed], np.uint64)
    known = np.isin(ends, np.ascontiguousarray(eights).view(np.uint64).ravel())
    return [value for value, there in zip(listed, known, strict=True) if there]


@pytest.fixture
def home(small_run, tmp_path, monkeypatch):
    """A copy of the run to write in, with demonstration accounts."""
    shutil.copytree(small_run.home, tmp_path / "home", symlinks=True)
    place = replace(
        small_run,
        home=tmp_path / "home",
        database_url=f"sqlite:///{tmp_path / 'home' / 'basira.db'}",
        mlflow_uri=f"sqlite:///{tmp_path / 'home' / 'mlflow.db'}",
    )
    monkeypatch.setenv("BASIRA_HOME", str(place.home))
    monkeypatch.setenv("BASIRA_BUCKETS", str(place.buckets))
    house = open_house(place)
    passwords = accounts.demo_accounts(house.engine, place.keys)
    house.engine.dispose()
    return passwords


def run(*words):
    done = CliRunner().invoke(basira, list(words))
    assert "Traceback" not in done.output
    return done.exit_code, done.output


def test_persons_promote_roll_back_and_read_the_card_on_the_command_line(home):
    name = "permit_lapse"
    code, said = run("risk", "promote", name)
    assert (code, "nobody is signed in" in said) == (2, True), said  # whoever runs the machine is nobody
    assert run("risk", "rollback", name, "--why", "x")[0] == 2
    assert run("login", "planner", "--password", home["planner"])[0] == 0
    code, said = run("risk", "promote", name)
    assert (code, "No role of planner" in said) == (2, True), said
    assert run("login", "oversight", "--password", home["oversight"])[0] == 0
    said = run("risk", "promote", name, "--look")[1]
    assert said.count(": passed.") + said.count(": refused.") == len(GATES), said
    code, said = run("risk", "rollback", name, "--why", "too many reminders")
    assert (code, "No model speaks" in said) == (0, True), said
    assert "permit_lapse" not in run("check")[1]
    code, said = run("risk", "promote", name)  # as its few rows allow: champion again, or told at which gate not
    assert "is champion now" in said if code == 0 else (code, "Refused" in said) == (1, True), said
    assert "Until when" in run("risk", "card", name)[1]
    told = json.loads(run("risk", "card", name, "--as", "json", "--lang", "ar")[1])
    assert (told["lacking"], told["language"]) == ([], "ar")
    code, said = run("risk", "sign-off", name, "sex", "--reason", "x")
    assert (code, "no gap 'sex'" in said) == (2, True), said


def test_the_check_says_where_mlflow_and_the_journal_differ_and_mends_it(home, tmp_path):
    uri = f"sqlite:///{tmp_path / 'home' / 'mlflow.db'}"
    tracking.follow(uri, "secondary_check", None)
    assert "MLflow none" in run("check")[1]
    assert "MLflow none" not in run("check", "--mend")[1]

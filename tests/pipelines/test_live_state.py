"""The live state follows whatever commits to the lake, and forgets what is retired."""

from pathlib import Path

import pytest
from click.testing import CliRunner

from features.state import State
from pipelines.cli import basira
from pipelines.steps.upkeep import retire
from records.lake import Lake
from records.settings import settings

HEAD = "crossing_id,document_number,document_issuer,kind,post,direction,mode,document_type,happened_at,known_at\n"
ROW = "{id},AB{id},ITA,actual,tunis_carthage,entry,air,passport,{at}T10:00:00Z,{at}T10:05:00Z\n"


@pytest.fixture
def place(tmp_path, monkeypatch):
    monkeypatch.setenv("BASIRA_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("BASIRA_BUCKETS", "2")
    monkeypatch.chdir(tmp_path)
    return settings()


def run(*arguments):
    done = CliRunner().invoke(basira, [str(a) for a in arguments])
    assert done.exit_code == 0, done.output
    return done.output


def supply(name, **days):
    Path(name).write_text(HEAD + "".join(ROW.format(id=id, at=at) for id, at in days.items()))
    return name


def known(place):
    with State.open(place.state).reading() as snapshot:
        rows = snapshot.events("crossing", ["C1", "C2", "C3"]).history("crossings", ["crossing_id", "subject"])
    return dict(zip(rows["crossing_id"].to_pylist(), rows["subject"].to_pylist(), strict=True))


def test_what_is_taken_in_is_in_the_live_state_and_what_is_retired_is_nowhere_in_it(place):
    run("ingest", supply("old.csv", C1="2012-03-01"), "--table", "crossings")
    run("ingest", supply("new.csv", C2="2026-03-01", C3="2026-03-02"), "--table", "crossings")
    assert "as the lake is" in run("state")
    people = known(place)
    assert set(people) == {"C1", "C2", "C3"}

    def holding(subject):
        return [f for f in place.state.rglob("*") if f.is_file() and subject.encode() in f.read_bytes()]

    assert holding(people["C1"])
    gone = retire(place, print)
    assert gone.records.lake["crossings"] == 1
    assert set(known(place)) == {"C2", "C3"}
    assert holding(people["C2"])
    assert not holding(people["C1"])


def test_rows_tried_again_come_in_too(place):
    wrong = supply("wrong.csv", C1="2026-03-01")
    Path(wrong).write_text(Path(wrong).read_text().replace(",air,", ",plane,"))
    run("ingest", wrong, "--table", "crossings")
    assert known(place) == {}
    batch = Lake.open(place.lake).ledger()["batch"][0].as_py()
    Path("mapping.yaml").write_text("values: {mode: {plane: air}}\n")
    run("quarantine", "retry", batch, "--mapping", "mapping.yaml")
    assert set(known(place)) == {"C1"}


def test_it_says_how_far_it_is_and_is_made_anew_on_request(place):
    run("ingest", supply("new.csv", C2="2026-03-01"), "--table", "crossings")
    lake = Lake.open(place.lake)
    row = lake.read("crossings")
    renamed = row.set_column(row.column_names.index("crossing_id"), "crossing_id", [["C3"]])
    lake.append("crossings", renamed, batch="came in since")
    assert "1 batch behind" in run("state")
    before = State.open(place.state).generations.newest().name
    assert "as the lake is" in run("state", "build")
    assert State.open(place.state).generations.newest().name > before
    assert set(known(place)) == {"C2", "C3"}


def test_before_it_is_made_the_command_says_how(place):
    Lake.create(place.lake, place.buckets)
    assert "basira state build" in run("state")

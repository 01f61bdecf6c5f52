"""`basira risk compare` on any table: text, JSON and page; what it refuses, and what it logs."""

import json
import shutil
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner

from evidence.cells import CELL
from models.risk import contestants
from models.risk.profiles import Profile
from pipelines.cli import basira
from pipelines.steps import comparing
from records import journal
from records.journal import Actor
from records.lake import Lake
from records.settings import settings
from serving.house import open_house

QUICK = Profile("shipped", 2, 20, 7, 3, tries=1, tried_rounds=10, rate=0.15, rates=(0.1, 0.3))


@pytest.fixture
def run(tmp_path, monkeypatch):
    monkeypatch.setenv("BASIRA_HOME", str(tmp_path / "home"))
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(contestants, "PROFILES", {"shipped": QUICK})
    random = np.random.default_rng(1)
    rows = 1_500
    x = random.normal(size=rows)
    table = {
        "when": (np.datetime64("2021-01-01") + np.arange(rows) // 5).astype("datetime64[us]"),
        "x": x,
        "duty": random.exponential(50, rows),
        "points": np.round(2 * x + random.normal(size=rows)),
        "post": random.choice(["north", "south"], rows).tolist(),
        "found": (random.random(rows) < 1 / (1 + np.exp(1.5 - x))).astype(np.float64),
    }
    pq.write_table(pa.table(table), tmp_path / "cases.parquet")
    (tmp_path / "able.yaml").write_text("north: 0.1\nsouth: 0.05\n", encoding="utf-8")
    return lambda *arguments: CliRunner().invoke(basira, ["risk", "compare", *map(str, arguments)])


ASKED = ("cases.parquet", "--label", "found", "--time", "when", "--folds", "1", "--draws", "20")


@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::FutureWarning", "ignore::UserWarning")
def test_a_table_is_compared_written_and_logged(run):
    beside = ("--value", "duty", "--rule-score", "points", "--post", "post", "--post-capacity", "able.yaml")
    result = run(*ASKED, *beside, "--json", "told.json", "--page", "told.html", "--lang", "fr")
    assert result.exit_code == 0, result.output
    for words in ("PR-AUC", "Value found at 5%", "Precision at each place's capacity", "logged to MLflow", "scorecard"):
        assert words in result.output
    told = json.loads(Path("told.json").read_text(encoding="utf-8"))
    names = [standing["name"] for standing in told["standings"]]
    assert names == ["shipped", "logistic regression", "scorecard", "rule score", "shipped, by expected value"]
    assert "arbres boostés" in Path("told.html").read_text(encoding="utf-8")
    logged = list(Path("home").rglob("comparison.json"))
    assert [json.loads(path.read_text(encoding="utf-8")) for path in logged] == [told]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("nothing.parquet",), "is no model"),
        (("cases.parquet",), "--label and --time"),
        ((*ASKED, "--challenger", "oracle"), "Choose among"),
        ((*ASKED, "--capacity", "5"), "above 0 and at most 1"),
        ((*ASKED, "--value", "dutty"), "--value names 'dutty'"),
    ],
)
def test_what_does_not_fit_is_said(run, arguments, words):
    result = run(*arguments, "--no-log")
    assert result.exit_code == 2
    assert words in result.output


@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::FutureWarning", "ignore::UserWarning")
def test_groups_of_the_engine_s_own_models_are_told_to_whom_it_is_given_and_never_below_the_threshold(
    small_run, tmp_path, monkeypatch
):
    shutil.copytree(small_run.home, tmp_path / "home")
    house = open_house(settings(tmp_path / "home", {"BASIRA_BUCKETS": "2"}))
    monkeypatch.setattr(contestants, "PROFILES", {"shipped": QUICK})
    said = []

    def compared(actor):
        return comparing.compare_declared(
            house.settings, "permit_lapse", said.append, count=1, draws=20, actor=actor
        ).as_json()

    assert all(standing["groups"] == [] for standing in compared(Actor("paul", frozenset({"planner"})))["standings"])
    assert len([sentence for sentence in said if "groups of persons are left out" in sentence]) == 1
    told = compared(Actor("dora", frozenset({"data_scientist"})))
    for standing in told["standings"]:
        assert [table["attribute"] for table in standing["groups"]] == ["sex", "age", "nationality"]
        for row in (row for table in standing["groups"] for row in table["rows"]):
            assert row["shown"] == (row["rows"] >= CELL)
            assert row["shown"] or row["selection_rate"]["value"] is None
    assert {row["group"] for row in told["standings"][0]["groups"][0]["rows"]} >= {"F", "M"}
    with house.engine.connect() as connection:
        *_, read = journal.entries(connection, kind="vault_read")
    assert (read.actor, read.payload["attributes"]) == ("dora", ["sex", "age", "nationality"])
    assert "shipped" in read.payload["subjects"]
    subjects = pc.unique(Lake.open(house.settings.lake).read("permits", ["subject"])["subject"]).to_pylist()
    assert not any(subject in json.dumps(told) for subject in subjects)
    house.engine.dispose()


@pytest.mark.parametrize("content", ["north: 2\n", "- north\n", "north: many\n"])
def test_capacities_that_are_none(tmp_path, content):
    path = tmp_path / "able.yaml"
    path.write_text(content, encoding="utf-8")
    with pytest.raises(comparing.BadInput, match="the share of its cases"):
        comparing.capacities(path)

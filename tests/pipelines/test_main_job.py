"""The main job as a person runs it: one process, every flow, with every address but loopback blocked."""

from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from models.volumes.publishing.published import LEVELS_OF_FLOWS, TABLES, newest
from models.volumes.rhythm import COLUMNS
from models.volumes.what_if import scenarios
from models.volumes.what_if.overlay import what_if
from pipelines.cli import basira


def test_the_summary_accounts_for_every_row_and_stands_models_beside_their_baselines(main_job):
    demo = main_job["demo"]
    for expected in ("quarantined", "crossings", "secondary_check", "permit_lapse", "seasonal naive", "base rate"):
        assert expected in demo
    assert "proposal:" in demo
    assert "80% range" in demo
    assert "basira serve" in demo


def test_the_summary_says_which_reasons_hold_and_what_drove_the_week(main_job):
    for expected in ("after a bootstrap refit", "what drove", "month before", "similar cases", "Compared with"):
        assert expected in main_job["demo"]


def test_taking_the_same_world_in_again_changes_nothing(main_job):
    assert "Nothing changed" in main_job["ingest"]


def test_what_was_trained_and_forecast_on_the_same_data_is_not_done_twice(main_job):
    for said in (*main_job["train"].split("\n\n"), main_job["forecast"]):
        assert said in main_job["demo"]


def test_selections_are_collected_once(main_job):
    assert "selections" in main_job["demo"]
    assert "Nothing waited" in main_job["collect"]


@pytest.mark.parametrize("flow", ["build", "assess", "watch", "compact", "retire"])
def test_each_flow_says_what_it_did(main_job, flow):
    assert len(main_job[flow]) > 20


@pytest.fixture
def volumes(main_job, monkeypatch):
    """Runs `basira volumes …` over what the demonstration left; its exit code and all that it said."""
    monkeypatch.setenv("BASIRA_HOME", main_job["home"])

    def run(*words):
        done = CliRunner().invoke(basira, ["volumes", *map(str, words)])
        return done.exit_code, done.output

    return run


@pytest.fixture(scope="module")
def run(main_job):
    return newest(Path(main_job["home"]) / "volumes")


def test_what_is_published_adds_up_over_levels_and_over_time(run):
    by = {name: run.table(name).to_pandas() for name in ("hours", "days", "months")}
    for table in by.values():
        assert set(table["level"]) == set(LEVELS_OF_FLOWS)
        parents = table.groupby(["parent", "ds"])["mean"].sum()
        own = table.set_index(["node", "ds"])["mean"]
        np.testing.assert_allclose(parents, own.reindex(parents.index), atol=1e-6)
        assert (table.loc[table["closed"], ["mean", *COLUMNS]] == 0).all().all()
        assert (table[list(COLUMNS)].diff(axis=1).iloc[:, 1:] >= 0).all().all()
    days = by["days"].set_index(["node", "ds"])["mean"]
    dealt = by["hours"].assign(ds=by["hours"]["ds"].dt.floor("D")).groupby(["node", "ds"])["mean"].sum()
    np.testing.assert_allclose(dealt, days.reindex(dealt.index), atol=1e-6)
    month = by["days"]["ds"].dt.to_period("M").dt.to_timestamp()
    summed = by["days"].assign(ds=month).groupby(["node", "ds"])["mean"].agg(["sum", "count"]).reset_index()
    whole = summed[summed["count"] == summed["ds"].dt.days_in_month].set_index(["node", "ds"])["sum"]
    assert len(whole)
    np.testing.assert_allclose(whole, by["months"].set_index(["node", "ds"])["mean"].reindex(whole.index), atol=1e-6)


def test_a_run_holds_all_that_planners_are_shown(run):
    for name in TABLES:
        assert run.table(name).num_rows, name
    card = run.card()
    assert card.figures["days"]["post"]["wape"] > 0
    assert card.data_hash
    assert card.learnt_at == card.made_at
    assert all(sum(word.parts.values()) == pytest.approx(word.expected, abs=1e-6) for word in run.words())


def test_planners_ask_the_newest_run(volumes, run, tmp_path):
    post = run.table("curve")["post"][0].as_py()
    assert "booth-hours" in volumes("staffing", post, "--minutes", 20, "--quantile", 0.9)[1]
    assert volumes("alarms")[0] == 0
    code, said = volumes("nowcast")
    assert (code, "so far" in said) == (0, True)
    first = run.table("days")["ds"][5].as_py().date()
    shut = f"{{first: {first}, last: {first}, where: {{post: {post}}}, low: 0, high: 0}}"
    overlay = tmp_path / "shut.yaml"
    overlay.write_text(f"name: shut\nauthor: planner\nmade_on: {first}\nnote: works\nchanges: [{shut}]\n")
    code, said = volumes("scenario", overlay, "--keep")
    assert (code, post in said) == (0, True)
    assert "already" in volumes("scenario", overlay, "--keep")[1]
    table = what_if(run, scenarios.read(overlay)).after.to_pandas()
    closed = table[table["closed"] & (table["ds"] == np.datetime64(first))]
    assert (closed["mean"] == 0).all()
    parents = table.groupby(["parent", "ds"])["mean"].sum()
    np.testing.assert_allclose(parents, table.set_index(["node", "ds"])["mean"].reindex(parents.index), atol=1e-6)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("staffing", "nowhere"), "no post 'nowhere'"),
        (("scenario", "absent.yaml"), "no scenario"),
        (("how-did", "--month", "July"), "is no month"),
        (("how-did", "--month", "2020-01"), "No run stood before"),
        (("changed",), "two are compared"),
        (("how-did",), "None of the forecast days"),
    ],
)
def test_what_cannot_be_answered_is_said(volumes, words, said):
    code, told = volumes(*words)
    assert (code, said in told) == (2, True), told

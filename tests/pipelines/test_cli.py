"""The command line: errors that say what, why and what to do; 2 for bad input, 1 for a failure, never a traceback."""

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner

from pipelines.cli import basira


@pytest.fixture
def run(tmp_path, monkeypatch):
    monkeypatch.setenv("BASIRA_HOME", str(tmp_path / "home"))
    monkeypatch.chdir(tmp_path)

    def invoke(*arguments):
        return CliRunner().invoke(basira, [str(a) for a in arguments])

    return invoke


def said(result):
    assert "Traceback" not in result.output
    return result.output


def test_a_folder_that_is_no_world(run, tmp_path):
    result = run("ingest", tmp_path)
    assert result.exit_code == 2
    assert "holds no sample world" in said(result)


def test_a_file_without_a_table(run, tmp_path):
    file = tmp_path / "rows.csv"
    file.write_text("a,b\n1,2\n")
    result = run("ingest", file)
    assert result.exit_code == 2
    assert "--table" in said(result)


def test_an_unknown_table_names_the_nearest(run, tmp_path):
    file = tmp_path / "rows.csv"
    file.write_text("a,b\n1,2\n")
    result = run("ingest", file, "--table", "crossing")
    assert result.exit_code == 2
    assert "crossings" in said(result)


def test_no_lake_yet(run):
    result = run("assess")
    assert result.exit_code == 2
    assert "basira ingest" in said(result)


def test_a_setting_that_does_not_exist(run, tmp_path):
    (tmp_path / "basira.toml").write_text('mod = "demo"\n')
    result = run("rules", "list")
    assert result.exit_code == 2
    assert "'mode'" in said(result)


def test_a_failure_is_one_line_and_exit_code_1(run, tmp_path, monkeypatch):
    monkeypatch.setattr("risk_rules.rulebook.Rulebook.load", lambda *a, **k: 1 / 0)
    result = run("rules", "list")
    assert result.exit_code == 1
    assert "ZeroDivisionError" in said(result)
    assert "--trace" in result.output


def test_an_unknown_command_is_a_usage_error(run):
    assert run("ingset").exit_code == 2


def test_one_file_in_twice(run, tmp_path):
    file = tmp_path / "closures.csv"
    file.write_text(
        "closure_id,place,place_kind,kind,source,happened_at,known_at\n"
        "c1,rades,post,closed,port authority,2026-01-01T00:00:00Z,2025-12-01T00:00:00Z\n"
        "c2,rades,post,shut,port authority,2026-01-01T00:00:00Z,2025-12-01T00:00:00Z\n"
    )
    first = run("ingest", file, "--table", "closures")
    assert first.exit_code == 0, first.output
    assert "closures.kind: not_in_list (1)" in first.output
    assert "Nothing changed" in run("ingest", file, "--table", "closures").output
    listed = run("quarantine", "list")
    assert "not_in_list" in listed.output
    assert "basira quarantine retry" in listed.output


def test_a_forecast_of_anyones_table(run, tmp_path):
    days = pa.array(range(18_000, 18_400), pa.date32())
    counts = [100 + 30 * (d % 7) for d in range(400)]
    pq.write_table(pa.table({"unique_id": ["a"] * 400, "ds": days, "y": counts}), tmp_path / "flows.parquet")
    out = tmp_path / "out.parquet"
    result = run("volumes", "forecast", tmp_path / "flows.parquet", "--freq", "D", "--horizon", 7, "--out", out)
    assert result.exit_code == 0, result.output
    table = pq.read_table(out)
    assert table.num_rows == 7
    assert {"unique_id", "ds", "mean", "q0.1", "q0.9"} <= set(table.column_names)


def test_a_backtest_needs_a_step_and_a_horizon(run, tmp_path):
    (tmp_path / "flows.csv").write_text("unique_id,ds,y\na,2024-01-01,1\n")
    result = run("volumes", "backtest", tmp_path / "flows.csv", "--out", tmp_path / "out.parquet")
    assert result.exit_code == 2
    assert "--horizon" in said(result)


def test_nobody_adds_an_account_without_signing_in(run):
    result = run("accounts", "add", "amira", "--role", "analyst", "--password", "long enough to hold")
    assert result.exit_code == 2
    assert "basira login" in said(result)


def test_an_administrator_adds_an_account(run):
    password = "long enough to hold"
    assert run("accounts", "first", "admin", "--password", password).exit_code == 0
    assert run("login", "admin", "--password", "wrong one here").exit_code == 2
    assert run("login", "admin", "--password", password).exit_code == 0
    added = run("accounts", "add", "amira", "--role", "analyst", "--password", password)
    assert added.exit_code == 0, added.output


def test_production_is_told_what_it_lacks(run):
    result = run("check")
    assert "the audit opens it to read only" in said(result)
    assert result.exit_code == 1
    assert "charter.toml" in result.output
    assert "gate regime=visa_exempt" in result.output


def test_a_file_that_cannot_be_written_is_said_before_the_work(run, tmp_path):
    (tmp_path / "flows.csv").write_text("unique_id,ds,y\na,2024-01-01,1\n")
    out = tmp_path / "flows.csv" / "out.parquet"
    result = run("volumes", "backtest", tmp_path / "flows.csv", "--freq", "D", "--horizon", 1, "--out", out)
    assert result.exit_code == 2
    assert "cannot be made" in said(result)


def test_levels_that_are_named_add_up(run, tmp_path):
    flows = {"Goulette": 5.0, "Zarzis": 9.0}
    days = pa.array(np.arange("2025-01-01", "2025-03-12", dtype="datetime64[D]").astype("datetime64[us]"))
    parts = [
        pa.table({"unique_id": [name] * 70, "post": [name] * 70, "ds": days, "y": np.full(70, level)})
        for name, level in flows.items()
    ]
    pq.write_table(pa.concat_tables(parts), tmp_path / "flows.parquet")
    named = ("--freq", "D", "--horizon", 3, "--levels", "post", "--out", tmp_path / "next.parquet")
    result = run("volumes", "forecast", tmp_path / "flows.parquet", *named)
    assert result.exit_code == 0, said(result)
    means = (
        pq.read_table(tmp_path / "next.parquet").to_pandas().pivot_table(index="ds", columns="unique_id", values="mean")
    )
    assert set(means) == {"total", "post=Goulette", "post=Zarzis", *flows}
    np.testing.assert_allclose(means["total"], means[list(flows)].sum(axis=1), atol=1e-6)


@pytest.mark.parametrize("asked", [("alarms",), ("staffing", "la-goulette"), ("how-did",), ("changed",)])
def test_before_the_first_run_it_is_said_how_to_make_one(run, asked):
    result = run("volumes", *asked)
    assert result.exit_code == 2
    assert "basira volumes nightly" in said(result)

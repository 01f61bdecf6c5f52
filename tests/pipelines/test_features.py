"""`basira features`: the catalogue, one value and the rows behind it, and features of anyone's file."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner, Result

from features.catalogue import features
from features.engine import compute
from features.spine import crossing_spine
from models.risk.catalogue import declaration
from pipelines.cli import basira
from records.lake import Lake
from records.tables import table as declared
from tests.features.memory import at, crossing


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """The command line over a lake of a few crossings: `a` came three times, `b` once, on one document."""
    monkeypatch.setenv("BASIRA_HOME", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    lake = Lake.create(tmp_path / "lake", buckets=2)
    rows = [crossing(k, "a", at(10 * k), known_at=at(10 * k, hours=1)) for k in range(3)]
    rows += [crossing(7, "b", at(15), document="d-a", direction="exit")]
    lake.append("crossings", pa.Table.from_pylist(rows, schema=declared("crossings").lake_schema), batch="1")

    def invoke(*arguments: object) -> Result:
        return CliRunner().invoke(basira, ["features", *map(str, arguments)])

    return invoke


def said(result: Result, code: int = 0) -> str:
    assert result.exit_code == code, result.output
    assert "Traceback" not in result.output
    return result.output


def written(path: Path, text: str) -> Path:
    path.write_text(text)
    return path


def test_the_list_can_be_narrowed(run: Any) -> None:
    every, stay, permits = (said(run("list", *more)) for more in ([], ["--group", "stay"], ["--kind", "permit"]))
    assert f"{len(features('crossing'))} crossing features" in every
    assert "stay_days" in stay
    assert "entries_last_30_days" not in stay
    assert "share_of_lapses_at_office_last_365_days" in permits
    assert "Nearest: stay" in said(run("list", "--group", "stya"), 2)


def test_a_feature_is_shown_whole(run: Any) -> None:
    shown = said(run("show", "share_of_entries_last_365_days_made_in_last_30"))
    for part in (
        "Which share of the year's entries fell in the 30 days before",
        "of a crossing",
        "models and rules",
        "model secondary_check",
        "ratio(entries_last_30_days, entries_last_365_days)",
        "Part des entrées de l'année",
        "نسبة مرات الدخول",
        "made_in_last_30 → entries_last_30_days → crossings: direction, kind, subject, happened_at, known_at",
    ):
        assert part in shown
    fact = said(run("show", "days_over_authorised_stay"))
    assert "a fact, which no model reads" in fact
    assert "rule stay-ran-past-what-was-authorised" in fact
    assert "Nearest: entries_last_30_days" in said(run("show", "entries_last_30_day"), 2)


def test_a_value_is_explained_by_its_rows(run: Any) -> None:
    told = said(run("explain", "entries_last_30_days", "--event", "c2"))
    assert told.startswith("entries_last_30_days = 2 (entries)\n  crossing c2, subject a as of 2024-01-21 00:00:00Z")
    assert "c0" in told
    assert "c1" in told
    assert "c7" not in told
    assert "older rows before these: 1;" in said(run("explain", "entries_last_30_days", "--event", "c2", "--rows", 1))


def test_a_person_is_explained_as_of_any_moment(run: Any) -> None:
    known = ["explain", "entries_last_30_days", "--subject", "a", "--as-of"]
    assert "entries_last_30_days = 1 (" in said(run(*known, "2024-01-11T00:59Z"))
    assert "entries_last_30_days = 2 (" in said(run(*known, "2024-01-11T02:00+01:00"))
    assert "no time zone" in said(run(*known, "2024-01-11"), 2)
    assert "is no moment" in said(run(*known, "yesterday"), 2)
    nobody = ["--subject", "nobody", "--as-of", "2024-01-11T00:59Z"]
    assert "entries_last_30_days = 0 (" in said(run("explain", "entries_last_30_days", *nobody))
    assert "days_since_last_entry = null (" in said(run("explain", "days_since_last_entry", *nobody))
    assert "names no post" in said(run("explain", "post_crossings_last_hour", *nobody))


def test_an_explanation_is_of_an_event_or_of_a_person_at_a_moment(run: Any) -> None:
    for asked in ([], ["--subject", "a"], ["--event", "c2", "--subject", "a", "--as-of", "2024-01-11T00:00Z"]):
        assert "Say --event ID" in said(run("explain", "entries_last_30_days", *asked), 2)
    assert "holds no crossing 'c99'" in said(run("explain", "entries_last_30_days", "--event", "c99"), 2)
    assert "FILE" not in said(run("explain", "permit_age_days", "--kind", "permit", "--event", "f|2024-05-01"), 2)


def test_a_file_gets_its_features_row_by_row(run: Any, tmp_path: Path) -> None:
    file = written(
        tmp_path / "asked.csv",
        "seen,subject,0_note,document\n"
        "2024-01-21T00:30:00+01:00,a,001,d-a\n"
        "2024-01-12T00:00:00Z,nobody,,\n"
        "2024-01-21T00:30:00+01:00,a,001,d-a\n",
    )
    out = tmp_path / "made" / "out.parquet"
    asked = ["--features", "entries_last_30_days,document_travellers_last_5_years,days_since_last_entry"]
    told = said(run("build", "--subjects", file, "--as-of", "seen", *asked, "--out", out))
    rows = pq.read_table(out)
    assert rows.column_names[:4] == ["seen", "subject", "0_note", "document"]
    assert rows.column_names[4:] == [name for name in features("crossing") if name in asked[1]]
    assert rows.column("0_note").to_pylist() == ["001", "", "001"]
    assert rows.schema.field("seen").type == pa.timestamp("us", tz="UTC")
    assert rows.column("entries_last_30_days").to_pylist() == [2, 0, 2]
    assert rows.column("document_travellers_last_5_years").to_pylist() == [2, None, 2]
    assert rows.column("days_since_last_entry").null_count == 1
    assert "1 of 2 subjects have no crossing and no permit on record" in told


def test_the_same_events_get_what_the_spine_gives(run: Any, tmp_path: Path) -> None:
    lake = Lake.open(tmp_path / "lake")
    spine = crossing_spine(lake, at(0), at(99))
    pq.write_table(spine, tmp_path / "asked.parquet")
    said(run("build", "--subjects", tmp_path / "asked.parquet", "--as-of", "as_of", "--out", tmp_path / "out.parquet"))
    names = [f.name for f in features("crossing").values() if f.role == "model"]
    found, values = pq.read_table(tmp_path / "out.parquet"), compute(spine, names, lake)
    beside = [name for name in names if name not in spine.column_names]
    assert found.select(beside).equals(values.select(beside))
    assert len(beside) > 60
    said(
        run("build", "--subjects", tmp_path / "asked.parquet", "--as-of", "as_of", "--out", tmp_path / "out.csv",
            "--features", "stay,entries_last_90_days")
    )  # fmt: skip
    names = [n for n, f in features("crossing").items() if f.group == "stay" or n == "entries_last_90_days"]
    columns = pyarrow.csv.read_csv(tmp_path / "out.csv").column_names
    assert columns == [*spine.column_names, *(n for n in names if n not in spine.column_names)]


def test_a_model_is_short_for_what_it_reads(run: Any, tmp_path: Path) -> None:
    file = written(tmp_path / "asked.csv", "subject,as_of,valid_to\na,2024-01-12T00:00:00Z,2024-06-01\n")
    out = tmp_path / "out.parquet"
    asked = ["--kind", "permit", "--features", "permit_lapse"]
    told = said(run("build", "--subjects", file, "--as-of", "as_of", *asked, "--out", out))
    inputs = declaration("permit_lapse").inputs()
    assert pq.read_table(out).column_names == ["subject", "as_of", "valid_to", *inputs]
    assert f"{len(inputs)} of them features" in told
    assert "FILE says nothing of event, file" in told


@pytest.mark.parametrize(
    ("text", "why"),
    [
        (
            "subject,as_of\na,2024-01-12T00:00:00Z\nb,2024-01-12\n",
            "column 'as_of' (rows concerned: 1, the first 2): a time",
        ),
        ("subject,as_of\na,soon\n", "not a date and time that is read here"),
        ("subject,as_of\na,\n", "column 'as_of' (rows concerned: 1, the first 1): a value that is required"),
        ("subject,as_of\n,2024-01-12T00:00:00Z\n", "column 'subject' (rows concerned: 1"),
        ("person,as_of\na,2024-01-12T00:00:00Z\n", "has no column 'subject'"),
        ("subject,seen\na,2024-01-12T00:00:00Z\n", "has no column 'as_of'"),
        ("subject,as_of,direction\na,2024-01-12T00:00:00Z,in\n", "column 'direction' (rows concerned: 1"),
        ("subject,as_of,expected_at\na,2024-01-12T00:00:00Z,2024-01-13 09:00\n", "column 'expected_at'"),
        ("subject,as_of,stay_days\na,2024-01-12T00:00:00Z,4\n", "a column 'stay_days'"),
        ("", "is empty"),
    ],
)
def test_a_file_that_cannot_be_used_is_refused(run: Any, tmp_path: Path, text: str, why: str) -> None:
    file = written(tmp_path / "asked.csv", text)
    out = tmp_path / "out.parquet"
    assert why in said(run("build", "--subjects", file, "--as-of", "as_of", "--out", out), 2)
    assert not out.exists()


def test_a_moment_without_a_zone_is_refused_in_parquet_too(run: Any, tmp_path: Path) -> None:
    naive = pa.array([at(5)]).cast(pa.timestamp("us"))
    pq.write_table(pa.table({"subject": ["a"], "as_of": naive}), tmp_path / "asked.parquet")
    asked = ["--subjects", tmp_path / "asked.parquet", "--as-of", "as_of", "--out", tmp_path / "out.parquet"]
    assert "use timestamp[us, UTC]" in said(run("build", *asked), 2)


def test_only_what_may_leave_the_gate_is_built(run: Any, tmp_path: Path) -> None:
    file = written(tmp_path / "asked.csv", "subject,as_of\na,2024-01-12T00:00:00Z\n")
    asked = ["build", "--subjects", file, "--as-of", "as_of", "--out", tmp_path / "out.parquet", "--features"]
    assert "reads the gate" in said(run(*asked, "child_without_declared_guardian"), 2)
    assert "no crossing feature, reason group or model" in said(run(*asked, "luck"), 2)
    assert "ends in '.xlsx'" in said(run(*asked[:-2], tmp_path / "out.xlsx"), 2)

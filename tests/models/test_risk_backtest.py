"""The backtest on small synthetic tables, the refusals it owes, and the public sets where they are at hand."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv
import pyarrow.parquet
import pytest

from models.risk.backtest import Options, Report, backtest
from models.risk.profiles import Profile
from models.risk.report import text
from models.risk.sources import Columns, Sources
from records.errors import BadInput

CUTS = (datetime(2021, 9, 1, tzinfo=UTC), datetime(2021, 11, 1, tzinfo=UTC))


def make_table(rows: int = 3000, seed: int = 0) -> pa.Table:
    """A year of rows: two actors in twenty are risky, weight matters, `noise` does not."""
    random = np.random.default_rng(seed)
    when = np.datetime64("2021-01-01") + np.sort(random.integers(0, 365 * 24 * 60, rows)).astype("timedelta64[m]")
    actor, weight = random.integers(0, 200, rows), random.normal(0, 1, rows)
    risk = 1 / (1 + np.exp(2.0 - 1.2 * weight - 2.5 * (actor < 20)))
    outcome = (random.random(rows) < risk).astype(float)
    return pa.table(
        {
            "id": [f"r{n}" for n in random.permutation(rows)],
            "when": when.astype("datetime64[us]"),
            "actor": [f"a{n}" for n in actor],
            "kind": random.choice(["x", "y", None], rows).tolist(),
            "weight": np.where(random.random(rows) < 0.05, np.nan, weight),
            "urgent": random.random(rows) < 0.5,
            "noise": random.normal(0, 1, rows),
            "region": random.choice(["north", "south"], rows).tolist(),
            "found": pa.array(np.where(random.random(rows) < 0.1, np.nan, outcome), from_pandas=True),
        }
    )


COLUMNS = Columns("found", "when", "id", audit=("region",))
QUICK = Profile("quick", 1, 40, 15, 4, tries=3, tried_rounds=20, rate=0.15, rates=(0.1, 0.3))


def run(tmp_path: Path, table: pa.Table, columns: Columns = COLUMNS, **changes: object) -> Report:
    path = tmp_path / "table.parquet"
    pyarrow.parquet.write_table(table, path)
    options = {"valid_from": CUTS[0], "test_from": CUTS[1], "profile": QUICK, "draws": 20} | changes
    return backtest(Sources(path), Options(columns, **options), out=tmp_path / "out.parquet")


def test_a_report_with_scores(tmp_path):
    table = make_table()
    report = run(tmp_path, table)
    later = table.filter(pc.greater_equal(table["when"], pa.scalar(CUTS[0].replace(tzinfo=None), pa.timestamp("us"))))
    out = pyarrow.parquet.read_table(tmp_path / "out.parquet")
    assert out.column_names == ["row_id", "split", "raw", "score"]
    assert set(out["row_id"].to_pylist()) == set(later["id"].to_pylist())
    assert {c.split: c.rows for c in report.counts} == {
        "train": table.num_rows - later.num_rows,
        "valid": out["split"].to_pylist().count("valid"),
        "test": out["split"].to_pylist().count("test"),
    }
    score, raw = out["score"].to_numpy(), out["raw"].to_numpy()
    assert ((score > 0) & (score < 1)).all()
    assert (np.diff(score[np.argsort(raw)]) >= 0).all()
    model, base = report.figures["model"], report.figures["base rate"]
    assert model["pr_auc"].value > 1.5 * base["pr_auc"].value
    assert report.groups[0].attribute == "region"
    printed = text(report)
    for word in ("PR-AUC", "Precision at 1%", "Recall at 10%", "Calibration error", "region", "logistic regression"):
        assert word in printed


def test_the_order_of_rows_and_audit_columns_change_no_score(tmp_path):
    table = make_table()
    run(tmp_path, table)
    first = pyarrow.parquet.read_table(tmp_path / "out.parquet").sort_by("row_id")
    shuffled = table.take(pa.array(np.random.default_rng(5).permutation(table.num_rows)))
    turned = shuffled.set_column(7, "region", pc.replace_with_mask(shuffled["region"], pa.array([True] * 3000), "west"))
    run(tmp_path, turned)
    assert pyarrow.parquet.read_table(tmp_path / "out.parquet").sort_by("row_id").equals(first)


def test_test_labels_change_no_score(tmp_path):
    table = make_table()
    run(tmp_path, table)
    first = pyarrow.parquet.read_table(tmp_path / "out.parquet")
    test = pc.greater_equal(table["when"], pa.scalar(CUTS[1].replace(tzinfo=None), pa.timestamp("us")))
    found = pc.if_else(test, pc.subtract(1.0, table["found"]), table["found"])
    run(tmp_path, table.set_column(8, "found", found))
    assert pyarrow.parquet.read_table(tmp_path / "out.parquet").equals(first)


def test_three_files_where_the_last_has_no_label(tmp_path):
    table = make_table()
    run(tmp_path, table)
    whole = pyarrow.parquet.read_table(tmp_path / "out.parquet").sort_by("row_id")
    edges = [
        np.datetime64("2021-01-01"),
        np.datetime64("2021-09-01"),
        np.datetime64("2021-11-01"),
        np.datetime64("2022-01-01"),
    ]
    when = table["when"].to_numpy()
    paths = [tmp_path / f"{name}.csv" for name in ("a", "b", "c")]
    for path, start, end in zip(paths, edges[:-1], edges[1:], strict=True):
        part = table.filter(pa.array((when >= start) & (when < end)))
        pyarrow.csv.write_csv(part.drop_columns(["found"]) if path.stem == "c" else part, path)
    out = tmp_path / "three.parquet"
    report = backtest(Sources(None, *paths), Options(COLUMNS, profile=QUICK, draws=20), out=out)
    assert report.figures == {}
    assert "no label" in text(report)
    three = pyarrow.parquet.read_table(out).sort_by("row_id")
    assert three["row_id"].to_pylist() == whole["row_id"].to_pylist()
    assert three["raw"].to_numpy() == pytest.approx(whole["raw"].to_numpy(), abs=1e-6)


def test_levels_never_seen_are_scored(tmp_path):
    table = make_table()
    late = pc.greater_equal(table["when"], pa.scalar(CUTS[1].replace(tzinfo=None), pa.timestamp("us")))
    new = table.set_column(2, "actor", pc.if_else(late, "stranger", table["actor"]))
    run(tmp_path, new.set_column(3, "kind", pc.if_else(late, "z", new["kind"])))
    assert np.isfinite(pyarrow.parquet.read_table(tmp_path / "out.parquet")["raw"].to_numpy()).all()


def test_useless_columns_are_left_out_by_name(tmp_path):
    table = make_table().append_column("same", pa.array([1] * 3000)).append_column("empty", pa.nulls(3000))
    report = run(tmp_path, table)
    assert set(report.left_out) == {"same", "empty"}
    assert "Left out: empty (null in every training row)" in text(report)


@pytest.mark.parametrize(
    ("change", "columns", "message"),
    [
        ({}, Columns("fund", "when"), "Did you mean 'found'"),
        ({}, Columns("found", "when", exclude=("nois",)), "Did you mean 'noise'"),
        ({}, Columns("found", "weight"), "column of times"),
        ({}, Columns("found", "kind"), "is no time"),
        ({}, Columns("actor", "when"), "must be 0 and 1"),
        ({}, Columns("weight", "when"), "must be 0 or 1"),
        ({}, Columns("found", "when", "actor"), "not unique"),
        ({"valid_from": CUTS[1], "test_from": CUTS[0]}, COLUMNS, "the test must come last"),
        ({"test_from": datetime(2029, 1, 1, tzinfo=UTC)}, COLUMNS, "No row falls into the test part"),
        ({"valid_from": None}, COLUMNS, "Give --valid-from"),
        ({"capacity": (0.0,)}, COLUMNS, "share of the rows"),
        ({"valid_from": datetime(2021, 1, 3, tzinfo=UTC)}, COLUMNS, "At least 200 rows"),
    ],
)
def test_bad_input_says_what_to_do(tmp_path, change, columns, message):
    with pytest.raises(BadInput, match=message):
        run(tmp_path, make_table(), columns, **change)


def test_a_label_that_never_varies(tmp_path):
    table = make_table().set_column(8, "found", pa.array([0] * 3000))
    with pytest.raises(BadInput, match="always 0 in the train rows"):
        run(tmp_path, table)


def test_a_label_from_the_future(tmp_path):
    table = make_table()
    ahead = pc.add(table["when"], pa.scalar(np.timedelta64(40000, "D").astype("timedelta64[us]")))
    late = pc.greater_equal(table["when"], pa.scalar(CUTS[1].replace(tzinfo=None), pa.timestamp("us")))
    with pytest.raises(BadInput, match="lies in the future"):
        run(tmp_path, table.set_column(1, "when", pc.if_else(late, ahead, table["when"])))


@pytest.mark.parametrize("kind", ["number", "text", "only filled in afterwards"])
def test_a_column_that_gives_the_outcome_away(tmp_path, kind):
    table = make_table()
    found = pc.fill_null(table["found"], 0.0)
    leak = {
        "number": pc.multiply(
            pc.add(found, table["noise"].combine_chunks().cast(pa.float64())).cast(pa.float64()), 0.0
        ),
        "text": pc.if_else(pc.equal(found, 1.0), "seized", "released"),
        "only filled in afterwards": pc.if_else(pc.equal(found, 1.0), 7.0, None),
    }[kind]
    if kind == "number":
        leak = pc.add(pc.multiply(found, 50.0), table["noise"])
    table = table.append_column("result", leak)
    with pytest.raises(BadInput, match="Column 'result' alone tells"):
        run(tmp_path, table)
    run(tmp_path, table, Columns("found", "when", "id", exclude=("result", "region")))


def test_a_value_that_always_means_the_outcome_is_warned_about(tmp_path):
    table = make_table()
    part = pc.and_(pc.equal(pc.fill_null(table["found"], 0.0), 1.0), pc.greater(table["noise"], 0.0))
    report = run(tmp_path, table.append_column("weapon", pc.cast(part, pa.int8())))
    assert any("'weapon' has a value that always meant the outcome" in warning for warning in report.warnings)


@pytest.mark.parametrize("name", ["prot_age", "person_sex", "nationality"])
def test_who_someone_is_never_scores(tmp_path, name):
    table = make_table().append_column(name, pa.array(["a", "b", "c"] * 1000))
    with pytest.raises(BadInput, match="who someone is never scores"):
        run(tmp_path, table)
    run(tmp_path, table, Columns("found", "when", "id", audit=(name, "region")))


def test_files_that_do_not_fit(tmp_path):
    with pytest.raises(BadInput, match="There is no file"):
        backtest(Sources(tmp_path / "none.csv"), Options(COLUMNS, *CUTS, profile=QUICK))
    (tmp_path / "notes.docx").write_text("x")
    with pytest.raises(BadInput, match="neither Parquet"):
        backtest(Sources(tmp_path / "notes.docx"), Options(COLUMNS, *CUTS, profile=QUICK))
    (tmp_path / "bad.parquet").write_text("x")
    with pytest.raises(BadInput, match="cannot be read"):
        backtest(Sources(tmp_path / "bad.parquet"), Options(COLUMNS, *CUTS, profile=QUICK))
    with pytest.raises(BadInput, match="either one table, or all three"):
        backtest(Sources(None, tmp_path / "notes.docx"), Options(COLUMNS))


def test_three_files_out_of_order(tmp_path):
    pyarrow.parquet.write_table(make_table(), tmp_path / "a.parquet")
    same = [tmp_path / "a.parquet"] * 3
    with pytest.raises(BadInput, match="split by time"):
        backtest(Sources(None, *same), Options(COLUMNS))


def test_a_real_outcome_column_is_refused(shared_data):
    path = shared_data / "risk" / "searches_london.parquet"
    cuts = (datetime(2018, 9, 1, tzinfo=UTC), datetime(2018, 10, 1, tzinfo=UTC))
    audit = ("prot_ethnicity", "prot_ethnicity_self", "prot_gender", "prot_age")
    with pytest.raises(BadInput, match="'outcome' alone"):
        backtest(Sources(path), Options(Columns("y", "event_time", "row_id", ("y_arrest",), audit), *cuts))


def test_real_inspections_rank_no_worse_than_logistic(shared_data, tmp_path):
    path = shared_data / "risk" / "food_inspections.parquet"
    cuts = (datetime(2013, 10, 1, tzinfo=UTC), datetime(2014, 1, 1, tzinfo=UTC))
    options = Options(Columns("y", "event_time", "row_id", ("y_serious", "y_fail")), *cuts, draws=20)
    report = backtest(Sources(path), options, out=tmp_path / "out.parquet")
    assert report.gain.value > -0.01
    assert report.gain.high > 0


def test_three_files_in_three_formats_fit(tmp_path):
    """Categories, text types, zones, kinds of number and an outcome that is not known yet do not part the files."""
    table = make_table().append_column("fined", pa.array(np.zeros(3000)))
    cut = [
        int(pc.sum(pc.less(table["when"], pa.scalar(c.replace(tzinfo=None), pa.timestamp("us")))).as_py()) for c in CUTS
    ]
    train, valid, test = table.slice(0, cut[0]), table.slice(cut[0], cut[1] - cut[0]), table.slice(cut[1])
    pyarrow.csv.write_csv(train, tmp_path / "train.csv")
    place = valid.column_names.index("actor")
    valid = valid.set_column(place, "actor", valid["actor"].dictionary_encode())
    pyarrow.parquet.write_table(valid, tmp_path / "valid.parquet")
    zoned = pc.strftime(test["when"], "%Y-%m-%dT%H:%M:%SZ")
    test = test.drop_columns(["found", "fined"]).set_column(1, "when", zoned)
    test = test.set_column(test.column_names.index("urgent"), "urgent", pc.cast(test["urgent"], pa.int64()))
    test = test.set_column(0, "id", pc.cast(test["id"], pa.large_string()))
    pyarrow.parquet.write_table(test, tmp_path / "test.parquet")
    files = Sources(None, tmp_path / "train.csv", tmp_path / "valid.parquet", tmp_path / "test.parquet")
    columns = Columns("found", "when", "id", exclude=("fined",), audit=("region",))
    backtest(files, Options(columns, profile=QUICK, draws=20), out=tmp_path / "out.parquet")
    scored = pyarrow.parquet.read_table(tmp_path / "out.parquet")
    assert scored.num_rows == 3000 - cut[0]


def test_an_empty_file_is_named(tmp_path):
    for name, rows in (("a", 3000), ("b", 3000), ("c", 0)):
        pyarrow.csv.write_csv(make_table().slice(0, rows), tmp_path / f"{name}.csv")
    files = Sources(None, *(tmp_path / f"{name}.csv" for name in "abc"))
    with pytest.raises(BadInput, match="test file has no rows"):
        backtest(files, Options(COLUMNS))


def test_a_label_counts_once_it_is_known(tmp_path):
    """Findings that were not known when validation began neither teach nor make rates; nothing else changes."""
    table = make_table()
    known = pc.add(table["when"], pa.scalar(np.timedelta64(20, "D").astype("timedelta64[us]")))
    columns = Columns("found", "when", "id", audit=("region",), known_at="known")
    report = run(tmp_path, table.append_column("known", known), columns)
    first = pyarrow.parquet.read_table(tmp_path / "out.parquet")
    late = pc.and_(
        pc.greater(known, pa.scalar(CUTS[0].replace(tzinfo=None), pa.timestamp("us"))),
        pc.less(table["when"], pa.scalar(CUTS[0].replace(tzinfo=None), pa.timestamp("us"))),
    )
    other = pc.if_else(late, pc.subtract(1.0, table["found"]), table["found"])
    run(tmp_path, table.set_column(8, "found", other).append_column("known", known), columns)
    assert pyarrow.parquet.read_table(tmp_path / "out.parquet").equals(first)
    plain = run(tmp_path, table)
    assert report.counts[0].labelled < plain.counts[0].labelled
    delayed = run(tmp_path, table, delay=timedelta(days=20))
    assert delayed.counts == report.counts


def test_a_label_known_before_its_event_is_refused(tmp_path):
    table = make_table()
    known = pc.subtract(table["when"], pa.scalar(np.timedelta64(1, "D").astype("timedelta64[us]")))
    with pytest.raises(BadInput, match="known before their own time"):
        run(tmp_path, table.append_column("known", known), Columns("found", "when", "id", known_at="known"))


def test_a_label_not_yet_known_is_refused(tmp_path):
    table = make_table()
    known = pc.add(table["when"], pa.scalar(np.timedelta64(90000, "D").astype("timedelta64[us]")))
    with pytest.raises(BadInput, match="nor used before it is known"):
        run(tmp_path, table.append_column("known", known), Columns("found", "when", "id", known_at="known"))


def test_outcomes_that_are_not_all_in_yet_are_refused(tmp_path):
    table = make_table()
    recent = pc.and_(
        pc.greater(table["when"], pa.scalar(datetime(2021, 8, 1), pa.timestamp("us"))),  # noqa: DTZ001
        pc.less(table["when"], pa.scalar(datetime(2021, 9, 1), pa.timestamp("us"))),  # noqa: DTZ001
    )
    only_found = pc.if_else(pc.and_(recent, pc.equal(table["found"], 0.0)), None, table["found"])
    with pytest.raises(BadInput, match=r"jumps from .* to 100\.0% .* Give --delay"):
        run(tmp_path, table.set_column(8, "found", only_found))
    run(tmp_path, table.set_column(8, "found", only_found), replace(COLUMNS, allow=("found",)))


def test_a_column_filled_in_long_after_the_outcome_is_refused(tmp_path):
    """It is still empty in the latest rows, so that validation alone would not show what it says."""
    table = make_table()
    fine = pc.if_else(pc.equal(pc.fill_null(table["found"], 0.0), 1.0), 50.0, 0.0)
    early = pc.less(table["when"], pa.scalar(datetime(2021, 8, 25), pa.timestamp("us")))  # noqa: DTZ001
    with pytest.raises(BadInput, match="Column 'fine' alone tells"):
        run(tmp_path, table.append_column("fine", pc.if_else(early, fine, None)))


def test_a_column_that_only_looking_fills_in_is_warned_about(tmp_path):
    table = make_table()
    minutes = pc.if_else(pc.is_valid(table["found"]), pc.abs(table["noise"]), None)
    report = run(tmp_path, table.append_column("minutes", minutes))
    assert any("'minutes' holds a value hardly anywhere but in rows with a label" in w for w in report.warnings)


def test_values_training_never_saw_are_told(tmp_path):
    table = make_table()
    late = pc.greater_equal(table["when"], pa.scalar(CUTS[1].replace(tzinfo=None), pa.timestamp("us")))
    report = run(tmp_path, table.set_column(2, "actor", pc.if_else(late, "stranger", table["actor"])))
    assert any("'actor' holds a value that training never saw" in w for w in report.warnings)


def test_places_with_few_findings_are_scored_by_logistic_regression(tmp_path):
    report = run(tmp_path, make_table(), replace(COLUMNS, post="region"))
    assert "places have fewer than 1,000 labelled rows" in report.fallback or "0 places" in report.fallback
    assert f"Places: {report.fallback}" in text(report)
    with pytest.raises(BadInput, match="--post names 'regio'"):
        run(tmp_path, make_table(), replace(COLUMNS, post="regio"))

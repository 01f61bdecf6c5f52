"""What a model keeps of what it learnt from: counts, from before it was finished."""

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import numpy as np
import pyarrow as pa

from models.risk.model import RiskModel
from models.risk.reference import SCORE, Reference, control_of, reference
from tests.serving.crossings import READS
from tests.serving.small_model import small_model

INSTANT = pa.timestamp("us", tz="UTC")
START = datetime(2026, 1, 1, tzinfo=UTC)
UNTIL = np.datetime64("2026-01-11T00:00:00")


def _similar(rows: int) -> pa.Table:
    random = np.random.default_rng(1)
    return pa.table(
        {
            "as_of": pa.array([START + timedelta(days=20 * n / rows) for n in range(rows)], INSTANT),
            "entries_last_90_days": random.integers(0, 30, rows).astype(float),
            "document_age_days": random.integers(0, 3000, rows).astype(float),
            "permit_state": random.choice(["granted", "renewed"], rows).tolist(),
            "origin_new_for_traveller": random.random(rows) < 0.5,
        }
    )


def _judged(selected_by: list[str | None]) -> pa.Table:
    as_of = [START + timedelta(days=n) for n in range(len(selected_by))]
    return pa.table(
        {
            "as_of": pa.array(as_of, INSTANT),
            "known_at": pa.array([moment + timedelta(hours=6) for moment in as_of], INSTANT),
            "label": [1.0, 0.0] * (len(selected_by) // 2),
            "selected_by": pa.array(selected_by, pa.string()),
        }
    )


def test_only_what_lies_before_the_model_was_finished_is_counted():
    model = small_model()
    made = reference(model, _similar(200), _judged(["random", "officer"] * 10), UNTIL, timedelta(days=14))
    assert made.rows == 100
    assert set(made.histograms) == {*READS, "score"}
    assert all(sum(histogram.counts) == 100 for histogram in (*made.histograms.values(),))
    assert (made.findings, made.confirmed) == (5, 5)
    assert made.wait == timedelta(hours=6)


def test_what_is_usual_is_that_of_the_same_months_where_they_had_cases_enough():
    rows = _similar(1800)
    at = [START - timedelta(days=1 + (n % 360)) for n in range(1800)]
    rows = rows.set_column(0, "as_of", pa.array(at, INSTANT))
    summer = np.array([moment.month in (7, 8) for moment in at])
    entries = np.where(summer, 20.0, rows["entries_last_90_days"].to_numpy())
    rows = rows.set_column(1, "entries_last_90_days", pa.array(entries))
    made = reference(small_model(), rows, _judged(["random"] * 2), UNTIL, timedelta(days=14))
    name = "entries_last_90_days"
    july = made.usual(name, [7, 8])
    assert sum(july.counts) == summer.sum() == max(july.counts)
    assert july.edges == made.histograms[name].edges
    assert made.usual(name, [7]) == made.histograms[name]  # too few
    assert sum(made.usual(SCORE, range(1, 13)).counts) == made.rows


def test_without_control_the_wait_is_the_declared_horizon():
    made = reference(small_model(), _similar(50), _judged(["officer"] * 4), UNTIL, timedelta(days=14))
    assert (made.findings, made.wait) == (0, timedelta(days=14))


def test_everyone_is_control_where_nobody_chooses():
    assert control_of(pa.chunked_array([pa.array(["random", "officer", None])])).to_pylist() == [True, False, True]


def test_it_is_kept_with_the_model_and_holds_no_row(tmp_path):
    made = reference(small_model(), _similar(200), _judged(["random"] * 20), UNTIL, timedelta(days=14))
    model = replace(small_model(), reference=made)
    kept = RiskModel.load(model.save(tmp_path))
    assert kept.reference == Reference.from_json(json.loads(json.dumps(made.as_json()))) == made
    assert kept.hash == model.hash != small_model().hash
    written = json.loads((tmp_path / model.hash / "reference.json").read_text())
    assert set(written["histograms"]["permit_state"]) == {"edges", "levels", "counts"}

"""Published runs are kept once and whole; how they did, and what changed between two, is read from them."""

from datetime import UTC, datetime

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from models.volumes.rhythm import COLUMNS
from models.volumes.vintages import how_did, keep, kept, standing, what_changed
from records.errors import BadInput

FIRST = datetime(2026, 5, 1, 4, tzinfo=UTC)


def run(flows, days=10):
    parts = []
    for flow, level in flows.items():
        frame = pd.DataFrame({"unique_id": flow, "ds": pd.date_range("2026-05-01", periods=days)})
        frame["cutoff"], frame["mean"], frame["post"] = pd.Timestamp("2026-04-30"), level, flow.split("|")[0]
        for place, name in enumerate(COLUMNS):
            frame[name] = level + 10.0 * (place - 7)
        parts.append(frame)
    return pd.concat(parts, ignore_index=True)


def test_a_run_is_kept_once_and_read_back(tmp_path):
    table = pa.Table.from_pandas(run({"a|entry": 100.0}))
    one = keep(tmp_path, table, made_at=FIRST, freq="D", model="abc")
    assert keep(tmp_path, table, made_at=FIRST, freq="D", model="abc").path == one.path
    two = keep(tmp_path, table, made_at=FIRST.replace(day=2), freq="D", model="abc")
    keep(tmp_path, table, made_at=FIRST, freq="MS", model="abc")
    assert kept(tmp_path, "D") == [one, two]
    assert len(kept(tmp_path)) == 3
    assert standing(kept(tmp_path, "D"), FIRST.replace(hour=12)) == one
    pd.testing.assert_frame_equal(one.rows()[["mean", *COLUMNS]], table.to_pandas()[["mean", *COLUMNS]])
    with pytest.raises(BadInput, match="No forecast made before"):
        standing(kept(tmp_path, "D"), FIRST)


def test_what_cannot_be_kept_is_said(tmp_path):
    table = pa.Table.from_pandas(run({"a|entry": 100.0}))
    with pytest.raises(BadInput, match=r"no q0\.5"):
        keep(tmp_path, table.drop(["q0.5"]), made_at=FIRST, freq="D", model="abc")
    with pytest.raises(BadInput, match="time zone"):
        keep(tmp_path, table, made_at=FIRST.replace(tzinfo=None), freq="D", model="abc")
    assert not list(tmp_path.iterdir())


def test_how_it_did_is_told_for_all_and_for_each_on_the_days_whose_counts_came():
    forecasts = run({"a|entry": 100.0, "b|entry": 50.0})
    actual = forecasts[["unique_id", "ds"]].assign(y=np.where(forecasts["unique_id"] == "a|entry", 110.0, 150.0))
    actual.loc[actual["ds"] > "2026-05-08", "y"] = np.nan
    whole, a, b = how_did(forecasts, actual, by=("post",))
    assert (whole.days, a.name, b.name) == (16, "a", "b")
    assert (a.coverage_80, b.coverage_80, whole.coverage_80) == (1.0, 0.0, 0.5)
    assert a.wape == pytest.approx(10 / 110)
    assert b.bias == pytest.approx(-100 / 150)
    with pytest.raises(BadInput, match="None of the forecast days"):
        how_did(forecasts, actual.assign(y=np.nan))


def test_what_changed_is_the_greatest_first_with_its_reason_over_the_steps_both_have():
    before = run({"a": 100.0, "b": 50.0, "c": 70.0})
    after = run({"a": 130.0, "b": 49.0, "d": 20.0}, days=12)
    changed = what_changed(before, after, moved_by={"b": "changed.closure"})
    assert [(c.name, c.after - c.before, c.reason) for c in changed] == [
        ("c", -700.0, "changed.gone"),
        ("a", 300.0, "changed.counts"),
        ("d", 240.0, "changed.new"),
        ("b", -10.0, "changed.closure"),
    ]
    assert changed[1].share == pytest.approx(0.3)
    assert len(what_changed(before, after, most=2)) == 2

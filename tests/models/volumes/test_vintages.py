"""How runs did, and what changed between two, is read from what was published."""

from datetime import UTC, datetime

import numpy as np
import pandas as pd
import pytest

from models.volumes.publishing.published import Card
from models.volumes.publishing.vintages import Reason, how_did, newly_read, what_changed
from models.volumes.rhythm import COLUMNS
from records.errors import BadInput


def run(flows, days=10):
    parts = []
    for flow, level in flows.items():
        frame = pd.DataFrame({"unique_id": flow, "ds": pd.date_range("2026-05-01", periods=days)})
        frame["cutoff"], frame["mean"], frame["post"] = pd.Timestamp("2026-04-30"), level, flow.split("|")[0]
        for place, name in enumerate(COLUMNS):
            frame[name] = level + 10.0 * (place - 7)
        parts.append(frame)
    return pd.concat(parts, ignore_index=True)


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
    why = {"moved_by": {"b": Reason("changed.closure")}, "otherwise": Reason("changed.days", 2)}
    changed = what_changed(before, after, **why)
    assert [(c.name, c.after - c.before, c.reason) for c in changed] == [
        ("c", -700.0, "changed.gone"),
        ("a", 300.0, "changed.days"),
        ("d", 240.0, "changed.new"),
        ("b", -10.0, "changed.closure"),
    ]
    assert changed[1].share == pytest.approx(0.3)
    assert [c.days for c in changed] == [0, 2, 0, 0]
    assert len(what_changed(before, after, **why, most=2)) == 2


def card(data_hash, **counts):
    noon = datetime(2026, 5, 1, 12, tzinfo=UTC)
    return Card(noon, noon, "UTC", data_hash=data_hash, counts=counts)


def test_what_a_run_read_that_the_one_before_had_not_is_told_by_its_counts():
    before = card("one", a=(100, 900.0), b=(100, 50.0), c=(90, 10.0))
    assert newly_read(before, before) == (Reason("changed.model"), {})
    after = card("two", a=(103, 930.0), b=(100, 51.0), c=(90, 10.0), d=(5, 5.0))
    read = newly_read(before, after)
    assert read == (Reason("changed.days", 3), {"a": Reason("changed.days", 3), "b": Reason("changed.corrected")})
    assert newly_read(before, card("two", **before.counts)) == (Reason("changed.later"), {})
    assert newly_read(card("one"), after) == (Reason("changed.counts"), {})

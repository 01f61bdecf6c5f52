"""Samples of events: the same ones whatever stands beside them in the table, and no more of a day than asked for."""

from datetime import UTC, date, datetime, timedelta

import pyarrow as pa

from pipelines.steps.sampling import drawn
from pipelines.steps.weighing import PER_DAY, of_each_day


def events(count: int, every: timedelta) -> pa.Table:
    begin = datetime(2026, 3, 1, 22, 30, tzinfo=UTC)
    moments = [begin + n * every for n in range(count)]
    return pa.table({"event": [f"C{n}" for n in range(count)], "happened_at": moments})


def test_the_same_events_are_drawn_in_their_order_wherever_they_stand():
    rows = events(50, timedelta(hours=1))
    chosen = drawn(rows, 20)["event"].to_pylist()
    assert len(chosen) == 20
    assert chosen == [event for event in rows["event"].to_pylist() if event in chosen]
    assert set(drawn(rows.slice(0, 49), 20)["event"].to_pylist()) >= set(chosen) - {"C49"}
    assert drawn(rows, 50) is rows


def test_each_local_day_has_its_own_sample():
    rows = events(3 * PER_DAY, timedelta(seconds=60))  # from half past eleven at night in Tunis, over 25 hours
    found = of_each_day(rows, "happened_at", [date(2026, 3, 1), date(2026, 3, 2), date(2026, 3, 9)], "Africa/Tunis")
    assert found.num_rows == 30 + PER_DAY
    assert found.slice(0, 30) == rows.slice(0, 30)

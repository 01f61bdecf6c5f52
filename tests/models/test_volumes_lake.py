"""Counts from the lake are those known at the moment asked; silence where there is always noise is an alarm."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest

from models.volumes.lake_flows import daily_counts, forecast_lake
from records.errors import BadInput

FIRST = datetime(2025, 1, 1, 9, tzinfo=UTC)
AS_OF = datetime(2025, 4, 11, 5, tzinfo=UTC)
MOMENT = pa.timestamp("us", "UTC")


class StandIn:
    """A lake of two tables, each row known from its known_at on."""

    def __init__(self, crossings: pa.Table, closures: list[dict[str, object]]) -> None:
        empty = {name: pa.string() for name in ("place", "place_kind", "kind")}
        schema = pa.schema({**empty, "happened_at": MOMENT, "until_at": MOMENT, "known_at": MOMENT})
        self.tables = {"crossings": crossings, "closures": pa.Table.from_pylist(closures, schema=schema)}

    def as_known(self, table: str, at: datetime, columns: Sequence[str] | None = None) -> pa.Table:
        rows = self.tables[table]
        rows = rows.filter(pc.less_equal(rows["known_at"], pa.scalar(at, MOMENT)))
        return rows.select(list(columns)) if columns else rows


def crossings(*, silent: int | None = None, late: bool = False, advance: bool = False) -> pa.Table:
    rows = []
    for number in range(100):
        for post, usual in (("Goulette", 12), ("Ras Jedir", 30)):
            count = 0 if (post == "Goulette" and number == silent) else usual + 5 * (number % 7 >= 5)
            for _ in range(count):
                at = FIRST + timedelta(days=number)
                known = at + timedelta(days=2 if late else 0, minutes=1)
                rows.append(("actual", post, "entry", at, known))
    if advance:
        rows.append(("advance", "Goulette", "entry", FIRST, FIRST))
    kinds, posts, directions, happened, known = zip(*rows, strict=True)
    return pa.table(
        {
            "kind": kinds,
            "post": posts,
            "direction": directions,
            "happened_at": pa.array(happened, MOMENT),
            "known_at": pa.array(known, MOMENT),
        }
    )


def closed(begin: datetime, end: datetime | None, announced: datetime) -> dict[str, object]:
    kept = {"place": "Goulette", "place_kind": "post", "kind": "closed"}
    return {**kept, "happened_at": begin, "until_at": end, "known_at": announced}


def test_actual_crossings_known_by_then_are_counted_by_local_day() -> None:
    counts, alarms, notes = daily_counts(StandIn(crossings(advance=True), []), AS_OF, "Africa/Tunis")
    assert set(counts["unique_id"]) == {"Goulette|entry", "Ras Jedir|entry"}
    first = counts[(counts["unique_id"] == "Goulette|entry")].iloc[0]
    assert (first["y"], str(first["ds"].date())) == (12, "2025-01-01")
    assert counts["ds"].max() == np.datetime64("2025-04-10")
    assert alarms.num_rows == 0
    assert notes == ()


def test_days_whose_records_have_not_come_are_missing_not_low() -> None:
    counts, _, notes = daily_counts(StandIn(crossings(late=True), []), AS_OF, "Africa/Tunis")
    recent = counts[counts["ds"] >= np.datetime64("2025-04-10")]
    assert recent["y"].isna().all()
    assert any("2025-04-10" in note.problem for note in notes)


def test_a_silent_day_where_there_always_is_traffic_is_a_feed_alarm() -> None:
    counts, alarms, _ = daily_counts(StandIn(crossings(silent=90), []), AS_OF, "Africa/Tunis")
    assert alarms.to_pylist() == [{"post": "Goulette", "direction": "entry", "ds": datetime(2025, 4, 1).date()}]  # noqa: DTZ001
    day = counts[(counts["ds"] == np.datetime64("2025-04-01")) & (counts["post"] == "Goulette")]
    assert day["y"].isna().all()


def test_a_closed_day_is_neither_an_alarm_nor_a_lesson() -> None:
    shut = closed(datetime(2025, 3, 31, 22, tzinfo=UTC), datetime(2025, 4, 2, tzinfo=UTC), FIRST)
    counts, alarms, _ = daily_counts(StandIn(crossings(silent=90), [shut]), AS_OF, "Africa/Tunis")
    assert alarms.num_rows == 0
    assert counts[(counts["ds"] == np.datetime64("2025-04-01")) & (counts["post"] == "Goulette")]["y"].isna().all()


def test_an_announced_closure_is_forecast_as_zero_and_a_later_one_is_not_known() -> None:
    begin, end = datetime(2025, 4, 13, 22, tzinfo=UTC), datetime(2025, 4, 16, 23, tzinfo=UTC)
    known = forecast_lake(StandIn(crossings(), [closed(begin, end, FIRST)]), AS_OF)
    table = known.forecasts.to_pandas()
    assert len(table) == 2 * 14
    assert table["ds"].min() == np.datetime64("2025-04-11")
    shut = table[table["closed"]]
    assert [str(day.date()) for day in shut["ds"]] == ["2025-04-14", "2025-04-15", "2025-04-16"]
    assert (shut[["mean", "q0.1", "q0.9"]] == 0).all().all()
    assert (table[~table["closed"]]["q0.5"] > 0).all()
    assert "pool_all_scaled_crps" in known.flows.figures()
    unknown = forecast_lake(StandIn(crossings(), [closed(begin, end, AS_OF + timedelta(days=1))]), AS_OF)
    assert not any(unknown.forecasts["closed"].to_pylist())


def test_a_lake_that_knew_nothing_yet_is_bad_input() -> None:
    with pytest.raises(BadInput, match="knew of no crossing"):
        daily_counts(StandIn(crossings(), []), datetime(2024, 1, 1, tzinfo=UTC), "Africa/Tunis")
    with pytest.raises(BadInput, match="no time zone"):
        forecast_lake(StandIn(crossings(), []), datetime(2025, 1, 1))  # noqa: DTZ001

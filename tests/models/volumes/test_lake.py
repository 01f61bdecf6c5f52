"""Counts from the lake are those known at the moment asked; silence where there is always noise is an alarm."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pytest

from models.volumes.counts.panel import Note
from models.volumes.lake.flows import actual_crossings, daily_counts, lake_flows, shut_hours
from records.errors import BadInput

FIRST = datetime(2025, 1, 1, 9, tzinfo=UTC)
AS_OF = datetime(2025, 4, 11, 5, tzinfo=UTC)
MOMENT = pa.timestamp("us", "UTC")


class StandIn:
    """A lake of two tables, each row known from its known_at on."""

    def __init__(self, crossings: pa.Table, closures: list[dict[str, object]]) -> None:
        empty = {name: pa.string() for name in ("place", "place_kind", "kind")}
        schema = pa.schema({**empty, "happened_at": MOMENT, "until_at": MOMENT, "known_at": MOMENT})
        post = {"post": "Goulette", "mode": "sea", "governorate": "Tunis", "happened_at": FIRST, "known_at": FIRST}
        self.tables = {
            "crossings": crossings,
            "closures": pa.Table.from_pylist(closures, schema=schema),
            "posts": pa.Table.from_pylist([post]),
        }

    def as_known(self, table: str, at: datetime, columns: Sequence[str] | None = None) -> pa.Table:
        rows = self.tables[table]
        rows = rows.filter(pc.less_equal(rows["known_at"], pa.scalar(at, MOMENT)))
        return rows.select(list(columns)) if columns else rows


def crossings(*, silent: int | None = None, days: int = 1, late: bool = False, advance: bool = False) -> pa.Table:
    rows = []
    for number in range(100):
        for post, usual in (("Goulette", 12), ("Ras Jedir", 30)):
            quiet = post == "Goulette" and silent is not None and silent <= number < silent + days
            count = 0 if quiet else usual + 5 * (number % 7 >= 5)
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
            "regime": ["visa"] * len(posts),
            "happened_at": pa.array(happened, MOMENT),
            "known_at": pa.array(known, MOMENT),
        }
    )


def closed(begin: datetime, end: datetime | None, announced: datetime) -> dict[str, object]:
    kept = {"place": "Goulette", "place_kind": "post", "kind": "closed"}
    return {**kept, "happened_at": begin, "until_at": end, "known_at": announced}


def counted(lake: StandIn, as_of: datetime) -> tuple[pd.DataFrame, pa.Table, tuple[Note, ...]]:
    zone = "Africa/Tunis"
    return daily_counts(actual_crossings(lake, as_of), shut_hours(lake, as_of, zone), as_of, zone)


def test_actual_crossings_known_by_then_are_counted_by_local_day() -> None:
    counts, alarms, notes = counted(StandIn(crossings(advance=True), []), AS_OF)
    assert set(counts["unique_id"]) == {"Goulette|entry", "Ras Jedir|entry"}
    first = counts[(counts["unique_id"] == "Goulette|entry")].iloc[0]
    assert (first["y"], str(first["ds"].date())) == (12, "2025-01-01")
    assert counts["ds"].max() == np.datetime64("2025-04-10")
    assert alarms.num_rows == 0
    assert notes == ()


def test_days_whose_records_have_not_come_are_missing_not_low() -> None:
    counts, _, notes = counted(StandIn(crossings(late=True), []), AS_OF)
    recent = counts[counts["ds"] >= np.datetime64("2025-04-10")]
    assert recent["y"].isna().all()
    assert any("2025-04-10" in note.problem for note in notes)


def test_a_silent_day_where_there_always_is_traffic_is_a_feed_alarm() -> None:
    counts, alarms, _ = counted(StandIn(crossings(silent=90), []), AS_OF)
    assert alarms.to_pylist() == [{"post": "Goulette", "direction": "entry", "ds": datetime(2025, 4, 1).date()}]  # noqa: DTZ001
    day = counts[(counts["ds"] == np.datetime64("2025-04-01")) & (counts["post"] == "Goulette")]
    assert day["y"].isna().all()


def test_an_outage_stays_one_until_something_comes() -> None:
    counts, alarms, _ = counted(StandIn(crossings(silent=80, days=15), []), AS_OF)
    assert alarms.num_rows == 15
    of_post = counts[counts["post"] == "Goulette"].set_index("ds")["y"]
    assert of_post.loc["2025-03-22":"2025-04-05"].isna().all()
    assert of_post.loc["2025-04-06":].notna().all()


def test_a_closed_day_is_neither_an_alarm_nor_a_lesson() -> None:
    shut = closed(datetime(2025, 3, 31, 22, tzinfo=UTC), datetime(2025, 4, 2, tzinfo=UTC), FIRST)
    counts, alarms, _ = counted(StandIn(crossings(silent=90), [shut]), AS_OF)
    assert alarms.num_rows == 0
    assert counts[(counts["ds"] == np.datetime64("2025-04-01")) & (counts["post"] == "Goulette")]["y"].isna().all()
    assert lake_flows(StandIn(crossings(silent=90), [shut]), AS_OF).uncounted == {}  # nobody came, and that is known


def test_hours_days_and_months_are_the_same_counts() -> None:
    flows = lake_flows(StandIn(crossings(silent=90), []), AS_OF, hours=24 * 30)
    entry = "mode=sea > governorate=Tunis > post=Goulette > direction=entry"
    assert set(flows.days["unique_id"]) == {entry, "post=Ras Jedir > direction=entry"}
    assert any("Ras Jedir" in note.series for note in flows.notes)  # not in the table of posts
    by_hour = flows.hours[flows.hours["unique_id"] == entry].set_index("ds")["y"]
    by_day = flows.days[flows.days["unique_id"] == entry].set_index("ds")["y"]
    assert len(by_hour) == 24 * 30
    assert by_hour.loc["2025-04-01"].isna().all()  # the feed was silent
    assert by_hour.loc["2025-04-02"].sum() == by_day.loc["2025-04-02"] == 12
    assert by_hour.loc["2025-04-02T10"] == 12  # 9 o'clock UTC at a post in Tunis
    months = flows.months[flows.months["unique_id"] == entry].set_index("ds")["y"]
    assert list(months.index.month) == [1, 2, 3]
    assert months.loc["2025-02-01"] == by_day.loc["2025-02"].sum()
    assert flows.counted[entry] == np.nansum(by_day.loc["2025-04"])
    assert {name: list(map(str, days)) for name, (days, _) in flows.uncounted.items()} == {entry: ["2025-04-01"]}
    of_weekday = by_day.loc[["2025-03-11", "2025-03-18", "2025-03-25", "2025-04-08"]]
    assert flows.uncounted[entry][1].tolist() == [of_weekday.mean()]


def test_closed_hours_are_whole_ones_on_the_posts_clock() -> None:
    begin, end = datetime(2025, 4, 13, 22, 30, tzinfo=UTC), datetime(2025, 4, 14, 10, tzinfo=UTC)
    (shut,) = lake_flows(StandIn(crossings(), [closed(begin, end, FIRST)]), AS_OF).shut
    assert [str(part) for part in shut] == ["Goulette", "2025-04-14T00", "2025-04-14T11"]
    assert lake_flows(StandIn(crossings(), [closed(begin, end, AS_OF + timedelta(days=1))]), AS_OF).shut == ()


def test_a_lake_that_knew_nothing_yet_is_bad_input() -> None:
    with pytest.raises(BadInput, match="knew of no crossing"):
        counted(StandIn(crossings(), []), datetime(2024, 1, 1, tzinfo=UTC))
    with pytest.raises(BadInput, match="no time zone"):
        counted(StandIn(crossings(), []), datetime(2025, 1, 1))  # noqa: DTZ001


@pytest.mark.parametrize(("late", "hours"), [(False, 12), (True, 0)])
def test_hours_of_the_running_day_count_once_their_records_have_usually_come(late, hours):
    told = lake_flows(StandIn(crossings(late=late), []), datetime(2025, 4, 10, 12, tzinfo=UTC))
    came = {name.split(" > ")[-2]: list(counts) for name, counts in told.so_far.items()}
    assert set(told.classes[next(iter(told.so_far))]) == {"visa"}
    assert came["post=Goulette"] == [0.0] * 10 * bool(hours) + [12.0, 0.0] * bool(hours)

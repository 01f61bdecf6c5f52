"""Aggregates reckoned by hand, in cases anyone can check."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from features.by_hand import listed, made, said
from features.declaration import (
    Aggregate,
    count,
    days_in_a_row,
    days_present,
    distinct,
    last,
    mean,
    mean_gap,
    share,
    time_since,
    total,
    trend,
)
from tests.features.memory import at

NOW = at(10)


def rows(*values: Any) -> list[dict[str, Any]]:
    """One row a day."""
    return [{"happened_at": at(k), "known_at": at(k), "v": value} for k, value in enumerate(values)]


def stays(*crossings: tuple[float, str]) -> list[dict[str, Any]]:
    return [{"happened_at": at(day), "known_at": at(day), "direction": way} for day, way in crossings]


@pytest.mark.parametrize(
    ("how", "value", "words"),
    [
        (count, 3, "rows: 3"),
        (total("v"), 7, "1 + 2 + 4"),
        (mean("v"), 7 / 3, "(1 + 2 + 4) / 3"),
        (distinct("v"), 3, "1, 2, 4"),
        (last("v"), 4, "of the row of 2024-01-03 00:00:00Z"),
        (share(v=(1, 2)), 2 / 3, "rows that meet it: 2 of 3"),
        (time_since, 8, "from 2024-01-03 00:00:00Z to 2024-01-11 00:00:00Z"),
        (mean_gap, 1, "(1 + 1) / 2"),
        (trend("v"), 1.5, "the straight line nearest to 1, 2, 4"),
    ],
    ids=lambda value: value.name if isinstance(value, Aggregate) else "",
)
def test_three_rows(how: Aggregate, value: float, words: str) -> None:
    found, told = made(how, rows(1, 2, 4), NOW)
    assert (found, told) == (pytest.approx(value), words)


@pytest.mark.parametrize("how", [count, total("v"), distinct("v"), days_present(9), days_in_a_row])
def test_nothing_counts_nothing(how: Aggregate) -> None:
    assert made(how, [], NOW)[0] == 0


@pytest.mark.parametrize("how", [mean("v"), last("v"), share(v=1), time_since, mean_gap, trend("v")])
def test_nothing_says_nothing_else(how: Aggregate) -> None:
    assert made(how, [], NOW)[0] is None


@pytest.mark.parametrize("how", [mean_gap, trend("v")])
def test_one_row_has_neither_gap_nor_slope(how: Aggregate) -> None:
    assert made(how, rows(1), NOW)[0] is None


@pytest.mark.parametrize(
    ("crossings", "in_ten_days", "in_a_row"),
    [
        ([(2, "entry"), (4, "exit")], 3, 0),  # both days of a stay count
        ([(2, "entry")], 9, 9),  # a stay still open runs to today
        ([(8, "entry"), (10, "exit")], 3, 3),
        ([(2, "entry"), (4, "exit"), (4.5, "entry")], 9, 9),  # a day is counted once
        ([(1, "entry"), (3, "entry"), (4, "exit")], 3, 0),  # an entry without its exit is its own day
        ([(3, "exit"), (5, "exit")], 2, 0),
        ([(2, "entry"), (4, "entry"), (4, "exit")], 9, 9),  # at one instant, out and in again
        ([(-30, "entry"), (1, "exit")], 1, 0),  # of the last ten days, the tenth is the 1st
    ],
)
def test_days_in_the_country(crossings: list[tuple[float, str]], in_ten_days: int, in_a_row: int) -> None:
    assert made(days_present(10), stays(*crossings), NOW)[0] == in_ten_days
    assert made(days_in_a_row, stays(*crossings), NOW)[0] == in_a_row


def test_a_day_is_a_local_day() -> None:
    before_midnight = datetime(2024, 6, 1, 22, 59, tzinfo=UTC)  # 23:59 in Tunis
    for minutes, days in ((0, 2), (1, 1)):
        entry = {"happened_at": before_midnight + timedelta(minutes=minutes), "known_at": NOW, "direction": "entry"}
        assert made(days_in_a_row, [entry], datetime(2024, 6, 2, 9, tzinfo=UTC))[0] == days


def test_values_are_said_as_a_person_writes_them() -> None:
    assert [said(v) for v in (None, True, 3.0, 0.125, at(1), "x")] == [
        "null",
        "yes",
        "3",
        "0.125",
        "2024-01-02 00:00:00Z",
        "x",
    ]
    assert listed(range(10)).endswith("7, … (10 in all)")

import doctest
from datetime import date, timedelta

import numpy as np
import pytest
from hijridate import Gregorian
from hypothesis import given
from hypothesis import strategies as st

import records.hijri as module
from records.errors import BadInput
from records.hijri import DHU_AL_HIJJA, RAMADAN, SHAWWAL, eid, first_day, hijri, near_a_turn, ramadan

FIRST, LAST = date(1924, 8, 1), date(2077, 11, 16)


def days(*written: str) -> np.ndarray:
    return np.array(written, dtype="datetime64[D]")


@pytest.mark.parametrize(
    ("year", "month", "day", "civil"),
    [
        (1445, RAMADAN, 1, "2024-03-11"),
        (1445, SHAWWAL, 1, "2024-04-10"),
        (1446, DHU_AL_HIJJA, 10, "2025-06-06"),
        (1444, RAMADAN, 1, "2023-03-23"),
        (1447, 1, 1, "2025-06-26"),
    ],
)
def test_known_days(year: int, month: int, day: int, civil: str) -> None:
    assert [int(part[0]) for part in hijri(days(civil))] == [year, month, day]
    assert first_day(year, month) + np.timedelta64(day - 1, "D") == np.datetime64(civil)


@given(st.lists(st.dates(FIRST, LAST), max_size=20))
def test_arrays_agree_with_one_day_at_a_time(wanted: list[date]) -> None:
    found = list(zip(*(part.tolist() for part in hijri(days(*(d.isoformat() for d in wanted)))), strict=True))
    assert found == [Gregorian.fromdate(d).to_hijri().datetuple() for d in wanted]


def test_the_whole_range_runs_without_a_gap() -> None:
    every = np.arange(np.datetime64(FIRST), np.datetime64(LAST) + 1)
    year, month, day = hijri(every)
    assert (year[0], month[0], day[0]) == (1343, 1, 1)
    assert (year[-1], month[-1]) == (1500, 12)
    assert ((np.diff(day) == 1) | (day[1:] == 1)).all()
    recent = day[year >= 1400]
    assert set(np.diff(np.flatnonzero(recent == 1)).tolist()) == {29, 30}


@pytest.mark.parametrize("wrong", [FIRST - timedelta(1), LAST + timedelta(1), "NaT"])
def test_days_outside_are_refused(wrong: object) -> None:
    with pytest.raises(BadInput, match="covers 1924-08-01 to 2077-11-16"):
        hijri(days(str(wrong)))


def test_months_outside_are_refused() -> None:
    for year, month in ((1342, 1), (1501, 1), (1445, 13), (1445, 0)):
        with pytest.raises(BadInput, match="no month"):
            first_day(year, month)


def test_ramadan_ends_where_eid_begins() -> None:
    around = days("2024-03-10", "2024-03-11", "2024-04-09", "2024-04-10", "2024-04-12", "2024-04-13")
    assert ramadan(around).tolist() == [False, True, True, False, False, False]
    assert eid(around).tolist() == [None, None, None, "fitr", "fitr", None]
    assert eid(days("2025-06-05", "2025-06-06", "2025-06-08", "2025-06-09")).tolist() == [None, "adha", "adha", None]


def test_only_the_edges_are_near_a_turn() -> None:
    around = days("2024-03-09", "2024-03-10", "2024-03-11", "2024-03-12", "2024-03-25")
    assert near_a_turn(around, ramadan).tolist() == [False, True, True, False, False]


def test_examples_in_the_docstrings_run() -> None:
    assert doctest.testmod(module).failed == 0

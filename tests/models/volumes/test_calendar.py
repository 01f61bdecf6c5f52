"""Feasts keep one name and one first day over the years; countries rest on their own days; the moon may come later."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.volumes.calendars.calendar import Calendar, calendar
from models.volumes.calendars.feast_days import days_off, number, together
from models.volumes.calendars.uncertain import chances
from models.volumes.rhythm import rhythm_of, steps

DAY = rhythm_of("D")


def day(text: str) -> int:
    return int(steps(np.array([text], "datetime64[us]"), DAY)[0])


def of(first: str, last: str, *countries: str, later: int = 0) -> Calendar:
    return calendar(DAY, day(first), day(last) - day(first) + 1, countries, later)


def test_new_year_of_two_calendars_is_one_feast_on_its_own_day_each_year() -> None:
    days = of("2024-01-01", "2025-12-31", "HK", "CN")
    at = [day(text) - day("2024-01-01") for text in ("2024-02-10", "2025-01-29")]
    assert days.offset[at].tolist() == [0, 0]
    assert days.feast[at[0]] == days.feast[at[1]] >= 0
    assert not days.ordinary[at].any()


def test_days_off_in_lieu_are_off_but_no_feast_and_exchanged_weekends_are_worked() -> None:
    china = days_off("CN", 2024, 2024)
    assert day("2024-02-15") in china.off
    assert not any("off" in feast.name.lower() for feast in china.feasts)
    assert china.rest(np.array([day("2024-02-04"), day("2024-02-11")])).tolist() == [False, True]


def test_a_neighbours_weekend_is_its_own() -> None:
    days = of("2026-02-02", "2026-02-08", "TN", "DZ")
    assert days.columns["off_DZ"].tolist() == [0, 0, 0, 0, 1, 1, 0]
    assert (days.columns["run_length"] > 0).tolist() == [False] * 5 + [True, True]


def test_tunisia_has_its_schools_ferries_and_hijri_days() -> None:
    days = of("2026-01-01", "2026-12-31", "TN")
    july, march = day("2026-07-20") - day("2026-01-01"), day("2026-03-01") - day("2026-01-01")
    assert days.columns["ferry_season"][[july, march]].tolist() == [1, 0]
    assert days.columns["school_holiday"][[july, march]].tolist() == [1, 0]
    assert days.columns["hijri_month"][march] == 9


def test_an_unannounced_feast_moves_with_the_moon_and_a_civil_one_stays() -> None:
    computed, seen = of("2026-01-01", "2026-12-31", "TN"), of("2026-01-01", "2026-12-31", "TN", later=1)
    eid, labour = day("2026-03-20") - day("2026-01-01"), day("2026-05-01") - day("2026-01-01")
    assert (computed.offset[eid], seen.offset[eid + 1]) == (0, 0)
    assert computed.feast[eid] == seen.feast[eid + 1]
    assert seen.columns["days_from_fitr"][eid + 1] == computed.columns["days_from_fitr"][eid] == 0
    assert computed.columns["holiday"][labour] == seen.columns["holiday"][labour] == 1
    assert computed.uncertain[eid]
    assert not computed.uncertain[labour]


def test_days_that_were_announced_are_not_in_doubt() -> None:
    assert len(chances(DAY, day("2024-01-01"), 300, ("MY",))) == 1
    assert sum(weight for weight, _ in chances(DAY, day("2026-01-01"), 300, ("TN",))) == pytest.approx(1.0)


def test_a_calendar_may_go_on_as_another() -> None:
    computed, seen = of("2026-03-01", "2026-04-30", "TN"), of("2026-03-01", "2026-04-30", "TN", later=1)
    joined = computed.until(10, seen)
    assert np.array_equal(joined.offset, np.concatenate([computed.offset[:10], seen.offset[10:]]))


@settings(max_examples=8, deadline=None)
@given(first=st.integers(18_300, 20_500), length=st.integers(1, 90), more=st.integers(1, 400))
def test_a_day_is_what_it_is_however_long_the_calendar(first: int, length: int, more: int) -> None:
    short, long = calendar(DAY, first, length, ("TN", "FR")), calendar(DAY, first, length + more, ("TN", "FR"))
    for name, column in short.columns.items():
        if name not in ("feast", "days_from_fitr", "days_from_adha"):  # numbers of names; distances to days not shown
            assert np.array_equal(column, long.columns[name][:length], equal_nan=True), name
    assert np.array_equal(short.ordinary, long.ordinary[:length])


def test_feasts_of_neighbours_on_the_same_days_are_one() -> None:
    both = together([days_off("TN", 2026, 2026), days_off("DZ", 2026, 2026)])
    new_year = [feast for feast in both if feast.name == "New Year's Day" and feast.first == number_of("2026-01-01")]
    assert len(new_year) == 1


def number_of(text: str) -> int:
    return number(np.datetime64(text).item())

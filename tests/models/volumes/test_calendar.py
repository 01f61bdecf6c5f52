"""Feasts keep one name and one first day over the years; countries rest on their own days; the moon may come later."""

from collections.abc import Sequence
from datetime import UTC, date, datetime
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.volumes.calendars.almanac import PLAIN, Almanac
from models.volumes.calendars.calendar import Calendar, calendar
from models.volumes.calendars.feast_days import days_off, number, together
from models.volumes.calendars.uncertain import chances
from models.volumes.lake.official_days import official_days
from models.volumes.rhythm import rhythm_of, steps
from records.calendar import calendar_rows
from records.lake import Lake
from records.tables import table

DAY = rhythm_of("D")
NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)


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


def test_holidays_abroad_are_told_by_kind_of_post_and_close_nothing_here() -> None:
    begin, length = day("2026-01-01"), 365
    abroad = Almanac({"land": ("DZ", "LY"), "air": ("FR",)})
    alone, told = (calendar(DAY, begin, length, ("TN",), almanac=one) for one in (PLAIN, abroad))
    added = {name: told.columns[name] for name in told.columns if name not in alone.columns}
    assert set(added) == {"abroad_land", "abroad_air"}
    for name, column in alone.columns.items():
        np.testing.assert_array_equal(told.columns[name], column)
    assert np.array_equal(told.ordinary, alone.ordinary)
    easter, independence, saturday, eid = (
        day(text) - begin for text in ("2026-04-06", "2026-07-05", "2026-01-10", "2026-03-20")
    )
    land, air = added["abroad_land"], added["abroad_air"]
    assert (land[easter], air[easter]) == (0.0, 1.0)
    assert land[[independence, saturday, eid]].tolist() == [0.5, 0.0, 0.0]  # one of two; a mere weekend; a common feast
    by_hour = calendar(rhythm_of("h"), 24 * begin, 24 * length, ("TN",), almanac=abroad).columns["abroad_air"]
    assert np.array_equal(by_hour, np.repeat(air, 24))


def official(*rows: tuple[str, str | None, int, int], status: str = "announced") -> Almanac:
    """The calendar as the lake knew it, of (day, holiday, Hijri month and day); nothing said of schools and ferries."""
    listed = [
        {"day": np.datetime64(text).item(), "public_holiday": name, "hijri_month": month, "hijri_day": date}
        for text, name, month, date in rows
    ]
    table_of = table("calendar").lake_schema
    said = [{**row, "status": status, "happened_at": NOON, "known_at": NOON} for row in listed]

    class OneTable:
        def as_known(self, table: str, at: datetime, columns: Sequence[str] | None = None) -> pa.Table:
            return pa.Table.from_pylist(said, schema=table_of).select(list(columns or table_of.names))

    return Almanac(official=official_days(OneTable(), NOON))


def test_what_officials_announce_replaces_what_was_computed_and_is_in_no_doubt() -> None:
    begin = day("2026-01-01")
    eid = [(f"2026-03-{20 + n}", "eid_al_fitr" if n else None, 10 if n else 9, n or 30) for n in range(4)]
    told = [
        calendar(DAY, begin, 300, ("TN",), later, official(*eid, ("2026-09-14", "day of mourning", 4, 2)))
        for later in (0, 1)
    ]
    place = [day(text) - begin for text in ("2026-03-20", "2026-03-21", "2026-09-14")]
    for days in told:  # a later sighting moves nothing that has been announced
        assert days.columns["holiday"][place].tolist() == [0, 1, 1]
        assert (days.columns["days_from_fitr"][place[1]], days.offset[place[1]]) == (0, 0)
        assert days.columns["hijri_day"][place[0]] == 30
        assert not days.uncertain[place].any()
    alone = of("2026-01-01", "2026-10-27", "TN")
    assert alone.uncertain[place[1]]
    assert np.array_equal(told[0].columns["school_holiday"], alone.columns["school_holiday"])


def test_one_announced_day_of_a_feast_settles_the_others() -> None:
    begin, eid = day("2026-01-01"), day("2026-03-20")
    first = official(("2026-03-20", "eid_al_fitr", 10, 1))
    told, later = (calendar(DAY, begin, 300, ("TN",), by, first) for by in (0, 1))
    alone = calendar(DAY, begin, 300, ("TN",))
    days = slice(eid - begin, eid - begin + 3)
    assert alone.uncertain[days].all()
    assert not told.uncertain[days].any()
    assert np.array_equal(later.columns["holiday"][days], alone.columns["holiday"][days])
    assert told.uncertain[day("2026-05-27") - begin]  # the next feast is as open as it was


def test_an_announcement_counts_from_the_moment_it_was_known(tmp_path: Path) -> None:
    lake = Lake.create(tmp_path / "lake", 2)
    lake.append("calendar", calendar_rows(date(2026, 3, 18), date(2026, 3, 24)), batch="computed")
    first = day("2026-03-20")
    before, after = (datetime(2026, 3, 19, hour, tzinfo=UTC) for hour in (12, 20))
    seen = {"day": date(2026, 3, 20), "public_holiday": None, "hijri_month": 9, "hijri_day": 30, "status": "announced"}
    seen |= {"happened_at": before, "known_at": after}
    lake.append("calendar", pa.Table.from_pylist([seen], table("calendar").lake_schema), batch="announced")
    for at, holiday, announced in ((before, "eid_al_fitr", False), (after, None, True)):
        told = official_days(lake, at)
        here = told.days == first
        assert (told.holiday[here].item(), told.announced[here].item()) == (holiday, announced)
        assert len(told.days) == 7
    assert len(official_days(lake, datetime(2020, 1, 1, tzinfo=UTC)).days) == 0


def test_an_official_calendar_that_repeats_the_computed_one_changes_nothing() -> None:
    rows = calendar_rows(date(2025, 12, 1), date(2026, 6, 30)).to_pylist()
    listed = [(str(row["day"]), row["public_holiday"], row["hijri_month"], row["hijri_day"]) for row in rows]
    repeated = official(*listed, status="computed")
    for later in (0, 1):
        told, alone = (calendar(DAY, day("2026-01-01"), 300, ("TN",), later, one) for one in (repeated, PLAIN))
        for name, column in alone.columns.items():
            np.testing.assert_array_equal(told.columns[name], column)
        assert np.array_equal(told.uncertain, alone.uncertain)


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

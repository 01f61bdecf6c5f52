from datetime import UTC, date, datetime

import holidays
import numpy as np
import pytest

from records.calendar import PUBLIC_HOLIDAYS, calendar_rows, ferry_season, public_holiday, school_holiday
from records.errors import BadInput
from records.tables import table


def days(*written: str) -> np.ndarray:
    return np.array(written, dtype="datetime64[D]")


def test_fixed_holidays_follow_dated_decrees() -> None:
    asked = days("2011-01-14", "2021-01-14", "2022-01-14", "2020-12-17", "2021-12-17", "2024-03-20", "2024-03-21")
    assert public_holiday(asked).tolist() == [
        None, "revolution", None, None, "revolution_december", "independence", None,
    ]  # fmt: skip


def test_moving_holidays_agree_with_another_calendar() -> None:
    """The `holidays` package knows the same feasts; it differs on 14 January, on Arafah and on a third day of Adha."""
    theirs = holidays.country_holidays("TN", years=range(2018, 2030), language="en_US")
    ours = calendar_rows(date(2018, 1, 1), date(2029, 12, 31)).to_pylist()
    differ = {
        (theirs.get(row["day"]), row["public_holiday"])
        for row in ours
        if (row["public_holiday"] is None) != (row["day"] not in theirs)
    }
    assert {name.split(" (")[0] if name else key for name, key in differ} == {
        "Revolution and Youth Day", "Day of Arafah", "Eid al-Adha Holiday", "revolution_december",
    }  # fmt: skip


def test_moving_and_fixed_share_the_holidays_between_them() -> None:
    every = np.arange(np.datetime64("2024-01-01"), np.datetime64("2025-01-01"))
    kinds = set(public_holiday(every, moving=True)) | set(public_holiday(every, moving=False))
    assert kinds == set(public_holiday(every)) == {*PUBLIC_HOLIDAYS, None} - {"revolution"}


def test_school_holidays() -> None:
    closed = days(
        "2023-12-18", "2023-12-31", "2024-12-23", "2025-01-05", "2024-03-18", "2024-03-31", "2024-07-01", "2024-09-14"
    )
    open_ = days(
        "2023-12-17", "2024-01-01", "2024-12-22", "2025-01-06", "2024-03-17", "2024-04-01", "2024-06-30", "2024-09-15"
    )
    assert school_holiday(closed).all()
    assert not school_holiday(open_).any()


def test_ferry_season_includes_both_ends() -> None:
    asked = days("2024-06-14", "2024-06-15", "2024-09-15", "2024-09-16")
    assert ferry_season(asked).tolist() == [False, True, True, False]


def test_rows_fit_the_declared_table() -> None:
    rows = calendar_rows(date(2024, 1, 1), date(2024, 12, 31))
    declared = table("calendar")
    assert rows.schema == declared.lake_schema
    assert rows.num_rows == 366
    assert set(rows["status"].to_pylist()) == {"computed", "uncertain"}
    eid = {r["day"]: r for r in rows.to_pylist() if r["eid"] == "fitr"}
    assert sorted(eid) == [date(2024, 4, 10), date(2024, 4, 11), date(2024, 4, 12)]
    first = eid[date(2024, 4, 10)]
    assert first["happened_at"] == datetime(2024, 4, 9, 23, tzinfo=UTC), "local midnight is one hour before UTC's"
    assert first["known_at"] == datetime(2020, 12, 31, 23, tzinfo=UTC)
    assert first["status"] == "uncertain"
    assert (first["public_holiday"], first["hijri_month"], first["hijri_day"]) == ("eid_al_fitr", 10, 1)
    for column in declared.lake_columns:
        if column.required:
            assert rows[column.name].null_count == 0


def test_a_calendar_that_ends_before_it_begins_is_refused() -> None:
    with pytest.raises(BadInput, match="Exchange the two"):
        calendar_rows(date(2024, 2, 1), date(2024, 1, 1))

"""Dates and times as suppliers write them."""

from datetime import UTC, date, datetime, timedelta

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from records.errors import BadInput
from records.times import lag, place, read_days, read_instants


def texts(*values: str | None) -> pa.Array:
    return pa.array(values, pa.string())


@pytest.mark.parametrize(
    ("written", "instant"),
    [
        ("2026-03-01T14:05:30Z", datetime(2026, 3, 1, 14, 5, 30, tzinfo=UTC)),
        ("2026-03-01 14:05:30.25+01:00", datetime(2026, 3, 1, 13, 5, 30, 250_000, tzinfo=UTC)),
        ("01/03/2026 14:05", datetime(2026, 3, 1, 13, 5, tzinfo=UTC)),
        ("٠١/٠٣/٢٠٢٦ ١٤:٠٥", datetime(2026, 3, 1, 13, 5, tzinfo=UTC)),
        ("۲۰۲۶-۰۳-۰۱T۱۴:۰۵:۰۰-0230", datetime(2026, 3, 1, 16, 35, tzinfo=UTC)),
        ("2026-03-01", datetime(2026, 2, 28, 23, 0, tzinfo=UTC)),
    ],
)
def test_written_instants_are_read_with_their_offset_or_else_in_the_zone(written: str, instant: datetime) -> None:
    read, problems = read_instants(texts(written), "Africa/Tunis")
    assert read.to_pylist() == [instant]
    assert not any(mask.any() for _, mask in problems)


@pytest.mark.parametrize(
    "written", ["31/02/2026", "2026-13-01", "2026-03-01T24:00Z", "tomorrow", "2026-03-01T10:00+19:00"]
)
def test_what_is_no_instant_is_refused(written: str) -> None:
    read, problems = read_instants(texts(written), "Africa/Tunis")
    assert read.to_pylist() == [None]
    assert [code for code, mask in problems if mask.any()] == ["not_an_instant"]


def test_a_time_without_offset_needs_a_zone() -> None:
    read, problems = read_instants(texts("2026-03-01T10:00", "2026-03-01T10:00Z", None), None)
    assert [value is None for value in read.to_pylist()] == [True, False, True]
    assert {code: mask.tolist() for code, mask in problems}["no_zone"] == [True, False, False]


def test_hours_that_a_clock_change_skips_or_repeats_are_refused() -> None:
    # In 2006 Tunisia put its clocks forward on 26 March and back on 29 October, both at 2 o'clock standard time.
    read, problems = read_instants(
        texts("2006-03-26T02:30", "2006-10-29T02:30", "2006-10-29T02:30+01:00"), "Africa/Tunis"
    )
    assert [value is None for value in read.to_pylist()] == [True, True, False]
    found = {code: mask.tolist() for code, mask in problems}
    assert found["skipped_time"] == [True, False, False]
    assert found["ambiguous_time"] == [False, True, False]


@given(st.datetimes(datetime(1990, 1, 1), datetime(2060, 1, 1)))  # noqa: DTZ001 - local times are the subject here
def test_any_instant_survives_being_written_with_its_offset(moment: datetime) -> None:
    read, _ = read_instants(texts(moment.isoformat() + "+05:30"), None)
    assert read.to_pylist() == [(moment - timedelta(hours=5, minutes=30)).replace(tzinfo=UTC)]


@given(st.dates(date(1900, 1, 1), date(2200, 1, 1)))
def test_any_day_is_read_in_both_orders(day: date) -> None:
    read, wrong = read_days(texts(day.isoformat(), f"{day:%d/%m/%Y}"))
    assert read.to_pylist() == [day, day]
    assert not wrong.any()


def test_a_day_with_a_time_of_day_is_no_day_unless_it_is_midnight() -> None:
    read, wrong = read_days(texts("2026-03-01T00:00", "2026-03-01T03:00", None))
    assert read.to_pylist() == [date(2026, 3, 1), None, None]
    assert wrong.tolist() == [False, True, False]


def test_nothing_is_no_problem() -> None:
    local = pa.nulls(3, pa.timestamp("us"))
    for zone in (None, "Africa/Tunis"):
        placed, problems = place(local, zone)
        assert placed.null_count == 3
        assert not np.any([mask for _, mask in problems])


def test_lags_are_iso_durations() -> None:
    assert lag("P1DT2H30M") == timedelta(days=1, hours=2, minutes=30)
    for wrong in ("2 hours", "P", "PT", "P1DT", "PT1.5H"):
        with pytest.raises(BadInput, match="PT2H"):
            lag(wrong)

"""Every application is decided or waits; more officers decide sooner; short days decide later."""

from datetime import UTC, datetime

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.volumes.offices.caseload import TIMETABLE, Office, applications, caseload, officers_needed
from models.volumes.rhythm import LEVELS
from records.errors import BadInput
from records.lake import Lake

OFFICE = Office("x", 40, 0.25, 4, 12, 30, np.linspace(0.4, 1.6, 10))
HOURS = TIMETABLE.hours(np.arange(np.datetime64("2026-01-05"), np.datetime64("2026-05-05")))


@settings(max_examples=25)
@given(
    came=st.lists(st.integers(0, 30), min_size=10, max_size=10),
    backlog=st.integers(0, 200),
    officers=st.integers(0, 6),
)
def test_no_case_is_lost_and_none_made_up(came: list[int], backlog: int, officers: int) -> None:
    office = Office("x", backlog, 0.25, officers, 12, 30, np.ones(10))
    found = caseload(np.array([came]), office, HOURS[:10])
    np.testing.assert_allclose(
        backlog + np.cumsum(found.came, axis=1), np.cumsum(found.decided, axis=1) + found.backlog, atol=1e-9
    )
    assert (found.decided >= -1e-9).all()
    assert (found.backlog >= -1e-9).all()
    assert (found.decided <= 0.25 * officers * HOURS[:10] + 1e-9).all()
    waiting, capacity = float(backlog), 0.25 * officers * HOURS[:10]
    for day in range(10):  # a queue that a child could keep
        waiting = max(waiting + came[day] - capacity[day], 0.0)
        assert found.backlog[0, day] == pytest.approx(waiting, abs=1e-9)


def test_more_officers_decide_sooner() -> None:
    came = np.random.default_rng(1).poisson(8.0, (30, len(HOURS)))
    few, many = caseload(came, OFFICE, HOURS), caseload(came, OFFICE, HOURS, officers=8)
    assert (many.late_days <= few.late_days).all()
    assert (many.median_days <= many.late_days).all()
    assert (many.on_time >= few.on_time).all()
    assert (np.diff(few.backlog_quantiles, axis=1) >= 0).all()


def test_the_officers_needed_keep_the_promise_and_one_less_does_not() -> None:
    came = np.random.default_rng(1).poisson(8.0, (30, len(HOURS)))
    needed = officers_needed(came, OFFICE, HOURS, settled=20)
    assert needed is not None

    def late(officers: int) -> float:
        days = caseload(came, OFFICE, HOURS, officers).late_days[20:]
        return float(max(np.interp(0.8, LEVELS, day) for day in days))

    assert late(needed) <= OFFICE.promised_days < late(needed - 1)
    assert officers_needed(came * 50, OFFICE, HOURS, settled=20) is None
    with pytest.raises(BadInput, match="as many days"):
        caseload(came, OFFICE, HOURS[:5])


def test_office_hours_follow_the_season() -> None:
    monday = {"winter": "2026-01-05", "ramadan": "2026-03-02", "summer": "2026-07-06"}
    hours = {name: float(TIMETABLE.hours(np.array([day]))[0]) for name, day in monday.items()}
    assert hours == {"winter": 8.25, "ramadan": 6.5, "summer": 6.5}
    assert TIMETABLE.hours(np.array(["2026-01-10", "2026-03-20", "2026-05-01"])).tolist() == [0.0, 0.0, 0.0]


def test_offices_are_read_from_the_lake_as_they_stood(small_lake: Lake) -> None:
    then = applications(small_lake, datetime(2026, 3, 1, tzinfo=UTC))
    counts = then.counts.to_pandas()
    assert set(counts["kind"]) == {"first", "renewal"}
    assert counts["ds"].max() == np.datetime64("2026-02-28")
    assert not counts.duplicated(["unique_id", "ds"]).any()
    assert len(then.offices) == 70
    assert sum(office.backlog for office in then.offices) > 0
    for office in then.offices:
        assert office.scatter.mean() == pytest.approx(1.0)
    later = applications(small_lake, datetime(2026, 6, 1, tzinfo=UTC))
    assert later.counts["y"].to_numpy().sum() > counts["y"].sum()

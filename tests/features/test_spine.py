"""Spines: whose moment it is, and what was known then."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pyarrow as pa
import pytest

from features.engine import compute
from features.spine import crossing_spine, crossing_spine_of, permit_spine
from records.errors import BadInput
from records.tables import table as declared
from tests.features.memory import Memory, at, crossing

ALL = (at(0), at(400))


def test_a_crossing_is_assessed_when_it_happens_by_what_was_first_recorded() -> None:
    corrected = crossing(1, "a", at(5), post="sfax", known_at=at(6))
    spine = crossing_spine(Memory({"crossings": [corrected, crossing(1, "a", at(5))]}), *ALL)
    assert spine.select(["event", "as_of", "post"]).to_pylist() == [{"event": "c1", "as_of": at(5), "post": "tunis"}]


def test_an_announced_crossing_is_assessed_when_its_announcement_was_known_by_what_it_says() -> None:
    announced = crossing(1, "a", at(5, hours=2), kind="advance", known_at=at(3), post="sfax")
    lake = Memory({"crossings": [announced, crossing(2, "a", at(5, hours=3), linked_crossing="c1", shift="late")]})
    [row] = crossing_spine(lake, *ALL).to_pylist()
    assert (row["event"], row["as_of"], row["post"]) == ("c2", at(3), "sfax")
    assert (row["happened_at"], row["expected_at"], row["shift"]) == (at(5, hours=3), at(5, hours=2), "late")
    [ahead] = compute(crossing_spine(lake, *ALL), ["lead_time_hours"], lake).to_pylist()
    assert ahead["lead_time_hours"] == 50


def test_the_announcement_may_name_the_crossing_instead() -> None:
    announced = crossing(1, "a", at(5), kind="advance", known_at=at(3), linked_crossing="c2")
    lake = Memory({"crossings": [announced, crossing(2, "a", at(5))]})
    assert crossing_spine(lake, *ALL).column("as_of").to_pylist() == [at(3)]


def test_an_announcement_known_too_late_does_not_move_the_moment() -> None:
    announced = crossing(1, "a", at(5), kind="advance", known_at=at(7))
    lake = Memory({"crossings": [announced, crossing(2, "a", at(5), linked_crossing="c1")]})
    assert crossing_spine(lake, *ALL).column("as_of").to_pylist() == [at(5)]


def test_intervals_include_their_start_and_exclude_their_end() -> None:
    lake = Memory({"crossings": [crossing(1, "a", at(1)), crossing(2, "a", at(2))]})
    assert crossing_spine(lake, at(1), at(2)).column("event").to_pylist() == ["c1"]
    with pytest.raises(BadInput, match="no time zone"):
        crossing_spine(lake, datetime(2024, 1, 1), at(2))  # noqa: DTZ001 - the refusal is what is tested


def test_named_events_may_be_announcements_that_nothing_followed_yet() -> None:
    announced = crossing(1, "a", at(5), kind="advance", known_at=at(3))
    lake = Memory({"crossings": [announced, crossing(2, "b", at(5))]})
    assert crossing_spine(lake, *ALL, events=["c1"]).column("as_of").to_pylist() == [at(3)]


def test_a_crossing_handed_in_gets_the_row_that_the_lake_would_give() -> None:
    row = crossing(1, "a", at(5))
    handed_in = pa.Table.from_pylist([row], schema=declared("crossings").lake_schema)
    assert crossing_spine_of(handed_in).equals(crossing_spine(Memory({"crossings": [row]}), *ALL))
    assert crossing_spine_of(handed_in.drop_columns(["party"])).num_rows == 1
    with pytest.raises(BadInput, match="post"):
        crossing_spine_of(handed_in.drop_columns(["post"]))


def _permit(state: str, happened: datetime, ends: date | None, **more: object) -> dict[str, object]:
    held = {"subject": "a", "file": "f1", "state": state, "office": "o1", "category": "work", "valid_to": ends}
    return {**held, "happened_at": happened, "known_at": happened, **more}


END = date(2024, 9, 30)
AS_OF = datetime(2024, 7, 31, 23, tzinfo=UTC)  # sixty days before, at midnight in Tunis


def _permits(*rows: dict[str, object]) -> list[dict[str, object]]:
    return permit_spine(Memory({"permits": rows}), *ALL).to_pylist()


def test_a_permit_is_assessed_sixty_days_before_it_ends() -> None:
    [row] = _permits(_permit("granted", at(1), END))
    assert (row["event"], row["as_of"], row["decided_at"]) == ("f1|2024-09-30", AS_OF, at(1))


def test_a_permit_whose_file_has_moved_on_is_not_assessed() -> None:
    assert not _permits(_permit("granted", at(1), END), _permit("withdrawn", at(50), None))
    [renewed] = _permits(_permit("granted", at(1), END), _permit("renewed", at(50), date(2024, 12, 31)))
    assert renewed["event"] == "f1|2024-12-31"


def test_what_was_not_known_sixty_days_before_does_not_count() -> None:
    late = _permit("withdrawn", at(50), None, known_at=at(300))
    assert len(_permits(_permit("granted", at(1), END), late)) == 1
    assert not _permits(_permit("granted", at(1), END, known_at=at(300)))

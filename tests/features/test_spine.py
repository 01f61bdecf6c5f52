"""Spines: whose moment it is, and what was known then."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pyarrow as pa
import pytest

from features.engine import compute
from features.spine import SPINE, crossing_spine, crossing_spine_of, permit_spine, spine_of
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


MOMENT = pa.array([at(5)], pa.timestamp("us", tz="UTC"))


def test_any_subject_as_of_any_moment_makes_a_spine() -> None:
    asked = pa.table({"subject": ["a", "a", "nobody"], "as_of": [at(5)] * 3, "post": ["x", "y", None]})
    lake = Memory({"crossings": [crossing(1, "a", at(1), post="y")]})
    found = compute(spine_of("crossing", asked), ["entries_last_30_days", "crossings_at_this_post_last_365_days"], lake)
    assert found.column("subject").to_pylist() == ["a", "a", "nobody"]
    assert found.column("entries_last_30_days").to_pylist() == [1, 1, 0]
    assert found.column("crossings_at_this_post_last_365_days").to_pylist() == [0, 1, None]


@pytest.mark.parametrize("kind", ["crossing", "permit"])
def test_what_is_not_handed_in_is_null(kind: str) -> None:
    made = spine_of(kind, pa.table({"subject": ["a"], "as_of": MOMENT, "remark": ["x"]}))
    [row] = made.to_pylist()
    assert {name for name, value in row.items() if value is not None} == {"subject", "as_of"}
    assert "remark" not in made.column_names


def test_a_spine_that_nobody_made_by_hand_has_the_same_columns() -> None:
    lake = Memory({"crossings": [crossing(1, "a", at(5))], "permits": [_permit("granted", at(1), END)]})
    for kind, made in (("crossing", crossing_spine(lake, *ALL)), ("permit", permit_spine(lake, *ALL))):
        assert made.schema.equals(SPINE[kind])
        assert spine_of(kind, made).equals(made)


def test_a_moment_without_a_zone_is_refused() -> None:
    for moment in (datetime(2024, 6, 1), date(2024, 6, 1), "2024-06-01T00:00:00Z", 1717200000):  # noqa: DTZ001
        with pytest.raises(BadInput, match=r"'as_of' is .* which has no time zone"):
            spine_of("crossing", pa.table({"subject": ["a"], "as_of": [moment]}))


def test_a_row_is_about_one_subject_as_of_one_moment() -> None:
    for rows in ({"as_of": MOMENT}, {"subject": ["a"]}, {"subject": pa.nulls(1, pa.string()), "as_of": MOMENT}):
        with pytest.raises(BadInput, match="has no"):
            spine_of("crossing", pa.table(rows))


def test_a_column_of_another_type_is_refused() -> None:
    for wrong in ({"party_size": ["two"]}, {"party_size": [1.5]}, {"post": [7]}):
        with pytest.raises(BadInput, match=f"'{next(iter(wrong))}' is .* but an event's is .* Convert it"):
            spine_of("crossing", pa.table({"subject": ["a"], "as_of": MOMENT, **wrong}))


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

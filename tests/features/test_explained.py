"""Why a value is what it is: the very rows, and the same answer as the engine's."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from features import explained as module
from features.catalogue import features
from features.declaration import SubjectKind
from features.engine import compute
from features.explained import Disagreement, Explained, explained, reckoned, same
from features.spine import crossing_spine, spine_of
from records.errors import BadInput
from tests.features.memory import Memory, at, crossing
from tests.features.worlds import KINDS, worlds


@pytest.mark.parametrize("kind", KINDS)
@settings(max_examples=10, phases=[Phase.generate], suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_every_feature_follows_from_its_rows(kind: SubjectKind, data: st.DataObject) -> None:
    world = data.draw(worlds(kind))
    lake = Memory(world.past, 3)
    answers = compute(world.spine, features(kind), lake).to_pylist()
    row, answer = world.spine.to_pylist()[0], answers[0]
    found = {name: reckoned(name, kind, row, lake).value for name in features(kind)}
    assert not {name: (value, answer[name]) for name, value in found.items() if not same(value, answer[name])}


def of_last(name: str, rows: list[dict[str, Any]], **others: list[dict[str, Any]]) -> Explained:
    """Feature `name` of the last of the crossings."""
    lake = Memory({"crossings": rows, **others})
    return explained(name, "crossing", crossing_spine(lake, at(0), at(999), events=[rows[-1]["crossing_id"]]), lake)


def times(found: Explained) -> list[tuple[str, datetime, datetime | None]]:
    return [(row["crossing_id"], row["known_at"], row["superseded_at"]) for row in found.rows]


def test_the_rows_are_those_known_at_the_moment_oldest_first() -> None:
    late = crossing(3, "a", at(4), known_at=at(20))
    corrected = [crossing(2, "a", at(5)), crossing(2, "a", at(5), direction="exit", known_at=at(12))]
    rows = [crossing(1, "a", at(6), known_at=at(7)), late, *corrected, crossing(9, "b", at(5))]
    rows += [crossing(4, "a", at(10))]
    found = of_last("entries_last_30_days", rows)
    assert (found.name, found.value, found.table) == ("entries_last_30_days", 2, "crossings")
    assert times(found) == [("c2", at(5), at(12)), ("c1", at(7), None)]
    assert found.asked == {"traveller": ("a",)}
    assert found.words == (
        "how many crossings (direction entry, kind actual) of the same traveller in the 30 days before"
    )


def test_a_derived_value_shows_what_it_was_derived_from() -> None:
    found = of_last("origin_new_for_traveller", [crossing(1, "a", at(1), service="s1")], services=[SERVICE])
    [counted] = found.parts
    assert (found.value, found.how, found.rule) == (True, "zero(0)", "Whether it is zero.")
    assert (counted.name, counted.value) == ("crossings_with_this_origin_last_5_years", 0)
    assert counted.asked == {"traveller": ("a",), "origin": ("MRS",)}


SERVICE = {
    "service": "s1",
    "post": "tunis",
    "direction": "entry",
    "mode": "air",
    "origin": "MRS",
    "happened_at": at(1),
    "known_at": at(0),
}


def test_a_row_beside_another_has_the_columns_of_both() -> None:
    rows = [crossing(1, "a", at(2), service="s1"), crossing(2, "b", at(3), service="s1")]
    found = of_last("route_crossings_last_30_days", rows, services=[SERVICE])
    assert found.table == "crossings beside services"
    [row] = found.rows
    assert (row["crossing_id"], row["origin"], row["post"]) == ("c1", "MRS", "tunis")


def test_whoever_is_one_person_is_shown_together() -> None:
    link = {"link_id": "l", "first_subject": "a", "second_subject": "b", "state": "white", "said_by": "registry"}
    links = [{**link, "evidence": "renewal", "happened_at": at(3), "known_at": at(3)}]
    rows = [crossing(1, "b", at(1)), crossing(2, "a", at(5))]
    found = of_last("entries_last_30_days", rows, links=links)
    assert found.asked == {"traveller": ("a", "b")}
    assert [row["subject"] for row in found.rows] == ["b"]


def test_what_cuts_across_persons_does_not_ask_who_is_who() -> None:
    link = {"link_id": "l", "first_subject": "a", "second_subject": "b", "state": "white", "said_by": "registry"}
    links = [{**link, "evidence": "renewal", "happened_at": at(3), "known_at": at(3)}]
    rows = [crossing(1, "b", at(5)), crossing(2, "a", at(5, minutes=30))]
    assert of_last("post_crossings_last_hour", rows, links=links).value == 1


def test_what_the_event_does_not_name_is_said() -> None:
    found = of_last("document_crossings_last_5_years", [crossing(1, "a", at(1), document=None)])
    assert (found.value, found.how, found.rows) == (None, "the event names no document", ())


def test_a_statement_that_no_longer_holds_is_shown_all_the_same() -> None:
    said = {"alert_id": "x", "kind": "entry_ban", "subject": "a", "authority": "court", "article": "1"}
    days = {"valid_from": date(2024, 1, 2), "valid_to": date(2024, 1, 4)}
    over = {**said, **days, "happened_at": at(1), "known_at": at(1)}
    found = of_last("entry_ban_in_force", [crossing(1, "a", at(9))], alerts=[over])
    assert (found.value, found.how) == (False, "rows that hold on 2024-01-10: 0 of 1")
    assert len(found.rows) == 1


def test_a_person_that_nothing_is_known_of_gets_nulls_and_counts() -> None:
    asked = pa.table({"subject": ["nobody"], "as_of": pa.array([datetime(2025, 6, 1, tzinfo=UTC)])})
    values = {
        name: explained(name, "crossing", spine_of("crossing", asked), Memory({})).value
        for name in ("entries_last_30_days", "days_since_last_entry", "post_crossings_last_hour", "hour_of_crossing")
    }
    assert list(values.values()) == [0, None, None, None]


def test_an_engine_that_says_something_else_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    said = pa.table({"entries_last_30_days": [7.0]})
    monkeypatch.setattr(module, "compute", lambda *_, **__: said)
    with pytest.raises(Disagreement, match=r"of a as of 2024-01-06.*the engine says 7, and the rows say 0 \(rows: 0\)"):
        of_last("entries_last_30_days", [crossing(1, "a", at(5))])


def test_a_feature_that_is_not_there_is_refused() -> None:
    with pytest.raises(BadInput, match="no crossing feature 'luck'"):
        of_last("luck", [crossing(1, "a", at(5))])

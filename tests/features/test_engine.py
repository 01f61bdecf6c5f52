"""What single features say, in cases anyone can read."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Any

import pyarrow as pa
import pytest

from features.engine import compute
from features.spine import crossing_spine
from records.errors import BadInput
from tests.features.memory import Memory, at, crossing


def values_at_last(rows: list[dict[str, Any]], *names: str, **others: list[dict[str, Any]]) -> dict[str, Any]:
    """The features of the last of the crossings."""
    lake = Memory({"crossings": rows, **others})
    spine = crossing_spine(lake, at(0), at(999), events=[rows[-1]["crossing_id"]])
    [row] = compute(spine, names, lake).select(list(names)).to_pylist()
    return row


def alert(kind: str, first: date, final: date, known: datetime, **more: Any) -> dict[str, Any]:
    said = {"authority": "court", "article": "1", "valid_from": first, "valid_to": final}
    return {"alert_id": "x", "kind": kind, **said, "happened_at": known, "known_at": known, **more}


def test_rows_at_one_instant_do_not_see_each_other() -> None:
    rows = [crossing(1, "a", at(5)), crossing(2, "a", at(5))]
    assert values_at_last(rows, "entries_last_30_days") == {"entries_last_30_days": 0}


def test_a_late_record_counts_from_when_it_was_known() -> None:
    late = crossing(1, "a", at(5), known_at=at(8))
    for day, seen in ((7, 0), (8, 1)):
        found = values_at_last([late, crossing(2, "a", at(day))], "entries_last_30_days")
        assert found == {"entries_last_30_days": seen}


def test_a_correction_replaces_from_when_it_was_known() -> None:
    first, corrected = crossing(1, "a", at(5)), crossing(1, "a", at(5), direction="exit", known_at=at(8))
    for day, seen in ((7, 1), (8, 0)):
        found = values_at_last([first, corrected, crossing(2, "a", at(day))], "entries_last_30_days")
        assert found == {"entries_last_30_days": seen}


def test_announcements_are_not_crossings() -> None:
    rows = [crossing(1, "a", at(4), kind="advance"), crossing(2, "a", at(5))]
    assert values_at_last(rows, "crossings_last_5_years") == {"crossings_last_5_years": 0}


def test_a_document_used_by_another() -> None:
    rows = [crossing(1, "b", at(4), document="d"), crossing(2, "a", at(5), document="d")]
    assert values_at_last(rows, "document_travellers_last_5_years", "first_use_of_document") == {
        "document_travellers_last_5_years": 1,
        "first_use_of_document": False,
    }


def test_without_a_document_nothing_is_said_about_it() -> None:
    rows = [crossing(1, "a", at(4), document=None), crossing(2, "a", at(5), document=None)]
    names = ("document_crossings_last_5_years", "first_use_of_document", "document_reported_stolen")
    assert values_at_last(rows, *names) == dict.fromkeys(names)


def test_an_origin_is_new_until_a_service_of_it_was_taken() -> None:
    service = {"post": "tunis", "direction": "entry", "mode": "air", "happened_at": at(1), "known_at": at(0)}
    services = [{**service, "service": s, "origin": o} for s, o in (("s1", "MRS"), ("s2", "MRS"), ("s3", "TUN"))]
    first, second = crossing(1, "a", at(4), service="s1"), crossing(2, "a", at(5), service="s2")
    other = crossing(3, "a", at(6), service="s3")
    name = "origin_new_for_traveller"
    assert values_at_last([first], name, services=services) == {name: True}
    assert values_at_last([first, second], name, services=services) == {name: False}
    assert values_at_last([first, second, other], name, services=services) == {name: True}
    assert values_at_last([crossing(1, "a", at(4))], name, services=services) == {name: None}


def test_an_alert_holds_on_its_days_once_it_is_known() -> None:
    banned = alert("entry_ban", date(2024, 1, 5), date(2024, 1, 10), at(6), subject="a")
    name = "entry_ban_in_force"
    # 2024-01-10 ends at 23:00 UTC in Tunis
    for moment, holds in ((at(5), False), (at(6), True), (at(9, hours=22), True), (at(9, hours=23), False)):
        assert values_at_last([crossing(1, "a", moment)], name, alerts=[banned]) == {name: holds}
    assert values_at_last([crossing(1, "b", at(6))], name, alerts=[banned]) == {name: False}


def test_a_stay_past_ninety_days_without_a_permit() -> None:
    entry = crossing(1, "a", at(0), declared_stay_days=60)
    names = ("stay_days", "days_over_declared_stay", "days_over_authorised_stay", "stay_over_permitted_days")
    found = values_at_last([entry, crossing(2, "a", at(100), direction="exit")], *names)
    assert found == dict(zip(names, (100, 40, 10, True), strict=True))
    permit = {"subject": "a", "file": "f", "state": "granted", "office": "o", "category": "work"}
    held = {**permit, "valid_to": date(2025, 1, 1), "happened_at": at(5), "known_at": at(5)}
    found = values_at_last([entry, crossing(2, "a", at(100), direction="exit")], *names, permits=[held])
    assert found == dict(zip(names, (100, 40, 0, False), strict=True))


def test_an_entry_after_an_entry_is_a_gap_in_the_data() -> None:
    name = "open_entry_without_exit"
    assert values_at_last([crossing(1, "a", at(1)), crossing(2, "a", at(9))], name) == {name: True}
    left = crossing(2, "a", at(5), direction="exit")
    assert values_at_last([crossing(1, "a", at(1)), left, crossing(3, "a", at(9))], name) == {name: False}


def test_a_confirmed_finding_counts_for_24_months_and_until_it_is_corrected() -> None:
    check = {"check_id": "k", "subject": "a", "event_kind": "crossing", "event": "c0", "selected_by": "random"}
    found = {**check, "finding": "confirmed", "happened_at": at(1), "known_at": at(1)}
    corrected = {**found, "finding": "refuted", "known_at": at(20)}
    name = "confirmed_findings_last_24_months"
    for day, checks, seen in (
        (10, [found], 1),
        (10, [found, corrected], 1),
        (20, [found, corrected], 0),
        (732, [found], 0),
    ):
        assert values_at_last([crossing(1, "a", at(day))], name, checks=checks) == {name: seen}
    assert values_at_last([crossing(1, "a", at(10))], name, checks=[{**found, "event_kind": "permit"}]) == {name: 0}


def test_days_and_hours_are_local() -> None:
    names = ("hour_of_crossing", "weekday_of_crossing", "in_ramadan", "on_public_holiday")
    day = {"day": date(2024, 3, 11), "ramadan": True, "public_holiday": None, "status": "announced"}
    known = {"happened_at": at(70), "known_at": at(0)}
    midnight = datetime.fromisoformat("2024-03-10T23:00:00+00:00")
    found = values_at_last([crossing(1, "a", midnight)], *names, calendar=[{**day, **known}])
    assert found == dict(zip(names, (0, 1, True, False), strict=True))
    found = values_at_last([crossing(1, "a", midnight - timedelta(hours=1))], *names, calendar=[{**day, **known}])
    assert found == dict(zip(names, (23, 7, None, None), strict=True))


def test_what_cannot_be_computed_is_refused() -> None:
    lake = Memory({"crossings": [crossing(1, "a", at(1))]})
    spine = crossing_spine(lake, at(0), at(9))
    with pytest.raises(BadInput, match="no crossing feature 'luck'"):
        compute(spine, ["luck"], lake)
    with pytest.raises(BadInput, match="neither crossings nor permits"):
        compute(pa.table({"event": ["x"]}), [], lake)
    with pytest.raises(BadInput, match="no column 'document'"):
        compute(spine.drop_columns(["document"]), ["first_use_of_document"], lake)
    naive = spine.set_column(2, "as_of", spine.column("as_of").cast(pa.timestamp("us")))
    with pytest.raises(BadInput, match="time zone"):
        compute(naive, ["entries_last_30_days"], lake)

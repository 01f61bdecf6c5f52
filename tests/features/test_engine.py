"""What single features say, in cases anyone can read."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Any

import pyarrow as pa
import pytest

from features.engine import compute
from features.spine import crossing_spine, spine_of
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


def test_days_in_the_country_count_those_of_entry_and_exit() -> None:
    rows = [crossing(1, "a", at(0)), crossing(2, "a", at(10), direction="exit"), crossing(3, "a", at(20))]
    names = ("days_present_last_365_days", "days_present_in_a_row")
    leaving = [*rows, crossing(4, "a", at(30), direction="exit")]
    assert values_at_last(leaving, *names) == dict(zip(names, (22, 11), strict=True))
    back = [*leaving, crossing(5, "a", at(33))]
    assert values_at_last(back, *names) == dict(zip(names, (22, 0), strict=True))
    assert values_at_last([crossing(1, "a", at(0))], *names) == dict.fromkeys(names, 0)


def test_crossings_missing_from_the_records_show_in_the_balance() -> None:
    name = "entries_beyond_exits_last_5_years"
    rows = [crossing(k, "a", at(k)) for k in range(3)]
    assert values_at_last(rows, name) == {name: 2}
    assert values_at_last([*rows, crossing(8, "a", at(8), direction="exit"), crossing(9, "a", at(9))], name) == {
        name: 2
    }


def test_days_abroad_count_from_the_exit_or_from_the_first_permit() -> None:
    rows = [crossing(1, "a", at(0), direction="exit"), crossing(2, "a", at(100))]
    permit = {"subject": "a", "file": "f", "state": "granted", "office": "o", "category": "work"}
    name = "days_abroad_while_holding_permit"
    for first, abroad in ((date(2023, 5, 1), 100), (date(2024, 4, 1), 9)):
        held = {
            **permit,
            "valid_from": first,
            "valid_to": date(2025, 1, 1),
            "happened_at": at(-300),
            "known_at": at(-300),
        }
        assert values_at_last(rows, name, permits=[held]) == {name: abroad}
    assert values_at_last(rows, name) == {name: None}
    ended = {**held, "valid_to": date(2024, 4, 2)}
    assert values_at_last(rows, name, permits=[ended]) == {name: None}


def test_a_wait_that_grows_is_told_by_the_hour() -> None:
    waits = enumerate((10, 15, 20, 25, 30))
    rows = [crossing(k, f"s{k}", at(40, minutes=30 * k), booth_wait_minutes=float(wait)) for k, wait in waits]
    usual = [crossing(k, f"u{k}", at(20), booth_wait_minutes=2.5) for k in (6, 7)]
    names = ("booth_wait_trend_last_6_hours", "minutes_waited_above_usual")
    found = values_at_last([*usual, *rows, crossing(9, "a", at(40, hours=3))], *names)
    assert found == dict(zip(names, (pytest.approx(10), 25 - 15), strict=True))
    assert values_at_last([*rows[1:], crossing(9, "a", at(40, hours=3))], names[0]) == {names[0]: None}


def test_declared_stays_that_grow() -> None:
    rows = [crossing(k, "a", at(100 * k), declared_stay_days=10 * k) for k in range(5)]
    name = "declared_stay_trend_last_3_years"
    assert values_at_last([*rows, crossing(9, "a", at(450))], name) == {name: pytest.approx(36.5)}
    assert values_at_last(rows, name) == {name: None}


def test_travellers_announced_on_a_service_count_from_when_each_is_known() -> None:
    def announced(who: str, known: float, service: str = "s1", number: str = "") -> dict[str, Any]:
        return crossing(number or who, who, at(60), kind="advance", known_at=at(known), service=service)

    rows = [
        announced("p", 57),
        announced("p", 58, number="again"),
        announced("q", 58),
        announced("q", 59, "s2"),
        announced("r", 59, "s2"),
    ]
    name = "travellers_announced_on_service"
    for known, seen in ((57.5, 2), (58, 3), (58.5, 3), (59, 2)):  # at 59, q is booked on another service
        assert values_at_last([*rows, announced("a", known)], name) == {name: seen}
    crossed = [crossing("p crossed", "p", at(60), service="s1", known_at=at(60, minutes=20))]
    assert values_at_last([*rows, *crossed, crossing(9, "a", at(60, hours=1), service="s1")], name) == {name: 1}
    assert values_at_last([*rows, crossing(9, "a", at(60), service=None)], name) == {name: None}


def test_members_of_a_party_count_once_whether_they_crossed_or_are_announced() -> None:
    rows = [
        crossing(1, "p", at(58), party="b"),
        crossing(2, "p", at(61), party="b", kind="advance", known_at=at(57)),
        crossing(3, "q", at(61), party="b", kind="advance", known_at=at(59)),
        crossing(4, "r", at(61), party="other", kind="advance", known_at=at(57)),
    ]
    name = "party_members_seen_or_announced"
    for day, seen in ((57, 1), (58.5, 1), (59, 2), (61, 2), (63, 2), (63.5, 0)):
        assert values_at_last([*rows, crossing(9, "a", at(day), party="b")], name) == {name: seen}


def test_passengers_of_a_service_whose_permit_lapsed() -> None:
    announced = [crossing(s, s, at(60), kind="advance", known_at=at(50), service="s1") for s in "pqr"]
    elsewhere = crossing("e", "e", at(60), kind="advance", known_at=at(50), service="s2")
    states = [
        ("p", "expired", 40),
        ("p", "applied", 30),
        ("q", "granted", -99),
        ("q", "expired", 10),
        ("e", "expired", 40),
    ]
    permits = [
        {"subject": s, "file": f"f{s}", "state": state, "office": "o", "category": "work"}
        | {"happened_at": at(day), "known_at": at(day)}
        for s, state, day in states
    ]
    names = (
        "service_passengers_with_permit_lapsed_last_30_days",
        "share_of_service_passengers_with_permit_lapsed_last_30_days",
    )
    own = crossing(9, "a", at(60), service="s1")
    found = values_at_last([*announced, elsewhere, own], *names, permits=permits)
    assert found == dict(zip(names, (1, 1 / 2), strict=True))  # p; q lapsed before, r holds none
    assert values_at_last([crossing(9, "a", at(60), service="s3")], *names) == dict(zip(names, (0, None), strict=True))


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


HELD = {"subject": "a", "file": "f", "state": "granted", "office": "o", "category": "work"}


def permit_at(moment: datetime, *names: str, **others: list[dict[str, Any]]) -> dict[str, Any]:
    """The features of file f as of a moment."""
    asked = {**HELD, "as_of": moment}
    spine = spine_of("permit", pa.Table.from_pylist([{k: asked[k] for k in ("subject", "as_of", "file", "office")}]))
    [row] = compute(spine, names, Memory(others)).select(list(names)).to_pylist()
    return row


def test_days_abroad_in_a_year_are_told_where_it_is_known_how_it_began() -> None:
    held = {**HELD, "valid_from": date(2023, 1, 1), "happened_at": at(-365), "known_at": at(-365)}
    was_here, left, back = (
        crossing(1, "a", at(-20)),
        crossing(2, "a", at(99), direction="exit"),
        crossing(3, "a", at(200)),
    )
    names = ("days_abroad_last_365_days_while_holding_permit", "days_abroad_while_holding_permit")
    told = permit_at(at(364), *names, permits=[held], crossings=[was_here, left, back])
    assert told == dict(zip(names, (100, 0), strict=True))
    away = permit_at(at(150), *names, permits=[held], crossings=[was_here, left])
    assert away == dict(zip(names, (None, 51), strict=True))
    young = permit_at(at(364), *names, permits=[{**held, "valid_from": date(2024, 4, 1)}], crossings=[was_here, left])
    assert young == dict(zip(names, (None, 265), strict=True))
    assert permit_at(at(364), *names, permits=[held]) == dict.fromkeys(names)


def test_an_office_that_slows_down() -> None:
    decided = [
        {**HELD, "file": f"f{k}", "processing_days": 20.0 + k, "happened_at": at(20 * k), "known_at": at(20 * k)}
        for k in range(5)
    ]
    name = "processing_days_trend_of_office_last_180_days"
    assert permit_at(at(100), name, permits=decided) == {name: pytest.approx(1.5)}
    assert permit_at(at(80), name, permits=decided) == {name: None}


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

"""Histories follow white links, as known at each moment."""

from __future__ import annotations

from typing import Any

from features.engine import compute
from features.spine import crossing_spine
from tests.features.memory import Memory, at, crossing


def _link(number: int, one: str, other: str, state: str, known: float) -> dict[str, Any]:
    sides = {"first_subject": one, "second_subject": other}
    said = {"said_by": "registry", "evidence": "renewal", "happened_at": at(known), "known_at": at(known)}
    return {"link_id": f"l{number}", "state": state, **sides, **said}


def _entries(links: list[dict[str, Any]], buckets: int = 7) -> dict[str, float]:
    """Entries in the year before, by event: a at 1, b at 10, c at 20, then one a day for a at 30, 40 and 50."""
    rows = [crossing(f"{s}{d}", s, at(d)) for s, d in (("a", 1), ("b", 10), ("c", 20), ("a", 30), ("a", 40), ("a", 50))]
    lake = Memory({"crossings": rows, "links": links}, buckets)
    values = compute(crossing_spine(lake, at(0), at(99)), ["entries_last_365_days"], lake)
    return dict(
        zip(values.column("event").to_pylist(), values.column("entries_last_365_days").to_pylist(), strict=True)
    )


def test_without_links_everyone_is_themselves() -> None:
    assert _entries([]) == {"ca1": 0, "cb10": 0, "cc20": 0, "ca30": 1, "ca40": 2, "ca50": 3}


def test_a_white_link_joins_from_the_moment_it_is_known_and_changes_nothing_earlier() -> None:
    assert _entries([_link(1, "a", "b", "white", 35)]) == {
        "ca1": 0,
        "cb10": 0,
        "cc20": 0,
        "ca30": 1,
        "ca40": 3,
        "ca50": 4,
    }


def test_links_join_through_others_and_either_way() -> None:
    found = _entries([_link(1, "b", "a", "white", 35), _link(2, "b", "c", "white", 45)])
    assert (found["ca30"], found["ca40"], found["ca50"]) == (1, 3, 5)


def test_a_later_statement_about_the_pair_splits_it_again() -> None:
    found = _entries([_link(1, "a", "b", "white", 5), _link(2, "a", "b", "green", 45)])
    assert (found["cb10"], found["ca30"], found["ca40"], found["ca50"]) == (1, 2, 3, 3)


def test_a_corrected_link_holds_until_its_correction() -> None:
    found = _entries([_link(1, "a", "b", "white", 5), _link(1, "a", "b", "red", 35)])
    assert (found["ca30"], found["ca40"]) == (2, 2)


def test_yellow_joins_nobody() -> None:
    assert _entries([_link(1, "a", "b", "yellow", 5)]) == _entries([])

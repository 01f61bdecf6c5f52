"""Retention: what is too old goes from lake and vault, is counted, and cannot be brought back."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from records.errors import BadInput
from records.retirement import retire

NOW = datetime(2026, 1, 1, tzinfo=UTC)


def test_old_rows_go_unless_they_are_held(place: Any, crossing: Callable[..., dict[str, Any]]) -> None:
    old = {"happened_at": "2015-01-01T00:00:00Z", "known_at": "2015-01-01T00:00:00Z"}
    moved = crossing(5, document_number="MOVED", **old) | {"known_at": "2015-02-01T00:00:00Z"}
    place.ingest(place.supply([crossing(1), crossing(2, **old), crossing(3, **old), crossing(5, **old), moved]))
    people = dict(zip(*place.lake.read("crossings", ["crossing_id", "subject"]).to_pydict().values(), strict=True))
    then = place.lake.versions()
    done = retire(NOW, place.lake, place.vault, hold={people["C000003"]})
    assert done.lake["crossings"] == 3
    assert done.vault.documents > 0
    assert sorted(place.lake.read("crossings")["crossing_id"].to_pylist()) == ["C000001", "C000003"]
    with pytest.raises(FileNotFoundError):
        place.lake.at(then).read("crossings")
    gone = people["C000002"].encode()
    assert not [f for f in place.lake.root.rglob("*.parquet") if gone in f.read_bytes()]
    assert retire(NOW, place.lake, place.vault, hold={people["C000003"]}).lake["crossings"] == 0


def test_a_moment_without_zone_is_refused(place: Any) -> None:
    with pytest.raises(BadInput, match="time zone"):
        retire(datetime(2026, 1, 1), place.lake, place.vault)  # noqa: DTZ001 - that it is refused is tested

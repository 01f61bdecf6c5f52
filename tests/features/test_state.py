"""Live = batch: what the state answers is, to the last bit, what the lake answers."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from features.catalogue import features
from features.declaration import SubjectKind
from features.engine import compute
from features.spine import crossing_spine
from features.state import State
from records import batches
from records.lake import Lake
from records.receipts import Receipt
from records.tables import table as declared
from tests.features.memory import at, crossing
from tests.features.worlds import KINDS, Row, spine, worlds


def _put(lake: Lake, table: str, batch: str, rows: Sequence[Row]) -> None:
    """Put rows in; what the lake requires and no feature reads is the same in all of them."""
    required = {c.name: (c.values or ("x",))[0] for c in declared(table).lake_columns if c.required}
    if rows:
        schema = declared(table).lake_schema
        lake.append(table, pa.Table.from_pylist([{**required, **r} for r in rows], schema=schema), batch=batch)


@pytest.fixture(scope="module")
def states(tmp_path_factory: pytest.TempPathFactory) -> tuple[State, State]:
    """Two states, to be filled again and again."""
    folder = tmp_path_factory.mktemp("states")
    return State.open(folder / "live"), State.open(folder / "anew")


@pytest.mark.parametrize("kind", KINDS)
@settings(max_examples=3, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data(), turns=st.binary(min_size=64, max_size=64))
def test_a_state_that_caught_up_and_one_made_anew_answer_as_the_lake_does(
    states: tuple[State, State], kind: SubjectKind, data: st.DataObject, turns: bytes
) -> None:
    """Rows come in three batches, in any order: late ones after those they are older than, corrections before."""
    world = data.draw(worlds(kind))
    live, anew = states
    with TemporaryDirectory() as folder:
        lake = Lake.create(Path(folder), buckets=3)
        for turn in range(3):
            for number, (table, rows) in enumerate(world.past.items()):
                now = [r for k, r in enumerate(rows) if turns[(7 * number + k) % len(turns)] % 3 == turn]
                _put(lake, table, f"batch {turn}", now)
            live.catch_up(lake) if turn else live.rebuild(lake)
        anew.rebuild(lake)
        expected = compute(world.spine, features(kind), lake)
    for state in (live, anew):
        assert compute(world.spine, features(kind), state).equals(expected)


def test_a_booth_sees_what_is_announced_for_the_months_ahead_as_the_lake_does(tmp_path: Path) -> None:
    lake, live = Lake.create(tmp_path / "lake", buckets=3), State.open(tmp_path / "live")
    said = {"kind": "advance", "service": "s1", "party": "b"}
    _put(lake, "crossings", "first", [crossing(k, k, at(80), **said, known_at=at(2)) for k in "pq"])
    live.catch_up(lake)
    moved = crossing("q", "q", at(81), **{**said, "service": "s2", "party": "other"}, known_at=at(4))
    _put(lake, "crossings", "second", [moved, crossing("r", "r", at(80), **said, known_at=at(5))])
    live.catch_up(lake)
    names = ["travellers_announced_on_service", "party_members_seen_or_announced"]
    events = [crossing(f"e{day}", "e", at(day), service="s1", party="b") for day in (1, 2, 4, 5, 80)]
    expected = [0, 2, 1, 2, 2]
    for source in (lake, live):
        found = compute(spine("crossing", events), names, source)
        assert [found.column(name).to_pylist() for name in names] == [expected, expected]


def test_a_batch_that_is_being_put_in_while_the_state_catches_up_is_not_lost(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lake, live = Lake.create(tmp_path / "lake", buckets=2), State.open(tmp_path / "live")
    _put(lake, "crossings", "first", [crossing(1, "a", at(1))])
    live.catch_up(lake)
    entered = batches._enter

    def meanwhile(lake: Lake, receipt: Receipt, version: int) -> Any:
        if receipt.batch == "second":  # in its table, and not yet in the ledger
            _put(lake, "posts", "another", [{"happened_at": at(1), "known_at": at(1)}])
            live.catch_up(lake)
        return entered(lake, receipt, version)

    monkeypatch.setattr(batches, "_enter", meanwhile)
    _put(lake, "crossings", "second", [crossing(2, "a", at(2)), crossing(3, "a", at(3))])
    live.catch_up(lake)
    spine = crossing_spine(lake, at(0), at(99))
    names = ["crossings_last_5_years"]
    assert compute(spine, names, live).equals(compute(spine, names, lake))

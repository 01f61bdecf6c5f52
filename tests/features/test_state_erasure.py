"""What was deleted from the lake is gone from the live state, from its files too; and how far behind a state is."""

from __future__ import annotations

import gc
import shutil
from collections.abc import Iterator, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from features.generations import Busy
from features.state import State
from records.errors import BadInput
from records.lake import Lake
from records.retirement import retire_lake
from records.tables import table as declared
from tests.features.memory import at, catalogue, crossing

KEPT_DAYS = declared("crossings").retention_days or 0
LATER = at(KEPT_DAYS + 50)


@pytest.fixture
def lake(tmp_path: Path) -> Lake:
    """Two travellers: one long ago, one of late."""
    made = Lake.create(tmp_path / "lake", buckets=2)
    put(made, crossing(1, "pseudonym-long-ago", at(0)), crossing(2, "pseudonym-of-late", at(100)))
    return made


@pytest.fixture
def state(lake: Lake, tmp_path: Path) -> Iterator[State]:
    made = State.open(tmp_path / "state")
    made.catch_up(lake)
    yield made
    shutil.rmtree(tmp_path / "state")


def put(lake: Lake, *rows: dict[str, Any], batch: str = "first") -> None:
    lake.append("crossings", pa.Table.from_pylist(rows, schema=declared("crossings").lake_schema), batch=batch)


def subjects(state: State, names: Sequence[str] = ("c1", "c2", "c3")) -> list[str]:
    with state.reading() as snapshot:
        return sorted(snapshot.events("crossing", names).history("crossings")["subject"].to_pylist())


def in_files(state: State, name: str) -> list[Path]:
    return [f for f in state.generations.folder.rglob("*") if f.is_file() and name.encode() in f.read_bytes()]


def test_a_retired_subject_is_in_no_answer_and_in_no_file(lake: Lake, state: State) -> None:
    assert subjects(state) == ["pseudonym-long-ago", "pseudonym-of-late"]
    assert in_files(state, "pseudonym-long-ago")
    with state.reading() as earlier:
        assert retire_lake(LATER, lake)["crossings"] == 1
        assert state.behind(lake) == 1
        said: list[str] = []
        state.catch_up(lake, said.append)
        assert said
        assert earlier.events("crossing", ["c1"]).size("crossings") == 1  # who was reading is not disturbed
    assert state.behind(lake) == 0
    assert subjects(state) == ["pseudonym-of-late"]
    assert in_files(state, "pseudonym-of-late")
    assert not in_files(state, "pseudonym-long-ago")
    del earlier
    gc.collect()
    maps = Path("/proc/self/maps").read_text(encoding="utf-8").splitlines()
    assert not [line for line in maps if str(state.generations.folder) in line and "(deleted)" in line]


def test_what_was_retired_and_what_came_in_since_are_not_mistaken_for_each_other(lake: Lake, state: State) -> None:
    retire_lake(LATER, lake)
    put(lake, crossing(3, "pseudonym-new", at(200)), batch="second")
    state.catch_up(lake)
    assert subjects(state) == ["pseudonym-new", "pseudonym-of-late"]
    assert not in_files(state, "pseudonym-long-ago")


def test_a_reader_keeps_up_by_himself_with_a_batch_and_not_with_a_deletion(lake: Lake, state: State) -> None:
    put(lake, crossing(3, "pseudonym-new", at(200)), batch="second")
    assert state.behind(lake) == 1
    assert state.keep_up(lake) == 0
    assert "pseudonym-new" in subjects(state)
    retire_lake(LATER, lake)
    assert state.keep_up(lake) == 1


def test_a_reader_waits_for_nobody_and_takes_on_no_heap(
    lake: Lake, state: State, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(lake, crossing(3, "pseudonym-new", at(200)), batch="second")
    with state.generations.writing():
        assert state.keep_up(lake) == 1
        with pytest.raises(Busy), state.generations.writing():
            pass
    with monkeypatch.context() as patch:
        patch.setattr("features.state._AT_ONCE", 0)
        assert state.keep_up(lake) == 1
    assert "pseudonym-new" not in subjects(state)
    assert state.keep_up(lake) == 0


def test_files_brought_together_bring_nothing_in(lake: Lake, state: State) -> None:
    put(lake, crossing(3, "pseudonym-new", at(200)), batch="second")
    state.catch_up(lake)
    before = state.generations.newest()
    lake.compact()
    assert state.behind(lake) == 1
    assert state.catch_up(lake) == 0
    assert state.behind(lake) == 0
    assert state.generations.newest() is before


def test_a_state_that_was_not_made_says_so_and_nothing_else(lake: Lake, tmp_path: Path) -> None:
    state = State.open(tmp_path / "none")
    assert state.said is None
    assert state.behind(lake) == state.keep_up(lake) == 1
    with pytest.raises(BadInput, match="basira state build"), state.reading():
        pass


def test_a_state_of_another_catalogue_is_made_anew_and_the_other_removed(lake: Lake, state: State) -> None:
    from features.declaration import count, crossings, window

    folder = state.generations.folder
    entries = window(count, of=crossings.where(direction="entry"), per="document", last=timedelta(days=9))
    other = State.open(folder, {"crossing": catalogue(entries=entries)})
    assert other.said is None
    assert other.catch_up(lake) == 2
    assert state.said is None
    assert len([path for path in folder.iterdir() if path.is_dir()]) == 1


def test_one_that_was_left_half_made_is_swept_away(lake: Lake, state: State) -> None:
    class Died(Exception):
        pass

    with pytest.raises(Died), state.generations.writing(), state.generations.following(["said"]):
        raise Died
    assert len(subjects(state)) == 2
    state.rebuild(lake)
    assert len([path for path in state.generations.folder.iterdir() if path.is_dir()]) == 1

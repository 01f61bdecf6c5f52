"""Part by part, in a loop, in threads or in processes: the same answers as from one part, and files that say them."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Executor, ProcessPoolExecutor, ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from multiprocessing import get_context
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from features import building, parts
from features.building import Parts, build
from features.catalogue import features
from features.engine import compute
from features.parts import spine_parts
from features.spine import crossing_spine, permit_spine
from records.lake import Lake
from tests.features.aggregates import CATALOGUES, crossing_pools, told
from tests.features.memory import Memory, at
from tests.features.oracle import differing
from tests.features.worlds import chance, spine

NAMES = {
    "crossing": (
        "crossings_last_5_years",
        "document_travellers_last_5_years",
        "route_crossings_last_30_days",
        "permit_state",
    ),
    "permit": ("sponsor_lapses_last_2_years", "office_applications_last_30_days"),
}
SPINES = {"crossing": crossing_spine, "permit": permit_spine}


def _spine(lake: Lake, kind: str) -> pa.Table:
    return SPINES[kind](lake, datetime(1970, 1, 1, tzinfo=UTC), datetime(2200, 1, 1, tzinfo=UTC))


@pytest.mark.parametrize("kind", NAMES)
def test_parts_answer_what_the_whole_answers(small_lake: Lake, kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    spine, names = _spine(small_lake, kind), list(features("crossing" if kind == "crossing" else "permit"))
    whole = compute(spine, names, small_lake)
    monkeypatch.setattr(parts, "PART_ROWS", 2_000)
    with ThreadPoolExecutor(2) as threads:
        assert compute(spine, names, small_lake, executor=threads).equals(whole)
    assert compute(spine, names, small_lake).equals(whole)


def _parts(spine: pa.Table, buckets: int) -> Parts:
    """The spine cut by bucket."""
    rows = spine_parts(spine, [(b,) for b in range(buckets)], buckets)
    return Parts(tuple(spine.take(pa.array(r)) for r in rows))


@pytest.mark.parametrize("kind", NAMES)
def test_shares_of_a_part_answer_what_the_whole_answers(
    small_lake: Lake, kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    spine, names = _spine(small_lake, kind), list(features("crossing" if kind == "crossing" else "permit"))
    monkeypatch.setattr(building, "SHARE_ROWS", 200)
    files = build(_parts(spine, small_lake.buckets), names, small_lake, tmp_path)
    assert (
        pa.concat_tables(map(pq.read_table, files))
        .sort_by("event")
        .equals(compute(spine, names, small_lake).sort_by("event"))
    )


@pytest.mark.parametrize("source", ["of_traveller", "at_post"])
@pytest.mark.parametrize("aggregate", ["count", "last"])
def test_events_that_are_all_rows_there_are(
    tmp_path: Path, aggregate: str, source: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As in a training set of every crossing, some of which were known late."""
    persons, documents = ([f"{what} {n}" for n in range(9)] for what in ("person", "document"))
    pools = crossing_pools([at(day / 3) for day in range(60)], timedelta(days=1), persons, documents)
    rows = [{**told(row), "crossing_id": f"c{n:03}"} for n, row in enumerate(chance(1).several(pools, 200, 200))]
    lake, events = Memory({"crossings": rows}, 2), spine("crossing", rows)
    declared = CATALOGUES[aggregate][source]
    monkeypatch.setattr(building, "SHARE_ROWS", 30)
    files = build(_parts(events, lake.buckets), declared, lake, tmp_path, catalogue=declared)
    found = pa.concat_tables(map(pq.read_table, files)).sort_by("event")
    assert not differing(found, events, {"crossings": rows}, declared)


def _processes() -> Executor:
    return ProcessPoolExecutor(2, get_context("spawn"))


@pytest.mark.parametrize(
    "executor", [None, lambda: ThreadPoolExecutor(2), _processes], ids=["loop", "threads", "processes"]
)
def test_files_say_what_is_computed(small_lake: Lake, tmp_path: Path, executor: Callable[[], Executor] | None) -> None:
    spine, names = _spine(small_lake, "crossing"), NAMES["crossing"]
    held = _parts(spine, small_lake.buckets)
    said: list[str] = []
    if executor is None:
        files = build(held, names, small_lake, tmp_path, say=said.append)
    else:
        with executor() as pool:
            files = build(held, names, small_lake, tmp_path, executor=pool, say=said.append)
    assert [path.name for path in files] == [f"part-{b:05d}.parquet" for b in range(small_lake.buckets)]
    assert sorted(tmp_path.iterdir()) == files, "nothing else is left"
    assert said[-1] == f"wrote part {small_lake.buckets} of {small_lake.buckets}"
    answered = pa.concat_tables([pq.read_table(path) for path in files]).sort_by("event")
    expected = compute(spine, names, small_lake).sort_by("event")
    assert answered.equals(expected)
    first = pq.read_table(files[0]).select(["subject", "as_of"]).to_pylist()
    together = list(dict.fromkeys(row["subject"] for row in first))
    assert first == sorted(first, key=lambda row: (together.index(row["subject"]), row["as_of"]))

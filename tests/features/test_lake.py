"""The engine on the lake itself says what it says on the same rows in memory."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa

from features.catalogue import features
from features.engine import compute
from features.spine import crossing_spine
from records.lake import Lake
from records.tables import table as declared
from tests.features.memory import Memory, at, crossing


def test_the_lake_and_the_memory_agree(tmp_path: Path) -> None:
    first = [crossing(k, s, at(10 * k), post="sfax" if k % 2 else "tunis") for k, s in enumerate("abacaba")]
    corrected = {**first[2], "direction": "exit", "known_at": at(45)}
    link = {"link_id": "l", "first_subject": "a", "second_subject": "b", "state": "white", "said_by": "registry"}
    links = [{**link, "evidence": "renewal", "happened_at": at(35), "known_at": at(35)}]
    lake = Lake.create(tmp_path / "lake", buckets=4)
    for batch, name, rows in (("1", "crossings", first), ("2", "crossings", [corrected]), ("3", "links", links)):
        lake.append(name, pa.Table.from_pylist(rows, schema=declared(name).lake_schema), batch=batch)
    memory = Memory({"crossings": [*first, corrected], "links": links})
    spine = crossing_spine(lake, at(0), at(99))
    assert spine.equals(crossing_spine(memory, at(0), at(99)))
    assert spine.num_rows == len(first)
    names = list(features("crossing"))
    assert compute(spine, names, lake).equals(compute(spine, names, memory))

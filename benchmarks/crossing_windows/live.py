"""The engine's live door: answers for travellers who stand at a booth, from the state store of a lake, on disk."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from benchmarks.crossing_windows import rows
from benchmarks.crossing_windows.checks import against_oracle_at
from benchmarks.crossing_windows.declared import CATALOGUE, ELEVEN
from features.asked import Asked, Given
from features.cells import cells
from features.columns import Values
from features.plan import prepare
from features.state import State
from records.lake import Lake
from records.tables import table as declared

NOW_US = (rows.START_S + 4 * 365 * 86_400 + 3_600) * 1_000_000  # an hour after the last crossing of all

ALIKE = {"kind": "actual", "mode": "air", "document_type": "passport"}


def measured(file: Path, travellers: list[int], crossings: int, folder: Path, calls: int) -> dict[str, Any]:
    """Milliseconds of a call for one traveller, another one each time, and for all; and how many values are wrong.

    The lake holds the rows of the peers' file too, so that services are as busy as they are.
    """
    late = np.random.default_rng(rows.LATE_SEED)
    held = pa.concat_tables([rows.as_held(c, late) for c in rows.after_travellers(file, travellers, crossings)])
    lake = Lake.create(folder / "lake")
    lake.append("crossings", in_words(held), batch="all")
    began = time.perf_counter()
    state = State.open(folder / "state", {"crossing": CATALOGUE})
    state.rebuild(lake)
    rebuilding = time.perf_counter() - began
    plan = prepare(ELEVEN, "crossing", CATALOGUE)
    numbers = at_the_booth(travellers)
    spine = in_words(numbers)

    def answered(asked: Asked) -> dict[str, Values]:
        with state.reading() as snapshot:
            return plan.answer(asked, snapshot)

    named = {name: cells(spine.column(name)) for name in ("subject", "as_of", "service")}
    everyone = Given(named)
    one = [Given({name: held[k : k + 1] for name, held in named.items()}) for k in range(spine.num_rows)]
    answers = plan.table(spine, answered(everyone)).set_column(0, "event", numbers.column("event"))
    return {
        "lake_rows": held.num_rows,
        "rebuild_seconds": rebuilding,
        "one": _timed(lambda k: answered(one[k % len(one)]), calls),
        "all": _timed(lambda _: answered(everyone), max(calls // 4, 20)),
        "behind": _timed(lambda _: state.behind(lake), calls),
        "wrong": against_oracle_at(numbers, held, answers),
        "cores": os.cpu_count(),
    }


def at_the_booth(travellers: list[int]) -> pa.Table:
    """A spine of one row per traveller: the passengers of one service, about to enter."""
    n = len(travellers)
    return pa.table(
        {
            "event": pa.array(np.arange(n)),
            "subject": pa.array(travellers, pa.int64()),
            "as_of": pa.array(np.full(n, NOW_US)).cast(rows.INSTANT),
            "service": np.full(n, 7, np.int16),
            "direction": pa.repeat("entry", n),
        }
    )


def in_words(held: pa.Table) -> pa.Table:
    """With names in place of numbers, as the lake has them, and every column of the table `crossings`."""
    said = {name: held.column(name) for name in held.column_names}
    for name in ("crossing_id", "subject", "post", "document", "service"):
        if name in said:
            said[name] = pc.binary_join_element_wise(name, said[name].cast(pa.string()), "-")
    said["direction"] = said["direction"].cast(pa.string())
    if "as_of" in said:
        return pa.table(said)
    said |= {name: pa.repeat(value, held.num_rows) for name, value in ALIKE.items()}
    schema = declared("crossings").lake_schema
    filled = {f.name: said.get(f.name, pa.nulls(held.num_rows, f.type)) for f in schema}
    return pa.table(filled).cast(schema)


def _timed(call: Callable[[int], object], calls: int) -> dict[str, float]:
    """Wall milliseconds, and processor milliseconds, which other work on the machine moves less."""
    took = []
    for k in range(calls + 5):
        began, spent = time.perf_counter(), time.process_time()
        call(k)
        took.append((time.perf_counter() - began, time.process_time() - spent))
    wall, cpu = 1e3 * np.array(took[5:]).T
    told = {"median_ms": np.median(wall), "p95_ms": np.quantile(wall, 0.95), "median_cpu_ms": np.median(cpu)}
    return {"calls": calls, **{name: round(float(value), 4) for name, value in told.items()}}

"""Entities that cut across persons (a post, a document, a sponsor), whose rows lie in every person bucket.

Rows and queries of each part of the lake are dealt out by entity into heaps, on disk; each heap is then swept alone,
and its answers are dealt back to the parts that asked. So no more is in memory than one part or one heap.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
from pyarrow import feather

from features import windows
from features.asked import Asked
from features.columns import NULL, Ints, Values
from features.histories import History, none_of
from features.plan import Plan, Source

_MIX = np.uint64(0x9E3779B97F4A7C15)


@dataclass(frozen=True)
class Heaps:
    """Where rows, queries and answers wait: one file per step, heap and part."""

    folder: Path
    number: int

    def put(self, what: str, step: int, heap: int, part: int, table: pa.Table) -> None:
        path = self._path(what, step, heap, part)
        path.parent.mkdir(parents=True, exist_ok=True)
        feather.write_feather(table, path, compression="uncompressed")

    def take(self, what: str, step: int, heap: int | str, part: int | str) -> Iterator[pa.Table]:
        """The tables that wait there ('*' for any heap or part), each removed once read."""
        for path in sorted(self.folder.glob(f"{what}-{step}/{heap}-{part}.arrow")):
            yield feather.read_table(path, memory_map=False)
            path.unlink()

    def _path(self, what: str, step: int, heap: int, part: int) -> Path:
        return self.folder / f"{what}-{step}" / f"{heap}-{part}.arrow"


def deal(plan: Plan, asked: Asked, asking: Source, own: Source, heaps: Heaps, part: int) -> None:
    """Deal out the queries and rows of one part. `asking` has what queries rest on, `own` the part's own rows."""
    found: dict[int, Values] = {}
    for number, step in enumerate(plan.shared):
        plan.run(plan.towards(step.needs), asked, asking, found)
        asks = step.asked_cells(asked, found, None)
        queries = {f"asked {k}": cells for k, cells in enumerate(asks)}
        queries |= {"at": asked.at, "row": np.arange(len(asked.at)), "part": np.full(len(asked.at), part)}
        _dealt(heaps, ("asks", number, part), queries, asks)
        history = step.rows(own, asks, asked.at, None)
        if len(kept := windows.met(history.column, step.where)):
            history = history.take(np.flatnonzero(kept))
        names = dict.fromkeys([name.column for name in step.names])
        held = {"happened": history.happened, "known": history.known, "superseded": history.superseded}
        held |= {f"cells {name}": column for name, column in history.columns.items()}
        words = {
            f"words {r.column}": history.texts(r.column, np.arange(len(history)))
            for r in step.readings
            if r.text and r.column
        }
        _dealt(heaps, ("rows", number, part), held | words, [history.column(name) for name in names])


def _dealt(
    heaps: Heaps, where: tuple[str, int, int], columns: dict[str, Ints | pa.Array], names: Sequence[Ints]
) -> None:
    what, step, part = where
    mixed = np.zeros(len(names[0]), np.uint64)
    there = np.ones(len(names[0]), np.bool_)
    for cells in names:
        mixed = (mixed ^ cells.view(np.uint64)) * _MIX
        mixed ^= mixed >> np.uint64(31)
        there &= cells != NULL
    heap = np.where(there, (mixed % np.uint64(heaps.number)).astype(np.int64), heaps.number)
    order = np.argsort(heap.astype(np.uint16), kind="stable")
    ends = np.cumsum(np.bincount(heap, minlength=heaps.number + 1))
    table = pa.table(
        {
            name: column[order] if isinstance(column, np.ndarray) else column.take(pa.array(order))
            for name, column in columns.items()
        }
    )
    for k in range(heaps.number):
        begin = int(ends[k - 1]) if k else 0
        if ends[k] > begin:
            heaps.put(what, step, k, part, table.slice(begin, int(ends[k]) - begin))


def sweep(plan: Plan, heaps: Heaps, number: int, heap: int) -> None:
    """Sweep one heap of a step and deal the answers back."""
    step = plan.shared[number]
    waiting = list(heaps.take("asks", number, heap, "*"))
    rows = list(heaps.take("rows", number, heap, "*"))
    if not waiting:
        return
    asks = pa.concat_tables(waiting)
    history = _history(pa.concat_tables(rows)) if rows else none_of(step.read_columns)
    asked = [_ints(asks, f"asked {k}") for k in range(len(step.names))]
    answers = step.read(asked, _ints(asks, "at"), history)
    table = pa.table({"row": asks.column("row"), **{f"answer {k}": pa.array(a) for k, a in enumerate(answers)}})
    begin = 0
    for part in waiting:
        heaps.put("answers", number, heap, part.column("part")[0].as_py(), table.slice(begin, part.num_rows))
        begin += part.num_rows


def answers(plan: Plan, heaps: Heaps, part: int, asked: int) -> dict[int, Values]:
    """What the sweeps found for the `asked` queries of one part, by slot."""
    found: dict[int, Values] = {}
    for number, step in enumerate(plan.shared):
        tables = list(heaps.take("answers", number, "*", part))
        table = pa.concat_tables(tables) if tables else None
        rows = _ints(table, "row") if table else np.empty(0, np.int64)
        for k, (slot, reading) in enumerate(zip(step.gives, step.readings, strict=True)):
            found[slot] = _placed(None if table is None else table.column(f"answer {k}"), rows, asked, reading.text)
    return found


def _placed(answered: pa.ChunkedArray | None, rows: Ints, asked: int, text: bool) -> Values:
    if text:
        place = np.full(asked, -1, np.int64)
        place[rows] = np.arange(len(rows))
        words = pa.array([], pa.string()) if answered is None else answered.combine_chunks()
        return words.take(pa.array(place, mask=place < 0))
    out = np.full(asked, np.nan)
    if answered is not None:
        out[rows] = answered.to_numpy()
    return out


def _ints(table: pa.Table, name: str) -> Ints:
    return np.array(table.column(name).to_numpy(), np.int64)  # kernels are compiled for what may be written


def _history(table: pa.Table) -> History:
    columns = {n.removeprefix("cells "): _ints(table, n) for n in table.column_names if n.startswith("cells ")}

    def texts(name: str, rows: Ints) -> pa.Array:
        return table.column(f"words {name}").take(pa.array(rows)).combine_chunks()

    return History(_ints(table, "happened"), _ints(table, "known"), _ints(table, "superseded"), columns, texts)

"""Entities that cut across persons (a post, a document, a sponsor), whose rows lie in every person bucket.

Rows and queries of each part of the lake are dealt out by entity into heaps, on disk; each heap is then swept alone,
and its answers are dealt back to the parts that asked. So no more is in memory than one part or one heap.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pyarrow as pa
from pyarrow import feather

from features import windows
from features.asked import Asked
from features.columns import NEVER, NULL, Ints, Values, instants, lent, whole
from features.histories import History, none_of
from features.kernels import numbering
from features.plan import Plan, Source, StreamStep


@dataclass(frozen=True)
class Heaps:
    """Where rows, queries and answers wait: one file per step, heap and part."""

    folder: Path
    number: int

    def put(self, what: str, step: int, heap: int, part: int, table: pa.Table) -> None:
        path = self._path(what, step, heap, part)
        path.parent.mkdir(parents=True, exist_ok=True)
        feather.write_feather(table, path, compression="uncompressed")

    def take(self, what: str, step: int, heap: int | str, part: int | str) -> Iterator[tuple[int, pa.Table]]:
        """The tables that wait there ('*' for any heap or part), with the part of each, removed once read."""
        for path in sorted(self.folder.glob(f"{what}-{step}/{heap}-{part}.arrow")):
            yield int(path.stem.partition("-")[2]), feather.read_table(path, memory_map=False)
            path.unlink()

    def _path(self, what: str, step: int, heap: int, part: int) -> Path:
        return self.folder / f"{what}-{step}" / f"{heap}-{part}.arrow"


def deal(plan: Plan, asked: Asked, asking: Source, own: Source, heaps: Heaps, part: int) -> None:
    """Deal out the queries and rows of one part. `asking` has what queries rest on, `own` the part's own rows."""
    found: dict[int, Values] = {}
    for number, step in enumerate(plan.shared):
        plan.run(plan.towards(step.needs), asked, asking, found)
        asks = step.asked_cells(asked, found, None)
        history = step.rows(own, asks, asked.at, None)
        # The part is read once for all steps; of what it holds, a step's heaps get what that step reads.
        history = replace(history, columns={name: history.columns[name] for name in step.read_columns})
        if len(kept := windows.met(history.column, step.where)):
            history = history.take(np.flatnonzero(kept))
        held: dict[str, Ints | pa.Array] = {"happened": history.happened, "known": history.known}
        if history.corrected:
            held["superseded"] = history.superseded
        held |= {f"cells {name}": column for name, column in history.columns.items()}
        for r in step.readings:
            if r.text and r.column:
                held[f"words {r.column}"] = history.texts(r.column, np.arange(len(history)))
        row = pa.array(np.arange(len(asked.at), dtype=np.int32))
        if _about_themselves(step, asks, asked.at, history):
            held["row"] = row
        else:
            queries = {f"asked {k}": cells for k, cells in enumerate(asks)}
            _dealt(heaps, ("asks", number, part), {**queries, "at": asked.at, "row": row}, asks)
        names = dict.fromkeys([name.column for name in step.names])
        _dealt(heaps, ("rows", number, part), held, [history.column(name) for name in names])


def _about_themselves(step: StreamStep, asks: Sequence[Ints], at: Ints, history: History) -> bool:
    """Whether each row asks about itself, as in training: then it is dealt out once."""
    if not np.array_equal(at, history.happened) or any(name.column not in history.columns for name in step.names):
        return False
    return all(np.array_equal(cells, history.column(name.column)) for cells, name in zip(asks, step.names, strict=True))


def _dealt(
    heaps: Heaps, where: tuple[str, int, int], columns: Mapping[str, Ints | pa.Array], names: Sequence[Ints]
) -> None:
    what, step, part = where
    mixed = names[0]
    for cells in names[1:]:
        mixed = np.where(
            (mixed == NULL) | (cells == NULL),
            NULL,
            (mixed.view(np.uint64) * numbering.GOLDEN ^ cells.view(np.uint64)).view(np.int64),
        )
    ends, order = numbering.dealt(mixed, heaps.number)
    table = pa.table(
        {
            name: column.take(order if isinstance(column, np.ndarray) else pa.array(order))
            for name, column in columns.items()
        }
    )
    for k in range(heaps.number):
        begin, end = int(ends[k]), int(ends[k + 1])
        if end > begin:
            heaps.put(what, step, k, part, table.slice(begin, end - begin))


def sweep(plan: Plan, heaps: Heaps, number: int, heap: int) -> None:
    """Sweep one heap of a step and deal the answers back."""
    step = plan.shared[number]
    waiting, rows = (dict(heaps.take(what, number, heap, "*")) for what in ("asks", "rows"))
    asking = {"row": "row", "at": "happened"}
    asking |= {f"asked {k}": f"cells {name.column}" for k, name in enumerate(step.names)}
    for part, table in rows.items():
        if "row" in table.column_names:
            waiting[part] = pa.table({name: table.column(column) for name, column in asking.items()})
    if not waiting:
        return
    asks = pa.concat_tables([table.select(list(asking)) for table in waiting.values()])
    held = pa.concat_tables(rows.values(), promote_options="default") if rows else None
    history = none_of(step.read_columns) if held is None else _history(held)
    asked = [_ints(asks, f"asked {k}") for k in range(len(step.names))]
    answers = step.read(asked, _ints(asks, "at"), history)
    table = pa.table({"row": asks.column("row"), **{f"answer {k}": pa.array(a) for k, a in enumerate(answers)}})
    begin = 0
    for part, asked_there in waiting.items():
        heaps.put("answers", number, heap, part, table.slice(begin, asked_there.num_rows))
        begin += asked_there.num_rows


def answers(plan: Plan, heaps: Heaps, part: int, asked: int) -> dict[int, Values]:
    """What the sweeps found for the `asked` queries of one part, by slot."""
    found: dict[int, Values] = {}
    for number, step in enumerate(plan.shared):
        tables = [table for _, table in heaps.take("answers", number, "*", part)]
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
    return lent(whole(table.column(name)).cast(pa.int64()))


def _history(table: pa.Table) -> History:
    columns = {n.removeprefix("cells "): _ints(table, n) for n in table.column_names if n.startswith("cells ")}

    def texts(name: str, rows: Ints) -> pa.Array:
        return table.column(f"words {name}").take(pa.array(rows)).combine_chunks()

    times = (_ints(table, "happened"), _ints(table, "known"))
    return History(*times, _superseded(table), columns, texts)


def _superseded(table: pa.Table) -> Ints:
    if "superseded" not in table.column_names:  # nothing was corrected
        return np.full(table.num_rows, NEVER)
    return instants(table.column("superseded"))

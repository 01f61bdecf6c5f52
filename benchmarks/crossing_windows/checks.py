"""Whether answers agree with the peers', or with the oracle's on a sample, value by value."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TypeAlias

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from benchmarks.crossing_windows.declared import ELEVEN, Crossings
from benchmarks.crossing_windows.oracle import Crossing, of_route, of_traveller
from benchmarks.crossing_windows.rows import ROUTES

FRACTIONS = ("night365", "since_last")
SECONDS_A_DAY = 86_400
TIMES = ("happened_at", "known_at")
Answer: TypeAlias = "dict[str, float | None]"


def against_peer(answers: Sequence[Path], peer: Path) -> dict[str, int]:
    """How many values of each feature differ from a peer's, by the number of the crossing."""
    theirs = pq.read_table(peer).rename_columns({"crossing_id": "event"})
    ours = answered(answers)
    assert ours.num_rows == theirs.num_rows
    return differing(ours, theirs)


def against_oracle(lake: Crossings, answers: Sequence[Path], wanted: int) -> dict[str, int]:
    """The same against the oracle: for `wanted` crossings of travellers and as many of routes, drawn with a seed."""
    r = np.random.default_rng(3)
    buckets = r.choice(lake.buckets, min(4, lake.buckets), replace=False).tolist()
    by_traveller = [row for b in buckets for row in _of_travellers(lake, b, wanted // len(buckets), r)]
    by_route = list(_of_routes(lake, r.choice(ROUTES, 10, replace=False), wanted, r))
    wrong = {}
    for expected in (pa.Table.from_pylist(by_traveller), pa.Table.from_pylist(by_route)):
        wrong |= differing(answered(answers, expected.column("event")), expected)
    return {"rows": len(by_traveller), "rows_of_routes": len(by_route), **wrong}


def against_oracle_at(spine: pa.Table, rows: pa.Table, answers: pa.Table) -> dict[str, int]:
    """The same for each row of a spine, from one table of crossings."""
    travellers, routes = (_places(rows, name, spine.column(name)) for name in ("subject", "service"))
    happened, known = (_whole(rows, name) for name in TIMES)
    expected = []
    columns = (_whole(spine, name).tolist() for name in ("event", "as_of", "subject", "service"))
    for event, at, subject, service in zip(*columns, strict=True):
        theirs, same = _crossings(rows, travellers[subject]), routes[service]
        expected.append({"event": event, **of_traveller(at, theirs), **of_route(at, happened[same], known[same])})
    return differing(in_seconds(answers), pa.Table.from_pylist(expected))


def answered(answers: Sequence[Path], events: pa.ChunkedArray | None = None) -> pa.Table:
    """The engine's answers from its parts, for all or for some events."""
    chosen = None if events is None else pc.field("event").isin(events.combine_chunks())
    return in_seconds(pa.concat_tables([pq.read_table(p, columns=["event", *ELEVEN], filters=chosen) for p in answers]))


def in_seconds(answers: pa.Table) -> pa.Table:
    """With `since_last`, which the engine gives in days, as the peers give it."""
    seconds = pc.multiply(answers.column("since_last"), SECONDS_A_DAY)
    return answers.set_column(answers.column_names.index("since_last"), "since_last", seconds)


def differing(ours: pa.Table, theirs: pa.Table) -> dict[str, int]:
    """Values per feature that are not the same; a row of `theirs` that we have not, or have twice, differs in all."""
    event, asked = (np.asarray(t.column("event")) for t in (ours, theirs))
    order = np.argsort(event)
    first, after = (np.searchsorted(event, asked, side=side, sorter=order) for side in ("left", "right"))
    once = after - first == 1
    place = order[np.minimum(first, len(order) - 1)]
    found = {}
    for name in ELEVEN:
        if name not in theirs.column_names:
            continue
        mine, other = (_numbers(t.column(name)) for t in (ours, theirs))
        tolerance = 1e-9 if name in FRACTIONS else 0.0
        same = np.isclose(mine[place], other, rtol=tolerance, atol=0.0, equal_nan=True)
        found[name] = int(np.sum(~(same & once)))
    return found


def _of_travellers(lake: Crossings, bucket: int, wanted: int, r: np.random.Generator) -> Iterator[Answer]:
    """Travellers as a random crossing meets them, so that frequent ones are among them, with all of their crossings."""
    rows = lake.history("crossings", buckets=[bucket])
    traveller, size = np.unique(_whole(rows, "subject"), return_inverse=True, return_counts=True)[1:]
    met = traveller[r.choice(len(traveller), wanted)]
    drawn = met[np.sort(np.unique(met, return_index=True)[1])]
    drawn = drawn[: np.searchsorted(np.cumsum(size[drawn]), wanted) + 1]
    chosen = np.flatnonzero(np.isin(traveller, drawn))
    events = _whole(rows, "crossing_id")[chosen].tolist()
    of_one: dict[int, list[tuple[int, Crossing]]] = {}
    for person, *crossing in zip(traveller[chosen].tolist(), events, _crossings(rows, chosen), strict=True):
        of_one.setdefault(person, []).append(tuple(crossing))
    for theirs in of_one.values():
        crossings = [crossing for _, crossing in theirs]
        for event, crossing in theirs:
            yield {"event": event, **of_traveller(crossing.happened, crossings)}


def _of_routes(lake: Crossings, routes: np.ndarray, wanted: int, r: np.random.Generator) -> Iterator[Answer]:
    """Crossings drawn from all of a few routes, wherever the travellers' buckets are."""
    columns = ("crossing_id", "service", "happened_at", "known_at")
    parts = (lake.history("crossings", columns, buckets=[bucket]) for bucket in range(lake.buckets))
    asked = pa.array(routes, pa.int16())
    rows = pa.concat_tables([part.filter(pc.is_in(part.column("service"), value_set=asked)) for part in parts])
    event, service, happened, known = (_whole(rows, name) for name in columns)
    of_one = _places(rows, "service", rows.column("service"))
    for row in r.choice(len(event), min(wanted, len(event)), replace=False).tolist():
        together = of_one[service[row]]
        yield {"event": int(event[row]), **of_route(int(happened[row]), happened[together], known[together])}


def _crossings(rows: pa.Table, chosen: np.ndarray) -> list[Crossing]:
    taken = rows.take(pa.array(chosen))
    times = (_whole(taken, name).tolist() for name in TIMES)
    return list(map(Crossing, *times, *(taken.column(name).to_pylist() for name in Crossing._fields[len(TIMES) :])))


def _places(rows: pa.Table, column: str, asked: pa.ChunkedArray) -> dict[int, np.ndarray]:
    """Where the rows of each of some travellers or routes are."""
    number = _whole(rows, column)
    return {n: np.flatnonzero(number == n) for n in pc.unique(asked).to_pylist()}


def _whole(rows: pa.Table, name: str) -> np.ndarray:
    return np.asarray(rows.column(name).cast(pa.int64()))


def _numbers(column: pa.ChunkedArray) -> np.ndarray:
    return np.asarray(column.cast(pa.float64()).fill_null(np.nan), dtype=np.float64)

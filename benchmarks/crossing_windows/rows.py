"""Crossings as the peers make them, laid out as a lake holds them: one Parquet file per person bucket, unsorted."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq

from records.delta import parquet_form
from records.pseudonyms import bucket_of

DAY_US = 86_400_000_000
CHUNK = 10_000_000
ROUTES = 900
LATE_SHARE, LATE_DAYS, LATE_SEED = 0.05, 3.0, 1
INSTANT = pa.timestamp("us", tz="UTC")
PLAIN = ("crossing_id", "subject", "happened_at", "known_at", "document")  # too many values for a dictionary
START_S = int(np.datetime64("2021-01-01", "s").astype(np.int64))


def in_chunks(path: Path) -> Iterator[pa.Table]:
    """The rows of a file that the peers made."""
    for batch in pq.ParquetFile(path).iter_batches(CHUNK):
        yield pa.Table.from_batches([batch])


def generated(rows: int) -> Iterator[pa.Table]:
    """Rows of the same distributions as the peers' `make`, which would hold all of them at once."""
    persons = rows // 6
    for number, first in enumerate(range(0, rows, CHUNK)):
        n = min(CHUNK, rows - first)
        r = np.random.default_rng([0, number])
        yield _drawn((r.pareto(1.2, n) * persons / 20).astype(np.int64) % persons, first, r)


def of_travellers(travellers: list[int], crossings: int, first_event: int) -> pa.Table:
    """As many crossings for each of some travellers, over the same four years."""
    return _drawn(np.repeat(travellers, crossings), first_event, np.random.default_rng(2))


def _drawn(person: npt.NDArray[np.int64], first_event: int, r: np.random.Generator) -> pa.Table:
    n = len(person)
    return pa.table(
        {
            "crossing_id": np.arange(first_event, first_event + n),
            "person": person,
            "ts": pa.array((START_S + r.integers(0, 4 * 365 * 86_400, n)) * 1_000_000, pa.timestamp("us")),
            "post": r.integers(0, 40, n).astype(np.int16),
            "dir": r.integers(0, 2, n).astype(np.int8),
            "doc": person * 7 + r.integers(0, 3, n) * (r.random(n) < 0.02),
            "route": r.integers(0, ROUTES, n).astype(np.int16),
        }
    )


def after_travellers(path: Path, travellers: list[int], crossings: int) -> Iterator[pa.Table]:
    """A few travellers' rows and then those of the peers' file."""
    yield of_travellers(travellers, crossings, pq.ParquetFile(path).metadata.num_rows)
    yield from in_chunks(path)


def lay_out(chunks: Callable[[], Iterable[pa.Table]], folder: Path, buckets: int, *, late: bool) -> None:
    """Write bucket-00000.parquet and so on; `late` makes 5% of the rows known days after they happened ."""
    folder.mkdir(parents=True)
    r = np.random.default_rng(LATE_SEED)
    with ExitStack() as stack:
        writers: list[pq.ParquetWriter] = []
        for chunk in chunks():
            rows, bucket = _sorted_by_bucket(as_held(chunk, r if late else None), buckets)
            writers = writers or [
                stack.enter_context(_writer(folder / f"bucket-{number:05}.parquet", rows.schema))
                for number in range(buckets)
            ]
            starts = np.searchsorted(bucket, np.arange(buckets + 1))
            for writer, start, end in zip(writers, starts[:-1], starts[1:], strict=True):
                writer.write_table(rows.slice(start, end - start))


def as_held(chunk: pa.Table, late: np.random.Generator | None) -> pa.Table:
    """Under the names of the table `crossings`, with known_at; `late` draws which rows are known when."""
    happened = chunk.column("ts").cast(pa.int64()).to_numpy()
    known = happened
    if late is not None:
        delayed = late.random(len(happened)) < LATE_SHARE
        known = happened + np.where(delayed, late.exponential(LATE_DAYS * DAY_US, len(happened)), 0).astype(np.int64)
    return pa.table(
        {
            "crossing_id": chunk.column("crossing_id"),
            "subject": chunk.column("person"),
            "happened_at": pa.array(happened).cast(INSTANT),
            "known_at": pa.array(known).cast(INSTANT),
            "post": chunk.column("post"),
            "direction": pa.DictionaryArray.from_arrays(chunk.column("dir").combine_chunks(), ["exit", "entry"]),
            "document": chunk.column("doc"),
            "service": chunk.column("route"),
        }
    )


def _sorted_by_bucket(rows: pa.Table, buckets: int) -> tuple[pa.Table, np.ndarray]:
    bucket = bucket_of(rows.column("subject").combine_chunks(), buckets)
    order = np.argsort(bucket, kind="stable")
    return rows.take(pa.array(order)), bucket[order]


def _writer(path: Path, schema: pa.Schema) -> pq.ParquetWriter:
    return pq.ParquetWriter(path, schema, **parquet_form(schema, PLAIN))

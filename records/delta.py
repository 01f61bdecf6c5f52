"""Delta tables on disk, and nothing else: create or widen one, write a file, commit files under a batch."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.dataset as ds
import pyarrow.fs
import pyarrow.parquet as pq
from deltalake import CommitProperties, DeltaTable, Field, Transaction
from deltalake import Schema as DeltaSchema
from deltalake.transaction import AddAction, RemoveAction

BUCKET = "bucket"
_METADATA = "basira"
_SPANS = ("happened_at", "known_at")
# A batch that comes again after years must still be recognised, so transaction ids never expire with the log.
_CONFIGURATION = {"delta.logRetentionDuration": "interval 36500 days"}

Hidden = Callable[[str], bool] | None


def open_table(folder: Path, version: int | None = None) -> DeltaTable | None:
    """The Delta table in `folder`, at a version or the newest; None if there is none.

    A process that ended while it made the table may have left a log without a first commit: that is no table yet.
    """
    begun = folder / "_delta_log" / f"{0:020d}.json"  # kept as long as the table is, see _CONFIGURATION
    return DeltaTable(folder, version=version) if begun.exists() else None


def dataset(
    table: DeltaTable, folder: Path, schema: pa.Schema, *, buckets: Sequence[int] | None = None, hidden: Hidden = None
) -> ds.Dataset:
    """The rows of a Delta table, of some buckets or all, but for the files that `hidden` names by path.

    Arrow learns the bucket and the span of times of each file, and leaves out files that a filter cannot meet. A
    column of `schema` that a file does not have is null in its rows.
    """
    # Not `DeltaTable.to_pyarrow_dataset`: it takes a column without statistics for null and skips the file.
    filesystem = pa.fs.SubTreeFileSystem(str(folder), pa.fs.LocalFileSystem())
    form = ds.ParquetFileFormat()
    fragments = []
    for action in file_actions(table):
        path, bucket = str(action["path"]), action.get(f"partition.{BUCKET}")
        if (hidden is None or not hidden(path)) and (buckets is None or bucket in buckets):
            fragments.append(form.make_fragment(path, filesystem, partition_expression=_holds(action, bucket)))
    return ds.FileSystemDataset(fragments, schema, form, filesystem)


def file_actions(table: DeltaTable) -> list[dict[str, Any]]:
    """One entry per file: path, size_bytes, partition.bucket, and min./max. of the times."""
    found: list[dict[str, Any]] = pa.table(table.get_add_actions(flatten=True)).to_pylist()
    return found


def commits_after(folder: Path, version: int) -> int:
    """How many commits the log of the table in `folder` has after a version: a look at file names, no more."""
    log = folder / "_delta_log"
    newest = version
    while (log / f"{newest + 1:020d}.json").exists():
        newest += 1
    return newest - version


def rows(table: DeltaTable, *, hidden: Hidden = None) -> int:
    """How many rows the files of a table have, but for those that `hidden` names, by what their commits say."""
    actions = (a for a in file_actions(table) if hidden is None or not hidden(str(a["path"])))
    return sum(int(action.get("num_records") or 0) for action in actions)


def _holds(action: Mapping[str, Any], bucket: int | None) -> ds.Expression:
    """What is true of every row of a file."""
    holds = pc.scalar(True) if bucket is None else pc.field(BUCKET) == pa.scalar(bucket, pa.int32())
    for name in _SPANS:
        least, greatest = action.get(f"min.{name}"), action.get(f"max.{name}")
        if least is not None and greatest is not None:
            instant = pa.timestamp("us", tz="UTC")
            holds &= (pc.field(name) >= pa.scalar(least, instant)) & (pc.field(name) <= pa.scalar(greatest, instant))
    return holds


def prepare(folder: Path, schema: pa.Schema, *, partitioned: bool, opened: DeltaTable | None = None) -> DeltaTable:
    """The Delta table in `folder` with at least the columns of `schema`: created, or widened by new columns.

    `opened` is that table where the caller has it open already, as opening replays the whole log.
    """
    table = opened or open_table(folder)
    if table is None:
        folder.mkdir(parents=True, exist_ok=True)
        return DeltaTable.create(
            folder, schema, mode="ignore", partition_by=[BUCKET] if partitioned else None, configuration=_CONFIGURATION
        )
    have = {field.name for field in table.schema().fields}
    if new := [field.name for field in schema if field.name not in have]:
        wanted = DeltaSchema.from_arrow(pa.schema([schema.field(name) for name in new]))
        table.alter.add_columns([Field(f.name, f.type, nullable=True) for f in wanted.fields])
    return table


def write_file(folder: Path, rows: pa.Table, name: str, bucket: int | None, plain: Sequence[str] = ()) -> AddAction:
    """Write `rows` as one Parquet file and return the action that will add it.

    plain: see `parquet_form`. Until the action is committed, the file belongs to no table; a file of the same name is
    replaced.
    """
    place = name if bucket is None else f"{BUCKET}={bucket}/{name}"
    path = folder / place
    path.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(rows, path, **parquet_form(rows.schema, plain))
    return add_action(folder, place, rows, bucket)


def parquet_form(schema: pa.Schema, plain: Sequence[str] = ()) -> dict[str, Any]:
    """How Parquet holds the columns of `schema`, as arguments of its writer.

    `plain` names columns of mostly distinct values, for which a dictionary only costs time. Of these the whole numbers,
    and instants, are packed as differences from one row to the next: that takes less room than zstd makes of them, and
    half the time to read.
    """
    packed = [
        f.name for f in schema if pa.types.is_timestamp(f.type) or (f.name in plain and pa.types.is_integer(f.type))
    ]
    others = [name for name in schema.names if name not in packed]
    return {
        "compression": {**dict.fromkeys(packed, "none"), **dict.fromkeys(others, "zstd")},
        "compression_level": dict.fromkeys(others, 1),
        "use_dictionary": [name for name in others if name not in plain],
        "column_encoding": dict.fromkeys(packed, "DELTA_BINARY_PACKED"),
    }


def add_action(folder: Path, place: str, rows: pa.Table, bucket: int | None) -> AddAction:
    """The action that adds the file at `place`, with the row count and the span of its times."""
    stats: dict[str, object] = {"numRecords": rows.num_rows}
    spans = {
        name: pc.min_max(rows[name]).as_py()
        for name in _SPANS
        if name in rows.column_names and rows[name].null_count < rows.num_rows
    }
    for bound, key in (("min", "minValues"), ("max", "maxValues")):
        stats[key] = {
            name: f"{span[bound]:%Y-%m-%dT%H:%M:%S}.{span[bound].microsecond:06d}Z" for name, span in spans.items()
        }
    stats["nullCount"] = {name: rows[name].null_count for name in spans}
    partition = {} if bucket is None else {BUCKET: str(bucket)}
    size = (folder / place).stat().st_size
    return AddAction(place, size, partition, time.time_ns() // 1_000_000, True, json.dumps(stats))


def commit(
    table: DeltaTable,
    actions: Sequence[AddAction | RemoveAction],
    *,
    partitioned: bool,
    batch: str | None = None,
    metadata: str | None = None,
) -> int:
    """Commit file actions at once; with `batch` as Delta application transaction and `metadata` kept in the commit.

    `table` is at the version that this made, which is returned.
    """
    table.create_write_transaction(
        list(actions),
        "append",
        table.schema(),
        [BUCKET] if partitioned else None,
        commit_properties=CommitProperties(
            custom_metadata=None if metadata is None else {_METADATA: metadata},
            app_transactions=None if batch is None else [Transaction(batch, 1)],
        ),
    )
    table.update_incremental()
    return int(table.version())


def removal(action: Mapping[str, Any], bucket: int | None) -> RemoveAction:
    """The action that takes out a file, from its row in `get_add_actions`."""
    partition: dict[str, str | None] | None = None if bucket is None else {BUCKET: str(bucket)}
    now = time.time_ns() // 1_000_000
    return RemoveAction(action["path"], True, now, action["size_bytes"], partition_values=partition)


def last_metadata(table: DeltaTable) -> str | None:
    """The metadata kept in the newest commit, if it kept any."""
    newest = table.history(1)[0]
    said = newest.get(_METADATA)
    return said if isinstance(said, str) else None

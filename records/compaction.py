"""Files of the lake brought together, with or without rows that are to go."""

from __future__ import annotations

import contextlib
import shutil
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.dataset as ds
from deltalake import DeltaTable
from deltalake.transaction import AddAction, RemoveAction
from filelock import FileLock, Timeout

from records import delta
from records.batches import DISTINCT, in_order, settle
from records.lake import QUARANTINE, Lake
from records.ledger import LEDGER
from records.schema import Table

_FILE_ROWS = 1 << 22


def compact(lake: Lake, keep_days: int) -> dict[str, int]:
    """See `Lake.compact`."""
    fewer = {}
    for name in lake.declarations:
        with lake.lock(name):
            settle(lake, name)
            table = delta.open_table(lake.folder(name))
            if table is not None:
                before = len(table.file_uris())
                rewrite(lake, lake.declared(name), table)
                fewer[name] = before - len(_newest(lake, name).file_uris())
                vacuum(lake, name, keep_days * 24)
    for name in (LEDGER, QUARANTINE):
        with lake.lock(name):
            _gather(lake, name)
            vacuum(lake, name, keep_days * 24)
    _sweep(lake)
    return fewer


def rewrite(lake: Lake, declared: Table, table: DeltaTable, *, drop: ds.Expression | None = None) -> int:
    """Rewrite each bucket of several files, or with rows to `drop`, as one sorted run, in one commit.

    Returns how many rows were dropped, echoes not counted. The caller holds the table's lock and has settled it.
    """
    folder = lake.folder(declared.name)
    columns = lake.lake_schema(declared.name).names
    actions: list[AddAction | RemoveAction] = []
    dropped = 0
    for bucket, files in _files(table).items():
        rows = None
        if drop is not None:
            hits = lake.scan(declared.name, ["_echo"], buckets=[bucket], where=drop)
            dropped += hits.num_rows - int(pc.sum(hits["_echo"]).as_py() or 0)
            if hits.num_rows:
                rows = lake.scan(declared.name, columns, buckets=[bucket], where=~drop)
        elif len(files) > 1:
            rows = lake.scan(declared.name, columns, buckets=[bucket])
        if rows is None:
            continue
        rows = in_order(declared, rows)
        for start in range(0, rows.num_rows, _FILE_ROWS):
            name = f"part-{table.version() + 1}-{start // _FILE_ROWS}.parquet"
            actions.append(delta.write_file(folder, rows.slice(start, _FILE_ROWS), name, bucket, DISTINCT))
        actions += [delta.removal(file, bucket) for file in files]
    if actions:
        delta.commit(table, actions, partitioned=True)
    return dropped


def vacuum(lake: Lake, name: str, keep_hours: int) -> None:
    """Delete files that no version of the last `keep_hours` needs, and what killed writers left. Lock held."""
    table = delta.open_table(lake.folder(name))
    if table is not None:
        table.vacuum(retention_hours=keep_hours, dry_run=False, enforce_retention_duration=False, full=True)


def _gather(lake: Lake, name: str) -> None:
    """One file instead of many, for the ledger and the quarantine."""
    table = delta.open_table(lake.folder(name))
    if table is None or len(table.file_uris()) < 2:
        return
    rows = delta.dataset(table, lake.folder(name), pa.schema(table.schema().to_arrow())).to_table()
    added = delta.write_file(lake.folder(name), rows, f"part-{table.version() + 1}.parquet", None)
    removed = [delta.removal(file, None) for file in delta.file_actions(table)]
    delta.commit(table, [added, *removed], partitioned=False)


def _files(table: DeltaTable) -> dict[int, list[dict[str, Any]]]:
    """Add actions of the table by bucket."""
    found: dict[int, list[dict[str, Any]]] = {}
    for action in delta.file_actions(table):
        found.setdefault(action[f"partition.{delta.BUCKET}"], []).append(action)
    return dict(sorted(found.items()))


def _newest(lake: Lake, name: str) -> DeltaTable:
    return DeltaTable(lake.folder(name))


def _sweep(lake: Lake) -> None:
    """Remove the staging folders of processes that are gone: those whose batch nobody has locked."""
    for folder in (lake.root / "_staging").glob("*"):
        with contextlib.suppress(Timeout), FileLock(lake.root / "_locks" / f"batch-{folder.name}.lock", timeout=0):
            shutil.rmtree(folder, ignore_errors=True)

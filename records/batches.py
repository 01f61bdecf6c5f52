"""How a staged batch becomes part of the lake: duplicates taken out, files written, one commit, then the ledger.

Everything here happens under the table's lock. Nothing is visible before the ledger row; whatever a killed process left
is either finished from the receipt in its commit (`settle`) or written over when the batch comes again.
"""

from __future__ import annotations

import shutil
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import cast

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.dataset as ds
from deltalake import DeltaTable
from deltalake.transaction import AddAction

from records import delta
from records.errors import BadInput
from records.fingerprints import fingerprints
from records.lake import BOOKKEEPING, QUARANTINE, QUARANTINE_SCHEMA, Lake
from records.ledger import LEDGER, batch_label, write_entry
from records.moves import find_echoes, may_move
from records.pseudonyms import bucket_of
from records.receipts import Receipt, read_receipt
from records.schema import Place, Table
from records.staging import Staging
from records.versions import Integers, Mask, Versions, integers, new_versions

_FILE_ROWS = 1 << 20
_COMPARED = ["_key", "known_at", "_sequence", "_row", "_content"]
DISTINCT = ("_key", "_content", "_row")  # hardly ever two alike, so a dictionary only costs time


@dataclass
class Draft:
    """A batch that has been read through and waits on disk. `rejected` are Parquet files of the quarantine's schema."""

    table: Table
    batch: str
    staging: Staging
    rows: int = 0
    quarantined: int = 0
    reasons: Counter[str] = field(default_factory=Counter)
    rejected: list[Path] = field(default_factory=list)
    source: str = ""
    retry_of: str | None = None


def with_bookkeeping(declared: Table, rows: pa.Table, numbers: Integers, batch: str, buckets: int) -> pa.Table:
    """Lake-shaped rows with all that the lake notes beside them but the commit's sequence; ready for staging.

    A fingerprint of content leaves out known_at (the same fact known again is no news) and the gates (computed from
    what the vault knows, which may change while the record does not).
    """
    arrays = {name: rows[name].combine_chunks() for name in rows.column_names}
    content = {c.name: arrays[c.name] for c in declared.lake_columns if c.name != "known_at" and c.gate is None}
    subjects = arrays[declared.subject] if declared.subject else pa.nulls(len(rows), pa.string())
    noted = {
        "_batch": pa.repeat(pa.scalar(batch), len(rows)),
        "_row": pa.array(numbers, pa.int64()),
        "_sequence": pa.repeat(pa.scalar(0, pa.int64()), len(rows)),
        "_key": pa.array(fingerprints({name: arrays[name] for name in declared.key}).view(np.int64)),
        "_content": pa.array(fingerprints(content).view(np.int64)),
        "_echo": pa.repeat(pa.scalar(False), len(rows)),
        "bucket": pa.array(bucket_of(subjects, buckets)),
    }
    return pa.table({**arrays, **noted})


def append(lake: Lake, table: str, rows: pa.Table, batch: str) -> Receipt:
    """See `Lake.append`."""
    declared = lake.declared(table)
    shaped = _lake_shaped(declared, rows)
    with lake.lock(f"batch-{batch_label(f'{table}/{batch}')}"):
        if done := lake.receipt(table, batch):
            return done
        with_notes = with_bookkeeping(declared, shaped, np.arange(1, len(rows) + 1), batch, lake.buckets)
        with staging_folder(lake, table, batch) as folder:
            staging = Staging(folder, lake.buckets)
            staging.add(with_notes)
            return put_in(lake, Draft(declared, batch, staging, rows=len(rows), source="engine"))


class staging_folder:
    """An empty folder for one batch, removed afterwards. The caller holds the batch's lock."""

    def __init__(self, lake: Lake, table: str, batch: str) -> None:
        self._folder = lake.root / "_staging" / batch_label(f"{table}/{batch}")

    def __enter__(self) -> Path:
        shutil.rmtree(self._folder, ignore_errors=True)
        self._folder.mkdir(parents=True)
        return self._folder

    def __exit__(self, *_: object) -> None:
        shutil.rmtree(self._folder, ignore_errors=True)


def put_in(lake: Lake, draft: Draft, gates: Callable[[pa.Table], pa.Table] | None = None) -> Receipt:
    """Commit a staged batch and enter it in the ledger. `gates` fills the gate columns of rows just before they are
    written. The counts of the receipt balance."""
    draft.staging.done()
    _quarantine(lake, draft)
    name = draft.table.name
    with lake.lock(name):
        table = settle(lake, name)
        if table is not None and table.transaction_version(draft.batch) is not None:
            return cast(Receipt, lake.receipt(name, draft.batch))
        table = delta.prepare(lake.folder(name), lake.lake_schema(name), partitioned=True, opened=table)
        writer = _Writer(lake, draft, gates, table, sequence=int(table.version()) + 1)
        actions = writer.write()
        receipt = Receipt(
            table=name,
            batch=draft.batch,
            rows=draft.rows,
            accepted=writer.accepted,
            quarantined=draft.quarantined,
            duplicates=draft.rows - draft.quarantined - writer.accepted,
            reasons=dict(sorted(draft.reasons.items())),
            source=draft.source,
            retry_of=draft.retry_of,
        )
        version = delta.commit(table, actions, partitioned=True, batch=draft.batch, metadata=receipt.written())
        _enter(lake, receipt, version)
    return receipt


def settle(lake: Lake, name: str) -> DeltaTable | None:
    """Enter the batch of the newest commit in the ledger, if it is not there. The caller holds the table's lock.

    Only the newest commit can lack its entry: nobody commits to a table without settling it first. So every file of
    the table that is returned (None if nothing was ever written to it) belongs to a batch in the ledger.
    """
    table = delta.open_table(lake.folder(name))
    written = None if table is None else delta.last_metadata(table)
    if table is not None and written is not None:
        _enter(lake, read_receipt(written), int(table.version()))
    return table


def _enter(lake: Lake, receipt: Receipt, version: int) -> None:
    with lake.lock(LEDGER):
        write_entry(lake.folder(LEDGER), receipt, version)


@dataclass
class _Writer:
    """Writes the files of one batch for a settled table, and counts what was new."""

    lake: Lake
    draft: Draft
    gates: Callable[[pa.Table], pa.Table] | None
    table: DeltaTable
    sequence: int
    accepted: int = 0

    def write(self) -> list[AddAction]:
        """The actions that add the batch's files."""
        declared, staging = self.draft.table, self.draft.staging
        if not staging.buckets():
            return []
        folder, schema = self.lake.folder(declared.name), self.lake.lake_schema(declared.name)
        moves = may_move(declared)
        rows = delta.dataset(self.table, folder, schema, buckets=None if moves else staging.buckets())
        held = _held(rows, np.sort(staging.keys()[0]))
        echoes = find_echoes(declared, staging, rows, held, self.sequence) if moves else {}
        actions: list[AddAction] = []
        waiting: list[pa.Table] = []
        for bucket in sorted({*staging.buckets(), *echoes}):
            for part in self._new_rows(bucket, held, echoes.get(bucket)):
                waiting.append(part)
                if sum(table.num_rows for table in waiting) >= _FILE_ROWS:
                    actions += self._write_files(pa.concat_tables(waiting), len(actions))
                    waiting = []
        return actions + self._write_files(pa.concat_tables(waiting), len(actions)) if waiting else actions

    def _new_rows(self, bucket: int, held: pa.Table, echoes: pa.Table | None) -> list[pa.Table]:
        parts = self.draft.staging.parts(bucket)
        masks = self._new(parts, held.filter(pc.equal(held["bucket"], bucket)), echoes)
        new = [part if mask.all() else part.filter(pa.array(mask)) for part, mask in zip(parts, masks, strict=True)]
        new = [self._numbered(part) for part in new]
        self.accepted += sum(part.num_rows for part in new)
        return [part for part in (*new, *([] if echoes is None else [echoes])) if part.num_rows]

    def _numbered(self, rows: pa.Table) -> pa.Table:
        sequence = pa.repeat(pa.scalar(self.sequence, pa.int64()), rows.num_rows)
        return rows.set_column(rows.schema.get_field_index("_sequence"), "_sequence", sequence)

    def _new(self, parts: Sequence[pa.Table], held: pa.Table, echoes: pa.Table | None) -> list[Mask]:
        """Which rows staged for a bucket are no duplicates, part by part. `held` is what lies there of their keys."""
        before = [held.select(_COMPARED)] + ([] if echoes is None else [echoes.select(_COMPARED)])
        everything = pa.concat_tables([*before, *(part.select(_COMPARED) for part in parts)])
        known = sum(table.num_rows for table in before)
        incoming = np.arange(everything.num_rows) >= known
        versions = Versions.of(everything)
        versions = replace(versions, sequence=np.where(incoming, self.sequence, versions.sequence))
        new = new_versions(versions, integers(everything["_content"]), incoming)[known:]
        ends = np.cumsum([part.num_rows for part in parts])
        return np.split(new, ends[:-1]) if len(ends) else []

    def _write_files(self, rows: pa.Table, written: int) -> list[AddAction]:
        """One file per bucket of `rows`, which come bucket by bucket. Gates are filled for all buckets at once: what
        the vault tells costs by the call."""
        if self.gates is not None:
            rows = self.gates(rows)
        folder = self.lake.folder(self.draft.table.name)
        label = batch_label(self.draft.batch)
        buckets, starts = np.unique(integers(rows["bucket"]), return_index=True)
        actions: list[AddAction] = []
        for bucket, start, end in zip(buckets.tolist(), starts, [*starts[1:], rows.num_rows], strict=True):
            run = in_order(self.draft.table, rows.slice(start, end - start))
            name = f"batch-{label}-{written + len(actions)}.parquet"
            actions.append(delta.write_file(folder, run, name, bucket, DISTINCT))
        return actions


def _held(rows: ds.Dataset, keys: Integers) -> pa.Table:
    """Every version and echo of `keys` (in order) among `rows`: key, order, content and bucket."""
    names = [*_COMPARED, "_echo", "bucket"]
    found = [pa.schema([rows.schema.field(name) for name in names]).empty_table()]
    for batch in rows.to_batches(columns=names):
        key = integers(batch["_key"])
        same = keys[np.minimum(np.searchsorted(keys, key), len(keys) - 1)] == key
        if same.any():
            found.append(pa.Table.from_batches([batch]).filter(pa.array(same)))
    return pa.concat_tables(found)


def in_order(declared: Table, rows: pa.Table) -> pa.Table:
    """Rows as they lie inside a bucket: by subject, then time, then arrival; columns as declared, without `bucket`."""
    names = [*declared.lake_schema.names, *BOOKKEEPING.names]
    by = [*([declared.subject] if declared.subject else []), "happened_at", "known_at", "_sequence", "_row"]
    return rows.select(names).sort_by([(name, "ascending") for name in by])


def _quarantine(lake: Lake, draft: Draft) -> None:
    """Commit the reasons of a batch, once."""
    if not draft.rejected:
        return
    with lake.lock(QUARANTINE):
        folder = lake.folder(QUARANTINE)
        table: DeltaTable = delta.prepare(folder, QUARANTINE_SCHEMA, partitioned=False)
        transaction = f"{draft.table.name}/{draft.batch}"
        if table.transaction_version(transaction) is not None:
            return
        actions = []
        for number, path in enumerate(draft.rejected):
            name = f"batch-{batch_label(transaction)}-{number}.parquet"
            shutil.move(path, folder / name)
            actions.append(delta.add_action(folder, name, pa.parquet.read_table(folder / name), None))
        delta.commit(table, actions, partitioned=False, batch=transaction)


def _lake_shaped(declared: Table, rows: pa.Table) -> pa.Table:
    """`rows` with exactly the lake columns of `declared`, in its types. BadInput if they do not fit."""
    schema = declared.lake_schema
    if extra := sorted(set(rows.column_names) - set(schema.names)):
        held_apart = [c.name for c in declared.columns if c.place is not Place.LAKE and c.name in extra]
        why = "they never go in the lake" if held_apart else "they are not declared"
        raise BadInput(f"Rows for table '{declared.name}' have {', '.join(extra)}: {why}. Leave them out.")
    columns = {}
    for column in declared.lake_columns:
        there = column.name in rows.column_names
        values = rows[column.name] if there else pa.nulls(len(rows), column.type.arrow)
        if column.required and (not there or values.null_count):
            raise BadInput(f"Rows for table '{declared.name}' need '{column.name}' in every row. Fill it.")
        try:
            columns[column.name] = values.cast(column.type.arrow)
        except pa.ArrowInvalid as error:
            raise BadInput(f"Column '{column.name}' for table '{declared.name}' does not fit: {error}.") from error
        if column.values is not None:
            outside = pc.invert(pc.is_in(columns[column.name].drop_null(), value_set=pa.array(column.values)))
            if pc.any(outside).as_py():
                raise BadInput(
                    f"Column '{column.name}' for table '{declared.name}' may be: {', '.join(column.values)}."
                )
    return pa.table(columns)

"""The ledger: one row per batch that is in the lake, written last."""

from __future__ import annotations

import hashlib
import json
from datetime import UTC, datetime
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
from deltalake import DeltaTable

from records import delta
from records.receipts import Receipt

LEDGER = "_ledger"
LEDGER_SCHEMA = pa.schema(
    [
        ("batch", pa.string()),
        ("table", pa.string()),
        ("source", pa.string()),
        ("retry_of", pa.string()),
        ("rows", pa.int64()),
        ("accepted", pa.int64()),
        ("quarantined", pa.int64()),
        ("duplicates", pa.int64()),
        ("reasons", pa.string()),
        ("version", pa.int64()),
        ("recorded_at", pa.timestamp("us", tz="UTC")),
    ]
)
_FILES = 16


def batch_label(batch: str) -> str:
    """What stands for a batch in file names: 32 hex characters, whatever characters the batch id has."""
    return hashlib.sha256(batch.encode()).hexdigest()[:32]


def write_entry(folder: Path, receipt: Receipt, version: int) -> None:
    """Enter a batch, once: a second entry of the same batch changes nothing. The caller holds the ledger's lock.

    Every reader reads the ledger, so its files are brought together before there are many.
    """
    table = delta.prepare(folder, LEDGER_SCHEMA, partitioned=False)
    transaction = _transaction(receipt.table, receipt.batch)
    if table.transaction_version(transaction) is not None:
        return
    row = {
        "batch": receipt.batch,
        "table": receipt.table,
        "source": receipt.source,
        "retry_of": receipt.retry_of,
        "rows": receipt.rows,
        "accepted": receipt.accepted,
        "quarantined": receipt.quarantined,
        "duplicates": receipt.duplicates,
        "reasons": json.dumps(dict(receipt.reasons), sort_keys=True),
        "version": version,
        "recorded_at": datetime.now(UTC),
    }
    rows = pa.Table.from_pylist([row], schema=LEDGER_SCHEMA)
    gathered = delta.file_actions(table)
    if len(gathered) < _FILES:
        gathered = []
    else:
        rows = pa.concat_tables([delta.dataset(table, folder, LEDGER_SCHEMA).to_table(), rows])
    added = delta.write_file(folder, rows, f"batch-{batch_label(transaction)}.parquet", None)
    removed = [delta.removal(file, None) for file in gathered]
    delta.commit(table, [added, *removed], partitioned=False, batch=transaction)


def find_receipt(ledger: DeltaTable, folder: Path, table: str, batch: str) -> Receipt | None:
    """The receipt of a batch that is in the ledger, marked `already`; None if it is not."""
    if ledger.transaction_version(_transaction(table, batch)) is None:
        return None
    entry = (pc.field("batch") == batch) & (pc.field("table") == table)
    row = delta.dataset(ledger, folder, LEDGER_SCHEMA).to_table(filter=entry).to_pylist()[0]
    return Receipt(
        table=table,
        batch=batch,
        rows=row["rows"],
        accepted=row["accepted"],
        quarantined=row["quarantined"],
        duplicates=row["duplicates"],
        already=True,
        reasons=json.loads(row["reasons"]),
        source=row["source"],
        retry_of=row["retry_of"],
    )


def _transaction(table: str, batch: str) -> str:
    return f"{table}/{batch}"

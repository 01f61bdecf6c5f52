"""The ledger: one row per batch that is in the lake, written last."""

from __future__ import annotations

import hashlib
import json
from datetime import UTC, datetime
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc

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


def batch_label(batch: str) -> str:
    """What stands for a batch in file names: 32 hex characters, whatever characters the batch id has."""
    return hashlib.sha256(batch.encode()).hexdigest()[:32]


def write_entry(folder: Path, receipt: Receipt, version: int) -> None:
    """Enter a batch, once: a second entry of the same batch changes nothing. The caller holds the ledger's lock."""
    table = delta.prepare(folder, LEDGER_SCHEMA, partitioned=False)
    transaction = f"{receipt.table}/{receipt.batch}"
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
    action = delta.write_file(folder, rows, f"batch-{batch_label(transaction)}.parquet", None)
    delta.commit(table, [action], partitioned=False, batch=transaction)


def find_receipt(ledger: pa.Table, table: str, batch: str) -> Receipt | None:
    """The receipt of a batch that is in the ledger, marked `already`; None if it is not."""
    found = ledger.filter(pc.and_(pc.equal(ledger["batch"], batch), pc.equal(ledger["table"], table))).to_pylist()
    if not found:
        return None
    row = found[0]
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

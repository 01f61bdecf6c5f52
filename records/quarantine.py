"""Rows that could not go in: which, why, and another try with a better mapping."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from records.door import raw_chunk
from records.errors import BadInput
from records.ingest import batch_id, take_in
from records.keys import Keys
from records.lake import Lake
from records.mapping import read_mapping
from records.receipts import Receipt
from records.vault import Vault


def open_rows(lake: Lake, table: str | None = None) -> pa.Table:
    """One row per quarantined row and reason that is still open: batch, table, row, column, code, seen.

    `column` is null where the row could not be taken apart. Rows of a batch that was tried again are closed: what
    still failed is open under the batch of the retry.
    """
    rows = lake.quarantine()
    retried = lake.ledger()["retry_of"].combine_chunks().drop_null()
    rows = rows.filter(pc.invert(pc.is_in(rows["batch"], value_set=retried)))
    if table is not None:
        rows = rows.filter(pc.equal(rows["table"], lake.declared(table).name))
    return rows.sort_by([("table", "ascending"), ("batch", "ascending"), ("row", "ascending"), ("column", "ascending")])


def retry(
    batch: str, *, lake: Lake, vault: Vault, keys: Keys, mapping: Path | Mapping[str, Any] | None = None
) -> Receipt:
    """Take in the quarantined rows of `batch` once more, read by `mapping`, as a new batch that names the old one.

    The mapping replaces the one of the first try, so it must say all that is needed to read the supplier's columns.
    The same retry again changes nothing. BadInput if there is no such batch, nothing of it is open, or the raw rows
    are no longer kept (90 days).
    """
    ledger = lake.ledger()
    known = ledger.filter(pc.equal(ledger["batch"], batch)).to_pylist()
    if not known:
        raise BadInput(f"The ledger has no batch '{batch}'. `basira quarantine list` names those with open rows.")
    first = known[0]
    declared = lake.declared(first["table"])
    rules = read_mapping(mapping, declared)
    again = batch_id(declared.name, hashlib.sha256(f"retry {batch}".encode()).hexdigest(), rules)
    if done := lake.receipt(declared.name, again):
        return done
    later = ledger.filter(pc.equal(ledger["retry_of"], batch))["batch"].to_pylist()
    if later:
        raise BadInput(f"Batch '{batch}' was tried again as '{later[0]}'; rows that are still open are found there.")
    if first["quarantined"] == 0:
        raise BadInput(f"Batch '{batch}' has no quarantined rows, so there is nothing to try again.")
    raw = vault.rejected(batch)
    if raw.num_rows != first["quarantined"]:
        raise BadInput(
            f"Of the {first['quarantined']:,} quarantined rows of batch '{batch}' the vault still keeps "
            f"{raw.num_rows:,}; raw rows are kept for 90 days. Ask the supplier for the file again."
        )
    return take_in(
        [raw_chunk(raw)],
        declared,
        rules,
        again,
        lake=lake,
        vault=vault,
        keys=keys,
        source=first["source"],
        retry_of=batch,
    )

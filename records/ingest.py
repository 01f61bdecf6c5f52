"""A supplied file goes into the lake: whole or not at all, once, with every row accounted for."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

from records.batches import staging_folder
from records.door import Door
from records.keys import Keys
from records.lake import Lake
from records.ledger import batch_label
from records.mapping import SupplyMapping, read_mapping
from records.readers import Chunk, examine, read_chunks
from records.receipts import Receipt
from records.schema import Table
from records.vault import Vault

__all__ = ["Receipt", "ingest"]


def ingest(
    path: Path,
    table: str,
    *,
    lake: Lake,
    vault: Vault,
    keys: Keys,
    mapping: Path | Mapping[str, Any] | None = None,
    progress: Callable[[int], None] | None = None,
) -> Receipt:
    """Take in a CSV, JSON-lines or Parquet file as one batch of `table`.

    Rows that fail go to quarantine with every reason, rows that say nothing new are counted as duplicates, the rest
    goes in. The same content with the same mapping is the same batch: again, it changes nothing and the receipt says
    `already`. `progress` is called with the number of rows read so far.

    BadInput, with nothing changed: no such file or table, a mapping that does not fit, columns that are unknown or
    missing, a file that cannot be read to its end.
    """
    declared = lake.declared(table)
    rules = read_mapping(mapping, declared)
    file = examine(path, rules.encoding)
    batch = batch_id(table, file.digest, rules)
    chunks = read_chunks(file, delimiter=rules.delimiter)
    return take_in(
        chunks, declared, rules, batch, lake=lake, vault=vault, keys=keys, source=path.name, progress=progress
    )


def batch_id(table: str, content: str, mapping: SupplyMapping) -> str:
    """The id of a batch: what was supplied (`content`, a digest), for which table, read by which mapping."""
    return hashlib.sha256("\n".join((table, content, mapping.digest())).encode()).hexdigest()[:32]


def take_in(
    chunks: Iterable[Chunk],
    declared: Table,
    rules: SupplyMapping,
    batch: str,
    *,
    lake: Lake,
    vault: Vault,
    keys: Keys,
    source: str,
    retry_of: str | None = None,
    progress: Callable[[int], None] | None = None,
) -> Receipt:
    """Bring chunks of raw rows in as the batch `batch`, unless the ledger has it already."""
    with lake.lock(f"batch-{batch_label(f'{declared.name}/{batch}')}"):
        if done := lake.receipt(declared.name, batch):
            return done
        with staging_folder(lake, declared.name, batch) as folder:
            door = Door(
                declared, rules, batch, folder, lake=lake, vault=vault, keys=keys, source=source, retry_of=retry_of
            )
            for chunk in chunks:
                door.take(chunk)
                if progress is not None:
                    progress(door.draft.rows)
            return door.close()

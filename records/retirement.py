"""Retention, enforced: what is older than its table's retention goes, everywhere, and is counted."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.dataset as ds

from records import delta
from records.batches import settle
from records.compaction import rewrite, vacuum
from records.errors import BadInput
from records.lake import Lake
from records.schema import Table
from records.vault import Retired, Vault


@dataclass(frozen=True)
class Retirement:
    """What was deleted: rows by lake table, and rows of the vault."""

    lake: Mapping[str, int]
    vault: Retired


def retire(now: datetime, lake: Lake, vault: Vault, *, hold: Collection[str] = ()) -> Retirement:
    """Delete what is past its retention at `now` from the lake and the vault, but nothing under a legal hold.

    `hold` names subjects (and, for the vault, documents) by pseudonym. Identities are kept as long as the table
    `travellers` keeps a person. BadInput if `now` has no time zone.
    """
    if now.tzinfo is None:
        raise BadInput("Retention is counted from a moment with a time zone. Give `now` one.")
    kept_days = lake.declared("travellers").retention_days
    if kept_days is None:
        raise BadInput("Table 'travellers' declares no retention, so identities would never go. Declare one.")
    rows = retire_lake(now, lake, hold=hold)
    return Retirement(rows, vault.retire(now - timedelta(days=kept_days), keep=hold, now=now))


def retire_lake(now: datetime, lake: Lake, *, hold: Collection[str] = ()) -> Mapping[str, int]:
    """Delete rows that happened longer ago than their table's retention; rows deleted by table.

    Files of earlier versions are deleted too, so the rows cannot be brought back by time travel.
    """
    deleted = {}
    for name, declared in lake.declarations.items():
        if declared.retention_days is None:
            continue
        with lake.lock(name):
            settle(lake, name)
            table = delta.open_table(lake.folder(name))
            if table is None:
                continue
            limit = now - timedelta(days=declared.retention_days)
            deleted[name] = rewrite(lake, declared, table, drop=_expired(declared, limit, hold))
            if deleted[name]:
                vacuum(lake, name, keep_hours=0)
    return deleted


def _expired(declared: Table, limit: datetime, hold: Collection[str]) -> ds.Expression:
    expired = pc.field("happened_at") < pa.scalar(limit, pa.timestamp("us", tz="UTC"))
    held = pa.array(sorted(hold), pa.string())
    for column in declared.lake_columns:
        if column.pseudonym is not None and column.pseudonym.domain == "person":
            expired &= ~pc.coalesce(pc.field(column.name).isin(held), pa.scalar(False))
    return expired

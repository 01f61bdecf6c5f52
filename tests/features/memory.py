"""A lake in memory, small histories to put into it, and small catalogues to ask it about."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import pyarrow as pa

from features.catalogue import assemble
from features.declaration import LANGUAGES, Feature
from features.lineage import Catalogue
from features.parts import PART_ROWS
from records.pseudonyms import bucket_of
from records.tables import table as declared

START = datetime(2024, 1, 1, tzinfo=UTC)


class Memory:
    """Rows as dicts, by table; missing columns are null. Versions of one key supersede each other by known_at."""

    def __init__(self, rows: Mapping[str, Sequence[Mapping[str, Any]]], buckets: int = 4) -> None:
        self.buckets = buckets
        self.tables = {name: _history(name, list(held)) for name, held in rows.items()}

    def size(self, table: str) -> int:
        """As if each bucket were as large as a part may be, so that buckets are taken one by one."""
        return self.buckets * PART_ROWS if declared(table).subject else 0

    def history(
        self, table: str, columns: Sequence[str] | None = None, *, buckets: Sequence[int] | None = None
    ) -> pa.Table:
        rows = self.tables.get(table, _history(table, []))
        subject = declared(table).subject
        if buckets is not None and subject is not None:
            rows = rows.filter(
                pa.array(np.isin(bucket_of(rows.column(subject).combine_chunks(), self.buckets), buckets))
            )
        return rows if columns is None else rows.select([*columns, "superseded_at"])


def _history(name: str, rows: list[Mapping[str, Any]]) -> pa.Table:
    schema = declared(name).lake_schema
    made = pa.Table.from_pylist([{f.name: r.get(f.name) for f in schema} for r in rows], schema=schema)
    key = declared(name).key
    later: list[datetime | None] = []
    for row in rows:
        same = [r["known_at"] for r in rows if all(r.get(k) == row.get(k) for k in key)]
        later.append(min((k for k in same if k > row["known_at"]), default=None))
    return made.append_column("superseded_at", pa.array(later, pa.timestamp("us", tz="UTC")))


def at(day: float = 0.0, **more: float) -> datetime:
    return START + timedelta(days=day, **more)


def crossing(number: int | str, subject: str, happened: datetime, **more: Any) -> dict[str, Any]:
    return {
        "crossing_id": f"c{number}",
        "subject": subject,
        "kind": "actual",
        "post": "tunis",
        "direction": "entry",
        "mode": "air",
        "document": "d-" + subject,
        "document_type": "passport",
        "happened_at": happened,
        "known_at": happened,
        **more,
    }


def catalogue(**declarations: Feature) -> Catalogue:
    """Declarations over crossings, with the words that a published feature must have."""
    words = {"doc": "Said here.", "unit": "unit", "texts": dict.fromkeys(LANGUAGES, "{value}"), "group": "rhythm"}
    return assemble({name: replace(feature, **words) for name, feature in declarations.items()}, "crossing")

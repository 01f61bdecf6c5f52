"""Selections and decisions go from casework into the lake, once."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from datetime import datetime
from typing import Any

import pyarrow as pa

from records.lake import Lake
from records.receipts import Receipt
from records.settings import Settings
from records.tables import table as declared
from serving import outbox
from serving.house import open_house
from serving.store import writing


def collect(settings: Settings) -> list[Receipt]:
    """Append what waits in the outbox to the lake and mark it collected. A crash in between repeats an append, which
    the lake knows by its batch and its rows by their keys."""
    lake, house = Lake.open(settings.lake), open_house(settings)
    with house.engine.connect() as connection:
        waiting = outbox.waiting(connection)
    receipts = []
    for table, rows in waiting.items():
        key = declared(table).key[0]
        decisions = [str(row[key]) for row in rows]
        batch = hashlib.sha256("\n".join(["collect", table, *sorted(decisions)]).encode()).hexdigest()[:32]
        receipts.append(lake.append(table, _as_table(table, rows), batch=batch))
        with writing(house.engine) as connection:
            outbox.collected(connection, decisions)
    return receipts


def _as_table(table: str, rows: list[Mapping[str, Any]]) -> pa.Table:
    schema = declared(table).lake_schema
    instants = {field.name for field in schema if pa.types.is_timestamp(field.type)}

    def value(row: Mapping[str, Any], name: str) -> Any:
        held = row.get(name)
        return datetime.fromisoformat(held) if name in instants and held is not None else held

    return pa.table({name: [value(row, name) for row in rows] for name in schema.names}, schema=schema)

"""The raw content of quarantined rows, so that a supplier's mistake can be repaired: own key, kept 90 days."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

import pyarrow as pa
import sqlalchemy as sa

from records.vault.cipher import Cipher
from records.vault.storage import REJECTED, among, micros, upsert

KEPT = timedelta(days=90)
INSTANT = pa.timestamp("us", tz="UTC")


def put(
    engine: sa.Engine, cipher: Cipher, batch: str, *, rows: Sequence[int], raw: Sequence[bytes], at: datetime
) -> None:
    """Keep the raw content of rows of a batch, by row number, until 90 days after `at`. Again changes nothing."""
    until = micros(at + KEPT)
    sealed = {
        "batch": [batch] * len(rows),
        "row": rows,
        "raw": [cipher.seal((batch, str(row)), content) for row, content in zip(rows, raw, strict=True)],
        "kept_until": [until] * len(rows),
    }
    upsert(engine, REJECTED, sealed, replace=("raw", "kept_until"), when="differs")


def fetch(engine: sa.Engine, cipher: Cipher, batch: str, at: datetime) -> pa.Table:
    """Rows of a batch still kept at `at`, by row number: row (int64), raw (binary), kept_until."""
    columns = (REJECTED.c.row, REJECTED.c.raw, REJECTED.c.kept_until)
    query = (
        sa.select(*columns)
        .where(REJECTED.c.batch == batch, REJECTED.c.kept_until > micros(at))
        .order_by(REJECTED.c.row)
    )
    with engine.connect() as connection:
        found = connection.execute(query).all()
    return pa.table(
        {
            "row": pa.array([r.row for r in found], type=pa.int64()),
            "raw": pa.array([cipher.open((batch, str(r.row)), r.raw) for r in found], type=pa.binary()),
            "kept_until": pa.array([r.kept_until for r in found], type=INSTANT),
        }
    )


def batches(engine: sa.Engine, at: datetime) -> pa.Table:
    """Batches that have rows kept at `at`: batch, rows (int64), kept_until of the first to go."""
    query = (
        sa.select(REJECTED.c.batch, sa.func.count().label("rows"), sa.func.min(REJECTED.c.kept_until).label("until"))
        .where(REJECTED.c.kept_until > micros(at))
        .group_by(REJECTED.c.batch)
        .order_by(REJECTED.c.batch)
    )
    with engine.connect() as connection:
        found = connection.execute(query).all()
    return pa.table(
        {
            "batch": pa.array([r.batch for r in found], type=pa.string()),
            "rows": pa.array([r.rows for r in found], type=pa.int64()),
            "kept_until": pa.array([r.until for r in found], type=INSTANT),
        }
    )


def delete(engine: sa.Engine, batch: str, rows: Sequence[int] | None) -> int:
    """Delete rows of a batch (all without `rows`), for instance once they were repaired; how many there were."""
    of_batch = sa.delete(REJECTED).where(REJECTED.c.batch == batch)
    with engine.begin() as connection:
        chosen = of_batch if rows is None else of_batch.where(among(engine, REJECTED.c.row, rows))
        return connection.execute(chosen).rowcount


def expire(connection: sa.Connection, at: datetime) -> int:
    """Delete what is not kept any longer at `at`; how many rows that were."""
    return connection.execute(sa.delete(REJECTED).where(REJECTED.c.kept_until <= micros(at))).rowcount

"""The vault's SQL tables, on SQLite or PostgreSQL, and how they are reached."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from records.errors import BadInput

METADATA = sa.MetaData()

# Moments are microseconds since 1970, so that both databases order and compare them alike.
IDENTITIES = sa.Table(
    "identities",
    METADATA,
    sa.Column("subject", sa.Text, primary_key=True),
    sa.Column("name", sa.Text, primary_key=True),
    sa.Column("known_at", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("value", sa.LargeBinary, nullable=False),
    sa.Column("batch", sa.Text, nullable=False),
    sqlite_with_rowid=False,
)
DOCUMENTS = sa.Table(
    "documents",
    METADATA,
    sa.Column("document", sa.Text, primary_key=True),
    sa.Column("issuer", sa.LargeBinary, nullable=False),
    sa.Column("last_known_at", sa.BigInteger, nullable=False),
    sa.Column("batch", sa.Text, nullable=False),
    sqlite_with_rowid=False,
)
REJECTED = sa.Table(
    "rejected",
    METADATA,
    sa.Column("batch", sa.Text, primary_key=True),
    sa.Column("row", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("raw", sa.LargeBinary, nullable=False),
    sa.Column("kept_until", sa.BigInteger, nullable=False, index=True),
    sqlite_with_rowid=False,
)
SEALS = sa.Table(
    "seals",
    METADATA,
    sa.Column("purpose", sa.Text, primary_key=True),
    sa.Column("seal", sa.LargeBinary, nullable=False),
)

# Pseudonyms fall anywhere in a table: with SQLite's two megabytes, every write would wait for another page.
CACHE_KIB = 65_536


def connect(url: str, *, read_only: bool = False) -> sa.Engine:
    """An engine on the vault at `url` with its tables in place. A new SQLite file can be read by its owner only.

    With `read_only` nothing is made, and the database refuses every change.
    """
    try:
        address = sa.make_url(url)
    except sa.exc.ArgumentError:
        raise BadInput(
            "The vault's address is not a database address. Write it like sqlite:////folder/vault.db or "
            "postgresql+psycopg://user@host/name."
        ) from None
    if address.get_backend_name() not in ("sqlite", "postgresql"):
        raise BadInput(f"The vault cannot be kept in '{address.get_backend_name()}'. Use SQLite or PostgreSQL.")
    if read_only:
        return _reading(address)
    if address.get_backend_name() == "sqlite" and address.database:
        place = Path(address.database)
        place.parent.mkdir(parents=True, exist_ok=True)
        os.close(os.open(place, os.O_CREAT | os.O_RDWR, 0o600))
    engine = sa.create_engine(address)
    if engine.dialect.name == "sqlite":
        sa.event.listen(engine, "connect", _prepare_sqlite)
    with engine.begin() as connection:
        if engine.dialect.name == "postgresql":
            # Two processes that start at once must not both create the tables.
            connection.execute(sa.text("SELECT pg_advisory_xact_lock(hashtext('basira vault tables'))"))
        else:
            connection.exec_driver_sql("BEGIN IMMEDIATE")
        METADATA.create_all(connection)
    return engine


def _reading(address: sa.URL) -> sa.Engine:
    if address.get_backend_name() == "postgresql":
        return sa.create_engine(address, connect_args={"options": "-c default_transaction_read_only=on"})
    if not address.database or not Path(address.database).exists():
        raise BadInput("There is no vault at this address yet, so there is nothing to read. Take travellers in first.")
    engine = sa.create_engine(address)
    sa.event.listen(engine, "connect", _prepare_sqlite)
    sa.event.listen(engine, "connect", _refuse_changes)
    return engine


def upsert(
    engine: sa.Engine, table: sa.Table, rows: Mapping[str, Sequence[Any]], *, replace: Sequence[str], when: str
) -> None:
    """Write rows, given as columns, in one transaction. Where the key is there, `replace` only when `when` says so.

    `when` is 'differs' (the first column of `replace` is another) or 'later' (it is greater).
    """
    names = list(rows)
    if not rows[names[0]]:
        return
    statement: sqlite.Insert | postgresql.Insert
    if engine.dialect.name == "postgresql":
        # One array per column: a round trip per row would take most of the time.
        arrays = [sa.func.unnest(sa.bindparam(n, type_=postgresql.ARRAY(table.c[n].type))).label(n) for n in names]
        statement = postgresql.insert(table).from_select(names, sa.select(*arrays))
    else:
        statement = sqlite.insert(table)
    old, new = table.c[replace[0]], statement.excluded[replace[0]]
    statement = statement.on_conflict_do_update(
        index_elements=list(table.primary_key.columns),
        set_={name: statement.excluded[name] for name in replace},
        where=(new > old) if when == "later" else (new != old),
    )
    with engine.begin() as connection:
        if engine.dialect.name == "postgresql":
            connection.execute(statement, {name: list(values) for name, values in rows.items()})
        else:
            # Handed to the driver as text: SQLAlchemy's own bookkeeping per row would take most of the time.
            compiled = statement.compile(dialect=engine.dialect, column_keys=names)
            order = compiled.positiontup or names
            values = list(zip(*(rows[name] for name in order), strict=True))
            connection.exec_driver_sql(str(compiled), values)


def among(engine: sa.Engine, column: sa.Column[Any], values: Sequence[Any]) -> sa.ColumnElement[bool]:
    """That `column` holds one of `values`, which are handed over as one parameter, however many they are."""
    if engine.dialect.name == "postgresql":
        return column == sa.any_(sa.literal(list(values), postgresql.ARRAY(column.type)))
    listed = sa.func.json_each(json.dumps(list(values))).table_valued("value")
    return column.in_(sa.select(listed.c.value))


def micros(moment: datetime) -> int:
    """Microseconds since 1970, exactly; ValueError without a time zone."""
    if moment.tzinfo is None:
        raise ValueError(f"Moment {moment} has no time zone. Give one, such as UTC.")
    since = moment - datetime(1970, 1, 1, tzinfo=UTC)
    return (since.days * 86_400 + since.seconds) * 1_000_000 + since.microseconds


def _prepare_sqlite(connection: Any, _record: Any) -> None:
    cursor = connection.cursor()
    cursor.execute("PRAGMA journal_mode=WAL")
    cursor.execute("PRAGMA busy_timeout=30000")
    cursor.execute(f"PRAGMA cache_size=-{CACHE_KIB}")
    cursor.execute("PRAGMA secure_delete=ON")  # what is retired is overwritten, not only unlinked
    cursor.close()


def _refuse_changes(connection: Any, _record: Any) -> None:
    connection.execute("PRAGMA query_only=ON")

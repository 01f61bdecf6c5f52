"""What people and the engine did: an append-only journal whose entries are chained by their hashes.

An entry is written inside the caller's transaction, so a decision and its entry stand or fall together. Each entry's
hash covers the hash before it; nothing can be changed, dropped or slipped in between without breaking the chain, and
the database refuses to update or delete one. The payload is kept beside the chain with a salt: the chain holds only the
hash of both, so a payload can be destroyed at the end of its retention, which is itself an entry, and the chain still
verifies. Whoever keeps a copy of `head` elsewhere can also tell that the end was not cut off.
"""

from __future__ import annotations

import hashlib
import json
import secrets
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import sqlalchemy as sa

from records.errors import BadInput

DESTROYED = "payloads_destroyed"
START = "0" * 64
SALT_BYTES = 16

METADATA = sa.MetaData()
CHAIN = sa.Table(
    "journal",
    METADATA,
    sa.Column("sequence", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("at", sa.BigInteger, nullable=False),  # microseconds since 1970
    sa.Column("kind", sa.Text, nullable=False, index=True),
    sa.Column("actor", sa.Text, nullable=False),
    sa.Column("roles", sa.Text, nullable=False),
    sa.Column("payload_hash", sa.Text, nullable=False),
    sa.Column("previous", sa.Text, nullable=False),
    sa.Column("hash", sa.Text, nullable=False),
)
PAYLOADS = sa.Table(
    "journal_payloads",
    METADATA,
    sa.Column("sequence", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("salt", sa.LargeBinary, nullable=False),
    sa.Column("payload", sa.Text, nullable=False),
)
# One row: the end of the chain. Raising its number is what makes writers wait for each other, in both databases.
HEAD = sa.Table(
    "journal_head",
    METADATA,
    sa.Column("one", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("sequence", sa.BigInteger, nullable=False),
    sa.Column("hash", sa.Text, nullable=False),
)


@dataclass(frozen=True)
class Actor:
    """Who acts, and in which roles. Made from a token by `serving/accounts.py` and nowhere else."""

    name: str
    roles: frozenset[str]


@dataclass(frozen=True)
class Entry:
    """One entry. `payload` is None once it was destroyed."""

    sequence: int
    at: datetime
    kind: str
    actor: str
    roles: tuple[str, ...]
    payload: Mapping[str, Any] | None
    payload_hash: str
    previous: str
    hash: str


@dataclass(frozen=True)
class Broken:
    """The first entry that does not hold, and in what way."""

    sequence: int
    why: str


@dataclass(frozen=True)
class Verdict:
    """What `verify` found: how many entries hold, how many payloads were destroyed by right, what broke first."""

    entries: int
    destroyed: int
    broken: Broken | None

    @property
    def sound(self) -> bool:
        return self.broken is None


def prepare(engine: sa.Engine) -> None:
    """Put the journal's tables and triggers in place (SQLite or PostgreSQL). Again changes nothing."""
    with engine.begin() as connection:
        if engine.dialect.name == "postgresql":
            # Two processes that start at once must not both create the tables.
            connection.execute(sa.text("SELECT pg_advisory_xact_lock(hashtext('basira journal tables'))"))
        else:
            connection.exec_driver_sql("BEGIN IMMEDIATE")
        METADATA.create_all(connection)
        for statement in _GUARDS[engine.dialect.name]:
            connection.exec_driver_sql(statement)
        if connection.execute(sa.select(HEAD.c.one)).first() is None:
            connection.execute(sa.insert(HEAD).values(one=1, sequence=0, hash=START))


def append(
    connection: sa.Connection, *, kind: str, actor: Actor, payload: Mapping[str, Any], at: datetime | None = None
) -> Entry:
    """Write an entry in the caller's transaction; it holds once the caller commits, and is gone if it rolls back.

    Writers wait for each other from here to the end of their transactions, so append late. `payload` must be plain
    JSON (TypeError or ValueError otherwise). On SQLite a transaction that has read before its first write may be
    refused with OperationalError; run it again as a whole, or begin it with BEGIN IMMEDIATE.
    """
    text = _canonical(payload)
    raised = sa.update(HEAD).values(sequence=HEAD.c.sequence + 1).returning(HEAD.c.sequence, HEAD.c.hash)
    sequence, previous = connection.execute(raised).one()
    salt = secrets.token_bytes(SALT_BYTES)
    row = {
        "sequence": sequence,
        "at": _micros(at or datetime.now(UTC)),
        "kind": kind,
        "actor": actor.name,
        "roles": " ".join(sorted(actor.roles)),
        "payload_hash": _payload_hash(salt, text),
        "previous": previous,
    }
    row["hash"] = _hash(row)
    connection.execute(sa.insert(CHAIN).values(row))
    connection.execute(sa.insert(PAYLOADS).values(sequence=sequence, salt=salt, payload=text))
    connection.execute(sa.update(HEAD).values(hash=row["hash"]))
    return _entry(row, text)


def entries(
    connection: sa.Connection,
    *,
    kind: str | None = None,
    mentions: str | None = None,
    after: int = 0,
    limit: int | None = None,
) -> Iterator[Entry]:
    """Entries in their order, behind number `after`, at most `limit`.

    Those of one `kind` only if it is given, and only those whose payload `mentions` a text, such as the id of a case.
    """
    query = _with_payloads().where(CHAIN.c.sequence > after).limit(limit)
    if kind is not None:
        query = query.where(CHAIN.c.kind == kind)
    if mentions is not None:
        query = query.where(PAYLOADS.c.payload.contains(mentions, autoescape=True))
    for row in connection.execute(query).mappings():
        yield _entry(row, row["payload"])


def destroy(connection: sa.Connection, sequences: Collection[int], *, actor: Actor, why: str) -> Entry:
    """Destroy payloads and their salts, and write down which, by whom and why, in the caller's transaction.

    BadInput if one does not exist, was destroyed before, or is itself the record of a destruction.
    """
    wanted = sorted(set(sequences))
    found = {
        row.sequence: row.kind
        for row in connection.execute(
            sa.select(CHAIN.c.sequence, CHAIN.c.kind)
            .join(PAYLOADS, PAYLOADS.c.sequence == CHAIN.c.sequence)
            .where(CHAIN.c.sequence.in_(wanted))
        )
    }
    refused = [s for s in wanted if found.get(s, DESTROYED) == DESTROYED]
    if refused or not wanted:
        raise BadInput(
            f"Payloads of the journal entries {refused} cannot be destroyed: there is none, it is gone already, or it "
            "records a destruction. Name entries that still have one."
        )
    entry = append(connection, kind=DESTROYED, actor=actor, payload={"sequences": wanted, "why": why})
    connection.execute(sa.delete(PAYLOADS).where(PAYLOADS.c.sequence.in_(wanted)))
    return entry


def head(connection: sa.Connection) -> tuple[int, str]:
    """Number and hash of the last entry: what to keep elsewhere, so that a cut-off end is noticed."""
    sequence, hash = connection.execute(sa.select(HEAD.c.sequence, HEAD.c.hash)).one()
    return sequence, hash


def verify(engine: sa.Engine) -> Verdict:
    """Walk the whole chain and name the first entry that does not hold. Others may append meanwhile."""
    with engine.connect() as connection:
        last, last_hash = head(connection)  # before the walk, so that later appends do not look like a mismatch
        previous, count, missing, destroyed = START, 0, set[int](), set[int]()
        broken: Broken | None = None
        with connection.execution_options(yield_per=1000).execute(_with_payloads()) as walk:
            for row in walk.mappings():
                why = _what_broke(row, count + 1, previous)
                if why is None and row["sequence"] == last and row["hash"] != last_hash:
                    why = "it is not the one that was written last"
                if why is not None:
                    broken = Broken(count + 1, why)
                    break
                if row["payload"] is None:
                    missing.add(row["sequence"])
                elif row["kind"] == DESTROYED:
                    destroyed.update(json.loads(row["payload"])["sequences"])
                previous, count = row["hash"], count + 1
    if broken is None and count < last:
        broken = Broken(count + 1, "it is missing")
    if lost := missing - destroyed:
        # The record of a destruction may stand behind the break, where nothing can be trusted any more.
        first = Broken(min(lost), "its payload is missing and no entry says that it was destroyed")
        broken = first if broken is None or first.sequence < broken.sequence else broken
    return Verdict(count, len(missing & destroyed), broken)


def _what_broke(row: Mapping[str, Any] | sa.RowMapping, sequence: int, previous: str) -> str | None:
    if row["sequence"] != sequence:
        return "it is missing"
    if row["previous"] != previous:
        return "it does not continue the entry before it"
    if row["hash"] != _hash(row):
        return "its content does not match its hash"
    if row["payload"] is not None and row["payload_hash"] != _payload_hash(row["salt"], row["payload"]):
        return "its payload does not match its hash"
    return None


def _with_payloads() -> sa.Select[Any]:
    joined = CHAIN.outerjoin(PAYLOADS, PAYLOADS.c.sequence == CHAIN.c.sequence)
    return sa.select(CHAIN, PAYLOADS.c.salt, PAYLOADS.c.payload).select_from(joined).order_by(CHAIN.c.sequence)


def _entry(row: Mapping[str, Any] | sa.RowMapping, payload: str | None) -> Entry:
    return Entry(
        sequence=row["sequence"],
        at=datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=row["at"]),
        kind=row["kind"],
        actor=row["actor"],
        roles=tuple(row["roles"].split()),
        payload=None if payload is None else json.loads(payload),
        payload_hash=row["payload_hash"],
        previous=row["previous"],
        hash=row["hash"],
    )


def _hash(row: Mapping[str, Any] | sa.RowMapping) -> str:
    covered = {n: row[n] for n in ("sequence", "at", "kind", "actor", "roles", "payload_hash", "previous")}
    return hashlib.sha256(_canonical(covered).encode()).hexdigest()


def _payload_hash(salt: bytes, text: str) -> str:
    return hashlib.sha256(bytes(salt) + text.encode()).hexdigest()


def _canonical(value: Mapping[str, Any]) -> str:
    """One way to write each value: keys sorted, no spaces, no NaN."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=True, allow_nan=False)


def _micros(moment: datetime) -> int:
    return (moment - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1)


def _sqlite_guard(table: str, event: str) -> str:
    return (
        f"CREATE TRIGGER IF NOT EXISTS {table}_no_{event.lower()} BEFORE {event} ON {table} "
        f"BEGIN SELECT RAISE(ABORT, '{table} is append-only'); END"
    )


def _postgresql_guard(table: str, event: str) -> str:
    level = "STATEMENT" if event == "TRUNCATE" else "ROW"
    return (
        f"CREATE OR REPLACE TRIGGER {table}_no_{event.lower()} BEFORE {event} ON {table} "
        f"FOR EACH {level} EXECUTE FUNCTION journal_is_append_only()"
    )


# A payload may be deleted (`destroy`), never changed.
_GUARDS: Mapping[str, tuple[str, ...]] = {
    "sqlite": (
        _sqlite_guard("journal", "UPDATE"),
        _sqlite_guard("journal", "DELETE"),
        _sqlite_guard("journal_payloads", "UPDATE"),
        _sqlite_guard("journal_head", "DELETE"),
    ),
    "postgresql": (
        "CREATE OR REPLACE FUNCTION journal_is_append_only() RETURNS trigger LANGUAGE plpgsql AS "
        "$$ BEGIN RAISE EXCEPTION '%% is append-only', TG_TABLE_NAME; END $$",
        _postgresql_guard("journal", "UPDATE"),
        _postgresql_guard("journal", "DELETE"),
        _postgresql_guard("journal", "TRUNCATE"),
        _postgresql_guard("journal_payloads", "UPDATE"),
        _postgresql_guard("journal_payloads", "TRUNCATE"),
        _postgresql_guard("journal_head", "DELETE"),
        _postgresql_guard("journal_head", "TRUNCATE"),
    ),
}

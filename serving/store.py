"""The casework store: what was assessed, who may sign in, and what waits to be collected into the lake.

SQLite by default, PostgreSQL by changing the address. Everything is saved by content: saving the same thing twice
changes nothing.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime
from itertools import islice
from typing import Any
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from records import journal
from records.errors import BadInput
from serving.assessment import Assessment, from_json

VERSION = 1
metadata = sa.MetaData()
Instant = sa.DateTime(timezone=True)

schema_version = sa.Table("serving_schema", metadata, sa.Column("version", sa.Integer, primary_key=True))
assessments = sa.Table(
    "assessments",
    metadata,
    sa.Column("sequence", sa.Integer, primary_key=True, autoincrement=True),  # later saved stands before earlier
    sa.Column("id", sa.String(32), nullable=False, unique=True),
    sa.Column("event_kind", sa.String(16), nullable=False),
    sa.Column("event", sa.String(200), nullable=False),
    sa.Column("day", sa.Date, nullable=False),  # local day of the event
    sa.Column("place", sa.String(64)),
    sa.Column("assessable", sa.Boolean, nullable=False),
    sa.Column("why_not", sa.String(64)),
    sa.Column("raw", sa.Float),
    sa.Column("blind", sa.Boolean, nullable=False),
    sa.Column("referred", sa.Boolean, nullable=False),
    sa.Column("body", sa.JSON, nullable=False),
    sa.Column("saved_at", Instant, nullable=False),
    sa.Index("assessments_by_day", "event_kind", "day", "place"),
    sa.Index("assessments_by_event", "event_kind", "event"),
)
dossiers = sa.Table(
    "dossiers",
    metadata,
    sa.Column("assessment", sa.String(32), primary_key=True),
    sa.Column("digest", sa.String(64), nullable=False),  # SHA-256 of the body
    sa.Column("body", sa.LargeBinary, nullable=False),
    sa.Column("frozen_at", Instant, nullable=False),
)
outbox = sa.Table(
    "outbox",
    metadata,
    sa.Column("decision", sa.String(64), primary_key=True),
    sa.Column("kind", sa.String(32), nullable=False),  # the lake table it becomes a row of
    sa.Column("event_kind", sa.String(16), nullable=False),
    sa.Column("event", sa.String(200), nullable=False),
    sa.Column("body", sa.JSON, nullable=False),
    sa.Column("decided_at", Instant, nullable=False),
    sa.Column("collected_at", Instant),
    sa.Index("outbox_by_event", "event_kind", "event"),
)
drivers = sa.Table(
    "drivers",
    metadata,
    sa.Column("event_kind", sa.String(16), primary_key=True),
    sa.Column("model", sa.String(32), primary_key=True),
    sa.Column("day", sa.Date, primary_key=True),
    sa.Column("place", sa.String(64), primary_key=True),  # empty where an event has none
    sa.Column("body", sa.JSON, nullable=False),  # sums over a sample of the day, no event
)
audits = sa.Table(
    "audits",
    metadata,
    sa.Column("number", sa.Integer, primary_key=True, autoincrement=True),
    sa.Column("purpose", sa.String(64), nullable=False),
    sa.Column("model", sa.String(64), nullable=False),
    sa.Column("made_at", Instant, nullable=False),
    sa.Column("account", sa.String(64), nullable=False),  # who asked for it
    sa.Column("body", sa.JSON, nullable=False),  # tables of groups, no subject
)
batches = sa.Table(
    "processed_batches",
    metadata,
    sa.Column("flow", sa.String(32), primary_key=True),
    sa.Column("batch", sa.String(128), primary_key=True),
    sa.Column("data_versions", sa.JSON, nullable=False),
    sa.Column("processed_at", Instant, nullable=False),
)
shifts = sa.Table(
    "shifts",
    metadata,
    sa.Column("post", sa.String(64), primary_key=True),
    sa.Column("shift", sa.String(64), primary_key=True),
    sa.Column("capacity", sa.Integer, nullable=False),
    sa.Column("expected", sa.Float, nullable=False),
    sa.Column("p", sa.Float, nullable=False),
    sa.Column("secret", sa.LargeBinary, nullable=False),
    sa.Column("published_at", Instant),  # when the secret went to the journal, after the shift
)
accounts = sa.Table(
    "accounts",
    metadata,
    sa.Column("name", sa.String(64), primary_key=True),
    sa.Column("roles", sa.JSON, nullable=False),
    sa.Column("password", sa.String(256)),  # argon2; null for an account no person signs in with
    sa.Column("demo", sa.Boolean, nullable=False),
    sa.Column("failures", sa.Integer, nullable=False),
    sa.Column("failed_at", Instant),
    sa.Column("created_at", Instant, nullable=False),
    sa.Column("closed_at", Instant),
)
tokens = sa.Table(
    "tokens",
    metadata,
    sa.Column("hash", sa.String(64), primary_key=True),
    sa.Column("account", sa.ForeignKey("accounts.name"), nullable=False),
    sa.Column("form_key", sa.String(64), nullable=False),  # what a form of this session must carry
    sa.Column("created_at", Instant, nullable=False),
    sa.Column("expires_at", Instant, nullable=False),
)


@dataclass(frozen=True)
class Count:
    """How many of a day were counted without a score, for one reason."""

    why_not: str
    events: int


def in_utc(moment: datetime) -> datetime:
    """A stored instant with its zone: SQLite hands it back without, and all are stored in UTC."""
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


def connect(url: str) -> sa.Engine:
    """An engine for the store at `url`. On SQLite readers never wait for a writer, and writers queue up to 30 s."""
    engine = sa.create_engine(url)
    if engine.dialect.name == "sqlite":

        @sa.event.listens_for(engine, "connect")
        def prepare(connection: Any, _record: Any) -> None:
            connection.isolation_level = None  # transactions are begun below, where reading and writing differ
            for pragma in ("journal_mode=WAL", "busy_timeout=30000", "foreign_keys=ON", "synchronous=FULL"):
                connection.execute(f"PRAGMA {pragma}")

        @sa.event.listens_for(engine, "begin")
        def begin(connection: sa.Connection) -> None:
            # A transaction that reads and then writes takes the write lock first: upgrading later fails at once when
            # another writer came between, and no waiting helps.
            writes = connection.get_execution_options().get("writes", False)
            connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")

    return engine


@contextmanager
def writing(engine: sa.Engine) -> Iterator[sa.Connection]:
    """One transaction that may write: committed at the end, rolled back by an exception."""
    with engine.connect().execution_options(writes=True) as connection, connection.begin():
        yield connection


def create(engine: sa.Engine) -> None:
    """Create what is missing. BadInput if the store was made by a newer version of the engine."""
    # The journal begins its own transaction, so it is prepared through an engine that does not.
    plain = sa.create_engine(engine.url)
    journal.prepare(plain)
    plain.dispose()
    with writing(engine) as connection:
        if engine.dialect.name == "postgresql":  # two processes that start at once: one creates, the other waits
            connection.execute(sa.text("SELECT pg_advisory_xact_lock(7214)"))
        metadata.create_all(connection)
        found = connection.scalar(sa.select(schema_version.c.version))
        if found is None:
            connection.execute(schema_version.insert().values(version=VERSION))
        elif found > VERSION:
            raise BadInput(
                f"The casework store has version {found}; this engine knows versions up to {VERSION}. "
                "Start the newer engine that made it."
            )


def save_assessments(
    connection: sa.Connection, batch: Sequence[Assessment], *, zone: str, now: datetime | None = None
) -> int:
    """Save those that are not there yet; how many that were. `zone` decides the local day of an event."""
    local = ZoneInfo(zone)
    at = now or datetime.now(UTC)
    rows = [
        {
            "id": a.id,
            "event_kind": a.event_kind,
            "event": a.event,
            "day": a.happened_at.astimezone(local).date(),
            "place": a.place,
            "assessable": a.assessable,
            "why_not": a.why_not,
            "raw": a.raw,
            "blind": a.blind,
            "referred": bool(a.referrals),
            "body": a.as_json(),
            "saved_at": at,
        }
        for a in batch
    ]
    return insert_new(connection, assessments, rows)


def mark_processed(
    connection: sa.Connection, flow: str, batch: str, data_versions: Mapping[str, int], *, now: datetime | None = None
) -> bool:
    """Remember that `flow` has processed `batch`; False if it had before."""
    row = {
        "flow": flow,
        "batch": batch,
        "data_versions": dict(data_versions),
        "processed_at": now or datetime.now(UTC),
    }
    return insert_new(connection, batches, [row]) == 1


def is_processed(connection: sa.Connection, flow: str, batch: str) -> bool:
    found = sa.select(batches.c.flow).where(batches.c.flow == flow, batches.c.batch == batch)
    return connection.scalar(found) is not None


def newest_day(connection: sa.Connection, event_kind: str) -> date | None:
    """The last local day with an assessed event of this kind; None while there is none."""
    asked = sa.select(sa.func.max(assessments.c.day)).where(assessments.c.event_kind == event_kind)
    day: date | None = connection.scalar(asked)
    return day


def places(connection: sa.Connection, event_kind: str, day: date) -> list[str]:
    """Posts or offices with an assessed event on `day`, in alphabetical order."""
    a = assessments.c
    asked = sa.select(a.place).where(a.event_kind == event_kind, a.day == day, a.place.is_not(None)).distinct()
    return sorted(str(p) for p in connection.scalars(asked))


def ranked(
    connection: sa.Connection,
    event_kind: str,
    day: date,
    *,
    place: str | None = None,
    limit: int = 50,
    offset: int = 0,
) -> list[Assessment]:
    """The assessable events of one day, the latest assessment of each, first to last as a person should see them.

    Blind ones stand first, in the order of their ids: their place must not tell their score. Then by raw score, highest
    first; events without a score last; equal ones by event, so that the order is the same each time.
    """
    a = assessments.c
    hidden = _still_blind()
    asked = (
        sa.select(a.body, hidden.label("hidden"))
        .where(_latest(event_kind, day, place), a.assessable)
        .order_by(
            sa.case((hidden, 0), else_=1),
            sa.case((hidden, a.id), else_=""),
            a.raw.desc().nulls_last(),
            a.event,
        )
        .limit(limit)
        .offset(offset)
    )
    return [_read(body, hidden) for body, hidden in connection.execute(asked)]


def how_many(connection: sa.Connection, event_kind: str, day: date, *, place: str | None = None) -> int:
    """How many assessable events `ranked` would list without a limit."""
    asked = sa.select(sa.func.count()).where(_latest(event_kind, day, place), assessments.c.assessable)
    return connection.scalar(asked) or 0


def not_assessed(connection: sa.Connection, event_kind: str, day: date, *, place: str | None = None) -> list[Count]:
    """Events of one day that were counted and not scored, per reason."""
    a = assessments.c
    asked = (
        sa.select(a.why_not, sa.func.count())
        .where(_latest(event_kind, day, place), sa.not_(a.assessable))
        .group_by(a.why_not)
        .order_by(a.why_not)
    )
    return [Count(why, events) for why, events in connection.execute(asked)]


def referred(connection: sa.Connection, event_kind: str, day: date) -> list[Assessment]:
    """Events of one day with a protection referral, by event. Only for those who may act on them."""
    asked = (
        sa.select(assessments.c.body)
        .where(_latest(event_kind, day, None), assessments.c.referred)
        .order_by(assessments.c.event)
    )
    return [from_json(body) for body in connection.scalars(asked)]


def by_id(connection: sa.Connection, id: str) -> Assessment | None:
    """The assessment `id`, blind only while its finding is not recorded; None if there is none."""
    asked = sa.select(assessments.c.body, _still_blind()).where(assessments.c.id == id)
    row = connection.execute(asked).first()
    return _read(*row) if row else None


def stored(connection: sa.Connection, ids: Sequence[str]) -> set[str]:
    """Those of the assessments `ids` that are stored."""
    found: set[str] = set()
    for start in range(0, len(ids), 500):
        found.update(
            connection.scalars(sa.select(assessments.c.id).where(assessments.c.id.in_(ids[start : start + 500])))
        )
    return found


def newest_versions(connection: sa.Connection) -> dict[str, int]:
    """Table to version of the lake that the assessment saved last has seen; empty while there is none."""
    asked = sa.select(assessments.c.body).order_by(assessments.c.sequence.desc()).limit(1)
    body = connection.scalar(asked)
    return dict(body["data_versions"]) if body else {}


def _read(body: Mapping[str, Any], hidden: bool) -> Assessment:
    return from_json({**body, "blind": bool(hidden)})


def _latest(event_kind: str, day: date, place: str | None) -> sa.ColumnElement[bool]:
    """Only the assessment of each event that was saved last."""
    a = assessments.c
    asked = sa.select(sa.func.max(a.sequence)).where(a.event_kind == event_kind, a.day == day)
    if place:
        asked = asked.where(a.place == place)
    return a.sequence.in_(asked.group_by(a.event))


def _still_blind() -> sa.ColumnElement[bool]:
    """Blind from the start, and no finding recorded since."""
    a = assessments.c
    found = sa.exists().where(outbox.c.event_kind == a.event_kind, outbox.c.event == a.event, outbox.c.kind == "checks")
    return sa.and_(a.blind, sa.not_(found))


def insert_new(connection: sa.Connection, table: sa.Table, rows: Sequence[Mapping[str, Any]]) -> int:
    """Insert the rows whose primary or unique key is not there yet; how many those were."""
    insert = sqlite.insert if connection.dialect.name == "sqlite" else postgresql.insert
    saved, remaining = 0, iter(rows)
    while chunk := list(islice(remaining, 500)):
        new = insert(table).values(chunk).on_conflict_do_nothing().returning(*table.primary_key)
        saved += len(connection.execute(new).all())
    return saved

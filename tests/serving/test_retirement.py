"""Retention in casework: what is old goes, what is held stays, and the journal still verifies."""

from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa

from records import journal
from serving import outbox, store
from serving.accounts import engine_actor
from serving.retirement import retire_casework
from tests.serving.crossings import assessed, crossing

OLD = datetime(2020, 1, 1, tzinfo=UTC)
NOW = datetime(2026, 3, 2, 18, tzinfo=UTC)


@pytest.fixture
def kept(engine, tmp_path, model, rulebook):
    """Three assessments saved long ago, and one entry of someone having read them."""
    batch = assessed([crossing(n) for n in range(3)], model, rulebook)
    actor = engine_actor(engine, tmp_path)
    with store.writing(engine) as connection:
        store.save_assessments(connection, batch, zone="Africa/Tunis", now=OLD)
        outbox.queue_selections(connection, batch, now=OLD)
        journal.append(connection, kind="read", actor=actor, payload={"ids": [a.id for a in batch]}, at=OLD)
    return batch, actor


def retire(engine, actor, before, **options):
    with store.writing(engine) as connection:
        return retire_casework(connection, actor, before, now=NOW, **options)


def count(engine):
    with engine.connect() as connection:
        return connection.scalar(sa.select(sa.func.count()).select_from(store.assessments))


def test_what_is_old_goes_and_the_chain_still_verifies(engine, kept):
    _, actor = kept
    gone = retire(engine, actor, NOW)
    assert (gone.assessments, gone.payloads) == (3, 1)
    assert count(engine) == 0
    with engine.connect() as connection:
        (read,) = journal.entries(connection, kind="read")
    assert read.payload is None
    assert journal.verify(engine).sound


def test_what_still_waits_for_the_lake_stays(engine, kept):
    batch, actor = kept
    assert retire(engine, actor, NOW).outbox == 0
    with store.writing(engine) as connection:
        outbox.collected(connection, [a.id for a in batch], now=OLD)
    assert retire(engine, actor, NOW).outbox == 3


def test_nothing_goes_before_its_time_and_twice_is_once(engine, kept):
    _, actor = kept
    assert retire(engine, actor, OLD - timedelta(days=1)).assessments == 0
    assert retire(engine, actor, NOW).assessments == 3
    again = retire(engine, actor, NOW)
    assert (again.assessments, again.payloads) == (0, 0)


def test_a_legal_hold_keeps_its_cases_and_what_names_them(engine, kept):
    batch, actor = kept
    gone = retire(engine, actor, NOW, hold=frozenset({batch[0].subject}))
    assert gone.assessments == len({a.subject for a in batch} - {batch[0].subject})
    assert gone.payloads == 0
    assert count(engine) == 3 - gone.assessments

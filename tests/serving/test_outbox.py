"""The outbox: what was decided waits once, in order, until it is in the lake."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from records.tables import table
from serving import outbox, store
from tests.serving.crossings import assessed, crossing

NOW = datetime(2026, 3, 2, 18, tzinfo=UTC)


@pytest.fixture(scope="module")
def batch(model, rulebook):
    """Six assessed crossings, one of a national and one of nobody known."""
    changed = {2: {"regime": "national"}, 4: {"subject": None}}
    return assessed([crossing(n, **changed.get(n, {})) for n in range(6)], model, rulebook)


def queue(engine, batch, now=NOW):
    with store.writing(engine) as connection:
        return outbox.queue_selections(connection, batch, now=now)


def waiting(engine):
    with engine.connect() as connection:
        return outbox.waiting(connection)


def test_nothing_waits_at_first(engine):
    assert waiting(engine) == {}


def test_each_assessable_subject_waits_under_the_id_of_its_assessment(engine, batch):
    expected = {a.id: a for a in batch if a.assessable and a.subject is not None}
    assert queue(engine, batch) == len(expected) == 4
    (rows,) = waiting(engine).values()
    assert {row["selection_id"] for row in rows} == set(expected)
    for row in rows:
        of = expected[row["selection_id"]]
        assert (row["subject"], row["event"], row["score"]) == (of.subject, of.event, of.score)
        assert datetime.fromisoformat(row["as_of"]) == of.as_of
        assert datetime.fromisoformat(row["known_at"]) == NOW


def test_a_row_has_every_column_that_selections_declare(engine, batch):
    queue(engine, batch)
    for row in waiting(engine)["selections"]:
        assert set(row) == set(table("selections").lake_schema.names) - {"bucket"}


def test_queueing_again_changes_nothing_even_after_collection(engine, batch):
    queue(engine, batch)
    before = waiting(engine)
    assert queue(engine, batch, now=NOW + timedelta(hours=1)) == 0
    assert waiting(engine) == before
    with store.writing(engine) as connection:
        outbox.collected(connection, [row["selection_id"] for row in before["selections"]])
    assert queue(engine, batch) == 0
    assert waiting(engine) == {}


def test_what_is_collected_waits_no_more_and_the_rest_does(engine, batch):
    queue(engine, batch)
    first, *others = waiting(engine)["selections"]
    for _ in range(2):
        with store.writing(engine) as connection:
            outbox.collected(connection, [first["selection_id"], "never-queued"], now=NOW)
        assert waiting(engine)["selections"] == others


def test_the_order_is_that_of_the_decisions(engine, batch):
    queue(engine, batch[3:], now=NOW)
    queue(engine, batch[:3], now=NOW - timedelta(minutes=5))
    queue(engine, [replace(batch[0], id="0" * 32)], now=NOW + timedelta(minutes=5))
    earlier, later = ({a.id for a in part} for part in (batch[:3], batch[3:]))
    ids = [row["selection_id"] for row in waiting(engine)["selections"]]
    assert set(ids[:2]) <= earlier
    assert set(ids[2:4]) <= later
    assert ids[4] == "0" * 32


def test_more_rows_than_one_statement_takes(engine, batch):
    many = [replace(batch[0], id=f"{n:032}") for n in range(1_050)]
    assert queue(engine, many) == len(many)
    with store.writing(engine) as connection:
        outbox.collected(connection, [a.id for a in many])
    assert waiting(engine) == {}


def test_a_decision_that_fails_leaves_nothing_waiting(engine, batch):
    def half_way():
        with store.writing(engine) as connection:
            outbox.queue_selections(connection, batch, now=NOW)
            raise RuntimeError

    with pytest.raises(RuntimeError):
        half_way()
    assert waiting(engine) == {}

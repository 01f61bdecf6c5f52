"""The casework store, on both databases: saving twice changes nothing; the queue's order is the same each time."""

from dataclasses import replace
from datetime import UTC, date, datetime

import pytest
import sqlalchemy as sa

from records.errors import BadInput
from serving import store
from tests.serving.crossings import assessed, crossing

ZONE = "Africa/Tunis"
NEWEST = date(2026, 3, 2)


@pytest.fixture
def batch(model, rulebook, protection):
    rows = [crossing(n, **({"regime": "national"} if n % 5 == 4 else {})) for n in range(15)]
    return assessed(rows, model, rulebook, protection)


def save(engine, batch, **options):
    with store.writing(engine) as connection:
        return store.save_assessments(connection, batch, zone=ZONE, **options)


def everything(engine):
    with engine.connect() as connection:
        return connection.execute(sa.select(store.assessments).order_by(store.assessments.c.sequence)).all()


def test_saving_twice_changes_nothing(engine, batch):
    assert save(engine, batch) == len(batch)
    before = everything(engine)
    assert save(engine, batch, now=datetime(2027, 1, 1, tzinfo=UTC)) == 0
    assert everything(engine) == before


def test_creating_again_changes_nothing(engine, batch):
    save(engine, batch)
    store.create(engine)
    assert len(everything(engine)) == len(batch)


def test_a_store_of_a_newer_engine_is_refused(engine):
    with store.writing(engine) as connection:
        connection.execute(store.schema_version.update().values(version=store.VERSION + 1))
    with pytest.raises(BadInput, match="Start the newer engine"):
        store.create(engine)


def test_the_newest_day_ranked_by_raw_score(engine, batch):
    save(engine, batch[::-1])
    with engine.connect() as connection:
        assert store.newest_day(connection, "crossing") == NEWEST
        assert store.newest_day(connection, "permit") is None
        ranked = store.ranked(connection, "crossing", NEWEST)
        assert ranked == sorted((a for a in batch if a.assessable), key=lambda a: (-a.raw, a.event))
        assert store.how_many(connection, "crossing", NEWEST) == 12
        assert store.not_assessed(connection, "crossing", NEWEST) == [store.Count("national", 3)]
        pages = [store.ranked(connection, "crossing", NEWEST, limit=5, offset=o) for o in (0, 5, 10)]
        assert [a for page in pages for a in page] == ranked


def test_equal_scores_keep_one_order_and_no_score_comes_last(engine, batch):
    same = [replace(a, raw=0.5 if n % 2 else None, id=f"{n:032}") for n, a in enumerate(batch) if a.assessable]
    save(engine, same[::-1])
    with engine.connect() as connection:
        ranked = store.ranked(connection, "crossing", NEWEST)
    scored = sorted(a.event for a in same if a.raw is not None)
    unscored = sorted(a.event for a in same if a.raw is None)
    assert [a.event for a in ranked] == scored + unscored


def test_only_one_place(engine, batch):
    save(engine, batch)
    with engine.connect() as connection:
        assert store.places(connection, "crossing", NEWEST) == ["ras-jedir", "tunis-carthage"]
        here = store.ranked(connection, "crossing", NEWEST, place="ras-jedir")
    assert {a.place for a in here} == {"ras-jedir"}


def test_the_latest_assessment_of_an_event_stands(engine, batch):
    first = next(a for a in batch if a.assessable)
    save(engine, [first])
    save(engine, [replace(first, id="f" * 32, raw=9.0)])
    with engine.connect() as connection:
        (shown,) = store.ranked(connection, "crossing", NEWEST)
        assert shown.raw == 9.0
        assert store.how_many(connection, "crossing", NEWEST) == 1
        assert store.by_id(connection, first.id).raw == first.raw


def test_a_blind_case_comes_first_and_opens_with_its_finding(engine, batch):
    scored = [a for a in batch if a.assessable]
    lowest = min(scored, key=lambda a: a.raw)
    save(engine, [replace(a, blind=a is lowest) for a in scored])
    with engine.connect() as connection:
        ranked = store.ranked(connection, "crossing", NEWEST)
    assert (ranked[0].event, ranked[0].blind) == (lowest.event, True)
    with store.writing(engine) as connection:
        decided = {"decision": "d1", "kind": "checks", "event_kind": "crossing", "event": lowest.event}
        connection.execute(store.outbox.insert().values(**decided, body={}, decided_at=datetime.now(UTC)))
    with engine.connect() as connection:
        ranked = store.ranked(connection, "crossing", NEWEST)
    assert [a.event for a in ranked] == [a.event for a in sorted(scored, key=lambda a: (-a.raw, a.event))]
    assert not any(a.blind for a in ranked)


def test_a_batch_is_processed_once(engine):
    with store.writing(engine) as connection:
        assert store.mark_processed(connection, "assess", "b1", {"crossings": 3})
        assert not store.mark_processed(connection, "assess", "b1", {"crossings": 4})
        assert store.is_processed(connection, "assess", "b1")
        assert not store.is_processed(connection, "forecast", "b1")


def test_an_exception_takes_everything_back(engine, batch):
    def half_way():
        with store.writing(engine) as connection:
            store.save_assessments(connection, batch, zone=ZONE)
            raise RuntimeError

    with pytest.raises(RuntimeError):
        half_way()
    assert everything(engine) == []

import ast
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
import sqlalchemy as sa
from hypothesis import given
from hypothesis import strategies as st

from records import journal
from records.errors import BadInput
from records.journal import Actor, append, destroy, entries, head, prepare, verify

AMEL = Actor("amel", frozenset({"oversight", "analyst"}))
ROOT = Path(__file__).resolve().parents[2]
ROOMS = ("records", "evidence", "features", "models", "risk_rules", "serving", "pipelines")


@pytest.fixture(params=["sqlite", "postgresql"])
def engine(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[sa.Engine]:
    sqlite = request.param == "sqlite"
    url = f"sqlite:///{tmp_path / 'journal.db'}" if sqlite else request.getfixturevalue("postgres_url")
    made = sa.create_engine(url, connect_args={"timeout": 60} if sqlite else {})
    prepare(made)
    yield made
    made.dispose()


def write(engine: sa.Engine, count: int) -> None:
    with engine.begin() as connection:
        for number in range(count):
            append(connection, kind="decision", actor=AMEL, payload={"case": number, "why": "وثيقة é"})


def tamper(engine: sa.Engine, *statements: str) -> None:
    """Change the journal as someone with the database's own powers could: past the triggers."""
    with engine.begin() as connection:
        if engine.dialect.name == "postgresql":
            connection.exec_driver_sql("SET session_replication_role = replica")
        else:
            for (name,) in connection.exec_driver_sql("SELECT name FROM sqlite_master WHERE type = 'trigger'").all():
                connection.exec_driver_sql(f"DROP TRIGGER {name}")
        for statement in statements:
            connection.exec_driver_sql(statement)
        if engine.dialect.name == "postgresql":
            connection.exec_driver_sql("SET session_replication_role = DEFAULT")


def test_entries_come_back_as_written(engine: sa.Engine) -> None:
    at = datetime(2024, 3, 11, 9, 30, 0, 123456, tzinfo=UTC)
    with engine.begin() as connection:
        first = append(connection, kind="promotion", actor=AMEL, payload={"b": [1.5, None], "a": "نعم"}, at=at)
        second = append(connection, kind="decision", actor=AMEL, payload={})
    with engine.connect() as connection:
        assert list(entries(connection)) == [first, second]
        assert list(entries(connection, kind="decision")) == [second]
        assert list(entries(connection, after=1)) == [second]
        assert list(entries(connection, limit=1)) == [first]
        assert list(entries(connection, mentions="[1.5")) == [first]
        assert list(entries(connection, mentions="%")) == []
        assert head(connection) == (2, second.hash)
    assert (first.at, first.actor, first.roles) == (at, "amel", ("analyst", "oversight"))
    assert first.payload == {"a": "نعم", "b": [1.5, None]}
    assert second.previous == first.hash


def test_an_entry_stands_or_falls_with_the_callers_transaction(engine: sa.Engine) -> None:
    write(engine, 2)
    with engine.connect() as connection:
        append(connection, kind="decision", actor=AMEL, payload={"case": 9})
        connection.rollback()
    write(engine, 1)
    verdict = verify(engine)
    assert (verdict.entries, verdict.sound) == (3, True)


def test_preparing_again_changes_nothing(engine: sa.Engine) -> None:
    write(engine, 2)
    prepare(engine)
    assert verify(engine) == journal.Verdict(2, 0, None)


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE journal SET actor = 'nobody'",
        "DELETE FROM journal WHERE sequence = 2",
        "UPDATE journal_payloads SET payload = '{}'",
        "DELETE FROM journal_head",
    ],
)
def test_the_database_refuses_to_change_the_past(engine: sa.Engine, statement: str) -> None:
    write(engine, 3)
    with pytest.raises(sa.exc.DBAPIError, match="append-only"), engine.begin() as connection:
        connection.exec_driver_sql(statement)
    assert verify(engine).sound


@pytest.mark.parametrize(
    ("statements", "sequence", "why"),
    [
        (["UPDATE journal SET actor = 'nobody' WHERE sequence = 3"], 3, "content does not match"),
        (["DELETE FROM journal WHERE sequence = 3"], 3, "missing"),
        (["DELETE FROM journal WHERE sequence >= 4"], 4, "missing"),
        (["UPDATE journal_payloads SET payload = '{}' WHERE sequence = 2"], 2, "payload does not match"),
        (["DELETE FROM journal_payloads WHERE sequence = 2"], 2, "no entry says"),
        (
            [
                "DELETE FROM journal_payloads WHERE sequence = 2",
                "UPDATE journal SET kind = 'x' WHERE sequence = 4",
            ],
            2,
            "no entry says",
        ),
        (
            ["UPDATE journal SET kind = 'x' WHERE sequence = 2", "DELETE FROM journal_payloads WHERE sequence = 4"],
            2,
            "content does not match",
        ),
        (["UPDATE journal SET previous = hash WHERE sequence = 5"], 5, "does not continue"),
    ],
)
def test_the_first_broken_entry_is_named(engine: sa.Engine, statements: list[str], sequence: int, why: str) -> None:
    write(engine, 5)
    tamper(engine, *statements)
    broken = verify(engine).broken
    assert broken is not None
    assert (broken.sequence, why in broken.why) == (sequence, True), broken


def test_a_forged_last_entry_is_noticed(engine: sa.Engine) -> None:
    """Someone rewrites the last entry with a hash that fits; the head still holds the real one."""
    write(engine, 2)
    with engine.connect() as connection:
        last = next(entries(connection, after=1))
    row = {
        "sequence": 2, "at": 0, "kind": "decision", "actor": "nobody", "roles": "",
        "payload_hash": last.payload_hash, "previous": last.previous,
    }  # fmt: skip
    tamper(
        engine,
        f"UPDATE journal SET at = 0, actor = 'nobody', roles = '', hash = '{journal._hash(row)}' WHERE sequence = 2",
    )
    assert verify(engine).broken == journal.Broken(2, "it is not the one that was written last")


def test_a_destroyed_payload_leaves_the_chain_whole(engine: sa.Engine) -> None:
    write(engine, 3)
    with engine.begin() as connection:
        record = destroy(connection, [1, 3], actor=AMEL, why="retention of 5 years has ended")
    assert verify(engine) == journal.Verdict(4, 2, None)
    with engine.connect() as connection:
        assert [e.payload is None for e in entries(connection)] == [True, False, True, False]
        assert connection.exec_driver_sql("SELECT count(*) FROM journal_payloads").scalar() == 2
    assert record.payload == {"sequences": [1, 3], "why": "retention of 5 years has ended"}


@pytest.mark.parametrize("sequences", [[], [9], [1], [3]])
def test_what_cannot_be_destroyed_is_refused(engine: sa.Engine, sequences: list[int]) -> None:
    write(engine, 2)
    with engine.begin() as connection:
        destroy(connection, [1], actor=AMEL, why="asked")
    with pytest.raises(BadInput, match="cannot be destroyed"), engine.begin() as connection:
        destroy(connection, sequences, actor=AMEL, why="asked")
    assert verify(engine) == journal.Verdict(3, 1, None)


@pytest.mark.parametrize("payload", [{"x": float("nan")}, {"x": datetime(2024, 1, 1, tzinfo=UTC)}, {"x": {1, 2}}])
def test_a_payload_that_is_not_plain_json_is_refused(engine: sa.Engine, payload: dict[str, object]) -> None:
    with pytest.raises((TypeError, ValueError)), engine.begin() as connection:
        append(connection, kind="decision", actor=AMEL, payload=payload)
    assert verify(engine).entries == 0


def test_writers_at_once_make_one_chain(engine: sa.Engine) -> None:
    errors: list[Exception] = []

    def guarded(work: Callable[[], None]) -> Callable[[], None]:
        def run() -> None:
            try:
                work()
            except Exception as error:  # noqa: BLE001  # whatever it is, the test must see it
                errors.append(error)

        return run

    def writer() -> None:
        for number in range(15):
            with engine.begin() as connection:
                append(connection, kind="decision", actor=AMEL, payload={"case": number})

    def reader() -> None:
        for _ in range(10):
            assert verify(engine).sound

    threads = [threading.Thread(target=guarded(work)) for work in (writer, writer, writer, writer, reader)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []
    assert verify(engine) == journal.Verdict(60, 0, None)


@given(st.dictionaries(st.text(max_size=5), st.none() | st.integers() | st.lists(st.text(max_size=5), max_size=3)))
def test_canonical_text_depends_on_content_only(payload: dict[str, object]) -> None:
    shuffled = dict(reversed(payload.items()))
    assert journal._canonical(payload) == journal._canonical(shuffled)


def test_an_actor_is_made_from_a_token_only() -> None:
    """Only serving/accounts.py, which reads tokens, may call Actor(...)."""
    makers = set()
    for room in ROOMS:
        for file in (ROOT / room).rglob("*.py"):
            for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
                if isinstance(node, ast.Call) and ast.unparse(node.func).rpartition(".")[2] == "Actor":
                    makers.add(file.relative_to(ROOT).as_posix())
    assert makers <= {"serving/accounts.py"}

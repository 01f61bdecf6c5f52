"""The audit's own account on a real PostgreSQL, made by the statements of docs/databases.md: what it reads alone."""

import re
from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path

import numpy as np
import psycopg
import pyarrow as pa
import pytest
import sqlalchemy as sa

from evidence.groups import AUDITED, Outcomes, View, audit_vault
from records.errors import BadInput
from records.keys import Keys, new_key
from records.vault import Vault

PAGE = Path(__file__).parents[2] / "docs" / "databases.md"
BY_ADMINISTRATOR, BY_OWNER = (
    [line for line in block.splitlines() if line]
    for block in re.findall(r"```sql\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
)
DATABASE, INGEST, AUDIT = "basira_vault", "basira_ingest", "basira_audit"
KEYS = Keys(new_key(), new_key(), new_key())
PEOPLE = 400
KNOWN = datetime(2026, 1, 1, tzinfo=UTC)


@pytest.fixture
def server(postgres_server: Path) -> Iterator[Path]:
    """A server on which an administrator has made the accounts and the vault's database."""
    with psycopg.connect(host=str(postgres_server), user="postgres", dbname="postgres", autocommit=True) as admin:
        for statement in BY_ADMINISTRATOR:
            admin.execute(statement)
        yield postgres_server
        admin.execute(f"DROP DATABASE {DATABASE} WITH (FORCE)")
        for role in (INGEST, AUDIT):
            admin.execute(f"DROP ROLE {role}")


def url(server: Path, account: str) -> str:
    return f"postgresql+psycopg://{account}@/{DATABASE}?host={server}"


def session(server: Path, account: str) -> psycopg.Connection:
    return psycopg.connect(host=str(server), user=account, dbname=DATABASE, autocommit=True)


@pytest.fixture
def taken_in(server: Path) -> Path:
    """Travellers, a document and a refused row were taken in."""
    instants = pa.array([KNOWN] * PEOPLE, pa.timestamp("us", tz="UTC"))
    rows = pa.table(
        {
            "subject": [f"k1.{n}" for n in range(PEOPLE)],
            "known_at": instants,
            "full_name": [f"Zaphod {n}" for n in range(PEOPLE)],
            "birth_date": pa.array([(date(1950, 1, 1), date(2000, 1, 1))[n % 2] for n in range(PEOPLE)]),
            "sex": ["F", "F", "M", "M"] * (PEOPLE // 4),
            "nationality": ["DZA"] * PEOPLE,
        }
    )
    with Vault.open(url(server, INGEST), KEYS) as vault:
        vault.put_identities(rows)
        vault.put_documents(pa.table({"document": ["k1.d"], "document_issuer": ["DZA"], "known_at": instants[:1]}))
        vault.put_rejected("b", [1], [b"raw"])
    return server


@pytest.fixture
def granted(taken_in: Path) -> Path:
    """The owner has granted the audit what it needs."""
    with session(taken_in, INGEST) as owner:
        for statement in BY_OWNER:
            owner.execute(statement)
    return taken_in


def test_it_reads_what_the_audit_needs(granted):
    labels = np.arange(PEOPLE) % 3 == 0
    view = View(
        "model",
        pa.array([f"k1.{n}" for n in range(PEOPLE)]),
        np.full(PEOPLE, np.datetime64("2026-03-01")),
        Outcomes(labels.astype(float), labels.astype(float), np.full(PEOPLE, 0.3)),
        0.3,
    )
    found = audit_vault(url(granted, AUDIT), KEYS, [view], AUDITED)
    assert found == audit_vault(url(granted, INGEST), KEYS, [view], AUDITED)
    assert {(row.group, row.rows) for row in found.tables[0].rows} == {("F", PEOPLE // 2), ("M", PEOPLE // 2)}
    assert {row.group for row in found.tables[1].rows} == {"18–29", "60+"}


def test_of_a_subject_it_sees_the_audited_attributes_and_no_name(granted):
    needed = {"birth_date" if name == "age" else name for name in AUDITED}
    asked = "SELECT DISTINCT name FROM identities"
    with session(granted, AUDIT) as auditor, session(granted, INGEST) as owner:
        assert {name for (name,) in auditor.execute(asked)} == needed
        assert {name for (name,) in owner.execute(asked)} == needed | {"full_name"}
    subjects = pa.array(["k1.1"])
    with Vault.open(url(granted, AUDIT), KEYS, read_only=True) as vault:
        assert vault.attributes(subjects, ["full_name", "sex"]).to_pylist() == [
            {"subject": "k1.1", "full_name": None, "sex": "F"}
        ]


@pytest.mark.parametrize(
    "statement",
    [
        "SELECT * FROM documents",
        "SELECT * FROM rejected",
        "INSERT INTO identities VALUES ('k1.0', 'sex', 9, '', '')",
        "UPDATE identities SET known_at = 0",
        "DELETE FROM identities",
        "TRUNCATE identities",
        "DELETE FROM seals",
        "INSERT INTO rejected VALUES ('b', 9, '', 0)",
        "CREATE TABLE beside AS SELECT * FROM identities",
        "CREATE TEMPORARY TABLE beside (value bytea)",
        "ALTER TABLE identities DISABLE ROW LEVEL SECURITY",
        "CREATE POLICY more ON identities USING (true)",
        "GRANT SELECT ON documents TO basira_audit",
        "SET ROLE basira_ingest",
    ],
)
def test_everything_else_is_refused_by_the_server(granted, statement):
    """Even where the session itself does not ask to read only."""
    with session(granted, AUDIT) as auditor:
        assert auditor.execute("SHOW default_transaction_read_only").fetchone() == ("off",)
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            auditor.execute(statement)


def test_the_vault_opened_to_read_refuses_changes_whoever_opens_it(granted):
    rows = pa.table({"subject": ["k1.1"], "known_at": pa.array([KNOWN], pa.timestamp("us", tz="UTC")), "sex": ["M"]})
    with (
        Vault.open(url(granted, INGEST), KEYS, read_only=True) as vault,
        pytest.raises(sa.exc.InternalError, match="read-only transaction"),
    ):
        vault.put_identities(rows)


def test_taking_in_goes_on_after_the_grants(granted):
    later = pa.array([datetime(2026, 2, 1, tzinfo=UTC)], pa.timestamp("us", tz="UTC"))
    with Vault.open(url(granted, INGEST), KEYS) as vault:
        vault.put_identities(pa.table({"subject": ["k1.1"], "known_at": later, "sex": ["X"], "full_name": ["Z"]}))
        assert vault.attributes(pa.array(["k1.1"]), ["sex", "full_name"])["full_name"].to_pylist() == ["Z"]
        assert vault.retire(datetime(2026, 1, 15, tzinfo=UTC)).identities == 4 * PEOPLE
    with Vault.open(url(granted, AUDIT), KEYS, read_only=True) as vault:
        assert vault.attributes(pa.array(["k1.1"]), ["sex"])["sex"].to_pylist() == ["X"]


def test_other_accounts_do_not_even_connect(granted):
    with psycopg.connect(host=str(granted), user="postgres", dbname="postgres", autocommit=True) as admin:
        admin.execute("CREATE ROLE somebody LOGIN")
        try:
            with pytest.raises(psycopg.OperationalError, match="permission denied for database"):
                session(granted, "somebody")
        finally:
            admin.execute("DROP ROLE somebody")


def test_before_it_is_granted_anything_the_way_out_is_said(taken_in):
    with pytest.raises(BadInput, match=r"permission denied .* docs/databases.md"):
        Vault.open(url(taken_in, AUDIT), KEYS, read_only=True)


def test_before_there_are_tables_the_way_out_is_said(server):
    with pytest.raises(BadInput, match="Once travellers were taken in"):
        Vault.open(url(server, AUDIT), KEYS, read_only=True)

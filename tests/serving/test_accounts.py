"""Who may come in: actors from tokens alone, passwords kept as hashes, deny by default."""

import re
import stat
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa

from records import journal
from records.errors import BadInput
from serving import accounts, store
from serving.accounts import NotAllowed, SignInRefused
from serving.capabilities import GRANTED, Capability, Role, may, reading

PASSWORD = "a long enough one"


@pytest.fixture
def administrator(engine):
    return accounts.first_administrator(engine, "amel", PASSWORD)


def actor_of(engine, token):
    with engine.connect() as connection:
        known = accounts.signed_in(connection, token)
    return known.actor if known else None


def test_a_token_names_its_account_until_it_ends(engine, administrator):
    actor = actor_of(engine, administrator.token)
    assert (actor.name, actor.roles) == ("amel", frozenset({"administrator"}))
    with engine.connect() as connection:
        later = administrator.expires_at + timedelta(seconds=1)
        assert accounts.signed_in(connection, administrator.token, later) is None
    assert actor_of(engine, "made up") is None
    with store.writing(engine) as connection:
        accounts.sign_out(connection, administrator.token)
    assert actor_of(engine, administrator.token) is None


def test_neither_password_nor_token_is_stored(engine, administrator):
    with engine.connect() as connection:
        for table in store.metadata.sorted_tables:
            for row in connection.execute(sa.select(table)):
                assert PASSWORD not in str(row)
                assert administrator.token not in str(row)
        assert connection.scalar(sa.select(store.accounts.c.password)).startswith("$argon2id$")
    assert administrator.token not in repr(administrator)


def test_only_an_administrator_creates_accounts(engine, administrator):
    actor = actor_of(engine, administrator.token)
    with store.writing(engine) as connection:
        accounts.create_account(connection, actor, "salma", ["analyst"], PASSWORD)
    analyst = actor_of(engine, accounts.sign_in(engine, "salma", PASSWORD).token)
    with store.writing(engine) as connection, pytest.raises(NotAllowed):
        accounts.create_account(connection, analyst, "other", ["oversight"], PASSWORD)
    with pytest.raises(BadInput, match="Ask an administrator"):
        accounts.first_administrator(engine, "second", PASSWORD)


@pytest.mark.parametrize(
    ("name", "roles", "password", "says"),
    [
        ("X!", ["analyst"], PASSWORD, "cannot be used"),
        ("salma", ["king"], PASSWORD, "asks for king"),
        ("salma", [], PASSWORD, "no role"),
        ("salma", ["analyst"], "short", "at least"),
        ("amel", ["analyst"], PASSWORD, "already"),
    ],
)
def test_what_cannot_be_an_account(engine, administrator, *, name, roles, password, says):
    actor = actor_of(engine, administrator.token)
    with store.writing(engine) as connection, pytest.raises(BadInput, match=says):
        accounts.create_account(connection, actor, name, roles, password)


def test_wrong_passwords_pause_the_account(engine, administrator):
    now = datetime(2026, 3, 2, 9, tzinfo=UTC)
    for _ in range(accounts.FAILURES):
        with pytest.raises(SignInRefused):
            accounts.sign_in(engine, "amel", "wrong", now=now)
    with pytest.raises(SignInRefused):
        accounts.sign_in(engine, "amel", PASSWORD, now=now + timedelta(minutes=1))
    assert accounts.sign_in(engine, "amel", PASSWORD, now=now + accounts.PAUSE + timedelta(minutes=1))


def test_unknown_and_wrong_are_told_the_same(engine, administrator):
    told = set()
    for name in ("amel", "nobody"):
        with pytest.raises(SignInRefused) as refused:
            accounts.sign_in(engine, name, "wrong")
        told.add(str(refused.value))
    assert len(told) == 1


def test_a_closed_account_ends_its_tokens(engine, administrator):
    actor = actor_of(engine, administrator.token)
    with store.writing(engine) as connection:
        accounts.create_account(connection, actor, "salma", ["analyst"], PASSWORD)
    session = accounts.sign_in(engine, "salma", PASSWORD)
    with store.writing(engine) as connection:
        accounts.close_account(connection, actor, "salma")
    assert actor_of(engine, session.token) is None
    with pytest.raises(SignInRefused):
        accounts.sign_in(engine, "salma", PASSWORD)


def test_the_journal_knows_accounts_and_sign_ins_and_holds(engine, administrator):
    accounts.sign_in(engine, "amel", PASSWORD)
    with engine.connect() as connection:
        kinds = [(e.kind, e.actor) for e in journal.entries(connection)]
    assert kinds == [("account_created", "amel"), ("signed_in", "amel")]
    assert journal.verify(engine).sound


def test_the_engine_acts_by_a_token_in_a_file_of_its_owner(engine, tmp_path):
    first = accounts.engine_actor(engine, tmp_path / "keys")
    again = accounts.engine_actor(engine, tmp_path / "keys")
    assert first == again
    assert first.roles == frozenset({"engine"})
    path = tmp_path / "keys" / "engine.token"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    path.chmod(0o644)
    with pytest.raises(BadInput, match="chmod 600"):
        accounts.engine_actor(engine, tmp_path / "keys")


def test_demo_accounts_are_made_once_one_per_role(engine, tmp_path):
    made = accounts.demo_accounts(engine, tmp_path / "keys")
    assert set(made) == {role.value for role in Role} - {"engine"}
    assert accounts.demo_accounts(engine, tmp_path / "keys") == made
    for name, password in made.items():
        assert actor_of(engine, accounts.sign_in(engine, name, password).token).roles == frozenset({name})
    with engine.connect() as connection:
        assert accounts.has_demo_accounts(connection)


DRIVERS = ("read:secondary_check_drivers", "read:permit_lapse_drivers")
MAY = {
    "analyst": {"read:secondary_check", "read:secondary_check_drivers", "read:forecasts", "assess"},
    "caseworker": {"read:permit_lapse", "read:permit_lapse_drivers", "assess"},
    "planner": {"read:forecasts", "plan"},
    "data_scientist": {
        *("read:forecasts", *DRIVERS, "read:models", "train:models", "promote:models", "acknowledge:alarms"),
    },
    "oversight": {
        *("read:secondary_check", "read:permit_lapse", *DRIVERS, "read:dossier", "read:forecasts"),
        *("read:models", "promote:models", "sign_off:gaps", "acknowledge:alarms", "audit:groups"),
    },
    "protection": {"read:protection"},
    "administrator": {"keep:accounts"},
    "engine": {"read:secondary_check", "read:permit_lapse", "read:forecasts", "assess", "train:models"},
}


@pytest.mark.parametrize("role", Role)
@pytest.mark.parametrize("capability", Capability)
def test_who_may_what(role, capability):
    assert may([role.value], capability) == (capability.value in MAY[role.value])


def test_what_was_not_granted_is_denied():
    assert not any(may(["stranger"], capability) for capability in Capability)
    assert set(GRANTED) == set(Role)
    assert reading("permit") is not reading("crossing")


def test_an_actor_is_made_in_one_place():
    rooms = Path(accounts.__file__).parents[1]
    makers = {
        path.relative_to(rooms).as_posix()
        for room in ("serving", "pipelines", "models", "risk_rules", "features", "evidence", "records")
        for path in (rooms / room).rglob("*.py")
        if re.search(r"(?<!class )\bActor\(", path.read_text(encoding="utf-8"))
    }
    assert makers == {"serving/accounts.py"}

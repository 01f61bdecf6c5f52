"""Who is asking: named accounts with roles, sign-in, and tokens.

This is the one place where an `Actor` is made, and it is made from a token alone. A token is 32 random bytes shown
once; the store keeps its hash. Passwords are kept as argon2id hashes. A page's session and an API's bearer token are
the same thing: a token of a named account, with an end.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import secrets
from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path

import sqlalchemy as sa
from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from records import journal
from records.errors import BadInput
from records.journal import Actor
from serving.capabilities import Capability, Role, may
from serving.store import accounts, tokens, writing

SESSION = timedelta(hours=12)  # one shift and its handover
FAILURES = 8  # wrong passwords in a row before an account pauses
PAUSE = timedelta(minutes=15)
SHORTEST_PASSWORD = 12
ENGINE_ACCOUNT = "engine"


class SignInRefused(Exception):
    """Name and password do not open an account, or the account pauses. It does not say which of the two was wrong."""


class NotAllowed(BadInput):
    """The actor's roles were not granted what was asked for."""


@dataclass(frozen=True)
class Session:
    """A token just made. `token` is shown once and stored nowhere; `form_key` guards the forms of a page session."""

    token: str = field(repr=False)
    form_key: str = field(repr=False)
    expires_at: datetime


@dataclass(frozen=True)
class SignedIn:
    """The person or machine a valid token belongs to."""

    actor: Actor
    form_key: str = field(repr=False)


def require(actor: Actor, capability: Capability) -> None:
    """NotAllowed unless the actor's roles were granted `capability`."""
    if not may(actor.roles, capability):
        raise NotAllowed(
            f"No role of {actor.name} covers '{capability.value.replace(':', ' ')}'. Use an account whose role does."
        )


def create_account(
    connection: sa.Connection,
    actor: Actor,
    name: str,
    roles: Collection[str],
    password: str | None,
    *,
    demo: bool = False,
    now: datetime | None = None,
) -> None:
    """Create a named account. `password` None makes one that only tokens open.

    NotAllowed unless the actor keeps accounts; BadInput for a name, role or password that cannot be used.
    """
    require(actor, Capability.KEEP_ACCOUNTS)
    _insert(connection, name, roles, password, demo=demo, now=now or datetime.now(UTC))
    created = {"account": name, "roles": sorted(roles), "demo": demo}
    journal.append(connection, kind="account_created", actor=actor, payload=created)


def close_account(connection: sa.Connection, actor: Actor, name: str, *, now: datetime | None = None) -> None:
    """Close an account and end its tokens. BadInput if there is no open account of that name."""
    require(actor, Capability.KEEP_ACCOUNTS)
    open_one = sa.and_(accounts.c.name == name, accounts.c.closed_at.is_(None))
    closed = connection.execute(accounts.update().where(open_one).values(closed_at=now or datetime.now(UTC)))
    if closed.rowcount == 0:
        raise BadInput(f"There is no open account '{name}'. Nothing was changed; look for the name in the list.")
    connection.execute(tokens.delete().where(tokens.c.account == name))
    journal.append(connection, kind="account_closed", actor=actor, payload={"account": name})


def first_administrator(engine: sa.Engine, name: str, password: str, *, demo: bool = False) -> Session:
    """Create the account that creates all others. BadInput once anyone can sign in: then ask an administrator."""
    with writing(engine) as connection:
        if connection.scalar(sa.select(accounts.c.name).where(accounts.c.password.is_not(None)).limit(1)):
            raise BadInput("There are accounts already. Ask an administrator to create yours.")
        now = datetime.now(UTC)
        _insert(connection, name, [Role.ADMINISTRATOR], password, demo=demo, now=now)
        session = _issue(connection, name, SESSION, now)
        actor = _actor(connection, session.token)
        created = {"account": name, "roles": [Role.ADMINISTRATOR.value], "demo": demo}
        journal.append(connection, kind="account_created", actor=actor, payload=created)
    return session


def demo_accounts(engine: sa.Engine, folder: Path) -> dict[str, str]:
    """One demonstration account per role that a person signs in with, named like the role; name to password.

    Passwords are random, made once, and kept in `folder`/demo-accounts.json, which only its owner may read.
    """
    path = folder / "demo-accounts.json"
    if path.exists():
        kept: dict[str, str] = json.loads(path.read_text(encoding="utf-8"))
        return kept
    made = {role.value: secrets.token_urlsafe(12) for role in Role if role is not Role.ENGINE}
    administrator = Role.ADMINISTRATOR.value
    session = first_administrator(engine, administrator, made[administrator], demo=True)
    with writing(engine) as connection:
        actor = _actor(connection, session.token)
        for name, password in made.items():
            if name != administrator:
                create_account(connection, actor, name, [name], password, demo=True)
        connection.execute(tokens.delete().where(tokens.c.hash == _hashed(session.token)))
        _write_secret(path, json.dumps(made, indent=2) + "\n")
    return made


def engine_actor(engine: sa.Engine, folder: Path) -> Actor:
    """The actor that the flows write the journal as, from the token in `folder`/engine.token, made on first use.

    Whoever may read that file may act as the engine, so only its owner may; BadInput if others can.
    """
    path = folder / "engine.token"
    with writing(engine) as connection:
        if path.exists():
            if path.stat().st_mode & 0o077:
                raise BadInput(f"{path} can be read by others than its owner. Run `chmod 600 {path}`.")
            known = signed_in(connection, path.read_text(encoding="ascii").strip())
            if known:
                return known.actor
        now = datetime.now(UTC)
        if connection.scalar(sa.select(accounts.c.name).where(accounts.c.name == ENGINE_ACCOUNT)) is None:
            _insert(connection, ENGINE_ACCOUNT, [Role.ENGINE], None, demo=False, now=now)
        session = _issue(connection, ENGINE_ACCOUNT, timedelta(days=365), now)
        actor = _actor(connection, session.token)
        journal.append(connection, kind="token_issued", actor=actor, payload={"account": ENGINE_ACCOUNT})
        _write_secret(path, session.token + "\n")
    return actor


def sign_in(
    engine: sa.Engine, name: str, password: str, *, lifetime: timedelta = SESSION, now: datetime | None = None
) -> Session:
    """A token for the account `name`. SignInRefused if the password is wrong, or while the account pauses."""
    at = now or datetime.now(UTC)
    session = None
    with writing(engine) as connection:
        a = accounts.c
        pausing = sa.and_(a.failures >= FAILURES, a.failed_at > at - PAUSE)
        found = connection.execute(
            sa.select(a.password).where(a.name == name, a.closed_at.is_(None), sa.not_(pausing))
        ).first()
        # An unknown name takes as long as a wrong password, so that neither tells which names exist.
        right = _verify(found.password if found and found.password else _nobodys_password(), password)
        if right and found and found.password:
            connection.execute(accounts.update().where(a.name == name).values(failures=0, failed_at=None))
            session = _issue(connection, name, lifetime, at)
            actor = _actor(connection, session.token, at)
            journal.append(connection, kind="signed_in", actor=actor, payload={"account": name})
        else:
            connection.execute(
                accounts.update().where(a.name == name, sa.not_(pausing)).values(failures=a.failures + 1, failed_at=at)
            )
    if session is None:
        raise SignInRefused("Name and password do not open an account, or too many wrong ones came before.")
    return session


def sign_out(connection: sa.Connection, token: str) -> None:
    """End a token. A token that is not known is ended already."""
    connection.execute(tokens.delete().where(tokens.c.hash == _hashed(token)))


def signed_in(connection: sa.Connection, token: str, now: datetime | None = None) -> SignedIn | None:
    """Whose token this is; None if it is unknown, has ended, or its account is closed."""
    t, a = tokens.c, accounts.c
    asked = (
        sa.select(a.name, a.roles, t.form_key)
        .join_from(tokens, accounts)
        .where(t.hash == _hashed(token), t.expires_at > (now or datetime.now(UTC)), a.closed_at.is_(None))
    )
    row = connection.execute(asked).first()
    return SignedIn(Actor(name=row.name, roles=frozenset(row.roles)), row.form_key) if row else None


def persons(connection: sa.Connection) -> frozenset[str]:
    """Names of the open accounts that somebody signs in with."""
    a = accounts.c
    return frozenset(connection.scalars(sa.select(a.name).where(a.password.is_not(None), a.closed_at.is_(None))))


def has_demo_accounts(connection: sa.Connection) -> bool:
    """Whether an open account was made for demonstration."""
    a = accounts.c
    return connection.scalar(sa.select(a.name).where(a.demo, a.closed_at.is_(None)).limit(1)) is not None


def _actor(connection: sa.Connection, token: str, now: datetime | None = None) -> Actor:
    known = signed_in(connection, token, now)
    if known is None:
        raise SignInRefused("The token has ended. Sign in again.")
    return known.actor


def _insert(
    connection: sa.Connection, name: str, roles: Collection[str], password: str | None, *, demo: bool, now: datetime
) -> None:
    if not re.fullmatch(r"[a-z][a-z0-9._-]{1,63}", name):
        raise BadInput(f"Account name '{name}' cannot be used. Take 2 to 64 small letters, digits, dots or hyphens.")
    unknown = sorted(set(roles) - {role.value for role in Role})
    if unknown or not roles:
        raise BadInput(
            f"Account '{name}' asks for {', '.join(unknown) or 'no role'}. "
            f"Roles are: {', '.join(r.value for r in Role)}."
        )
    if password is not None and len(password) < SHORTEST_PASSWORD:
        raise BadInput(f"The password has {len(password)} characters. Take at least {SHORTEST_PASSWORD}.")
    if connection.scalar(sa.select(accounts.c.name).where(accounts.c.name == name)):
        raise BadInput(f"There is an account '{name}' already. Names are never reused; take another.")
    row = {
        "name": name,
        "roles": sorted(str(r) for r in roles),
        "password": _hasher().hash(password) if password is not None else None,
        "demo": demo,
        "failures": 0,
        "created_at": now,
    }
    connection.execute(accounts.insert().values(row))


def _issue(connection: sa.Connection, account: str, lifetime: timedelta, now: datetime) -> Session:
    session = Session(secrets.token_urlsafe(32), secrets.token_urlsafe(32), now + lifetime)
    connection.execute(tokens.delete().where(tokens.c.expires_at <= now))
    row = {
        "hash": _hashed(session.token),
        "account": account,
        "form_key": session.form_key,
        "created_at": now,
        "expires_at": session.expires_at,
    }
    connection.execute(tokens.insert().values(row))
    return session


def _hashed(token: str) -> str:
    # A token is 32 random bytes: nobody can guess one, so a fast hash keeps it as safe as a slow one.
    return hashlib.sha256(token.encode()).hexdigest()


def _write_secret(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    path.unlink(missing_ok=True)
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
        file.write(text)


@cache
def _hasher() -> PasswordHasher:
    return PasswordHasher()


@cache
def _nobodys_password() -> str:
    return _hasher().hash(secrets.token_urlsafe(16))


def _verify(kept: str, password: str) -> bool:
    try:
        return _hasher().verify(kept, password)
    except (VerificationError, InvalidHashError):
        return False

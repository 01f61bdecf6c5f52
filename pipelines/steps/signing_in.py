"""Who acts on the command line: the account whose token `basira login` left in the home folder."""

from __future__ import annotations

import os
from datetime import datetime
from pathlib import Path

from records.errors import BadInput
from records.journal import Actor
from records.settings import Settings
from serving.accounts import SignInRefused, sign_in, signed_in
from serving.house import House


def sign_in_here(settings: Settings, house: House, name: str, password: str) -> datetime:
    """Sign in and keep the token; when it ends. BadInput if name and password do not open an account."""
    try:
        session = sign_in(house.engine, name, password)
    except SignInRefused as refused:
        raise BadInput(f"{refused} Try again, or ask an administrator.") from None
    path = _token(settings)
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    path.unlink(missing_ok=True)
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="ascii") as file:
        file.write(session.token)
    return session.expires_at


def signed_in_actor(settings: Settings, house: House) -> Actor:
    """The person signed in here. BadInput if nobody is."""
    known = whoever_is_signed_in(settings, house)
    if known is None:
        raise BadInput("This needs a person, and nobody is signed in here. Sign in first: basira login NAME")
    return known


def whoever_is_signed_in(settings: Settings, house: House) -> Actor | None:
    """The person signed in here, if anybody is."""
    path = _token(settings)
    if not path.exists():
        return None
    with house.engine.connect() as connection:
        known = signed_in(connection, path.read_text(encoding="ascii").strip())
    return None if known is None else known.actor


def _token(settings: Settings) -> Path:
    return settings.keys / "login.token"

"""The secrets of the records room: one key per use, so that losing one does not open the others.

* ``pseudonym``: turns direct identifiers into keyed pseudonyms; its id stands in each pseudonym, so that keys can be
  changed by a re-keying table;
* ``vault``: encrypts the identity attributes, field by field;
* ``rejected``: encrypts the raw content of quarantined rows.

Keys are read from the environment or from files that only their owner may read, which are made on first use. They are
in no log, no lake, no repository, and `repr` hides them.
"""

from __future__ import annotations

import base64
import binascii
import contextlib
import os
import re
import secrets
import stat
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from records.errors import BadInput

KEY_BYTES = 32


@dataclass(frozen=True)
class Key:
    """A secret of 32 bytes and the id that may be written beside what it made."""

    id: str
    secret: bytes = field(repr=False)

    def __post_init__(self) -> None:
        if not re.fullmatch(r"[a-z][a-z0-9]{0,15}", self.id):
            raise BadInput(f"Key id '{self.id}' cannot be used. Take up to 16 small letters and digits, such as 'k1'.")
        if len(self.secret) != KEY_BYTES:
            raise BadInput(f"Key '{self.id}' has {len(self.secret)} bytes. It needs exactly {KEY_BYTES}.")


@dataclass(frozen=True)
class Keys:
    pseudonym: Key
    vault: Key
    rejected: Key


def keys(folder: Path, environ: Mapping[str, str] = os.environ) -> Keys:
    """The keys of this installation: from BASIRA_<USE>_KEY, else from `folder`/<use>.key, made there on first use.

    Both are written `id:base64`, for instance `k1:` and 44 characters. Two processes that start at once end with the
    same keys. BadInput if a key is malformed, or if anyone but its owner may read its file or folder.
    """

    def key(use: str) -> Key:
        variable = f"BASIRA_{use.upper()}_KEY"
        if written := environ.get(variable):
            return _parse(written, variable)
        return _from_file(folder / f"{use}.key")

    return Keys(pseudonym=key("pseudonym"), vault=key("vault"), rejected=key("rejected"))


def new_key(id: str = "k1") -> Key:
    """A fresh key from the operating system's randomness."""
    return Key(id, secrets.token_bytes(KEY_BYTES))


def written(key: Key) -> str:
    """How a key is written in its file or variable. The result is as secret as the key."""
    return f"{key.id}:{base64.b64encode(key.secret).decode('ascii')}"


def _parse(text: str, source: str) -> Key:
    id, colon, encoded = text.strip().partition(":")
    try:
        if not colon:
            raise ValueError("no colon")
        return Key(id, base64.b64decode(encoded, validate=True))
    except (binascii.Error, ValueError) as error:
        # The text itself is secret, so neither it nor a cause that may quote it is shown.
        reason = str(error) if isinstance(error, BadInput) else ""
        raise BadInput(
            f"{source} does not hold a key. {reason} Write it as id:base64, such as 'k1:' and the base64 of "
            f"{KEY_BYTES} random bytes.".replace("  ", " ")
        ) from None


def _from_file(path: Path) -> Key:
    if not path.exists():
        _make(path)
    for place in (path, path.parent):
        if stat.S_IMODE(place.stat().st_mode) & 0o077:
            allowed = "600" if place is path else "700"
            raise BadInput(
                f"{place} can be opened by others than its owner, so the keys in it may be known. Run "
                f"`chmod {allowed} {place}`, and change the key if someone else may have read it."
            )
    return _parse(path.read_text(encoding="ascii", errors="replace"), str(path))


def _make(path: Path) -> None:
    """Write a fresh key whole under another name, then link it into place: the first process wins, none sees half."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    handle, draft = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")  # mkstemp makes it 0600
    try:
        with os.fdopen(handle, "w", encoding="ascii") as file:
            file.write(written(new_key()) + "\n")
            file.flush()
            os.fsync(file.fileno())
        with contextlib.suppress(FileExistsError):
            os.link(draft, path)
    finally:
        Path(draft).unlink()

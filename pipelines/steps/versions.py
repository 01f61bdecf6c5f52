"""The version of the engine itself: what a stored result depends on besides the records it read."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from pathlib import Path

ROOMS = ("records", "evidence", "features", "models", "risk_rules", "serving", "pipelines")
_ROOT = Path(__file__).resolve().parents[2]


def code_version(rooms: Iterable[str] = ROOMS) -> str:
    """A hash over the code and the declared tables of the rooms, 16 hexadecimal digits."""
    digest = hashlib.sha256()
    for room in rooms:
        for path in sorted((_ROOT / room).rglob("*")):
            if path.suffix in {".py", ".yaml", ".csv"}:
                digest.update(path.relative_to(_ROOT).as_posix().encode())
                digest.update(path.read_bytes())
    return digest.hexdigest()[:16]

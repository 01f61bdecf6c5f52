"""What a stored result depends on: the versions of the records it may read, and the engine's own code and tables."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from pathlib import Path

from records.lake import Lake

ENGINE_MADE = "selections"  # never an input, so nothing computed depends on it
ROOMS = ("records", "evidence", "features", "models", "risk_rules", "serving", "pipelines")
_ROOT = Path(__file__).resolve().parents[2]


def data_versions(lake: Lake) -> dict[str, int]:
    """The version of each table of records; what the engine wrote itself is left out."""
    return {
        name: version for name, version in lake.versions().items() if name in lake.declarations and name != ENGINE_MADE
    }


def code_version(rooms: Iterable[str] = ROOMS) -> str:
    """A hash over the code and the declared tables of the rooms, 16 hexadecimal digits."""
    digest = hashlib.sha256()
    for room in rooms:
        for path in sorted((_ROOT / room).rglob("*")):
            if path.suffix in {".py", ".yaml", ".csv"}:
                digest.update(path.relative_to(_ROOT).as_posix().encode())
                digest.update(path.read_bytes())
    return digest.hexdigest()[:16]

"""Folders named by the hash of their content: a model that was changed is another model, or is refused.

A folder holds a few files of text and JSON, never a pickle.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path

from records.errors import BadInput
from records.placing import placed


def content_hash(files: Mapping[str, bytes]) -> str:
    """SHA-256 over names and contents, in order of name; its first 32 hexadecimal digits."""
    digest = hashlib.sha256()
    for name in sorted(files):
        for part in (name.encode("utf-8"), files[name]):
            digest.update(len(part).to_bytes(8, "big"))
            digest.update(part)
    return digest.hexdigest()[:32]


def write(root: Path, files: Mapping[str, bytes]) -> Path:
    """Write `files` as the folder `root`/hash and return it; one that is there already is left as it is."""
    folder = root / content_hash(files)
    if folder.is_dir():
        return folder
    with placed(folder, named_by_content=True) as beside:
        for name, content in files.items():
            (beside / name).write_bytes(content)
    return folder


def read(folder: Path) -> dict[str, bytes]:
    """The files of a folder whose content still has the hash it is named by; BadInput otherwise."""
    if not folder.is_dir():
        raise BadInput(f"There is no model folder '{folder}'. Train a model, or name a folder that exists.")
    files = {path.name: path.read_bytes() for path in sorted(folder.iterdir()) if path.is_file()}
    found = content_hash(files)
    if found != folder.name:
        raise BadInput(
            f"Model folder '{folder}' does not hold what its name says: its content has the hash {found}. It was "
            "changed after it was written. Restore it, or train again."
        )
    return files

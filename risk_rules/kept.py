"""Rulebooks kept by their content hash, so that what they once said can be asked again after they were changed."""

from __future__ import annotations

import shutil
from pathlib import Path

from records.errors import BadInput
from records.placing import placed
from risk_rules.rulebook import HERE, content_hash


def keep(root: Path, folder: Path = HERE) -> Path:
    """Copy the rules, thresholds, mitigations and signs of `folder` to `root`/hash and return that; once is enough."""
    place = root / content_hash(folder)
    if place.is_dir():
        return place
    with placed(place, named_by_content=True) as beside:
        for path in (*folder.glob("*/*.yaml"), *folder.glob("*.yaml")):
            copy = beside / path.relative_to(folder)
            copy.parent.mkdir(exist_ok=True)
            shutil.copyfile(path, copy)
    return place


def kept(root: Path, hash: str) -> Path:
    """The folder of the rulebook `hash`, for `Rulebook.load` and `Protection.load`.

    BadInput if it was not kept, or was changed since.
    """
    place = root / hash
    if not place.is_dir():
        raise BadInput(
            f"Rulebook {hash} is not kept in {root}, so what it said cannot be asked again. Bring its folder back from "
            "a backup of this installation."
        )
    if (found := content_hash(place)) != hash:
        raise BadInput(f"Rulebook folder {place} was changed: its content has the hash {found}. Restore it.")
    return place

"""Folders that take their place whole: filled beside it and moved there in one step, so that a reader sees all or
nothing."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def placed(place: Path, *, named_by_content: bool = False) -> Iterator[Path]:
    """A folder to fill, which becomes `place` when the block ends; nothing is left of one that fails.

    OSError where `place` is there already; but where its name says its content, another process wrote the same, and
    that one stays.
    """
    place.parent.mkdir(parents=True, exist_ok=True)
    beside = Path(tempfile.mkdtemp(prefix=".writing-", dir=place.parent))
    try:
        yield beside
        beside.chmod(0o755)
        try:
            beside.rename(place)
        except OSError:
            if not (named_by_content and place.is_dir()):
                raise
    finally:
        shutil.rmtree(beside, ignore_errors=True)

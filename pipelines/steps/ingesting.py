"""Supplies go into the lake: one file, or all those of a sample world in their order."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from records.receipts import Receipt
from records.reception import reception
from records.settings import Settings

Progress = Callable[[int], None]


def ingest_file(
    settings: Settings, path: Path, table: str, mapping: Path | None = None, progress: Progress | None = None
) -> Receipt:
    """Take in one file. `progress` is told how many more rows were read."""
    return reception(settings).ingest(path, table, mapping, _increments(progress))


def ingest_world(settings: Settings, folder: Path, progress: Progress | None = None) -> list[Receipt]:
    """Take in every supply of the sample world in `folder`, in the order it was supplied."""
    from records.sample import open_world

    desk = reception(settings)
    receipts = []
    for supply in open_world(folder).supplies:
        mapping = folder / supply.mapping if supply.mapping else None
        receipts.append(desk.ingest(folder / supply.path, supply.table, mapping, _increments(progress)))
    return receipts


def _increments(progress: Progress | None) -> Progress | None:
    """A listener of totals for one that wants to hear what was added."""
    if progress is None:
        return None
    told = 0

    def listen(so_far: int) -> None:
        nonlocal told
        progress(so_far - told)
        told = so_far

    return listen

"""A small empty house for the tests of the way in: lake, vault and keys in one folder, and rows to supply."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from records.ingest import ingest
from records.keys import Keys, new_key
from records.lake import Lake
from records.receipts import Receipt
from records.vault import Vault


@dataclass
class Place:
    folder: Path
    lake: Lake
    vault: Vault
    keys: Keys

    def ingest(self, path: Path, table: str = "crossings", **options: Any) -> Receipt:
        return ingest(path, table, lake=self.lake, vault=self.vault, keys=self.keys, **options)

    def supply(self, rows: list[dict[str, Any]], name: str = "supply.parquet") -> Path:
        """A Parquet file of the rows."""
        path = self.folder / name
        pq.write_table(pa.Table.from_pylist(rows), path)
        return path


@pytest.fixture(scope="session")
def some_keys() -> Keys:
    return Keys(new_key(), new_key(), new_key())


@pytest.fixture
def make_place(tmp_path: Path, some_keys: Keys) -> Iterator[Callable[[str], Place]]:
    """Makes empty places by name."""
    opened = []

    def make(name: str) -> Place:
        folder = tmp_path / name
        vault = Vault.open(f"sqlite:///{folder / 'vault.db'}", some_keys)
        opened.append(vault)
        return Place(folder, Lake.create(folder / "lake", buckets=4), vault, some_keys)

    yield make
    for vault in opened:
        vault.close()


@pytest.fixture
def place(make_place: Callable[[str], Place]) -> Place:
    return make_place("home")


@pytest.fixture
def crossing() -> Callable[..., dict[str, Any]]:
    """One supplied crossing, complete and sound, with changes."""

    def row(number: int = 1, **changes: Any) -> dict[str, Any]:
        sound = {
            "crossing_id": f"C{number:06d}",
            "unified_number": None,
            "document_number": f"AB{number:07d}",
            "document_issuer": "ITA",
            "kind": "actual",
            "post": "tunis_carthage",
            "direction": "entry",
            "mode": "air",
            "document_type": "passport",
            "declared_stay_days": 7,
            "happened_at": "2024-03-01T10:00:00Z",
            "known_at": "2024-03-01T10:05:00Z",
        }
        return sound | changes

    return row

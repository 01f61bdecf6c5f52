"""The way in for whoever runs the engine: lake and vault opened together, and the vault never handed on."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from records.ingest import ingest
from records.keys import Keys, keys
from records.lake import Lake
from records.quarantine import retry
from records.receipts import Receipt
from records.retirement import Retirement, retire
from records.settings import Settings
from records.vault import Vault
from records.vault.gates import declarations

Progress = Callable[[int], None]


@dataclass(frozen=True)
class Reception:
    """Takes records in, tries refused ones again, and lets go of what is past its retention."""

    lake: Lake
    _vault: Vault = field(repr=False)
    _keys: Keys = field(repr=False)

    def ingest(
        self, path: Path, table: str, mapping: Path | Mapping[str, Any] | None = None, progress: Progress | None = None
    ) -> Receipt:
        """`records.ingest.ingest` of one file."""
        return ingest(
            path, table, lake=self.lake, vault=self._vault, keys=self._keys, mapping=mapping, progress=progress
        )

    def retry(self, batch: str, mapping: Path | Mapping[str, Any] | None = None) -> Receipt:
        """`records.quarantine.retry` of the refused rows of a batch."""
        return retry(batch, lake=self.lake, vault=self._vault, keys=self._keys, mapping=mapping)

    def retire(self, now: datetime, *, hold: Collection[str] = ()) -> Retirement:
        """`records.retirement.retire` of lake and vault."""
        return retire(now, self.lake, self._vault, hold=hold)


def example_gates() -> tuple[str, ...]:
    """The gate declarations that rest on an invented list; production refuses to start with one."""
    return tuple(f"gate regime={declared.regime}" for declared in declarations() if declared.basis == "example")


def reception(settings: Settings) -> Reception:
    """The lake and vault of this installation, made on first use."""
    held = keys(settings.keys)
    return Reception(
        Lake.create(settings.lake, settings.buckets), Vault.open(settings.vault_url, held, zone=settings.zone), held
    )

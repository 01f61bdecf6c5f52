"""What became of a batch: the receipt that an ingest hands back and the ledger keeps."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any


@dataclass(frozen=True)
class Receipt:
    """Counts of one batch; rows = accepted + quarantined + duplicates, always.

    `accepted` counts corrections too. `reasons` counts quarantined rows by "column: code"; a row with several reasons
    counts under each. `already` says that the batch had gone in before and nothing was changed now. `retry_of` names
    the batch whose quarantined rows this one brought again.
    """

    table: str
    batch: str
    rows: int
    accepted: int
    quarantined: int
    duplicates: int
    already: bool = False
    reasons: Mapping[str, int] = field(default_factory=dict)
    source: str = ""
    retry_of: str | None = None

    def __post_init__(self) -> None:
        if self.rows != self.accepted + self.quarantined + self.duplicates:
            raise AssertionError(f"The counts of batch {self.batch} do not balance: {self}")

    def written(self) -> str:
        """The receipt as JSON, without `already`."""
        said = asdict(self)
        del said["already"]
        return json.dumps(said, sort_keys=True)


def read_receipt(written: str) -> Receipt:
    """The receipt that `Receipt.written` wrote."""
    said: dict[str, Any] = json.loads(written)
    return Receipt(**said)

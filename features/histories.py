"""What features need of a lake."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import pyarrow as pa


class Histories(Protocol):
    """Every version of every row, with the moment it was superseded (`superseded_at`, null while current), of some
    person buckets or of all."""

    @property
    def buckets(self) -> int: ...

    def history(
        self, table: str, columns: Sequence[str] | None = None, *, buckets: Sequence[int] | None = None
    ) -> pa.Table: ...

"""Where a batch waits until all of it has been read: on disk beside the lake, chunk by chunk.

`Staging` keeps validated, pseudonymised rows, each chunk sorted by bucket, so that one bucket of a large batch can be
read without the others. `SealedSpool` keeps what may not lie in the open even for a moment, encrypted under a key that
only this process has: what a killed process leaves behind can be read by nobody.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pyarrow as pa
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from records.versions import Integers, integers

_SPILL_ROWS = 1 << 18


class Staging:
    """Rows of one batch by bucket; `add` as they come, then `done`, then read."""

    def __init__(self, folder: Path, buckets: int) -> None:
        self._folder = folder
        self._buckets = buckets
        self._waiting: list[pa.Table] = []
        self._chunks: list[tuple[pa.Table, Integers]] = []
        folder.mkdir(parents=True, exist_ok=True)

    def add(self, rows: pa.Table) -> None:
        """Take rows that have a column `bucket` (int32)."""
        self._waiting.append(rows)
        if sum(table.num_rows for table in self._waiting) >= _SPILL_ROWS:
            self.done()

    def done(self) -> None:
        """Put what is still in memory on disk."""
        if not any(table.num_rows for table in self._waiting):
            return
        rows = pa.concat_tables(self._waiting).combine_chunks()
        self._waiting = []
        bucket = np.asarray(rows["bucket"])
        rows = rows.take(pa.array(np.argsort(bucket, kind="stable")))
        starts = np.searchsorted(np.sort(bucket), np.arange(self._buckets + 1)).astype(np.int64)
        path = self._folder / f"{len(self._chunks)}.arrow"
        with pa.OSFile(str(path), "wb") as sink, pa.ipc.new_file(sink, rows.schema) as writer:
            writer.write_table(rows)
        mapped = pa.ipc.open_file(pa.memory_map(str(path))).read_all()
        self._chunks.append((mapped, starts))

    def buckets(self) -> list[int]:
        """The buckets that have rows."""
        held = np.zeros(self._buckets, dtype=np.int64)
        for _, starts in self._chunks:
            held += np.diff(starts)
        return [int(bucket) for bucket in np.flatnonzero(held)]

    def keys(self) -> tuple[Integers, Integers]:
        """The key's fingerprint (`_key`) and the bucket of each row, in no promised order."""
        nothing = np.zeros(0, dtype=np.int64)
        keys = [integers(rows["_key"]) for rows, _ in self._chunks]
        buckets = [integers(rows["bucket"]) for rows, _ in self._chunks]
        return np.concatenate([nothing, *keys]), np.concatenate([nothing, *buckets])

    def parts(self, bucket: int) -> list[pa.Table]:
        """The rows of one bucket in the order of the file, as one memory-mapped table per chunk."""
        found = [rows.slice(starts[bucket], starts[bucket + 1] - starts[bucket]) for rows, starts in self._chunks]
        return [part for part in found if part.num_rows]


class SealedSpool:
    """Byte strings written to one file under a key of this process, and read back in order."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._cipher = AESGCM(AESGCM.generate_key(bit_length=256))
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"")

    def add(self, content: bytes) -> None:
        nonce = secrets.token_bytes(12)
        sealed = nonce + self._cipher.encrypt(nonce, content, None)
        with self._path.open("ab") as file:
            file.write(len(sealed).to_bytes(8, "little") + sealed)

    def __iter__(self) -> Iterator[bytes]:
        with self._path.open("rb") as file:
            while size := file.read(8):
                sealed = file.read(int.from_bytes(size, "little"))
                yield self._cipher.decrypt(sealed[:12], sealed[12:], None)

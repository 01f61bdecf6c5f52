"""Supplies on disk: rows arrive block by block, and leave as files partitioned by time, in bounded memory."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq

_GROUP_ROWS = 1 << 16


class ParquetParts:
    """Parquet files of one table, one per partition `name`, written as row groups of about 65 thousand rows."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._folder = folder
        self._waiting: dict[str, list[pa.Table]] = {}
        self._writers: dict[str, pq.ParquetWriter] = {}

    def add(self, name: str, rows: pa.Table) -> None:
        """Append rows to the partition `name`."""
        if not rows.num_rows:
            return
        waiting = self._waiting.setdefault(name, [])
        waiting.append(rows)
        if sum(part.num_rows for part in waiting) >= _GROUP_ROWS:
            self._flush(name)

    def close(self) -> list[Path]:
        """Write what is left; the files, in order of their names."""
        for name in sorted(self._waiting):
            self._flush(name)
        for writer in self._writers.values():
            writer.close()
        return [self._path(name) for name in sorted(self._writers)]

    def _path(self, name: str) -> Path:
        return self._folder / f"{name}.parquet"

    def _flush(self, name: str) -> None:
        parts = self._waiting.pop(name, [])
        if not parts:
            return
        rows = pa.concat_tables(parts)
        if name not in self._writers:
            self._writers[name] = pq.ParquetWriter(
                self._path(name),
                rows.schema,
                compression="lz4",
                # Other columns hardly ever repeat a value, and looking for it would only cost time.
                use_dictionary=[f.name for f in rows.schema if pa.types.is_dictionary(f.type)],
                write_statistics=False,
                store_schema=False,  # a supplier's file: plain text, not our dictionaries
            )
        self._writers[name].write_table(rows, row_group_size=rows.num_rows)


class TextParts:
    """Text files of one table, one per partition `name`: `render` gives the lines of some rows, `header` the first."""

    def __init__(
        self, folder: Path, suffix: str, encoding: str, header: str, render: Callable[[pa.Table], str]
    ) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._folder, self._suffix, self._encoding = folder, suffix, encoding
        self._header, self._render = header, render
        self._names: set[str] = set()

    def add(self, name: str, rows: pa.Table) -> None:
        """Append rows to the partition `name`."""
        if rows.num_rows:
            self.lines(name, self._render(rows))

    def lines(self, name: str, text: str) -> None:
        """Append lines as they are to the partition `name`."""
        new = name not in self._names
        self._names.add(name)
        with self._path(name).open("wb" if new else "ab") as file:
            file.write(((self._header if new else "") + text).encode(self._encoding))

    def close(self) -> list[Path]:
        """The files, in order of their names."""
        return [self._path(name) for name in sorted(self._names)]

    def _path(self, name: str) -> Path:
        return self._folder / f"{name}{self._suffix}"


def by_partition(rows: pa.Table, partition: npt.NDArray[np.integer]) -> list[tuple[int, pa.Table]]:
    """`rows`, already in order of `partition`, cut into one slice per partition."""
    values, starts = np.unique(partition, return_index=True)
    ends = np.append(starts[1:], len(partition))
    return [(int(v), rows.slice(s, e - s)) for v, s, e in zip(values, starts.tolist(), ends.tolist(), strict=True)]

"""Supplied files as a stream of chunks: CSV, JSON lines and Parquet, in bounded memory.

Nothing is interpreted here: text formats give strings, Parquet gives what it holds. A single row that cannot be taken
apart is handed on as malformed; a file that cannot be read to its end raises BadInput.
"""

from __future__ import annotations

import codecs
import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet as pq

from records.errors import BadInput

CHUNK_ROWS = 65_536
_BLOCK_BYTES = 1 << 23
_FORMATS = {
    ".parquet": "parquet",
    ".pq": "parquet",
    ".csv": "csv",
    ".tsv": "csv",
    ".txt": "csv",
    ".jsonl": "json",
    ".ndjson": "json",
    ".json": "json",
}
# Letters that real Windows-1256 text of the region is made of: Arabic, French, and the punctuation of both.
_EXPECTED = set("ءآأؤإئابةتثجحخدذرزسشصضطظعغـفقكلمنهوىيًٌٍَُِّْ،؛؟àâçèéêëîïôùûüœŒ«»’‘“”–—…°\u00a0\u200e\u200f")


@dataclass(frozen=True)
class Malformed:
    """A row that could not be taken apart: its number, its text as supplied, and why (`code`)."""

    number: int
    text: str
    code: str


@dataclass(frozen=True)
class Chunk:
    """Some rows of a file under the supplier's names; `numbers` counts rows from 1, without a header."""

    rows: pa.Table
    numbers: npt.NDArray[np.int64]
    malformed: tuple[Malformed, ...] = ()


@dataclass(frozen=True)
class Examined:
    """What one pass over the bytes of a file shows."""

    path: Path
    form: str
    digest: str
    encoding: str


def examine(path: Path, encoding: str | None) -> Examined:
    """Form, content digest and encoding of a file. BadInput if it is not there, of no known form, or not decodable."""
    if not path.is_file():
        raise BadInput(f"There is no file {path}. Check the path.")
    form = _FORMATS.get(path.suffix.lower())
    if form is None:
        raise BadInput(f"{path.name} ends in '{path.suffix}'. Files read here end in: {', '.join(_FORMATS)}.")
    digest = hashlib.sha256()
    decoder = codecs.getincrementaldecoder(encoding or "utf-8")()
    wrong: tuple[int, bytes] | None = None
    beyond_ascii = False
    with path.open("rb") as file:
        position = 0
        while block := file.read(_BLOCK_BYTES):
            digest.update(block)
            if form != "parquet" and wrong is None:
                try:
                    text = decoder.decode(block)
                    beyond_ascii = beyond_ascii or not text.isascii()
                except UnicodeDecodeError as error:
                    # Sound characters before the bad byte show that the file was meant as UTF-8 and is damaged.
                    meant_utf8 = beyond_ascii or not error.object[: error.start].isascii()
                    wrong = (position + error.start, b"" if meant_utf8 else block[error.start :])
            position += len(block)
    if wrong is not None:
        start, sample = wrong
        if encoding is not None or not _is_windows_1256(sample):
            raise BadInput(
                f"{path.name} is not {encoding or 'UTF-8'}: byte {start:,} cannot be read. Nothing was taken. If it is "
                "Windows-1256, say `encoding: windows-1256` in the mapping; else ask the supplier for the file again."
            )
        encoding = "cp1256"
    return Examined(path, form, digest.hexdigest(), encoding or "utf-8")


def read_chunks(file: Examined, *, delimiter: str = ",") -> Iterator[Chunk]:
    """The rows of an examined file, about 65 thousand at a time. BadInput if it breaks on the way."""
    try:
        if file.form == "parquet":
            yield from _parquet(file.path)
        elif file.form == "csv":
            yield from _csv(file, "\t" if file.path.suffix.lower() == ".tsv" else delimiter)
        else:
            yield from _json_lines(file)
    except (pa.ArrowException, OSError, EOFError) as error:
        raise BadInput(
            f"{file.path.name} cannot be read to its end: {error}. Nothing was taken. Ask the supplier for it again."
        ) from error


def _is_windows_1256(sample: bytes) -> bool:
    beyond = bytes({byte for byte in sample if byte >= 0x80})
    return bool(beyond) and set(beyond.decode("cp1256")) <= _EXPECTED


def _parquet(path: Path) -> Iterator[Chunk]:
    with pq.ParquetFile(path, memory_map=True) as file:
        if doubles := _doubles(file.schema_arrow.names):
            raise BadInput(f"{path.name} has several columns named {', '.join(doubles)}. Keep one of each.")
        number = 1
        for batch in file.iter_batches(batch_size=CHUNK_ROWS):
            yield Chunk(pa.Table.from_batches([batch]), np.arange(number, number + batch.num_rows))
            number += batch.num_rows
        if number == 1:
            yield Chunk(file.schema_arrow.empty_table(), np.arange(0))


def _csv(file: Examined, delimiter: str) -> Iterator[Chunk]:
    header = _header(file, delimiter)
    if not header:
        return
    malformed: list[Malformed] = []

    def keep(row: Any) -> str:
        malformed.append(Malformed(row.number - 1, row.text, "wrong_number_of_fields"))
        return "skip"

    reader = pa.csv.open_csv(
        file.path,
        # One thread: only then does the reader say which row was malformed.
        read_options=pa.csv.ReadOptions(use_threads=False, block_size=_BLOCK_BYTES, encoding=file.encoding),
        parse_options=pa.csv.ParseOptions(delimiter=delimiter, newlines_in_values=True, invalid_row_handler=keep),
        convert_options=pa.csv.ConvertOptions(
            column_types=dict.fromkeys(header, pa.string()), strings_can_be_null=False
        ),
    )
    number = 1
    for batch in reader:
        # The reader may be a block ahead, so only malformed rows among the rows of this batch belong to it.
        skipped = sorted(m.number for m in malformed)
        numbers = _numbers_around(skipped, number, batch.num_rows)
        number = int(numbers[-1]) + 1 if len(numbers) else number
        mine = tuple(m for m in malformed if m.number < number)
        malformed[:] = [m for m in malformed if m.number >= number]
        yield Chunk(pa.Table.from_batches([batch]), numbers, mine)
    yield Chunk(pa.table({name: pa.nulls(0, pa.string()) for name in header}), np.arange(0), tuple(malformed))


def _numbers_around(skipped: list[int], start: int, count: int) -> npt.NDArray[np.int64]:
    """The first `count` row numbers from `start` that are not among the skipped ones."""
    candidates = np.arange(start, start + count + len(skipped), dtype=np.int64)
    return candidates[~np.isin(candidates, skipped)][:count]


def _header(file: Examined, delimiter: str) -> list[str]:
    """The names in the first line; [] for an empty file. BadInput if two columns have one name."""
    with file.path.open("rb") as raw:
        first = raw.read(_BLOCK_BYTES)
    if not first.strip():
        return []
    one_row = pa.csv.ReadOptions(use_threads=False, encoding=file.encoding, block_size=max(len(first), 1))
    skip_all = pa.csv.ParseOptions(delimiter=delimiter, newlines_in_values=True, invalid_row_handler=lambda _: "skip")
    names: list[str] = pa.csv.open_csv(
        pa.BufferReader(first), read_options=one_row, parse_options=skip_all
    ).schema.names
    if doubles := _doubles(names):
        raise BadInput(f"{file.path.name} has several columns named {', '.join(doubles)}. Keep one of each.")
    return names


def _json_lines(file: Examined) -> Iterator[Chunk]:
    number = 0
    with file.path.open("rb") as raw:
        while True:
            objects: list[dict[str, str | None]] = []
            numbers: list[int] = []
            malformed: list[Malformed] = []
            ended = True
            for line in _lines(raw, file.encoding):
                if line.strip():
                    number += 1
                    taken = _take_line(line, number, file.path.name)
                    if isinstance(taken, Malformed):
                        malformed.append(taken)
                    else:
                        objects.append(taken)
                        numbers.append(number)
                if len(objects) + len(malformed) >= CHUNK_ROWS:
                    ended = False
                    break
            if objects or malformed:
                names = list(dict.fromkeys(name for row in objects for name in row))
                columns = {name: pa.array([row.get(name) for row in objects], pa.string()) for name in names}
                yield Chunk(pa.table(columns), np.array(numbers, dtype=np.int64), tuple(malformed))
            if ended:
                return


def _lines(raw: BinaryIO, encoding: str) -> Iterator[str]:
    for line in raw:
        yield line.decode(encoding).removeprefix("\ufeff")


def _take_line(line: str, number: int, name: str) -> dict[str, str | None] | Malformed:
    """The object a line holds, its values as text. BadInput if the line shows that the file itself is unfit."""
    try:
        row = json.loads(line)
    except ValueError:
        if number == 1:
            raise BadInput(f"{name} does not begin with a line of JSON. Supply one object per line.") from None
        if not line.endswith("\n"):
            raise BadInput(
                f"{name} ends in the middle of row {number:,}: it was cut off. Nothing was taken. Ask the supplier for "
                "it again."
            ) from None
        return Malformed(number, line, "not_json")
    if isinstance(row, list) and number == 1:
        raise BadInput(f"{name} holds a JSON list. Supply JSON lines: one object per line.")
    if not isinstance(row, dict) or any(isinstance(value, dict | list) for value in row.values()):
        return Malformed(number, line, "not_a_flat_object")
    return {column: _text(value) for column, value in row.items()}


def _text(value: Any) -> str | None:
    if value is None or isinstance(value, str):
        return value
    return json.dumps(value)


def _doubles(names: list[str]) -> list[str]:
    return sorted({name for name in names if names.count(name) > 1})

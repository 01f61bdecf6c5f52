"""The live state: every history that features look up, held ready by entity, so that a booth need not read the lake.

An embedded store (LMDB) in one folder, derived from the lake and made anew from it at any time. It knows which versions
of the lake's tables it has seen; `catch_up` brings in what was committed since, in one transaction, so that a reader
sees the lake before a batch or after it. A rebuilt state and one that caught up answer alike. Once rows were deleted
from the lake, the state is made anew in another file (`features.generations`), so that nothing of them is left in it.

Rows of an entity lie in one value (or one per 30 days, where they are many), eight bytes a cell: the fingerprint of the
row's key, its three times, and its columns. Texts lie apart, by cell.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Final

import lmdb
import numpy as np
import pyarrow as pa

from features.catalogue import features
from features.cells import cells
from features.columns import NULL, Ints, instants, whole
from features.declaration import SubjectKind
from features.generations import Busy, Generations, Say
from features.indexes import CHUNK, Index, fingerprint, indexes
from features.lineage import Catalogue
from features.parts import groups_for
from features.snapshot import EVERY_CHUNK, SAID, Said, Snapshot, key_of, said_by
from records.errors import BadInput
from records.lake import Lake
from records.ledger import LEDGER

_AT_ONCE: Final = 20_000
"""How many versions of rows a reader may bring in himself before he answers."""


def _nobody(_: str) -> None:
    """Listens to nothing."""


@dataclass(frozen=True, eq=False)
class State:
    """The state in a folder, for the features of some catalogues."""

    generations: Generations
    indexes: tuple[Index, ...]

    @classmethod
    def open(cls, folder: Path, catalogues: Mapping[SubjectKind, Catalogue] | None = None) -> State:
        """The state in `folder`, empty where there is none; `catalogues` are those of the house by default."""
        kinds: tuple[SubjectKind, ...] = ("crossing", "permit")
        held = indexes(catalogues or {kind: features(kind) for kind in kinds})
        return cls(Generations(folder.resolve(), fingerprint(held)), held)

    @property
    def said(self) -> Said | None:
        """What the state says of itself; None where it was not made yet, or for another catalogue."""
        generation = self.generations.newest()
        if generation is None:
            return None
        with generation.environment.begin() as txn:
            return said_by(txn, generation.stores)

    def behind(self, lake: Lake) -> int:
        """How many batches the lake has that the state has not seen: a look at file names. 1 where only something else
        was done to a table of the state (rows deleted, files brought together)."""
        seen = (self.said or Said()).versions
        batches = lake.commits_after(LEDGER, seen.get(LEDGER, 0))
        return batches or int(any(lake.commits_after(table, seen.get(table, -1)) for table in self._tables))

    def keep_up(self, lake: Lake) -> int:
        """Catch up where that takes a moment; how many batches the state is behind all the same.

        It stays behind while another writes to it, where much came in, and where rows were deleted from the lake.
        """
        if behind := self.behind(lake):
            with suppress(Busy), self.generations.writing():
                self._bring_in(lake, _AT_ONCE)
                behind = self.behind(lake)
        return behind

    def catch_up(self, lake: Lake, say: Say = _nobody) -> int:
        """Bring in what was committed since the state last looked; how many versions of rows came in.

        Made anew where there is nothing to go on from: no state yet, another catalogue, or rows deleted from the lake.
        """
        with self.generations.writing(say):
            came = self._bring_in(lake)
            return self._make(lake, say) if came is None else came

    def rebuild(self, lake: Lake, say: Say = _nobody) -> int:
        """Make the state anew from the lake; how many versions of rows it holds."""
        with self.generations.writing(say):
            return self._make(lake, say)

    def reading(self) -> Snapshot:
        """The state as it is now, whatever comes in meanwhile, until it is let go of (`with`). BadInput where it was
        not made yet."""
        generation = self.generations.newest()
        if generation is None:
            raise BadInput(
                "The live state was not made yet, or for an earlier catalogue of features. Make it: basira state build."
            )
        return Snapshot(generation.environment.begin(buffers=True), self._by_column, generation.stores)

    @cached_property
    def _by_column(self) -> Mapping[tuple[str, str], Index]:
        return {(index.table, index.by[0]): index for index in self.indexes}

    @property
    def _tables(self) -> list[str]:
        return sorted({index.table for index in self.indexes})

    def _bring_in(self, lake: Lake, most: int | None = None) -> int | None:
        """Bring in what came, in one transaction. None, and nothing changed, where more than `most` versions of rows
        came, or the state must be made anew."""
        generation, seen = self.generations.newest(), self.said
        if generation is None or seen is None:
            return None
        now = self._now(lake, seen)
        grown = {table: size - seen.sizes[table] for table, size in now.sizes.items()}
        if min(grown.values()) < 0 or (most is not None and sum(grown.values()) > most):
            return None
        lake, changed = lake.at(now.versions), []
        for table in self._tables:
            since = seen.entered.get(table, -1)
            if now.entered.get(table, -1) == since:
                continue
            rows, came = lake.changes(table, self._columns(table), since)
            if came != grown[table]:
                return None  # others are gone
            changed.append((table, rows))
        with generation.environment.begin(write=True) as txn:
            for table, rows in changed:
                self._put(txn, generation.stores, table, rows, replaced=np.unique(cells(rows.column("_key"))))
            _note(txn, generation.stores, now)
        return sum(grown.values())

    def _make(self, lake: Lake, say: Say) -> int:
        """Make the next generation."""
        now = self._now(lake, Said(sizes=dict.fromkeys(self._tables, 0)))
        lake = lake.at(now.versions)
        came = 0
        names = ["said", "words", *(index.name for index in self.indexes)]
        with self.generations.following(names) as made, made.environment.begin(write=True) as txn:
            for table in self._tables:
                if now.sizes[table]:
                    say(f"live state: {now.sizes[table]:,} rows of {table}")
                for group in groups_for(now.sizes[table], lake.buckets):
                    rows, came_now = lake.changes(table, self._columns(table), -1, buckets=group)
                    self._put(txn, made.stores, table, rows, replaced=np.empty(0, np.int64))
                    came += came_now
            _note(txn, made.stores, now)
        return came

    def _now(self, lake: Lake, seen: Said) -> Said:
        """What the lake holds now, after what was seen of it."""
        versions = lake.versions()
        if versions == seen.versions:
            return seen
        lake = lake.at(versions)
        entered, sizes = lake.entered(), dict(seen.sizes)
        for table in self._tables:
            if _of(table, versions, entered) != _of(table, seen.versions, seen.entered):
                sizes[table] = lake.size(table)
        return Said(versions, entered, sizes)

    def _columns(self, table: str) -> list[str]:
        named = {c for i in self.indexes if i.table == table for c in i.columns}
        return [*sorted(named), "happened_at", "known_at"]

    def _put(
        self, txn: lmdb.Transaction, stores: Mapping[str, Any], table: str, rows: pa.Table, *, replaced: Ints
    ) -> None:
        """Put versions of rows in every index of the table; held versions of the keys `replaced` go."""
        key = cells(rows.column("_key"))
        times = [instants(rows.column(name)) for name in ("happened_at", "known_at", "superseded_at")]
        held = [index for index in self.indexes if index.table == table]
        columns = {name: cells(rows.column(name)) for name in {c for i in held for c in i.columns}}
        for name in {w for i in held for w in i.words}:
            _put_words(txn, stores["words"], whole(rows.column(name)))
        for index in held:
            matrix = np.stack([key, *times, *(columns[c] for c in index.columns)], axis=1)
            _put_rows(txn, stores[index.name], index, matrix, [columns[by] for by in index.by], replaced)


def _of(table: str, *versions: Mapping[str, int]) -> tuple[int, ...]:
    return tuple(held.get(table, -1) for held in versions)


def _note(txn: lmdb.Transaction, stores: Mapping[str, Any], said: Said) -> None:
    txn.put(SAID, json.dumps(asdict(said)).encode(), db=stores["said"])


def _put_words(txn: lmdb.Transaction, store: Any, texts: pa.Array) -> None:
    different = texts.unique().drop_null()
    named = zip(cells(different).tolist(), different.to_pylist(), strict=True)
    with txn.cursor(store) as cursor:
        cursor.putmulti([(key_of(cell), text.encode()) for cell, text in named])


def _put_rows(
    txn: lmdb.Transaction, store: Any, index: Index, matrix: Ints, entities: Sequence[Ints], replaced: Ints
) -> None:
    """Put rows under each of their entities, in the order of the store's keys."""
    row = np.tile(np.arange(len(matrix)), len(entities))
    entity = np.concatenate(entities)
    row, entity = row[entity != NULL], entity[entity != NULL]
    chunk = matrix[row, 1] // CHUNK if index.chunked else np.zeros(len(row), np.int64)
    order = np.lexsort((matrix[row, 2], matrix[row, 1], chunk, entity.view(np.uint64)))
    if not len(order):
        return
    row, entity, chunk = row[order], entity[order], chunk[order]
    first = np.flatnonzero(np.append(True, (entity[1:] != entity[:-1]) | (chunk[1:] != chunk[:-1])))
    keys = _keys(index, entity[first], chunk[first])
    width = matrix.shape[1]
    ends = [*first[1:].tolist(), len(row)]
    sorted_rows = matrix[row]
    if not txn.stat(store)["entries"]:
        held = memoryview(sorted_rows.tobytes())
        cell = 8 * width
        values = (held[begin * cell : end * cell] for begin, end in zip(first.tolist(), ends, strict=True))
        with txn.cursor(store) as cursor:
            cursor.putmulti(zip(keys, values, strict=True), append=True)
        return
    for key, begin, end in zip(keys, first.tolist(), ends, strict=True):
        rows = sorted_rows[begin:end]
        if (older := txn.get(key, db=store)) is not None:
            rows = _with_older(rows, np.frombuffer(older, np.int64).reshape(-1, width), replaced)
        txn.put(key, rows.tobytes(), db=store)


def _keys(index: Index, entity: Ints, chunk: Ints) -> list[bytes]:
    """Keys of one entity follow each other in order of time."""
    size = 12 if index.chunked else 8
    made = np.empty((len(entity), size), np.uint8)
    made[:, :8] = entity.astype(">i8").view(np.uint8).reshape(-1, 8)
    if index.chunked:
        made[:, 8:] = (chunk - EVERY_CHUNK).astype(">u4").view(np.uint8).reshape(-1, 4)
    held = made.tobytes()
    return [held[k : k + size] for k in range(0, len(held), size)]


def _with_older(rows: Ints, older: Ints, replaced: Ints) -> Ints:
    kept = np.concatenate([older[~np.isin(older[:, 0], replaced)], rows])
    return kept[np.lexsort((kept[:, 2], kept[:, 1]))]

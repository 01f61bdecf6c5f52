"""The live state: every history that features look up, held ready by entity, so that a booth need not read the lake.

An embedded store (LMDB) in one folder, derived from the lake and made anew from it at any time. It knows which versions
of the lake's tables it has seen; `catch_up` brings in what was committed since, in one transaction, so that a reader
sees the lake before a batch or after it. A rebuilt state and one that caught up answer alike.

Rows of an entity lie in one value (or one per 30 days, where they are many), eight bytes a cell: the fingerprint of the
row's key, its three times, and its columns. Texts lie apart, by cell.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Final

import lmdb
import numpy as np
import pyarrow as pa

from features.catalogue import features
from features.cells import NEVER, NULL, Ints, cells, numbers
from features.columns import instants, whole
from features.declaration import SubjectKind
from features.histories import History
from features.indexes import CHUNK, Index, fingerprint, indexes
from features.lineage import Catalogue
from features.parts import PART_ROWS
from features.people import LINK_COLUMNS, People, people
from features.plan import Asked
from records.errors import BadInput
from records.lake import Lake
from records.ledger import LEDGER
from records.links import INSTANT, persons
from records.schema import Type
from records.tables import tables

_MOST: Final = 1 << 38  # bytes of address space, not of disk
_TIMES: Final = 4  # fingerprint of the key, happened, known, superseded
_SAID: Final = b"said"
_EVERY_CHUNK: Final = -(2**31)
Say = Callable[[str], None]


@cache
def _environment(folder: Path) -> lmdb.Environment:
    """A process may open a store once only."""
    folder.mkdir(parents=True, exist_ok=True)
    return lmdb.open(str(folder), map_size=_MOST, max_dbs=64, max_readers=512)


@dataclass(frozen=True, eq=False)
class State:
    """The state in a folder, for the features of some catalogues."""

    environment: lmdb.Environment
    indexes: tuple[Index, ...]
    layout: str
    stores: Mapping[str, Any]

    @classmethod
    def open(cls, folder: Path, catalogues: Mapping[SubjectKind, Catalogue] | None = None) -> State:
        """The state in `folder`, empty where there is none; `catalogues` are those of the house by default."""
        environment = _environment(folder.resolve())
        kinds: tuple[SubjectKind, ...] = ("crossing", "permit")
        held = indexes(catalogues or {kind: features(kind) for kind in kinds})
        names = ["said", "words", *(index.name for index in held)]
        return cls(environment, held, fingerprint(held), {n: environment.open_db(n.encode()) for n in names})

    @property
    def versions(self) -> dict[str, int]:
        """Versions of the lake's tables that the state has seen; none where it is empty or of another layout."""
        with self.environment.begin(db=self.stores["said"]) as txn:
            return self._seen(txn)

    def behind(self, lake: Lake) -> int:
        """How many batches the lake has that the state has not seen."""
        return lake.batches_after(self.versions.get(LEDGER, -1))

    def catch_up(self, lake: Lake, say: Say = lambda _: None) -> int:
        """Bring in what was committed since the state last looked; how many versions of rows came in.

        Made anew where there is nothing to go on from: an empty state, another layout, or rows deleted from the lake.
        """
        if self.versions and not self.behind(lake):
            return 0
        with self.environment.begin(write=True) as txn:
            seen, now = self._seen(txn), lake.versions()
            if seen == now:
                return 0
            lake = lake.at(now)
            sizes = {name: lake.size(name) for name in self._tables}
            if seen:
                came = self._changes(txn, lake, seen, sizes)
                if came is not None:
                    return came
                say("rows were deleted from the lake, so the live state is made anew")
            return self._all(txn, lake, sizes, say)

    def rebuild(self, lake: Lake, say: Say = lambda _: None) -> int:
        """Make the state anew from the lake; how many versions of rows it holds."""
        with self.environment.begin(write=True) as txn:
            lake = lake.at(lake.versions())
            return self._all(txn, lake, {name: lake.size(name) for name in self._tables}, say)

    @contextmanager
    def reading(self) -> Iterator[Snapshot]:
        """The state as it is now, whatever comes in meanwhile."""
        with self.environment.begin(buffers=True) as txn:
            yield Snapshot(txn, {(i.table, name): i for i in self.indexes for name in i.by[:1]}, self.stores)

    @property
    def _tables(self) -> list[str]:
        return sorted({index.table for index in self.indexes})

    def _said(self, txn: lmdb.Transaction) -> dict[str, Any]:
        return dict(json.loads(bytes(txn.get(_SAID, b"{}", db=self.stores["said"]))))

    def _seen(self, txn: lmdb.Transaction) -> dict[str, int]:
        said = self._said(txn)
        return dict(said["versions"]) if said.get("layout") == self.layout else {}

    def _note(self, txn: lmdb.Transaction, lake: Lake, sizes: Mapping[str, int]) -> None:
        said = {"layout": self.layout, "versions": dict(lake.pinned or {}), "sizes": dict(sizes)}
        txn.put(_SAID, json.dumps(said).encode(), db=self.stores["said"])

    def _changes(
        self, txn: lmdb.Transaction, lake: Lake, seen: Mapping[str, int], sizes: Mapping[str, int]
    ) -> int | None:
        """Bring in what came since the versions `seen`; None (and nothing changed) where rows are gone meanwhile."""
        before = self._said(txn)["sizes"]
        changed = []
        for table in self._tables:
            if lake.version(table) == seen.get(table, -1):
                continue
            rows, came = lake.changes(table, self._columns(table), seen.get(table, -1))
            if sizes[table] != before.get(table, 0) + came:
                return None
            changed.append((table, rows, came))
        for table, rows, _ in changed:
            self._put(txn, table, rows, replaced=np.unique(cells(rows.column("_key"))))
        self._note(txn, lake, sizes)
        return sum(came for *_, came in changed)

    def _all(self, txn: lmdb.Transaction, lake: Lake, sizes: Mapping[str, int], say: Say) -> int:
        for store in self.stores.values():
            txn.drop(store, delete=False)
        came = 0
        for table in self._tables:
            if sizes[table]:
                say(f"live state: {sizes[table]:,} rows of {table}")
            groups = min(lake.buckets, max(1, -(-sizes[table] // PART_ROWS)))
            for group in np.array_split(np.arange(lake.buckets), groups):
                buckets = None if groups == 1 else [int(b) for b in group]
                rows, came_now = lake.changes(table, self._columns(table), -1, buckets=buckets)
                self._put(txn, table, rows, replaced=np.empty(0, np.int64))
                came += came_now
        self._note(txn, lake, sizes)
        return came

    def _columns(self, table: str) -> list[str]:
        named = {c for i in self.indexes if i.table == table for c in i.columns}
        return [*sorted(named), "happened_at", "known_at"]

    def _put(self, txn: lmdb.Transaction, table: str, rows: pa.Table, *, replaced: Ints) -> None:
        """Put versions of rows in every index of the table; held versions of the keys `replaced` go."""
        key = cells(rows.column("_key"))
        times = [instants(rows.column(name)) for name in ("happened_at", "known_at", "superseded_at")]
        held = [index for index in self.indexes if index.table == table]
        columns = {name: cells(rows.column(name)) for name in {c for i in held for c in i.columns}}
        for name in {w for i in held for w in i.words}:
            self._put_words(txn, whole(rows.column(name)))
        for index in held:
            matrix = np.stack([key, *times, *(columns[c] for c in index.columns)], axis=1)
            _put_rows(txn, self.stores[index.name], index, matrix, [columns[by] for by in index.by], replaced)

    def _put_words(self, txn: lmdb.Transaction, texts: pa.Array) -> None:
        different = texts.unique().drop_null()
        named = zip(cells(different).tolist(), different.to_pylist(), strict=True)
        with txn.cursor(self.stores["words"]) as cursor:
            cursor.putmulti([(cell.to_bytes(8, "big", signed=True), text.encode()) for cell, text in named])


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
        made[:, 8:] = (chunk - _EVERY_CHUNK).astype(">u4").view(np.uint8).reshape(-1, 4)
    held = made.tobytes()
    return [held[k : k + size] for k in range(0, len(held), size)]


def _with_older(rows: Ints, older: Ints, replaced: Ints) -> Ints:
    kept = np.concatenate([older[~np.isin(older[:, 0], replaced)], rows])
    return kept[np.lexsort((kept[:, 2], kept[:, 1]))]


@dataclass(frozen=True, eq=False)
class Snapshot:
    """The state at one moment of its own: a source of rows for a plan, as a part of the lake is."""

    txn: lmdb.Transaction
    indexes: Mapping[tuple[str, str], Index]
    stores: Mapping[str, Any]

    def rows(self, table: str, columns: Sequence[str], by: str, keys: Ints, since: int) -> History:
        index = self._index(table, by)
        matrix = self._matrix(index, _different(keys), since)
        held = np.ascontiguousarray(matrix.T)
        named = dict(zip(index.columns, held[_TIMES:], strict=True))
        return History(held[1], held[2], held[3], named, lambda name, chosen: self._texts(named[name][chosen]))

    def people(self, asked: Asked) -> People | None:
        index = self._index("links", "first_subject")
        subjects = asked.cells("subject")
        found = self._matrix(index, frontier := _different(subjects), NEVER)
        if not len(found):
            return None
        seen: set[int] = set(frontier)
        while True:
            sides = [found[:, _TIMES + index.columns.index(c)] for c in ("first_subject", "second_subject")]
            further = [s for s in _different(np.concatenate(sides)) if s not in seen]
            if not further:
                break
            seen.update(further)
            found = np.concatenate([found, self._matrix(index, further, NEVER)])
        return people(subjects, asked.at, persons(self._table(index, np.unique(found, axis=0), LINK_COLUMNS)))

    def events(self, kind: SubjectKind, names: Sequence[str]) -> Events:
        """What the spine of events asked about by name is made of: `features.spine` reads it as it reads a lake."""
        if kind == "permit":
            index = self._index("permits", "file")
            found = self._matrix(index, _different(cells(pa.array([n.split("|")[0] for n in names]))), NEVER)
        else:
            index = self._index("crossings", "crossing_id")
            found = self._matrix(index, _different(cells(pa.array(names, pa.string()))), NEVER)
            linked = found[:, _TIMES + index.columns.index("linked_crossing")]
            own = found[:, _TIMES + index.columns.index("crossing_id")]
            found = np.concatenate([found, self._matrix(index, _different(np.concatenate([linked, own])), NEVER)])
        return Events(self._table(index, np.unique(found, axis=0), index.columns))

    def _index(self, table: str, by: str) -> Index:
        if (table, by) not in self.indexes:
            raise BadInput(
                f"The live state does not hold {table} by {by}. Open it with the catalogue that has what is asked for."
            )
        return self.indexes[table, by]

    def _matrix(self, index: Index, keys: Iterable[int], since: int) -> Ints:
        store = self.stores[index.name]
        if index.chunked:
            found = list(self._chunks(store, index, keys, since))
        else:
            get = self.txn.get
            found = [get(key.to_bytes(8, "big", signed=True), b"", store) for key in keys]
        return np.frombuffer(b"".join(found), np.int64).reshape(-1, _TIMES + len(index.columns))

    def _chunks(self, store: Any, index: Index, keys: Iterable[int], since: int) -> Iterator[Any]:
        first = _EVERY_CHUNK if since == NEVER else since // CHUNK
        start = (first - _EVERY_CHUNK).to_bytes(4, "big")
        with self.txn.cursor(store) as cursor:
            for key in keys:
                name = key.to_bytes(8, "big", signed=True)
                there = cursor.set_range(name + start)
                while there and cursor.key()[:8] == name:
                    yield cursor.value()
                    there = cursor.next()

    def _texts(self, of: Ints) -> pa.Array:
        held = {cell: self._text(cell) for cell in set(of.tolist())}
        return pa.array([held[cell] for cell in of.tolist()], pa.string())

    def _text(self, cell: int) -> str | None:
        found = self.txn.get(cell.to_bytes(8, "big", signed=True), None, self.stores["words"])
        return None if found is None else bytes(found).decode()

    def _table(self, index: Index, matrix: Ints, columns: Iterable[str]) -> pa.Table:
        """Rows in the lake's own form, with superseded_at."""
        held = dict(zip(("key", "happened_at", "known_at", "superseded_at", *index.columns), matrix.T, strict=True))
        made = {}
        for name in ("happened_at", "known_at", "superseded_at", *columns):
            if name in ("happened_at", "known_at", "superseded_at"):
                made[name] = pa.array(held[name], mask=held[name] == NEVER).cast(INSTANT)
            else:
                made[name] = self._array(held[name], tables()[index.table].column(name).type)
        return pa.table(made)

    def _array(self, of: Ints, kind: Type) -> pa.Array:
        if kind is Type.STRING:
            return self._texts(of)
        if kind is Type.NUMBER:
            values = numbers(of, fractions=True)
            return pa.array(values, mask=np.isnan(values))
        plain = pa.array(of, mask=of == NULL)
        if kind is Type.DAY:
            return plain.cast(pa.int32()).cast(kind.arrow)
        return plain.cast(kind.arrow)


def _different(keys: Ints) -> list[int]:
    """The cells that are there, each once."""
    held = list(dict.fromkeys(keys.tolist()))
    return [key for key in held if key != NULL]


@dataclass(frozen=True)
class Events:
    """The rows that some events rest on, where a lake is read."""

    held: pa.Table
    buckets: int = 1

    def size(self, table: str) -> int:
        del table
        return int(self.held.num_rows)

    def history(
        self, table: str, columns: Sequence[str] | None = None, *, buckets: Sequence[int] | None = None
    ) -> pa.Table:
        del table, buckets
        return self.held if columns is None else self.held.select([*columns, "superseded_at"])

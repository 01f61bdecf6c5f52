"""The live state at one moment of its own, as a source of rows: what was held ready by entity (`features.state`)."""

from __future__ import annotations

import json
import struct
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import lmdb
import numpy as np
import pyarrow as pa

from features.asked import Asked
from features.cells import cells, numbers
from features.columns import NEVER, NULL, Ints
from features.declaration import SubjectKind
from features.histories import History
from features.indexes import CHUNK, Index
from features.people import LINK_COLUMNS, People, people
from records.errors import BadInput
from records.links import INSTANT, persons
from records.schema import Type
from records.tables import tables

TIMES: Final = 4  # fingerprint of the key, happened, known, superseded
SAID: Final = b"said"
EVERY_CHUNK: Final = -(2**31)


@dataclass(frozen=True)
class Said:
    """What a state says of itself. Of the lake's tables: their Delta versions, the newest version that a batch in the
    ledger made, and how many versions of rows they had, when the state last looked."""

    versions: Mapping[str, int] = field(default_factory=dict)
    entered: Mapping[str, int] = field(default_factory=dict)
    sizes: Mapping[str, int] = field(default_factory=dict)


def key_of(cell: int) -> bytes:
    """What a text, or an entity whose rows lie in one value, is found by; and how the keys of its chunks begin."""
    return cell.to_bytes(8, "big", signed=True)


def said_by(txn: lmdb.Transaction, stores: Mapping[str, Any]) -> Said:
    return Said(**json.loads(bytes(txn.get(SAID, b"{}", db=stores["said"]))))


@dataclass(frozen=True, eq=False)
class Snapshot:
    """The state at one moment of its own: a source of rows for a plan, as a part of the lake is."""

    txn: lmdb.Transaction
    indexes: Mapping[tuple[str, str], Index]
    stores: Mapping[str, Any]

    def __enter__(self) -> Snapshot:
        return self

    def __exit__(self, *raised: object) -> None:
        self.txn.abort()

    def versions(self) -> dict[str, int]:
        """Versions of the lake's tables that it has seen, as `Lake.versions` tells them."""
        return dict(said_by(self.txn, self.stores).versions)

    def rows(self, table: str, columns: Sequence[str], by: str, keys: Ints, since: int) -> History:
        index = self._index(table, by)
        _, happened, known, superseded, *held = np.ascontiguousarray(self._matrix(index, _different(keys), since).T)
        named = dict(zip(index.columns, held, strict=True))
        return History(happened, known, superseded, named, lambda name, chosen: self._texts(named[name][chosen]))

    def people(self, asked: Asked) -> People | None:
        index = self._index("links", "first_subject")
        if not self.txn.stat(self.stores[index.name])["entries"]:
            return None
        subjects = asked.cells("subject")
        found = self._matrix(index, frontier := _different(subjects), NEVER)
        if not len(found):
            return None
        seen: set[int] = set(frontier)
        while True:
            sides = [found[:, TIMES + index.columns.index(c)] for c in ("first_subject", "second_subject")]
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
            linked = found[:, TIMES + index.columns.index("linked_crossing")]
            own = found[:, TIMES + index.columns.index("crossing_id")]
            found = np.concatenate([found, self._matrix(index, _different(np.concatenate([linked, own])), NEVER)])
        return Events(self._table(index, np.unique(found, axis=0), index.columns))

    def _index(self, table: str, by: str) -> Index:
        if (table, by) not in self.indexes:
            raise BadInput(
                f"The live state does not hold {table} by {by}. Open it with the catalogue that has what is asked for."
            )
        return self.indexes[table, by]

    def _matrix(self, index: Index, keys: Collection[int], since: int) -> Ints:
        store = self.stores[index.name]
        if index.chunked:
            found = list(self._chunks(store, index, keys, since))
        else:
            named, get = struct.pack(f">{len(keys)}q", *keys), self.txn.get
            found = [get(named[k : k + 8], b"", store) for k in range(0, len(named), 8)]
        return np.frombuffer(b"".join(found), np.int64).reshape(-1, TIMES + len(index.columns))

    def _chunks(self, store: Any, index: Index, keys: Iterable[int], since: int) -> Iterator[Any]:
        first = EVERY_CHUNK if since == NEVER else since // CHUNK
        start = (first - EVERY_CHUNK).to_bytes(4, "big")
        with self.txn.cursor(store) as cursor:
            for key in keys:
                name = key_of(key)
                there = cursor.set_range(name + start)
                while there and cursor.key()[:8] == name:
                    yield cursor.value()
                    there = cursor.next()

    def _texts(self, of: Ints) -> pa.Array:
        held = {cell: self._text(cell) for cell in set(of.tolist())}
        return pa.array([held[cell] for cell in of.tolist()], pa.string())

    def _text(self, cell: int) -> str | None:
        found = self.txn.get(key_of(cell), None, self.stores["words"])
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
    return [key for key in dict.fromkeys(keys.tolist()) if key != NULL]


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

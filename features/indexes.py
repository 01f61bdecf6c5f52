"""What the live state must hold, worked out from the catalogue: by which column the rows of which table are looked up,
and what is read of them."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from features.declaration import SubjectKind
from features.lineage import Catalogue
from features.people import LINK_COLUMNS
from features.plan import StreamStep, prepare
from features.spine import CROSSING_COLUMNS, PERMIT_COLUMNS
from records.schema import Type
from records.tables import tables

CHUNK: Final = timedelta(days=30) // timedelta(microseconds=1)
_FORMAT: Final = 1


@dataclass(frozen=True)
class Index:
    """Rows of `table`, found by the cells of `by` (any of them, where there are several).

    `columns` are held as cells, and of `words` the texts too. `chunked` where an entity's rows are many and mostly old:
    they lie in chunks of time.
    """

    table: str
    by: tuple[str, ...]
    columns: tuple[str, ...]
    words: tuple[str, ...]
    chunked: bool

    @property
    def name(self) -> str:
        return f"{self.table} by {' or '.join(self.by)}"


def indexes(catalogues: Mapping[SubjectKind, Catalogue]) -> tuple[Index, ...]:
    """Every index that some feature, a link, or an event asked about by its name needs."""
    read: dict[tuple[str, tuple[str, ...]], tuple[set[str], set[str]]] = {}

    def need(table: str, by: tuple[str, ...], columns: Iterable[str], words: Iterable[str]) -> None:
        held = read.setdefault((table, by), (set(), set()))
        held[0].update(by, columns)
        held[1].update(w for w in words if tables()[table].column(w).type is Type.STRING)

    for kind, catalogue in catalogues.items():
        for step in prepare(catalogue, kind, catalogue).steps:
            if isinstance(step, StreamStep):
                words = {r.column for r in step.readings if r.text and r.column}
                for table, by, columns in step.lookups:
                    need(table, (by,), columns, words & set(columns))
    need("links", ("first_subject", "second_subject"), LINK_COLUMNS, LINK_COLUMNS)
    for table, names, columns in EVENTS:
        need(table, names, columns, columns)
    return tuple(_index(table, by, *held) for (table, by), held in sorted(read.items()))


EVENTS: Final = (
    (
        "crossings",
        ("crossing_id", "linked_crossing"),
        ("crossing_id", "subject", "kind", "linked_crossing", *CROSSING_COLUMNS, "shift"),
    ),
    ("permits", ("file",), ("subject", *PERMIT_COLUMNS)),
)
"""By what an event is found when it is asked about by its name, and what its spine is made of."""


def _index(table: str, by: tuple[str, ...], columns: set[str], words: set[str]) -> Index:
    subject = tables()[table].subject
    chunked = subject is not None and subject not in by
    times = {"happened_at", "known_at"}
    return Index(table, by, tuple(sorted(columns - times)), tuple(sorted(words)), chunked)


def fingerprint(held: Iterable[Index]) -> str:
    """Names the layout: a state of another layout is made anew."""
    said = [_FORMAT, CHUNK, *([i.table, i.by, i.columns, i.words, i.chunked] for i in held)]
    return hashlib.sha256(json.dumps(said).encode()).hexdigest()[:16]

"""A lake in parts: some person buckets at a time, so that never the whole of it is in memory."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from features.asked import Asked
from features.columns import Ints, whole
from features.histories import Histories, History, of_arrow
from features.people import LINK_COLUMNS, People, people
from records.links import Persons, persons
from records.pseudonyms import bucket_of
from records.tables import tables

PART_ROWS = 2_000_000
"""How many rows of its largest table a part should hold at most."""


@dataclass(frozen=True)
class Links:
    """Who is one person with whom, and the rows of all who are with someone, which any bucket may need."""

    known: Persons
    rows: Mapping[str, pa.Table]


def links(lake: Histories, columns: Mapping[str, Sequence[str]]) -> Links:
    """Links and the rows of linked subjects, of the tables and columns named."""
    known = persons(lake.history("links", LINK_COLUMNS))
    personal = {t: c for t, c in columns.items() if tables()[t].subject is not None} if len(known.subjects) else {}
    return Links(known, {table: _of_linked(lake, table, c, known) for table, c in personal.items()})


def _of_linked(lake: Histories, table: str, columns: Sequence[str], known: Persons) -> pa.Table:
    own = tables()[table].subject or ""
    wanted = read_columns(tuple(dict.fromkeys([*columns, own])))
    parts = (lake.history(table, wanted, buckets=[b]) for b in range(lake.buckets))
    return pa.concat_tables([p.filter(pc.is_in(p.column(own), value_set=known.subjects)) for p in parts])


def read_columns(columns: Sequence[str]) -> list[str]:
    return [*columns, "happened_at", "known_at"]


@dataclass(frozen=True)
class Part:
    """Some person buckets of a lake as a source of rows. What no person bucket divides is read whole."""

    lake: Histories
    buckets: tuple[int, ...]
    columns: Mapping[str, Sequence[str]]
    links: Links
    read: dict[str, History] = field(default_factory=dict)

    def rows(self, table: str, columns: Sequence[str], by: str, keys: Ints, since: int) -> History:
        del columns, by, keys, since  # a part is read once, for everything that is asked of it
        if table not in self.read:
            self.read[table] = of_arrow(self._table(table))
        return self.read[table]

    def people(self, asked: Asked) -> People | None:
        return people(asked.cells("subject"), asked.at, self.links.known)

    def _table(self, table: str) -> pa.Table:
        own, columns = tables()[table].subject, read_columns(self.columns[table])
        if own is None:
            return self.lake.history(table, columns)
        everything = len(self.buckets) == self.lake.buckets
        rows = self.lake.history(table, columns, buckets=None if everything else self.buckets)
        linked = self.links.rows.get(table)
        if everything or linked is None or not linked.num_rows:
            return rows
        here = np.isin(bucket_of(whole(linked.column(own)), self.lake.buckets), self.buckets)
        return pa.concat_tables([rows, linked.select(rows.column_names).filter(pa.array(~here))])


def bucket_groups(lake: Histories, columns: Mapping[str, Sequence[str]]) -> list[tuple[int, ...]]:
    """Buckets that are taken together: as many as a part may hold, all of them where the lake is small."""
    largest = max((lake.size(t) for t in columns if tables()[t].subject is not None), default=0)
    return groups_for(largest, lake.buckets)


def groups_for(rows: int, buckets: int) -> list[tuple[int, ...]]:
    """Buckets of a table of so many rows that are taken together."""
    groups = min(buckets, max(1, -(-rows // PART_ROWS)))
    return [tuple(int(b) for b in group) for group in np.array_split(np.arange(buckets), groups)]


def spine_parts(spine: pa.Table, groups: Sequence[tuple[int, ...]], buckets: int) -> list[Ints]:
    """Row numbers of the spine for each group of buckets; rows without a subject are in the first."""
    if len(groups) == 1:
        return [np.arange(spine.num_rows)]
    of_bucket = np.zeros(buckets, np.int64)
    for k, group in enumerate(groups):
        of_bucket[list(group)] = k
    number = of_bucket[np.asarray(bucket_of(whole(spine.column("subject")), buckets))]
    return [np.flatnonzero(number == k) for k in range(len(groups))]

"""The lake: every declared table as a Delta table, partitioned by person bucket, readable as known at any moment.

Under the lake's root lie one folder per table, `_quarantine` and `_ledger`. A batch goes in under the table's lock: one
Delta commit that carries the batch id as application transaction and the receipt as metadata, then the ledger row.
Readers see only batches in the ledger. Should a process die between the two, whoever takes the lock next writes the
ledger row from the receipt in the commit, so a batch is in the lake whole or not at all, and never twice.
"""

from __future__ import annotations

import dataclasses
import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.dataset as ds
from deltalake import DeltaTable
from filelock import FileLock

from records import delta
from records.errors import BadInput
from records.ledger import LEDGER, LEDGER_SCHEMA, batch_label, find_receipt
from records.mapping import nearest
from records.receipts import Receipt
from records.schema import Table
from records.tables import tables
from records.versions import Versions, last_versions, superseded_at

BOOKKEEPING = pa.schema(
    [
        ("_batch", pa.string()),  # the supplied batch it came with
        ("_row", pa.int64()),  # its number in the supply
        ("_sequence", pa.int64()),  # the commit it came with, in order of arrival
        ("_key", pa.int64()),  # fingerprint of its key
        ("_content", pa.int64()),  # fingerprint of what it says, except known_at and gates
        ("_echo", pa.bool_()),  # stands for a version of the same fact that lies in another bucket
    ]
)
QUARANTINE = "_quarantine"
QUARANTINE_SCHEMA = pa.schema(
    [
        ("batch", pa.string()),
        ("table", pa.string()),
        ("row", pa.int64()),
        ("column", pa.string()),
        ("code", pa.string()),
        ("seen", pa.string()),
    ]
)
_SETTINGS = "lake.json"
_VERSION_COLUMNS = ("_key", "known_at", "_sequence", "_row", "_echo", delta.BUCKET)
_BATCH_FILE = re.compile(r"batch-([0-9a-f]{32})(-\d+)?\.parquet$")


@dataclass(frozen=True)
class Lake:
    """A handle on the lake in `root`. `pinned` holds Delta versions by table; with it, the lake can only be read."""

    root: Path
    buckets: int
    declarations: Mapping[str, Table] = field(default_factory=tables, repr=False)
    pinned: Mapping[str, int] | None = None

    def __reduce__(self) -> tuple[object, ...]:
        """Another process opens it by its place; declarations that the house does not have go along."""
        own = None if self.declarations == tables() else dict(self.declarations)
        return _reopened, (self.root, self.buckets, own, self.pinned if self.pinned is None else dict(self.pinned))

    @classmethod
    def create(cls, root: Path, buckets: int = 16, declarations: Mapping[str, Table] | None = None) -> Lake:
        """The lake in `root`, made if it is not there. BadInput if one is there with another number of buckets."""
        settings = root / _SETTINGS
        if not settings.exists():
            root.mkdir(parents=True, exist_ok=True)
            with FileLock(root / ".lake.lock"):
                if not settings.exists():
                    draft = settings.with_suffix(".draft")
                    draft.write_text(json.dumps({"format": 1, "buckets": buckets}), encoding="utf-8")
                    draft.replace(settings)
        lake = cls.open(root, declarations)
        if lake.buckets != buckets:
            raise BadInput(
                f"The lake in {root} has {lake.buckets} person buckets, not {buckets}. Its number is fixed when it is "
                "made: open it as it is, or make another lake."
            )
        return lake

    @classmethod
    def open(cls, root: Path, declarations: Mapping[str, Table] | None = None) -> Lake:
        """The lake in `root`. BadInput if there is none."""
        try:
            said = json.loads((root / _SETTINGS).read_text(encoding="utf-8"))
        except FileNotFoundError:
            raise BadInput(
                f"There is no lake in {root}. `basira ingest` makes one; `basira sample` fills one with a sample world."
            ) from None
        return cls(root, int(said["buckets"]), declarations or tables())

    def at(self, versions: Mapping[str, int]) -> Lake:
        """The lake as it was at the Delta versions that `versions()` once returned; tables not named were empty."""
        return dataclasses.replace(self, pinned=dict(versions))

    def declared(self, table: str) -> Table:
        """The declaration of a table. BadInput if there is no such table."""
        if table not in self.declarations:
            raise BadInput(f"There is no table '{table}'. {nearest(table, self.declarations)}")
        return self.declarations[table]

    def folder(self, name: str) -> Path:
        return self.root / name

    @contextmanager
    def lock(self, name: str) -> Iterator[None]:
        """Hold a table (or ledger, quarantine, batch) against other writers; freed when the process ends, however."""
        if self.pinned is not None:
            raise BadInput("This is the lake as it was at earlier versions; it can only be read. Open the lake itself.")
        locks = self.root / "_locks"
        locks.mkdir(exist_ok=True)
        with FileLock(locks / f"{name}.lock"):
            yield

    def read(
        self,
        table: str,
        columns: Sequence[str] | None = None,
        *,
        buckets: Sequence[int] | None = None,
        where: ds.Expression | None = None,
    ) -> pa.Table:
        """Every version of every row that `where` (over declared columns) holds for, in no promised order. `columns`
        (all by default) are read alone."""
        declared = self.declared(table)
        wanted = self._wanted(declared, columns)
        own = ~pc.field("_echo")
        return self.scan(table, wanted, buckets=buckets, where=own if where is None else own & where)

    def history(
        self, table: str, columns: Sequence[str] | None = None, *, buckets: Sequence[int] | None = None
    ) -> pa.Table:
        """As `read`, with `superseded_at`: known_at of the next version of the same key, null while it is current."""
        wanted = self._wanted(self.declared(table), columns)
        rows = self.scan(table, [*wanted, *_VERSION_COLUMNS], buckets=buckets)
        ended = superseded_at(Versions.of(rows))
        return rows.select(wanted).append_column("superseded_at", ended).filter(pc.invert(rows["_echo"]))

    def changes(
        self, table: str, columns: Sequence[str], since: int, *, buckets: Sequence[int] | None = None
    ) -> tuple[pa.Table, int]:
        """As `history`, with `_key`, of those rows alone of which a version came with a commit after Delta version
        `since` (-1: all); and how many versions came since, echoes included."""
        wanted = self._wanted(self.declared(table), columns)
        keys = None
        came = 0
        if since >= 0:
            new = self.scan(table, ["_key"], buckets=buckets, where=pc.field("_sequence") > since)["_key"]
            came, keys = len(new), pc.field("_key").isin(pc.unique(new))
        rows = self.scan(table, [*wanted, *_VERSION_COLUMNS], buckets=buckets, where=keys)
        ended = superseded_at(Versions.of(rows))
        held = rows.select([*wanted, "_key"]).append_column("superseded_at", ended)
        return held.filter(pc.invert(rows["_echo"])), came if keys is not None else rows.num_rows

    def commits_after(self, name: str, version: int) -> int:
        """How many commits a table, or the ledger (one per batch), has after a version: cheap enough to ask before
        every answer."""
        return delta.commits_after(self.folder(name), version)

    def as_known(
        self,
        table: str,
        at: datetime,
        columns: Sequence[str] | None = None,
        *,
        buckets: Sequence[int] | None = None,
    ) -> pa.Table:
        """The version of each key that was current at the moment `at` (known_at <= at < superseded_at).

        ValueError if `at` has no time zone.
        """
        if at.tzinfo is None:
            raise ValueError("`at` needs a time zone: a moment without one means different things in different places.")
        wanted = self._wanted(self.declared(table), columns)
        known = pc.field("known_at") <= pa.scalar(at, pa.timestamp("us", tz="UTC"))
        rows = self.scan(table, [*wanted, *_VERSION_COLUMNS], buckets=buckets, where=known)
        current = pc.and_(pa.array(last_versions(Versions.of(rows))), pc.invert(rows["_echo"]))
        return rows.select(wanted).filter(current)

    def append(self, table: str, rows: pa.Table, *, batch: str) -> Receipt:
        """Put in rows that the engine made itself: lake columns, already pseudonymised.

        Columns that are left out are null. The same `batch` again changes nothing. BadInput, and nothing changed, if
        a column is not declared for the lake or a required one is missing or has nulls.
        """
        from records.batches import append  # which builds on this module

        return append(self, table, rows, batch)

    def size(self, table: str) -> int:
        """How many versions of rows a table has, echoes included, from what its commits say."""
        delta_table = self.delta(table)
        return 0 if delta_table is None else delta.rows(delta_table, hidden=self._not_entered(table))

    def entered(self) -> dict[str, int]:
        """Delta version that the newest batch of each table made: rows of a later commit are not seen yet."""
        newest = self.ledger().group_by("table").aggregate([("version", "max")])
        return dict(zip(newest["table"].to_pylist(), newest["version_max"].to_pylist(), strict=True))

    def version(self, table: str) -> int:
        """Delta version of a table; -1 while nothing was ever written to it."""
        delta_table = self.delta(table)
        return -1 if delta_table is None else int(delta_table.version())

    def versions(self) -> dict[str, int]:
        """Delta version of each table that holds something, and of the ledger: what `at` needs to come back here.

        The ledger is read first, so that every batch it names is in the versions of the tables.
        """
        names = [LEDGER, *self.declarations]
        return {name: version for name in names if (version := self.version(name)) >= 0}

    def input_versions(self) -> dict[str, int]:
        """`versions` of the tables that something computed may depend on: not of what the engine wrote itself."""
        declared = self.declarations
        return {n: v for n, v in self.versions().items() if n in declared and not declared[n].engine_made}

    def ledger(self) -> pa.Table:
        """One row per batch: batch, table, source, retry_of, rows, accepted, quarantined, duplicates, reasons (JSON),
        version (of the table), recorded_at."""
        delta_table = self.delta(LEDGER)
        if delta_table is None:
            return LEDGER_SCHEMA.empty_table()
        return delta.dataset(delta_table, self.folder(LEDGER), LEDGER_SCHEMA).to_table()

    def receipt(self, table: str, batch: str) -> Receipt | None:
        """The receipt of a batch that is in the ledger, marked `already`; None if it is not."""
        ledger = self.delta(LEDGER)
        return None if ledger is None else find_receipt(ledger, self.folder(LEDGER), table, batch)

    def compact(self, keep_days: int = 30) -> dict[str, int]:
        """Bring the files of each bucket together, in order; rows stay as they are. Returns files fewer, by table.

        Files that no version of the last `keep_days` days needs are deleted, so older versions can no longer be read.
        """
        from records.compaction import compact  # which builds on this module

        return compact(self, keep_days)

    def delta(self, name: str) -> DeltaTable | None:
        """The Delta table behind a name, at its pinned version if this lake is pinned; None if it is not there."""
        if self.pinned is not None and name not in self.pinned:
            return None
        return delta.open_table(self.folder(name), None if self.pinned is None else self.pinned[name])

    def scan(
        self,
        table: str,
        columns: Sequence[str],
        *,
        buckets: Sequence[int] | None = None,
        where: ds.Expression | None = None,
    ) -> pa.Table:
        """Rows of batches in the ledger with any declared or bookkeeping columns, echoes included: for this room."""
        delta_table = self.delta(table)
        if delta_table is None:
            return self._schema(table, columns).empty_table()
        return self._visible(table, delta_table, buckets).to_table(columns=list(dict.fromkeys(columns)), filter=where)

    def lake_schema(self, table: str) -> pa.Schema:
        """Declared columns, bookkeeping and partition: the schema of the Delta table."""
        parts = [*self.declared(table).lake_schema, *BOOKKEEPING, pa.field(delta.BUCKET, pa.int32())]
        return pa.schema(parts)

    def quarantine(self) -> pa.Table:
        """One row per quarantined row and reason, of batches in the ledger: batch, table, row, column, code, seen."""
        delta_table = self.delta(QUARANTINE)
        if delta_table is None:
            return QUARANTINE_SCHEMA.empty_table()
        known = pc.field("batch").isin(self.ledger()["batch"].combine_chunks())
        return delta.dataset(delta_table, self.folder(QUARANTINE), QUARANTINE_SCHEMA).to_table(filter=known)

    def _visible(self, table: str, delta_table: DeltaTable, buckets: Sequence[int] | None) -> ds.Dataset:
        return delta.dataset(
            delta_table,
            self.folder(table),
            self.lake_schema(table),
            buckets=buckets,
            hidden=self._not_entered(table),
        )

    def _not_entered(self, table: str) -> Callable[[str], bool]:
        """Tells files of batches that are not in the ledger."""
        ledger = self.ledger()
        mine = ledger.filter(pc.equal(ledger["table"], table))["batch"].to_pylist()
        labels = {batch_label(batch) for batch in mine}

        def not_entered(path: str) -> bool:
            match = _BATCH_FILE.search(path)
            return match is not None and match.group(1) not in labels

        return not_entered

    def _wanted(self, declared: Table, columns: Sequence[str] | None) -> list[str]:
        there = declared.lake_schema.names
        for name in columns or ():
            if name not in there:
                raise BadInput(f"Table '{declared.name}' has no column '{name}' in the lake. {nearest(name, there)}")
        return list(there if columns is None else columns)

    def _schema(self, table: str, columns: Sequence[str]) -> pa.Schema:
        whole = self.lake_schema(table)
        return pa.schema([whole.field(name) for name in dict.fromkeys(columns)])


def _reopened(root: Path, buckets: int, own: Mapping[str, Table] | None, pinned: Mapping[str, int] | None) -> Lake:
    return Lake(root, buckets, own or tables(), pinned)

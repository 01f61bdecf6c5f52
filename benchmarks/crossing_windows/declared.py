"""The eleven features of the peers in the engine's own words, and the lake that serves their rows."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from features.catalogue import assemble
from features.declaration import EVER, Feature, Rows, count, days, distinct, share, time_since, window
from records.tables import table as declared

_crossings = Rows("crossings")
_BEFORE_SIX_UTC = (1, 2, 3, 4, 5, 6)  # hours of Tunis, which is an hour ahead in all the years of these rows


ELEVEN = {
    **{f"c{n}": window(count, of=_crossings, per="traveller", last=days(n)) for n in (7, 30, 90, 365)},
    "entries365": window(count, of=_crossings.where(direction="entry"), per="traveller", last=days(365)),
    "night365": window(share(local_hour=_BEFORE_SIX_UTC), of=_crossings, per="traveller", last=days(365)),
    "posts365": window(distinct("post"), of=_crossings, per="traveller", last=days(365)),
    "docs1825": window(distinct("document"), of=_crossings, per="traveller", last=days(1825)),
    "since_last": window(time_since, of=_crossings, per="traveller", last=EVER),
    "n_prior": window(count, of=_crossings, per="traveller", last=EVER),
    "route90": window(count, of=_crossings, per="service", last=days(90)),
}


def _published(feature: Feature) -> Feature:
    """With the texts without which nothing enters a catalogue."""
    said = "Of a benchmark."
    return replace(feature, doc=said, unit="rows", texts=dict.fromkeys(("ar", "fr", "en"), said), group="frequency")


CATALOGUE = assemble({name: _published(feature) for name, feature in ELEVEN.items()}, "crossing")


_at = threading.local()
_OF_EVENT = {"event": "crossing_id", "as_of": "happened_at"}


@dataclass(frozen=True)
class Crossings:
    """A lake of crossings alone, names as numbers: one file of `folder` per person bucket. Nothing was corrected."""

    folder: Path
    buckets: int

    def size(self, table: str) -> int:
        files = self.folder.glob("bucket-*.parquet")
        return sum(pq.ParquetFile(path).metadata.num_rows for path in files) if table == "crossings" else 0

    def history(
        self, table: str, columns: Sequence[str] | None = None, *, buckets: Sequence[int] | None = None
    ) -> pa.Table:
        if table == "crossings":
            numbers = range(self.buckets) if buckets is None else buckets
            rows = pa.concat_tables([self._read(number, columns) for number in numbers])
        else:
            rows = declared(table).lake_schema.empty_table()
            rows = rows if columns is None else rows.select(list(columns))
        instant = pa.timestamp("us", tz="UTC")
        return rows.append_column(pa.field("superseded_at", instant), pa.nulls(rows.num_rows, instant))

    def spine(self, bucket: int, columns: Sequence[str] | None) -> pa.Table:
        """Every crossing of a bucket, as of the moment it happened."""
        wanted = columns or ("event", "subject", "as_of", "service", "direction")
        rows = self._read(bucket, [_OF_EVENT.get(name, name) for name in wanted])
        return rows.rename_columns(list(wanted))

    def _read(self, bucket: int, columns: Sequence[str] | None) -> pa.Table:
        """Each column of a bucket is read once while a thread is at it, for the spine and for the rows alike."""
        path = self.folder / f"bucket-{bucket:05}.parquet"
        wanted = pq.read_schema(path).names if columns is None else list(dict.fromkeys(columns))
        if getattr(_at, "path", None) != path:
            _at.path, _at.held = path, {}
        if lacking := [name for name in wanted if name not in _at.held]:
            read = pq.ParquetFile(path).read(columns=lacking)
            _at.held |= {name: read.column(name) for name in lacking}
        return pa.table({name: _at.held[name] for name in wanted})

"""Versions of one fact that lie in different person buckets, because a correction changed whose fact it is.

Buckets are read one at a time, so a version must learn in its own bucket that another bucket superseded it: each
version leaves an *echo* (a bare row marked `_echo`) in every other bucket that holds the same key. Readers use echoes
to end versions and never return them.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from records.lake import BOOKKEEPING, Lake
from records.schema import Table
from records.staging import Staging
from records.versions import Integers, integers


def find_echoes(lake: Lake, declared: Table, staging: Staging, sequence: int) -> Mapping[int, pa.Table]:
    """Echoes to be written with a staged batch, by bucket, in the shape of staged rows. Usually none."""
    if declared.subject is None or declared.subject in declared.key:
        return {}
    keys, buckets = _staged(staging)
    if not len(keys):
        return {}
    order = np.argsort(keys)
    distinct, starts = np.unique(keys[order], return_index=True)
    lowest = np.minimum.reduceat(buckets[order], starts)
    highest = np.maximum.reduceat(buckets[order], starts)
    moved = [distinct[lowest != highest]]
    for bucket in range(lake.buckets):
        held = integers(lake.scan(declared.name, ["_key"], buckets=[bucket], where=~pc.field("_echo"))["_key"])
        places = np.minimum(np.searchsorted(distinct, held), len(distinct) - 1)
        elsewhere = (lowest[places] != bucket) | (highest[places] != bucket)
        moved.append(held[(distinct[places] == held) & elsewhere])
    wanted = pa.array(np.unique(np.concatenate(moved)), pa.int64())
    return _echoes(lake, declared, staging, wanted, sequence) if len(wanted) else {}


def _staged(staging: Staging) -> tuple[Integers, Integers]:
    keys, buckets = [np.zeros(0, dtype=np.int64)], [np.zeros(0, dtype=np.int64)]
    for bucket in staging.buckets():
        for part in staging.parts(bucket):
            keys.append(integers(part["_key"]))
            buckets.append(np.full(part.num_rows, bucket, dtype=np.int64))
    return np.concatenate(keys), np.concatenate(buckets)


def _echoes(lake: Lake, declared: Table, staging: Staging, wanted: pa.Array, sequence: int) -> Mapping[int, pa.Table]:
    names = [str(declared.subject), "happened_at", "known_at", *BOOKKEEPING.names, "bucket"]
    moved = pc.field("_key").isin(wanted)
    held = lake.scan(declared.name, names, where=moved & ~pc.field("_echo")).to_pylist()
    incoming = [
        {**row, "_sequence": sequence}
        for bucket in staging.buckets()
        for part in staging.parts(bucket)
        for row in part.select(names).filter(moved).to_pylist()
    ]
    homes_before, homes = _homes(held), _homes([*held, *incoming])
    written: defaultdict[int, list[dict[str, object]]] = defaultdict(list)
    for row in incoming:
        for bucket in homes[row["_key"]] - {row["bucket"]}:
            written[bucket].append({**row, "_echo": True})
    for row in held:
        # Homes that the key had before already have this row's echo.
        for bucket in homes[row["_key"]] - homes_before[row["_key"]]:
            written[bucket].append({**row, "_echo": True})
    schema = lake.lake_schema(declared.name)
    return {bucket: pa.Table.from_pylist(rows, schema=schema) for bucket, rows in written.items()}


def _homes(rows: Iterable[Mapping[str, int]]) -> Mapping[int, set[int]]:
    homes: defaultdict[int, set[int]] = defaultdict(set)
    for row in rows:
        homes[row["_key"]].add(row["bucket"])
    return homes

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
import pyarrow.dataset as ds

from records.lake import BOOKKEEPING
from records.schema import Table
from records.staging import Staging
from records.versions import Integers, integers, repeated


def may_move(declared: Table) -> bool:
    """Whether versions of one fact can lie in different buckets: not where the person is part of the key."""
    return declared.subject is not None and declared.subject not in declared.key


def find_echoes(
    declared: Table, staging: Staging, rows: ds.Dataset, held: pa.Table, sequence: int
) -> Mapping[int, pa.Table]:
    """Echoes to be written with a staged batch, by bucket, in the shape of staged rows. Usually none.

    `rows` are those of the whole table, and `held` what it holds of the staged keys (`_key`, `_echo`, `bucket`).
    """
    keys, buckets = staging.keys()
    real = held.filter(pc.invert(held["_echo"]))
    moved = _in_several(
        np.concatenate([keys, integers(real["_key"])]), np.concatenate([buckets, integers(real["bucket"])])
    )
    return _echoes(declared, staging, rows, pa.array(moved, pa.int64()), sequence) if len(moved) else {}


def _in_several(keys: Integers, buckets: Integers) -> Integers:
    """The distinct keys that lie in more than one bucket."""
    places = repeated(keys)
    if not len(places):
        return places
    distinct, starts = np.unique(keys[places], return_index=True)
    lowest = np.minimum.reduceat(buckets[places], starts)
    highest = np.maximum.reduceat(buckets[places], starts)
    several: Integers = distinct[lowest != highest]
    return several


def _echoes(
    declared: Table, staging: Staging, rows: ds.Dataset, wanted: pa.Array, sequence: int
) -> Mapping[int, pa.Table]:
    names = [str(declared.subject), "happened_at", "known_at", *BOOKKEEPING.names, "bucket"]
    moved = pc.field("_key").isin(wanted)
    held = rows.to_table(columns=names, filter=moved & ~pc.field("_echo")).to_pylist()
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
            written[bucket].append({**row, "_echo": True, "bucket": bucket})
    for row in held:
        # Homes that the key had before already have this row's echo.
        for bucket in homes[row["_key"]] - homes_before[row["_key"]]:
            written[bucket].append({**row, "_echo": True, "bucket": bucket})
    return {bucket: pa.Table.from_pylist(echoes, schema=rows.schema) for bucket, echoes in written.items()}


def _homes(rows: Iterable[Mapping[str, int]]) -> Mapping[int, set[int]]:
    homes: defaultdict[int, set[int]] = defaultdict(set)
    for row in rows:
        homes[row["_key"]].add(row["bucket"])
    return homes

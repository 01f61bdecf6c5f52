"""Which rows are versions of one fact, in which order they became known, and which only repeat what was known.

Versions of one key follow each other by `known_at`, and by arrival (sequence of the commit, then row number) where that
is equal. All arrays are one-dimensional and of one length; keys and contents are fingerprints, times microseconds.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa

Integers = npt.NDArray[np.int64]
Mask = npt.NDArray[np.bool_]
_SPREAD = np.int64(0x1E3779B97F4A7C15)  # odd, so different buckets stay different


@dataclass(frozen=True)
class Versions:
    """One version of a fact per position."""

    key: Integers
    known_at: Integers
    sequence: Integers
    row: Integers

    @classmethod
    def of(cls, table: pa.Table) -> Versions:
        """From a table with the lake's bookkeeping columns. Where it has `bucket`, versions of one key that lie in
        different buckets are kept apart: each bucket has echoes of the others."""
        key, *order = (integers(table[name]) for name in ("_key", "known_at", "_sequence", "_row"))
        if "bucket" in table.column_names:
            key = key ^ integers(table["bucket"]) * _SPREAD
        return cls(key, *order)

    def ordered(self, places: Integers) -> Integers:
        """`places` in order of key, known_at and arrival."""
        parts = (self.row[places], self.sequence[places], self.known_at[places], self.key[places])
        return places[np.lexsort(parts)]


def integers(column: pa.ChunkedArray | pa.Array) -> Integers:
    """Whole numbers and times (as microseconds) as int64; a null is 0."""
    plain = column.cast(pa.int64())
    return np.asarray(plain.fill_null(0) if plain.null_count else plain)


def repeated(key: Integers) -> Integers:
    """Places of the keys that occur more than once: few, so that only they need to be put in order."""
    order = np.argsort(key)
    same = key[order[1:]] == key[order[:-1]]
    member = np.zeros(len(key), dtype=np.bool_)
    member[1:] |= same
    member[:-1] |= same
    return order[member]


def last_versions(versions: Versions) -> Mask:
    """Which rows are the last version of their key."""
    last = np.ones(len(versions.key), dtype=np.bool_)
    order = versions.ordered(repeated(versions.key))
    last[order[:-1][versions.key[order[:-1]] == versions.key[order[1:]]]] = False
    return last


def superseded_at(versions: Versions) -> pa.Array:
    """`known_at` of the next version of each row's key (timestamp[us, UTC]); null for the last."""
    next_known = np.zeros(len(versions.key), dtype=np.int64)
    last = np.ones(len(versions.key), dtype=np.bool_)
    order = versions.ordered(repeated(versions.key))
    follows = versions.key[order[:-1]] == versions.key[order[1:]]
    next_known[order[:-1][follows]] = versions.known_at[order[1:][follows]]
    last[order[:-1][follows]] = False
    return pa.array(next_known, pa.int64(), mask=last).cast(pa.timestamp("us", tz="UTC"))


def new_versions(versions: Versions, content: Integers, incoming: Mask) -> Mask:
    """Which incoming rows say something new. The rest are duplicates, of a row held before or of one beside them.

    A row says nothing new if the same content of its key is known at the same moment, or if it repeats the version
    that was current when it became known. So a fact supplied again later is a duplicate, while a correction that is
    taken back is a version of its own.
    """
    new = incoming.copy()
    places = repeated(versions.key)
    if not incoming[places].any():
        return new

    def parts(order: Integers) -> tuple[Integers, Integers]:
        return order[:-1], order[1:]

    exact = places[
        np.lexsort(
            (
                versions.row[places],
                versions.sequence[places],
                content[places],
                versions.known_at[places],
                versions.key[places],
            )
        )
    ]
    before, after = parts(exact)
    same = (
        (versions.key[before] == versions.key[after])
        & (versions.known_at[before] == versions.known_at[after])
        & (content[before] == content[after])
    )
    new[after[same]] = False
    order = versions.ordered(places[new[places] | ~incoming[places]])
    before, after = parts(order)
    new[after[(versions.key[before] == versions.key[after]) & (content[before] == content[after])]] = False
    return new

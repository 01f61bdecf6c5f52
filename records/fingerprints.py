"""64-bit fingerprints of rows, computed in columns: what tells a repeated fact from a corrected one.

A fingerprint is the sum of one hash per value, each salted with its column's name. A null adds nothing, so declaring a
new column leaves the fingerprints of older rows as they were. Two fingerprints (key and content) are always compared
together; they are not secret and not proof against someone who builds collisions on purpose.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

Hashes = npt.NDArray[np.uint64]
_STEP = np.uint64(0x9E3779B97F4A7C15)


def fingerprints(columns: Mapping[str, pa.Array]) -> Hashes:
    """One uint64 per row over the named columns (arrays of one length, in any order of columns)."""
    total: Hashes | None = None
    for name, array in columns.items():
        salt = np.uint64(int.from_bytes(hashlib.blake2b(name.encode(), digest_size=8).digest(), "little"))
        hashes = _mixed(hash_values(array) ^ salt)
        if array.null_count:
            hashes[np.asarray(pc.is_null(array))] = 0
        total = hashes if total is None else total + hashes
    if total is None:
        raise ValueError("A fingerprint needs at least one column.")
    return _mixed(total)


def hash_values(array: pa.Array) -> Hashes:
    """One uint64 per value; the hash of a null is unspecified. Strings, numbers, booleans, days and instants."""
    if pa.types.is_string(array.type):
        return _hash_strings(array)
    if pa.types.is_boolean(array.type):
        plain = array.cast(pa.int64())
    elif pa.types.is_date32(array.type):
        plain = array.cast(pa.int32()).cast(pa.int64())
    elif pa.types.is_timestamp(array.type):
        plain = array.cast(pa.int64())
    elif pa.types.is_floating(array.type):
        plain = pc.add(array, 0.0)  # -0.0 and 0.0 are one number
    else:
        plain = array.cast(pa.int64())
    values = np.asarray(plain.fill_null(0)) if plain.null_count else np.asarray(plain)
    return _mixed(values.view(np.uint64))


def _hash_strings(array: pa.Array) -> Hashes:
    """Eight bytes at a time over all rows at once: as many passes as the longest string has words."""
    rows = len(array)
    _, offset_buffer, data_buffer = array.buffers()
    if rows == 0 or offset_buffer is None:
        return np.zeros(rows, dtype=np.uint64)
    offsets = np.frombuffer(offset_buffer, dtype=np.int32)[array.offset : array.offset + rows + 1].astype(np.int64)
    lengths = np.diff(offsets)
    data = np.zeros(offsets[-1] - offsets[0] + 8, dtype=np.uint8)
    if data_buffer is not None:
        data[:-8] = np.frombuffer(data_buffer, dtype=np.uint8)[offsets[0] : offsets[-1]]
    # A word begins at every byte: an unaligned view with a stride of one.
    words: Hashes = np.ndarray(shape=(len(data) - 7,), dtype="<u8", buffer=data.data, strides=(1,))
    starts = offsets[:-1] - offsets[0]
    hashes = _mixed(lengths.view(np.uint64))
    active = np.flatnonzero(lengths > 0)
    done = 0
    while len(active):
        word = words[starts[active] + done]
        left = np.minimum(lengths[active] - done, 8).astype(np.uint64)
        word &= np.uint64(0xFFFFFFFFFFFFFFFF) >> (np.uint64(64) - left * np.uint64(8))
        hashes[active] = _mixed(hashes[active] * _STEP ^ word)
        done += 8
        active = active[lengths[active] > done]
    return hashes


def _mixed(values: Hashes) -> Hashes:
    """The finaliser of SplitMix64: every bit of the input moves every bit of the output."""
    mixed = values + _STEP
    mixed = (mixed ^ (mixed >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    mixed = (mixed ^ (mixed >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return mixed ^ (mixed >> np.uint64(31))

"""Arrow columns as the numpy arrays that kernels and formulas see."""

from __future__ import annotations

from typing import Final, TypeAlias

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

Ints: TypeAlias = npt.NDArray[np.int64]
Places: TypeAlias = npt.NDArray[np.int32]
Flags: TypeAlias = npt.NDArray[np.bool_]
Numbers: TypeAlias = npt.NDArray[np.float64]
Values: TypeAlias = "Numbers | pa.Array"

NEVER: Final = np.iinfo(np.int64).max
NULL: Final = np.iinfo(np.int64).min


def whole(column: pa.ChunkedArray | pa.Array) -> pa.Array:
    """One array, its strings neither chunked nor dictionary-encoded."""
    array = column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column
    if isinstance(array, pa.ChunkedArray):
        array = pa.concat_arrays(array.chunks) if array.num_chunks else pa.array([], array.type)
    if (
        pa.types.is_dictionary(array.type)
        or pa.types.is_large_string(array.type)
        or pa.types.is_string_view(array.type)
    ):
        return array.cast(pa.string())
    return array


def values(column: pa.ChunkedArray | pa.Array) -> Values:
    """Numbers, booleans, days (since 1970) and instants (microseconds since 1970) as float64 with NaN for null; strings
    as they are."""
    array = whole(column)
    if pa.types.is_string(array.type):
        return array
    if pa.types.is_null(array.type):
        return np.full(len(array), np.nan)
    if pa.types.is_date(array.type):
        array = array.cast(pa.date32()).cast(pa.int32())
    elif pa.types.is_timestamp(array.type):
        array = array.cast(pa.timestamp("us", tz="UTC")).cast(pa.int64())
    return np.asarray(array.cast(pa.float64(), safe=False).to_numpy(zero_copy_only=False), dtype=np.float64)


def instants(column: pa.ChunkedArray | pa.Array) -> Ints:
    """Microseconds since 1970; NEVER for null."""
    if column.null_count == len(column):
        return np.full(len(column), NEVER)
    array = whole(column)
    if pa.types.is_timestamp(array.type):
        array = array.cast(pa.timestamp("us", tz="UTC"))
    plain = array.cast(pa.int64())
    return lent(pc.fill_null(plain, pa.scalar(NEVER, pa.int64())) if plain.null_count else plain)


def lent(array: pa.Array) -> Ints:
    """An Arrow array of int64 without nulls, whose memory is to be read and nothing else.

    Kernels are compiled for memory that may be written; where Arrow lends it to be read, it is copied.
    """
    if not len(array):
        return np.empty(0, np.int64)
    held = np.frombuffer(array.buffers()[1], np.int64, len(array), 8 * array.offset)
    return held if held.flags.writeable else held.copy()


def codes(of: Values) -> tuple[Ints, Values]:
    """Each value's number in ascending order (-1 for null), and the values in that order."""
    if isinstance(of, np.ndarray):
        known = ~np.isnan(of)
        different, number = np.unique(of[known], return_inverse=True)
        numbers = np.full(len(of), -1, np.int64)
        numbers[known] = number.reshape(-1)
        return numbers, different
    encoded = of.dictionary_encode()
    order = pc.sort_indices(encoded.dictionary).to_numpy()
    rank = np.empty(len(order) + 1, np.int64)
    rank[order] = np.arange(len(order))
    rank[-1] = -1
    number = pc.fill_null(encoded.indices, len(order)).to_numpy(zero_copy_only=False)
    return rank[number], encoded.dictionary.take(pa.array(order))

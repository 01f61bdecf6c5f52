"""Columns as cells: one int64 per value, whatever its type, so that kernels and stores know one shape of data.

Two values of a column are equal exactly when their cells are, and cells of numbers, days and instants are in the order
of the values. A text's cell is its 64-bit fingerprint, as in the lake's own keys; its words stay beside it.
"""

from __future__ import annotations

from typing import Final

import numpy as np
import pyarrow as pa

from features.columns import NEVER, NULL, Ints, Numbers, lent, whole
from features.declaration import Value
from records.fingerprints import hash_values

_SIGN: Final = np.int64(NEVER)


def cells(column: pa.ChunkedArray | pa.Array) -> Ints:
    """Cells of an Arrow column; NULL for null."""
    if isinstance(column, pa.ChunkedArray) and column.num_chunks == 1:
        column = column.chunk(0)
    if pa.types.is_dictionary(column.type):
        return _of_dictionary(column if isinstance(column, pa.Array) else column.unify_dictionaries().combine_chunks())
    array = whole(column)
    kind = array.type
    if pa.types.is_floating(kind):
        return of_numbers(np.asarray(array.cast(pa.float64()).to_numpy(zero_copy_only=False), np.float64))
    if pa.types.is_null(kind):
        return np.full(len(array), NULL)
    if pa.types.is_string(kind):
        found = of_texts(array)
    else:
        if pa.types.is_timestamp(kind):
            array = array.cast(pa.timestamp("us", tz=kind.tz)).view(pa.int64())
        elif pa.types.is_date32(kind):
            array = array.view(pa.int32())
        plain = array.cast(pa.int64())
        if not plain.null_count:
            return lent(plain)
        found = np.array(plain.fill_null(0))
    return _with_nulls(found, array)


def _of_dictionary(array: pa.DictionaryArray | pa.ChunkedArray) -> Ints:
    if isinstance(array, pa.ChunkedArray):
        return np.concatenate([_of_dictionary(c) for c in array.chunks] or [np.empty(0, np.int64)])
    of_words = np.append(cells(array.dictionary), NULL)
    return np.asarray(of_words[np.asarray(array.indices.fill_null(len(array.dictionary)))])


def _with_nulls(found: Ints, array: pa.Array) -> Ints:
    if array.null_count:
        found[np.asarray(array.is_null())] = NULL
    return found


def of_texts(texts: pa.Array) -> Ints:
    """Fingerprints; what a null gets is unspecified."""
    found = hash_values(texts).view(np.int64)
    return np.where(found == NULL, NEVER, found)


def of_numbers(numbers: Numbers) -> Ints:
    """Cells in the order of the numbers; -0.0 and 0.0 are one, NaN is null."""
    bits = (numbers + 0.0).view(np.int64)
    ordered = np.where(bits < 0, bits ^ _SIGN, bits)
    return np.where(np.isnan(numbers), NULL, ordered)


def cell(value: Value, *, number: bool = False) -> int:
    """The cell of one value; `number` where its column holds numbers with a fraction."""
    if isinstance(value, str):
        return int(of_texts(pa.array([value]))[0])
    return int(of_numbers(np.array([value], np.float64))[0]) if number else int(value)


def numbers(of: Ints, *, fractions: bool = False) -> Numbers:
    """The values behind cells that are no texts, as float64 with NaN for null."""
    found = np.where(of < 0, of ^ _SIGN, of).view(np.float64) if fractions else of.astype(np.float64)
    found[of == NULL] = np.nan
    return found

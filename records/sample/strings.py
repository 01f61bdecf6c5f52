"""Strings by the million: fixed-width text assembled as bytes and handed to Arrow without a loop over rows."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import pyarrow as pa

Bytes = npt.NDArray[np.uint8]
Integers = npt.NDArray[np.integer]
Mask = npt.NDArray[np.bool_]

# Every number of four digits, as the four bytes that print it.
_QUADS = np.frombuffer("".join(f"{i:04d}" for i in range(10_000)).encode(), dtype=np.uint32)


def digits(values: Integers, width: int) -> Bytes:
    """(n, width) bytes: `values` (not negative) in decimal with leading zeros; higher digits are cut off."""
    quads = -(-width // 4)
    out = np.empty((len(values), quads), dtype=np.uint32)
    rest = values.astype(np.int64, copy=False)
    for i in range(quads - 1, 0, -1):
        higher = rest // 10_000
        out[:, i] = _QUADS.take(rest - higher * 10_000, mode="clip")
        rest = higher
    out[:, 0] = _QUADS.take(rest % 10_000, mode="clip")
    return out.view(np.uint8).reshape(len(values), 4 * quads)[:, 4 * quads - width :]


def scattered(values: Integers, width: int) -> npt.NDArray[np.int64]:
    """Distinct numbers of at most `width` digits for distinct `values` below 10**width: order is lost, nothing else."""
    # An odd multiplier that 5 does not divide is a bijection modulo a power of ten.
    spread = values.astype(np.uint64) * np.uint64(38_654_705_663) + np.uint64(271_828_183)
    return (spread % np.uint64(10**width)).view(np.int64)


def table_of(words: Sequence[str]) -> Bytes:
    """(len(words), width) bytes of ASCII words of one width, to be indexed by row."""
    return np.frombuffer("".join(words).encode("ascii"), dtype=np.uint8).reshape(len(words), -1)


def strings(n: int, *parts: str | Bytes, valid: Mask | None = None) -> pa.Array:
    """Arrow strings of one width: constant text and (n, width) byte tables side by side; null where not `valid`."""
    widths = [len(p) if isinstance(p, str) else p.shape[1] for p in parts]
    width = sum(widths)
    data = np.empty((n, width), dtype=np.uint8)
    at = 0
    for part, w in zip(parts, widths, strict=True):
        data[:, at : at + w] = np.frombuffer(part.encode("ascii"), np.uint8) if isinstance(part, str) else part
        at += w
    offsets = np.arange(0, (n + 1) * width, width, dtype=np.int32) if n else np.zeros(1, np.int32)
    bitmap = None if valid is None else pa.py_buffer(np.packbits(valid, bitorder="little"))
    return pa.Array.from_buffers(pa.string(), n, [bitmap, pa.py_buffer(offsets), pa.py_buffer(data)])


def chosen(index: Integers, words: Sequence[str], valid: Mask | None = None) -> pa.Array:
    """Arrow dictionary array: `words[index]`, null where not `valid`."""
    codes = pa.array(index.astype(np.int16), mask=None if valid is None else ~valid)
    return pa.DictionaryArray.from_arrays(codes, pa.array(words, pa.string()))


def numbers(values: npt.NDArray[np.generic], kind: pa.DataType, valid: Mask | None = None) -> pa.Array:
    """Arrow numbers of type `kind`, null where not `valid`."""
    return pa.array(values, mask=None if valid is None else ~valid).cast(kind)


def instants(seconds: Integers, valid: Mask | None = None) -> pa.Array:
    """Arrow timestamps (microseconds, UTC) from seconds since 1970; null where not `valid`."""
    return pa.array(
        (seconds.astype(np.int64) * 1_000_000).view("datetime64[us]"), mask=None if valid is None else ~valid
    ).cast(pa.timestamp("us", tz="UTC"))


def days(epoch_days: Integers, valid: Mask | None = None) -> pa.Array:
    """Arrow dates from days since 1970; null where not `valid`."""
    return pa.array(epoch_days.astype(np.int32), mask=None if valid is None else ~valid).cast(pa.date32())

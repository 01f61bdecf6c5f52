"""Keyed pseudonyms: what stands in the lake where a direct identifier was.

A pseudonym is `<key id>.<22 characters>`: HMAC-SHA-256 under the pseudonym key, cut to 16 bytes, in URL-safe base64.
Its message names the domain ("person", "document", "sponsor", ...), so that equal numbers of different kinds do not
meet, and which alternative was used; within a domain the same identifier gives the same pseudonym in every table.
The key id makes a change of keys visible: a re-keying table translates old values, and nothing has to be guessed.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from records.digits import western_digits
from records.fingerprints import hash_values
from records.keys import Key
from records.schema import Pseudonym

_KEPT_BYTES = 16
_TEXT_LENGTH = 22
_SEPARATOR = "\x1f"  # a control character, which `canonical` takes out of every identifier
_ALPHABET = np.frombuffer(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_", dtype=np.uint8)


def canonical(identifiers: pa.Array) -> pa.Array:
    """Identifiers in the one spelling that is hashed: no blanks or control characters, western digits, capitals.

    An identifier without any character left is null.
    """
    spelled = pc.utf8_upper(western_digits(identifiers))
    spelled = pc.replace_substring_regex(spelled, pattern=r"[\s\pZ\pC]+", replacement="")
    return pc.if_else(pc.equal(spelled, ""), pa.scalar(None, pa.string()), spelled)


def pseudonymise(columns: Mapping[str, pa.Array], pseudonym: Pseudonym, key: Key) -> pa.Array:
    """The pseudonym of each row: of the first alternative whose columns are all present, null where none is.

    `columns` holds string arrays of one length by name; a column that it lacks counts as null throughout. Only
    distinct identifiers are hashed.
    """
    rows = len(next(iter(columns.values())))
    result = pa.nulls(rows, pa.string())
    for number, alternative in enumerate(pseudonym.alternatives):
        if any(name not in columns for name in alternative):
            continue
        parts = [canonical(columns[name]) for name in alternative]
        message = parts[0] if len(parts) == 1 else pc.binary_join_element_wise(*parts, _SEPARATOR)
        wanted = pc.if_else(pc.is_null(result), message, pa.scalar(None, pa.string()))
        if wanted.null_count == rows:
            continue
        encoded = wanted.dictionary_encode()
        prefix = f"{pseudonym.domain}{_SEPARATOR}{number}{_SEPARATOR}".encode()
        values = _values(encoded.dictionary.to_pylist(), prefix, key)
        result = pc.coalesce(result, values.take(encoded.indices))
    return result


def bucket_of(subjects: pa.Array, buckets: int) -> npt.NDArray[np.int32]:
    """The person bucket, 0 to `buckets` - 1, of each pseudonym; null lies in bucket 0."""
    folded = (hash_values(subjects) % np.uint64(buckets)).astype(np.int32)
    if subjects.null_count:
        folded[np.asarray(pc.is_null(subjects))] = 0
    return folded


def _keyed_digest(secret: bytes) -> Callable[[bytes], bytes]:
    """HMAC-SHA-256 (RFC 2104) under one key. Hashing the two pads once makes it twice as fast as `hmac.digest`."""
    padded = secret.ljust(64, b"\0")
    inner = hashlib.sha256(bytes(byte ^ 0x36 for byte in padded)).copy
    outer = hashlib.sha256(bytes(byte ^ 0x5C for byte in padded)).copy

    def digest(message: bytes) -> bytes:
        first, second = inner(), outer()
        first.update(message)
        second.update(first.digest())
        return second.digest()

    return digest


def _values(messages: list[str], prefix: bytes, key: Key) -> pa.Array:
    digest = _keyed_digest(key.secret)
    digests = b"".join(digest(prefix + message.encode())[:_KEPT_BYTES] for message in messages)
    padded = np.zeros((len(messages), 18), dtype=np.uint32)
    padded[:, :_KEPT_BYTES] = np.frombuffer(digests, dtype=np.uint8).reshape(-1, _KEPT_BYTES)
    triples = padded.reshape(len(messages), 6, 3)
    whole = (triples[:, :, 0] << 16) | (triples[:, :, 1] << 8) | triples[:, :, 2]
    sixes = np.stack([(whole >> shift) & 63 for shift in (18, 12, 6, 0)], axis=2).reshape(len(messages), 24)
    lead = np.frombuffer(f"{key.id}.".encode(), dtype=np.uint8)
    width = len(lead) + _TEXT_LENGTH
    text = np.empty((len(messages), width), dtype=np.uint8)
    text[:, : len(lead)] = lead
    text[:, len(lead) :] = _ALPHABET[sixes[:, :_TEXT_LENGTH]]
    offsets = np.arange(len(messages) + 1, dtype=np.int32) * np.int32(width)
    return pa.StringArray.from_buffers(len(messages), pa.py_buffer(offsets), pa.py_buffer(text))

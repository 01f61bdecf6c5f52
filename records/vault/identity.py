"""Identity attributes of persons, and issuers of documents: every version that was ever stated, encrypted."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from functools import cache
from operator import itemgetter
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import sqlalchemy as sa

from records.errors import BadInput
from records.schema import Place, Type
from records.tables import tables
from records.vault.cipher import Cipher
from records.vault.storage import DOCUMENTS, IDENTITIES, among, upsert

Instants = npt.NDArray[np.int64]


@cache
def attribute_types() -> Mapping[str, Type]:
    """Every attribute a declared table keeps in the vault, and its type."""
    return {c.name: c.type for t in tables().values() for c in t.columns if c.place is Place.VAULT}


def put_identities(engine: sa.Engine, cipher: Cipher, rows: pa.Table, batch: str) -> None:
    """Keep what `rows` say of persons: `subject`, `known_at` and any attributes; a null says nothing.

    Another value for the same person, attribute and known_at replaces the earlier one; the same again changes nothing.
    """
    names = [n for n in rows.column_names if n not in ("subject", "known_at")]
    _check_names(names)
    subjects, known = rows["subject"].to_pylist(), instants(rows["known_at"])
    # The last statement of a batch on one place stands, and the database is asked to write each place once.
    fields: dict[tuple[str, str, int], bytes] = {}
    for name in names:
        for subject, at, value in zip(subjects, known.tolist(), _written(rows[name]), strict=True):
            if value is not None:
                fields[subject, name, at] = value
    sealed: dict[str, Sequence[Any]] = {
        "subject": [subject for subject, _, _ in fields],
        "name": [name for _, name, _ in fields],
        "known_at": [at for _, _, at in fields],
        "value": [cipher.seal((s, n, str(at)), value) for (s, n, at), value in fields.items()],
        "batch": [batch] * len(fields),
    }
    upsert(engine, IDENTITIES, sealed, replace=("value", "batch"), when="differs")


def put_documents(engine: sa.Engine, cipher: Cipher, rows: pa.Table, batch: str) -> None:
    """Keep who issued each `document` (`document_issuer`) and when it was last known (`known_at`), nulls left out."""
    seen = rows.select(["document", "document_issuer", "known_at"]).drop_null()
    each = seen.group_by("document").aggregate([("document_issuer", "min"), ("known_at", "max")])
    documents, issuers = each["document"].to_pylist(), each["document_issuer_min"].to_pylist()
    sealed: dict[str, Sequence[Any]] = {
        "document": documents,
        "issuer": [cipher.seal(("document", d), issuer.encode()) for d, issuer in zip(documents, issuers, strict=True)],
        "last_known_at": instants(each["known_at_max"]).tolist(),
        "batch": [batch] * len(documents),
    }
    upsert(engine, DOCUMENTS, sealed, replace=("last_known_at",), when="later")


def attribute(engine: sa.Engine, cipher: Cipher, subjects: pa.Array, name: str, at: Instants | None = None) -> pa.Array:
    """The attribute `name` of each subject, in their order; null where nothing is known.

    Without `at`: the newest version. With it (microseconds, one per subject): the newest version known by then, or the
    earliest where the person became known later, because the document in the officer's hand already said it.
    """
    _check_names([name])
    distinct, codes = _distinct(subjects)
    position = {subject: code for code, subject in enumerate(distinct)}
    query = sa.select(IDENTITIES.c.subject, IDENTITIES.c.known_at, IDENTITIES.c.value).where(
        IDENTITIES.c.name == name, among(engine, IDENTITIES.c.subject, distinct)
    )
    with engine.connect() as connection:
        found = [(position[s], known, value) for s, known, value in connection.execute(query).all()]
    found.sort(key=itemgetter(0, 1))
    chosen = _versions(
        np.array([v[0] for v in found], dtype=np.int64), np.array([v[1] for v in found], dtype=np.int64), codes, at
    )
    opened = {
        i: cipher.open((distinct[found[i][0]], name, str(found[i][1])), found[i][2]).decode()
        for i in np.flatnonzero(np.bincount(chosen[chosen >= 0])).tolist()
    }
    return _typed([opened.get(i) for i in chosen.tolist()], attribute_types()[name])


def issuers(engine: sa.Engine, cipher: Cipher, documents: pa.Array) -> pa.Array:
    """Who issued each document, in their order; null where unknown."""
    distinct, codes = _distinct(documents)
    query = sa.select(DOCUMENTS.c.document, DOCUMENTS.c.issuer).where(among(engine, DOCUMENTS.c.document, distinct))
    with engine.connect() as connection:
        sealed = connection.execute(query).all()
    found = {document: cipher.open(("document", document), issuer).decode() for document, issuer in sealed}
    values = [found.get(document) for document in distinct]
    return pa.array([values[code] if code >= 0 else None for code in codes.tolist()], type=pa.string())


def instants(moments: pa.Array | pa.ChunkedArray) -> Instants:
    """Timestamps with a zone as microseconds since 1970. BadInput if any is missing."""
    if moments.null_count:
        raise BadInput(
            "A moment is missing. Each row needs its known_at (or at), so that later facts do not leak back."
        )
    whole = moments.cast(pa.timestamp("us", tz="UTC")).cast(pa.int64())
    return np.asarray(whole.to_numpy(), dtype=np.int64)


def _check_names(names: Sequence[str]) -> None:
    unknown = [n for n in names if n not in attribute_types()]
    if unknown:
        raise BadInput(
            f"The vault keeps no attribute {', '.join(unknown)}. It keeps: {', '.join(sorted(attribute_types()))}. "
            "Declare the column with place=Place.VAULT in records/tables first."
        )


def _versions(version_codes: Instants, version_times: Instants, codes: Instants, at: Instants | None) -> Instants:
    """Index of the version that answers each question, -1 for none. Versions are sorted by code, then time.

    Times are replaced by their rank, so that (code, time) fits one integer and a single search answers all questions.
    """
    if not len(version_codes):
        return np.full(len(codes), -1, dtype=np.int64)
    times = np.unique(version_times)
    rank = np.searchsorted(times, version_times)
    asked = np.full(len(codes), len(times) - 1) if at is None else np.searchsorted(times, at, side="right") - 1
    width = len(times) + 1
    last = np.searchsorted(version_codes * width + rank + 1, codes * width + asked + 1, side="right") - 1
    first = np.searchsorted(version_codes, codes)
    known = (first < len(version_codes)) & (version_codes[np.minimum(first, len(version_codes) - 1)] == codes)
    return np.where(known, np.maximum(last, first), -1)


def _distinct(values: pa.Array | pa.ChunkedArray) -> tuple[list[str], Instants]:
    """The distinct values that are there, and for each value its position among them (-1 for null)."""
    combined = values.combine_chunks() if isinstance(values, pa.ChunkedArray) else values
    encoded = pc.dictionary_encode(combined.cast(pa.string()))
    codes = pc.fill_null(encoded.indices, -1).to_numpy(zero_copy_only=False).astype(np.int64)
    return encoded.dictionary.to_pylist(), codes


def _written(column: pa.ChunkedArray) -> list[bytes | None]:
    values: list[Any] = column.to_pylist()
    return [None if v is None else (v.isoformat() if isinstance(v, date) else str(v)).encode() for v in values]


def _typed(values: list[str | None], type: Type) -> pa.Array:
    return pa.array(values, type=pa.string()).cast(type.arrow)

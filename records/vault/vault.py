"""The one handle on the vault. Every call is one transaction, so a crash leaves all of it or nothing."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from types import TracebackType
from typing import Self

import pyarrow as pa
import pyarrow.compute as pc
import sqlalchemy as sa

from records.errors import BadInput
from records.keys import Keys
from records.vault import gates, identity, rejected
from records.vault.cipher import Cipher
from records.vault.storage import DOCUMENTS, IDENTITIES, SEALS, connect, micros, upsert


@dataclass(frozen=True)
class Retired:
    """How many rows `Vault.retire` deleted."""

    identities: int
    documents: int
    rejected: int


class Vault:
    """Open with `Vault.open`; close after use, or use it in a `with` statement."""

    def __init__(self, engine: sa.Engine, identities: Cipher, rejected_rows: Cipher, zone: str) -> None:
        self._engine = engine
        self._identities = identities
        self._rejected = rejected_rows
        self._zone = zone

    @classmethod
    def open(cls, url: str, keys: Keys, *, zone: str = "Africa/Tunis", read_only: bool = False) -> Self:
        """The vault at `url` (SQLite or PostgreSQL), made on first use.

        With `read_only` the database itself refuses every change, and the account at `url` needs to read `identities`
        and `seals` alone. BadInput if the address cannot be used, the vault was written with other keys, or is to be
        read before it was made or by an account that may not.
        """
        identities, rejected_rows = Cipher(keys.vault, "identities"), Cipher(keys.rejected, "rejected")
        engine = connect(url, read_only=read_only)
        try:
            if read_only:
                _check_readable(engine)
            _check_seal(engine, identities, "identities", made=read_only)
            if not read_only:
                _check_seal(engine, rejected_rows, "rejected")
        except BadInput:
            engine.dispose()
            raise
        return cls(engine, identities, rejected_rows, zone)

    def close(self) -> None:
        self._engine.dispose()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def put_identities(self, rows: pa.Table, *, batch: str = "") -> None:
        """Keep identity attributes. `rows`: subject, known_at and any columns declared with place VAULT.

        Every version is kept by its known_at; a null says nothing; the same rows again change nothing.
        """
        identity.put_identities(self._engine, self._identities, rows, batch)

    def put_documents(self, rows: pa.Table, *, batch: str = "") -> None:
        """Keep who issued documents. `rows`: document, document_issuer, known_at; rows with a null are left out."""
        identity.put_documents(self._engine, self._identities, rows, batch)

    def attributes(self, subjects: pa.Array, names: Sequence[str], *, at: datetime | None = None) -> pa.Table:
        """`subject` as given and a column per name, in the order of `subjects`; null where unknown.

        The newest version, or that of the moment `at`. BadInput for a name the vault does not keep.
        """
        moments = (
            None if at is None else identity.instants(pa.array([at] * len(subjects), pa.timestamp("us", tz="UTC")))
        )
        columns = {name: identity.attribute(self._engine, self._identities, subjects, name, moments) for name in names}
        return pa.table({"subject": subjects, **columns})

    def gates(
        self,
        subjects: pa.Array,
        documents: pa.Array,
        document_types: pa.Array,
        permit_files: pa.Array,
        at: pa.Array,
    ) -> gates.Gates:
        """Regime and under_18 of each row at its moment `at` (timestamp with a zone). All arrays have one length."""
        subjects, documents, document_types, permit_files, at = (
            column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column
            for column in (subjects, documents, document_types, permit_files, at)
        )
        moments, days = identity.instants(at), gates.local_days(at, self._zone)
        stated = identity.attribute(self._engine, self._identities, subjects, "nationality", moments)
        born = identity.attribute(self._engine, self._identities, subjects, "birth_date", moments)
        asked = gates.telling_documents(stated, documents, document_types)
        nationality = pc.coalesce(stated, identity.issuers(self._engine, self._identities, asked))
        return gates.Gates(
            regime=gates.regime(nationality, document_types, permit_files, days),
            under_18=gates.under_18(born, days),
        )

    def put_rejected(
        self, batch: str, rows: Sequence[int], raw: Sequence[bytes], *, at: datetime | None = None
    ) -> None:
        """Keep the raw content of quarantined rows by row number, until 90 days after `at` (now)."""
        rejected.put(self._engine, self._rejected, batch, rows=rows, raw=raw, at=at or datetime.now(UTC))

    def rejected(self, batch: str, *, at: datetime | None = None) -> pa.Table:
        """Rows of a batch kept at `at` (now): row (int64), raw (binary), kept_until, by row number."""
        return rejected.fetch(self._engine, self._rejected, batch, at or datetime.now(UTC))

    def rejected_batches(self, *, at: datetime | None = None) -> pa.Table:
        """Batches with rows kept at `at` (now): batch, rows, kept_until of the first to go."""
        return rejected.batches(self._engine, at or datetime.now(UTC))

    def delete_rejected(self, batch: str, rows: Sequence[int] | None = None) -> int:
        """Delete rows of a batch, all without `rows`; how many there were."""
        return rejected.delete(self._engine, batch, rows)

    def retire(self, before: datetime, *, keep: Collection[str] = (), now: datetime | None = None) -> Retired:
        """Delete versions known before `before`, documents not seen since, and raw rows past their 90 days.

        `keep` names subjects and documents under a legal hold: nothing of theirs is deleted.
        """
        limit = micros(before)
        with self._engine.begin() as connection:
            held = sorted(keep)
            identities = connection.execute(
                sa.delete(IDENTITIES).where(IDENTITIES.c.known_at < limit, IDENTITIES.c.subject.not_in(held))
            ).rowcount
            documents = connection.execute(
                sa.delete(DOCUMENTS).where(DOCUMENTS.c.last_known_at < limit, DOCUMENTS.c.document.not_in(held))
            ).rowcount
            raw_rows = rejected.expire(connection, now or datetime.now(UTC))
        return Retired(identities, documents, raw_rows)


def _check_readable(engine: sa.Engine) -> None:
    try:
        with engine.connect() as connection:
            for table in (IDENTITIES, SEALS):
                connection.execute(sa.select(table).limit(0))
    except sa.exc.DBAPIError as error:
        raise BadInput(
            f"The vault cannot be read by this account: {error.orig}. Once travellers were taken in, grant the account "
            "what docs/databases.md lists."
        ) from error


def _check_seal(engine: sa.Engine, cipher: Cipher, purpose: str, *, made: bool = False) -> None:
    """The first opening leaves a seal under its key, unless the vault must be `made` already; every later one must be
    able to open it."""
    seal = cipher.seal(("seal", purpose), b"basira")
    with engine.connect() as connection:
        there = connection.execute(sa.select(SEALS.c.seal).where(SEALS.c.purpose == purpose)).scalar()
    if there is None and made:
        raise BadInput("This vault was never written to, so there is nothing to read. Take travellers in first.")
    if there is None:
        upsert(engine, SEALS, {"purpose": [purpose], "seal": [seal]}, replace=("purpose",), when="differs")
        with engine.connect() as connection:
            there = connection.execute(sa.select(SEALS.c.seal).where(SEALS.c.purpose == purpose)).scalar_one()
    if there != seal:
        raise BadInput(
            f"This vault was written with another key for {purpose} than '{cipher.key_id}' given now. Nothing "
            "in it can be read with this one. Restore the key it was made with."
        )

"""What a supplied row passes on its way in: names, types, reasons, pseudonyms, staging.

One `Door` serves one batch. `take` chunk after chunk, then `close`: nothing outside the staging folder is touched
before `close`, so a file that breaks half-way leaves nothing behind. Identity attributes and raw rejected rows wait
sealed, and go to the vault only.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from records.batches import Draft, put_in, with_bookkeeping
from records.keys import Keys
from records.lake import QUARANTINE_SCHEMA, Lake
from records.mapping import SupplyMapping
from records.pseudonyms import pseudonymise
from records.readers import Chunk, Malformed
from records.receipts import Receipt
from records.schema import Place, Table
from records.staging import SealedSpool, Staging
from records.validation import REASONS, Mask, check, check_names, missing_identifiers, reasons
from records.vault import Vault
from records.versions import Integers

_SPILL_REASONS = 1 << 17
_DOCUMENTS_AT_ONCE = 1 << 20


class Door:
    """The way in of one batch. BadInput from `take` means that the whole batch is refused."""

    def __init__(
        self,
        declared: Table,
        mapping: SupplyMapping,
        batch: str,
        folder: Path,
        *,
        lake: Lake,
        vault: Vault,
        keys: Keys,
        source: str,
        retry_of: str | None = None,
    ) -> None:
        self._declared = declared
        self._mapping = mapping
        self._lake = lake
        self._vault = vault
        self._keys = keys
        self._folder = folder
        self._names: list[str] | None = None
        self._reasons: list[pa.Table] = []
        self._identities = SealedSpool(folder / "identities")
        self._documents = SealedSpool(folder / "documents")
        self._raw = SealedSpool(folder / "raw")
        staging = Staging(folder / "rows", lake.buckets)
        self.draft = Draft(declared, batch, staging, source=source, retry_of=retry_of)

    def take(self, chunk: Chunk) -> None:
        """Validate, pseudonymise and stage the rows of a chunk; set the failing ones aside with every reason."""
        if chunk.rows.column_names != self._names:
            check_names(self._declared, self._mapping, chunk.rows.column_names, complete=self._names is None)
            self._names = chunk.rows.column_names
        self.draft.rows += chunk.rows.num_rows + len(chunk.malformed)
        checked = check(self._declared, self._mapping, chunk.rows)
        columns = {**checked.columns, **self._pseudonyms(checked.columns)}
        checked.problems.extend(missing_identifiers(self._declared, columns))
        bad = checked.bad(chunk.rows.num_rows)
        if bad.any() or chunk.malformed:
            self._set_aside(chunk, bad, reasons(checked.problems, chunk.numbers))
        if chunk.rows.num_rows == 0 or bad.all():
            return
        supplied = pa.table(columns)
        numbers = chunk.numbers
        if bad.any():
            supplied, numbers = supplied.filter(pa.array(~bad)), numbers[~bad]
        self._stage(supplied, numbers)
        self._keep_identities(supplied)

    def close(self) -> Receipt:
        """Bring identities, documents and raw rejected rows to the vault, then the staged rows to the lake."""
        batch = self.draft.batch
        for content in self._identities:
            self._vault.put_identities(_unpacked(content), batch=batch)
        waiting: list[pa.Table] = []
        for content in self._documents:
            waiting.append(_unpacked(content))
            if sum(table.num_rows for table in waiting) >= _DOCUMENTS_AT_ONCE:
                self._vault.put_documents(_latest(waiting), batch=batch)
                waiting = []
        if waiting:
            self._vault.put_documents(_latest(waiting), batch=batch)
        for content in self._raw:
            rows = _unpacked(content)
            self._vault.put_rejected(batch, rows["row"].to_pylist(), rows["raw"].to_pylist())
        self._spill_reasons()
        gated = any(column.gate for column in self._declared.columns)
        return put_in(self._lake, self.draft, self._fill_gates if gated else None)

    def _pseudonyms(self, columns: dict[str, pa.Array]) -> dict[str, pa.Array]:
        return {
            column.name: pseudonymise(columns, column.pseudonym, self._keys.pseudonym)
            for column in self._declared.columns
            if column.pseudonym is not None
        }

    def _stage(self, supplied: pa.Table, numbers: Integers) -> None:
        lake_columns = {
            column.name: pa.nulls(supplied.num_rows, column.type.arrow) if column.gate else supplied[column.name]
            for column in self._declared.lake_columns
        }
        rows = pa.table(lake_columns)
        self.draft.staging.add(with_bookkeeping(self._declared, rows, numbers, self.draft.batch, self._lake.buckets))

    def _keep_identities(self, supplied: pa.Table) -> None:
        attributes = [c.name for c in self._declared.columns if c.place is Place.VAULT]
        if set(attributes) - {"document_issuer"} and self._declared.subject:
            self._identities.add(_packed(supplied.select([self._declared.subject, "known_at", *attributes])))
        if "document" in supplied.column_names and "document_issuer" in attributes:
            seen = supplied.select(["document", "document_issuer", "known_at"]).drop_null()
            if seen.num_rows:
                self._documents.add(_packed(_latest([seen])))

    def _set_aside(self, chunk: Chunk, bad: Mask, found: pa.Table) -> None:
        malformed = {
            "row": pa.array([m.number for m in chunk.malformed], pa.int64()),
            "column": pa.nulls(len(chunk.malformed), pa.string()),
            "code": pa.array([m.code for m in chunk.malformed], pa.string()),
            "seen": pa.nulls(len(chunk.malformed), pa.string()),
        }
        found = pa.concat_tables([found, pa.table(malformed, schema=REASONS)])
        for row in found.group_by(["column", "code"]).aggregate([([], "count_all")]).to_pylist():
            name = row["code"] if row["column"] is None else f"{row['column']}: {row['code']}"
            self.draft.reasons[name] += row["count_all"]
        self.draft.quarantined += int(bad.sum()) + len(chunk.malformed)
        self._reasons.append(found)
        if sum(table.num_rows for table in self._reasons) >= _SPILL_REASONS:
            self._spill_reasons()
        numbers = [*chunk.numbers[bad].tolist(), *(m.number for m in chunk.malformed)]
        raw = [*_raw_rows(chunk.rows.filter(pa.array(bad))), *(_raw_line(m.text, m.code) for m in chunk.malformed)]
        self._raw.add(_packed(pa.table({"row": pa.array(numbers, pa.int64()), "raw": pa.array(raw, pa.binary())})))

    def _spill_reasons(self) -> None:
        if not self._reasons:
            return
        found = pa.concat_tables(self._reasons)
        self._reasons = []
        batch = pa.repeat(pa.scalar(self.draft.batch), found.num_rows)
        table = pa.repeat(pa.scalar(self._declared.name), found.num_rows)
        columns = {"batch": batch, "table": table, **{name: found[name] for name in REASONS.names}}
        path = self._folder / f"rejected-{len(self.draft.rejected)}.parquet"
        pq.write_table(pa.table(columns, schema=QUARANTINE_SCHEMA).sort_by("row"), path, compression="zstd")
        self.draft.rejected.append(path)

    def _fill_gates(self, rows: pa.Table) -> pa.Table:
        def column(name: str) -> pa.Array:
            return rows[name] if name in rows.column_names else pa.nulls(rows.num_rows, pa.string())

        subject, document, document_type, permit_file = (
            column(name) for name in ("subject", "document", "document_type", "permit_file")
        )
        computed = self._vault.gates(subject, document, document_type, permit_file, rows["happened_at"])
        for declared in self._declared.columns:
            if declared.gate is not None:
                place = rows.schema.get_field_index(declared.name)
                rows = rows.set_column(place, declared.name, getattr(computed, declared.gate.name))
        return rows


def _latest(seen: list[pa.Table]) -> pa.Table:
    """Each document and issuer once, with the latest known_at."""
    grouped = pa.concat_tables(seen).group_by(["document", "document_issuer"]).aggregate([("known_at", "max")])
    return grouped.rename_columns(["document", "document_issuer", "known_at"])


def raw_chunk(rejected: pa.Table) -> Chunk:
    """The chunk that rows set aside once made: from `row` (int64) and `raw` (binary), as the vault returns them."""
    objects: list[dict[str, Any]] = []
    numbers: list[int] = []
    malformed: list[Malformed] = []
    for number, raw in zip(rejected["row"].to_pylist(), rejected["raw"].to_pylist(), strict=True):
        said = json.loads(raw)
        if "line" in said:
            malformed.append(Malformed(number, said["line"], said["code"]))
        else:
            objects.append(said["columns"])
            numbers.append(number)
    names = list(dict.fromkeys(name for row in objects for name in row))
    columns = {name: pa.array([row.get(name) for row in objects], pa.string()) for name in names}
    return Chunk(pa.table(columns), np.array(numbers, dtype=np.int64), tuple(malformed))


def _raw_rows(rows: pa.Table) -> list[bytes]:
    """Each row as JSON of its columns as text, under the supplier's names."""
    texts = pa.table({name: pc.cast(rows[name], pa.string()) for name in rows.column_names})
    return [json.dumps({"columns": row}, ensure_ascii=False).encode() for row in texts.to_pylist()]


def _raw_line(text: str, code: str) -> bytes:
    return json.dumps({"line": text, "code": code}, ensure_ascii=False).encode()


def _packed(rows: pa.Table) -> bytes:
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, rows.schema) as writer:
        writer.write_table(rows)
    return bytes(sink.getvalue())


def _unpacked(content: bytes) -> pa.Table:
    return pa.ipc.open_stream(content).read_all()

"""The data dictionary, from the declarations; `make docs` writes it to `docs/data-dictionary.md`."""

from __future__ import annotations

from collections.abc import Mapping

from records.schema import Column, Place, Table
from records.tables import tables
from records.validation import CODES

_PLACES = {Place.LAKE: "lake", Place.VAULT: "identity vault", Place.DOOR: "nowhere: ends at the door"}


def data_dictionary(declarations: Mapping[str, Table] | None = None) -> str:
    """Markdown that describes every declared table and column, and every reason for which a row is quarantined."""
    declared = declarations or tables()
    parts = [
        "# Data dictionary",
        "Made from the declarations in `records/tables`; do not edit it. `make docs` writes it again.",
        "Times are instants in UTC; days are local. *Made* columns are computed on the way in and are not supplied. "
        "Tiers: *free* may be used; *restricted* decides which rule applies or protects, and enters no model; "
        "*prohibited* is who someone is, and is joined to outcomes for audit only.",
        *(_table(table) for table in declared.values()),
        "## Reasons for quarantine",
        _grid(("code", "meaning"), [(f"`{code}`", meaning) for code, meaning in CODES.items()]),
    ]
    return "\n\n".join(parts) + "\n"


def _table(table: Table) -> str:
    kept = "kept" if table.retention_days is None else f"{table.retention_days:,} days after it happened"
    facts = f"Key: {', '.join(f'`{k}`' for k in table.key)}. Retention: {kept}."
    header = ("column", "type", "required", "meaning", "values", "tier", "personal data", "held in")
    return f"## {table.name}\n\n{table.meaning}.\n\n{facts}\n\n" + _grid(header, [_row(c) for c in table.columns])


def _row(column: Column) -> tuple[str, ...]:
    meaning = column.meaning
    if column.pseudonym is not None:
        ways = " or else ".join(" with ".join(f"`{n}`" for n in names) for names in column.pseudonym.alternatives)
        meaning += f" (made from {ways})"
    if column.gate is not None:
        meaning += f" (made in the vault under {column.gate.article})"
    kind = column.type.value if column.unit is None else f"{column.type.value}, {column.unit}"
    required = "yes" if column.required else ""
    return (
        f"`{column.name}`",
        kind,
        required,
        meaning,
        _values(column),
        column.tier.value,
        column.personal.value,
        _PLACES[column.place],
    )


def _values(column: Column) -> str:
    if column.values is not None:
        return ", ".join(column.values)
    if column.minimum is not None and column.maximum is not None:
        return f"{column.minimum:g} to {column.maximum:g}"
    if column.minimum is not None:
        return f"from {column.minimum:g}"
    return "" if column.maximum is None else f"to {column.maximum:g}"


def _grid(header: tuple[str, ...], rows: list[tuple[str, ...]]) -> str:
    lines = [header, tuple("---" for _ in header), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)

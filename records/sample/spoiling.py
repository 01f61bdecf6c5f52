"""Rows that must not get in: bad rows of each kind, planted in known numbers and named by the reason they fail for."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import pyarrow as pa
import pyarrow.compute as pc

from records.sample.deliveries import csv_lines
from records.sample.findings import json_lines

Change = tuple[str, Callable[[pa.Table], pa.Array]]


def _constant(column: str, value: str | int | float | None) -> Change:
    def spoil(rows: pa.Table) -> pa.Array:
        plain = rows[column].type
        plain = plain.value_type if pa.types.is_dictionary(plain) else plain
        return pa.array([value] * rows.num_rows, plain)

    return column, spoil


# Table → reason as the door names it → the columns it spoils. A row gets one reason only.
CROSSINGS: Mapping[str, tuple[Change, ...]] = {
    "missing": (_constant("post", None),),
    "not_in_list": (_constant("direction", "transit"),),
    "below_minimum": (_constant("party_size", 0),),
    "above_maximum": (_constant("declared_stay_days", 9_999),),
    "no_identifier": (_constant("unified_number", None), _constant("document_number", None)),
}
TRAVELLERS: Mapping[str, tuple[Change, ...]] = {
    "not_in_list": (_constant("sex", "?"),),
    "no_identifier": (_constant("unified_number", None), _constant("document_number", None)),
}
ALERTS: Mapping[str, tuple[Change, ...]] = {
    "missing": (_constant("article", None),),
    "not_in_list": (_constant("kind", "rumour"),),
}
# The lines of text supplies: field by position, what stands there instead.
PERMIT_FIELDS: Mapping[str, tuple[int, str]] = {
    "not_a_day": (9, "32/13/2025"),
    "not_in_list": (5, "ضائع"),
    "missing": (6, ""),
    "below_minimum": (11, "-3"),
    "not_a_number": (11, "كثير"),
}
CHECK_TEXTS: Mapping[str, tuple[str, str]] = {
    "no_zone": ("+01:00", ""),
    "not_an_instant": ('"fait_le": "', '"fait_le": "le '),
    "not_in_list": ('"objet": "', '"objet": "autre '),
}


def spoiled(rows: pa.Table, kinds: Mapping[str, tuple[Change, ...]], each: int, key: str) -> pa.Table:
    """`each` rows of `rows` per kind, spoiled accordingly, with values of their own in the column `key`."""
    parts = []
    for number, (name, changes) in enumerate(kinds.items()):
        part = rows.slice(number * each, each)
        for column, change in changes:
            part = part.set_column(part.column_names.index(column), column, _like(rows, column, change(part)))
        marks = pa.array([f"bad-{name}-{i}" for i in range(part.num_rows)])
        if key not in dict(changes):
            part = part.set_column(part.column_names.index(key), key, marks)
        parts.append(part)
    return pa.concat_tables(parts)


def _like(rows: pa.Table, column: str, values: pa.Array) -> pa.Array:
    kind = rows[column].type
    if not pa.types.is_dictionary(kind):
        return values
    return pa.DictionaryArray.from_arrays(
        pc.dictionary_encode(values).indices.cast(kind.index_type), pc.dictionary_encode(values).dictionary
    )


def permit_lines(rows: pa.Table, each: int) -> str | None:
    """Lines of the Windows-1256 delivery, `each` per kind in PERMIT_FIELDS, and as many with a field too many.

    None where `rows` are too few to spoil.
    """
    if rows.num_rows < each * (len(PERMIT_FIELDS) + 1):
        return None
    lines = csv_lines(rows).splitlines()
    out = []
    for number, (place, text) in enumerate(PERMIT_FIELDS.values()):
        for i, line in enumerate(lines[number * each : (number + 1) * each]):
            fields = line.split(";")
            fields[4] = f"BAD{number}{i}"
            fields[place] = text
            out.append(";".join(fields))
    out += [f"BAD;{line}" for line in lines[-each:]]
    return "\n".join(out) + "\n"


def check_lines(rows: pa.Table, each: int) -> str | None:
    """JSON lines of checks, `each` per kind in CHECK_TEXTS, and as many cut off in the middle.

    None where `rows` are too few to spoil.
    """
    if rows.num_rows < each * (len(CHECK_TEXTS) + 1):
        return None
    lines = json_lines(rows).splitlines()
    out = []
    for number, (said, instead) in enumerate(CHECK_TEXTS.values()):
        for i, line in enumerate(lines[number * each : (number + 1) * each]):
            out.append(line.replace('"controle": "', f'"controle": "BAD{number}{i}').replace(said, instead))
    out += [line[: len(line) // 2] for line in lines[-each:]]
    return "\n".join(out) + "\n"

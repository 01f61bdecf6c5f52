"""The door: supplied rows held against a table's declaration, whole columns at a time.

Every column is read as its declared type; every reason why a row cannot go in is collected, not only the first. What a
reason says was seen is the kind of thing seen (`9999-99-99`, `Aaaa 99`), never the value: a value in the wrong column
may be somebody's name.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from records.digits import western_digits
from records.errors import BadInput
from records.mapping import SupplyMapping, nearest
from records.schema import Column, Table, Type
from records.times import INSTANT, place, read_days, read_instants

Mask = npt.NDArray[np.bool_]

CODES: Mapping[str, str] = {
    "missing": "A value that is required is not there",
    "no_identifier": "Nothing that names the person is complete",
    "no_known_at_rule": "Neither the file nor its mapping says when the row was known",
    "no_zone": "A time has no offset, and the mapping names no zone",
    "skipped_time": "A local time that the clock change passed over",
    "ambiguous_time": "A local time that the clock change repeated",
    "not_an_instant": "Not a date and time that is read here",
    "not_a_day": "Not a date that is read here",
    "not_an_integer": "Not a whole number",
    "not_a_number": "Not a number",
    "not_a_boolean": "Neither yes nor no",
    "not_in_list": "Not one of the declared values",
    "below_minimum": "Below the least declared value",
    "above_maximum": "Above the greatest declared value",
    "wrong_number_of_fields": "The row has more or fewer fields than the header",
    "not_json": "The line is not JSON",
    "not_a_flat_object": "The line is JSON, but not one object of plain values",
}

_TRUE = ("true", "t", "1", "yes", "y", "oui", "o", "نعم")
_FALSE = ("false", "f", "0", "no", "n", "non", "لا")
_SEEN_LENGTH = 24

REASONS = pa.schema([("row", pa.int64()), ("column", pa.string()), ("code", pa.string()), ("seen", pa.string())])


@dataclass(frozen=True)
class Problem:
    """Rows (mask) whose `column` fails for the reason `code`; `seen` is the supplied column, where there was one."""

    column: str
    code: str
    rows: Mask
    seen: pa.Array | None = None


@dataclass(frozen=True)
class Checked:
    """Supplied columns under our names and types (null where a value failed), and what failed."""

    columns: dict[str, pa.Array]
    problems: list[Problem]

    def bad(self, rows: int) -> Mask:
        """Which of the `rows` rows have at least one problem."""
        mask = np.zeros(rows, dtype=np.bool_)
        for problem in self.problems:
            mask |= problem.rows
        return mask


def check_names(table: Table, mapping: SupplyMapping, names: Sequence[str], *, complete: bool = True) -> None:
    """BadInput if `names`, the columns of a supply, hold an undeclared one or (if `complete`) lack a required one."""
    expected = {mapping.theirs(c.name) for c in table.supplied_columns if c.name not in mapping.constants}
    unknown = [name for name in names if name not in expected and name not in mapping.ignore]
    if unknown:
        hints = " ".join(f"'{name}': {nearest(name, expected)}" for name in unknown)
        raise BadInput(
            f"The supply has columns that table '{table.name}' does not declare: {', '.join(unknown)}. {hints} Map "
            "them, or list them under `ignore` in the mapping."
        )
    if not complete:
        return

    def there(name: str) -> bool:
        return name in mapping.constants or mapping.theirs(name) in names

    missing = [
        mapping.theirs(c.name)
        for c in table.supplied_columns
        if c.required and c.name != "known_at" and not there(c.name)
    ]
    for column in table.columns:
        if column.required and column.pseudonym is not None:
            alternatives = column.pseudonym.alternatives
            if not any(all(there(name) for name in alternative) for alternative in alternatives):
                missing.append(" or else ".join(" with ".join(map(mapping.theirs, names)) for names in alternatives))
    if missing:
        raise BadInput(
            f"The supply lacks what table '{table.name}' requires: {'; '.join(missing)}. Add it to the file, or map it "
            f"in the mapping. The file has: {', '.join(names) or 'no columns'}."
        )


def check(table: Table, mapping: SupplyMapping, rows: pa.Table) -> Checked:
    """Supplied `rows` (under the supplier's names) as the declared columns, with every problem of every row.

    BadInput if a column holds something that is no plain value (lists, bytes).
    """
    columns: dict[str, pa.Array] = {}
    problems: list[Problem] = []
    for column in table.supplied_columns:
        raw = _raw(column, mapping, rows)
        if raw is None:
            columns[column.name] = pa.nulls(rows.num_rows, column.type.arrow)
            continue
        columns[column.name], found = _read(column, raw, mapping)
        problems += [Problem(column.name, code, mask, raw) for code, mask in found if mask.any()]
    problems += _known_at(columns, mapping, rows)
    for column in table.supplied_columns:
        exempt = column.name == "known_at" and (isinstance(mapping.known_at, timedelta) or _without_rule(mapping, rows))
        if column.required and not exempt and columns[column.name].null_count:
            missing = _null(columns[column.name])
            for problem in problems:
                if problem.column == column.name:
                    missing &= ~problem.rows
            if missing.any():
                problems.append(Problem(column.name, "missing", missing))
    return Checked(columns, problems)


def missing_identifiers(table: Table, columns: Mapping[str, pa.Array]) -> list[Problem]:
    """Rows in which a required pseudonym could not be made. `columns` are the columns made at the door."""
    return [
        Problem(column.name, "no_identifier", _null(columns[column.name]))
        for column in table.columns
        if column.required and column.pseudonym is not None and columns[column.name].null_count
    ]


def reasons(problems: Sequence[Problem], numbers: npt.NDArray[np.int64]) -> pa.Table:
    """One line per row and reason: row, column, code, seen (the kind of what was seen; null if nothing was)."""
    parts = [REASONS.empty_table()]
    for problem in problems:
        places = np.flatnonzero(problem.rows)
        seen = (
            pa.nulls(len(places), pa.string()) if problem.seen is None else _kind(problem.seen.take(pa.array(places)))
        )
        columns = {
            "row": pa.array(numbers[places], pa.int64()),
            "column": pa.array([problem.column] * len(places), pa.string()),
            "code": pa.array([problem.code] * len(places), pa.string()),
            "seen": seen,
        }
        parts.append(pa.table(columns, schema=REASONS))
    return pa.concat_tables(parts)


def _raw(column: Column, mapping: SupplyMapping, rows: pa.Table) -> pa.Array | None:
    if column.name in mapping.constants:
        return pa.array([mapping.constants[column.name]] * rows.num_rows, pa.string())
    name = mapping.theirs(column.name)
    if name not in rows.column_names:
        return None
    raw = rows[name].combine_chunks()
    if pa.types.is_dictionary(raw.type):
        raw = raw.dictionary_decode()
    if pa.types.is_large_string(raw.type) or pa.types.is_string_view(raw.type):
        raw = raw.cast(pa.string())
    if pa.types.is_null(raw.type):
        raw = raw.cast(pa.string())
    plain = (pa.types.is_string, pa.types.is_integer, pa.types.is_floating, pa.types.is_boolean, pa.types.is_temporal)
    if not (any(kind(raw.type) for kind in plain) or pa.types.is_decimal(raw.type)) or pa.types.is_time(raw.type):
        raise BadInput(
            f"Column '{name}' of the supply holds {raw.type}. Supply text, numbers, booleans, days or times."
        )
    return raw.cast(pa.float64()) if pa.types.is_decimal(raw.type) else raw


def _read(column: Column, raw: pa.Array, mapping: SupplyMapping) -> tuple[pa.Array, list[tuple[str, Mask]]]:
    translation = mapping.values.get(column.name)
    if pa.types.is_string(raw.type) or translation:
        raw = _trimmed(_as_text(raw), mapping.nulls)
    if translation:
        places = pc.index_in(raw, value_set=pa.array(list(translation), pa.string()))
        raw = pc.coalesce(pa.array(list(translation.values()), pa.string()).take(places), raw)
    typed, problems = _typed(column, raw, mapping.zone)
    if column.values is not None:
        outside = pc.invert(pc.is_in(typed, value_set=pa.array(column.values, pa.string())))
        problems.append(("not_in_list", np.asarray(pc.and_(outside, pc.is_valid(typed)))))
    if column.minimum is not None:
        problems.append(("below_minimum", np.asarray(pc.fill_null(pc.less(typed, column.minimum), False))))
    if column.maximum is not None:
        problems.append(("above_maximum", np.asarray(pc.fill_null(pc.greater(typed, column.maximum), False))))
    return typed, problems


def _typed(column: Column, raw: pa.Array, zone: str | None) -> tuple[pa.Array, list[tuple[str, Mask]]]:
    match column.type:
        case Type.STRING:
            # Free text keeps its digits; whatever is matched with other records is spelled one way.
            matched = column.required or column.values is not None
            text = _as_text(raw)
            return (western_digits(text) if matched else text), []
        case Type.INTEGER:
            return _integers(raw)
        case Type.NUMBER:
            return _numbers(raw)
        case Type.BOOLEAN:
            return _booleans(raw)
        case Type.DAY:
            return _days(raw)
        case Type.INSTANT:
            return _instants(raw, zone)


def _integers(raw: pa.Array) -> tuple[pa.Array, list[tuple[str, Mask]]]:
    if pa.types.is_integer(raw.type) and not pa.types.is_uint64(raw.type):
        return raw.cast(pa.int64()), []
    if pa.types.is_string(raw.type):
        raw = western_digits(raw)
        good = pc.match_substring_regex(raw, pattern=r"^[+-]?\d{1,18}(\.0+)?$")
        plain = pc.replace_substring_regex(_where(good, raw), pattern=r"^\+|\.0+$", replacement="")
        return plain.cast(pa.int64()), [("not_an_integer", _fails(good, raw))]
    numbers, problems = _numbers(raw)
    good = pc.and_(pc.equal(pc.round(numbers), numbers), pc.less(pc.abs(numbers), 2.0**53))
    broken = _fails(good, numbers)
    return _where(good, numbers).cast(pa.int64()), [("not_an_integer", broken), *_renamed(problems, "not_an_integer")]


def _numbers(raw: pa.Array) -> tuple[pa.Array, list[tuple[str, Mask]]]:
    if pa.types.is_string(raw.type):
        raw = pc.replace_substring_regex(western_digits(raw), pattern="[,\u066b]", replacement=".")
        good = pc.match_substring_regex(raw, pattern=r"^[+-]?\d{1,300}(\.\d*)?([eE][+-]?\d{1,2})?$")
        plain = pc.replace_substring_regex(_where(good, raw), pattern=r"^\+", replacement="")
        return plain.cast(pa.float64()), [("not_a_number", _fails(good, raw))]
    if pa.types.is_temporal(raw.type) or pa.types.is_boolean(raw.type):
        return pa.nulls(len(raw), pa.float64()), [("not_a_number", ~_null(raw))]
    # Several tools write a missing number as "not a number"; an infinite one is a mistake.
    numbers = raw.cast(pa.float64(), safe=False)
    numbers = _where(pc.invert(pc.is_nan(numbers)), numbers)
    good = pc.is_finite(numbers)
    return _where(good, numbers), [("not_a_number", _fails(good, numbers))]


def _booleans(raw: pa.Array) -> tuple[pa.Array, list[tuple[str, Mask]]]:
    if pa.types.is_boolean(raw.type):
        return raw, []
    text = pc.utf8_lower(western_digits(_as_text(raw)))
    true = pc.is_in(text, value_set=pa.array(_TRUE))
    good = pc.or_(true, pc.is_in(text, value_set=pa.array(_FALSE)))
    return _where(good, true), [("not_a_boolean", _fails(good, text))]


def _days(raw: pa.Array) -> tuple[pa.Array, list[tuple[str, Mask]]]:
    if pa.types.is_date(raw.type):
        return raw.cast(pa.date32()), []
    if pa.types.is_timestamp(raw.type) and raw.type.tz is None:
        micro = raw.cast(pa.timestamp("us"), safe=False)
        days = micro.cast(pa.date32(), safe=False)
        good = pc.equal(days.cast(pa.timestamp("us")), micro)
        return _where(good, days), [("not_a_day", _fails(good, raw))]
    if pa.types.is_string(raw.type):
        days, wrong = read_days(raw)
        return days, [("not_a_day", wrong)]
    return pa.nulls(len(raw), pa.date32()), [("not_a_day", ~_null(raw))]


def _instants(raw: pa.Array, zone: str | None) -> tuple[pa.Array, list[tuple[str, Mask]]]:
    if pa.types.is_timestamp(raw.type) and raw.type.tz is not None:
        return raw.cast(INSTANT, safe=False), []
    if pa.types.is_timestamp(raw.type) or pa.types.is_date(raw.type):
        return place(raw.cast(pa.timestamp("us"), safe=False), zone)
    if pa.types.is_string(raw.type):
        return read_instants(raw, zone)
    return pa.nulls(len(raw), INSTANT), [("not_an_instant", ~_null(raw))]


def _known_at(columns: dict[str, pa.Array], mapping: SupplyMapping, rows: pa.Table) -> list[Problem]:
    """Fill `known_at` by the mapping's lag; a problem of every row where no rule says when it was known."""
    if isinstance(mapping.known_at, timedelta):
        length = pa.scalar(mapping.known_at, pa.duration("us"))
        columns["known_at"] = pc.add(columns["happened_at"], length)
    elif _without_rule(mapping, rows):
        return [Problem("known_at", "no_known_at_rule", np.ones(rows.num_rows, dtype=np.bool_))]
    return []


def _without_rule(mapping: SupplyMapping, rows: pa.Table) -> bool:
    return (
        not isinstance(mapping.known_at, timedelta)
        and "known_at" not in mapping.constants
        and mapping.theirs("known_at") not in rows.column_names
    )


def _as_text(raw: pa.Array) -> pa.Array:
    if pa.types.is_string(raw.type):
        return raw
    if pa.types.is_floating(raw.type):
        # A column of numbers with gaps often arrives as floats: 123.0 is the number 123.
        whole = pc.and_(pc.equal(pc.floor(raw), raw), pc.less(pc.abs(raw), 2.0**53))
        integers = _where(pc.fill_null(whole, False), raw).cast(pa.int64()).cast(pa.string())
        other = _where(pc.and_(pc.invert(pc.fill_null(whole, True)), pc.invert(pc.is_nan(raw))), raw).cast(pa.string())
        return pc.coalesce(integers, other)
    return raw.cast(pa.string())


def _trimmed(text: pa.Array, nulls: Sequence[str]) -> pa.Array:
    trimmed = pc.utf8_trim_whitespace(text)
    nothing = pc.is_in(trimmed, value_set=pa.array([*nulls, ""], pa.string()))
    return _where(pc.invert(nothing), trimmed)


def _kind(seen: pa.Array) -> pa.Array:
    kind = pc.utf8_slice_codeunits(_as_text(seen), 0, _SEEN_LENGTH)
    for pattern, letter in ((r"\pN", "9"), (r"\p{Lu}", "A"), (r"[\p{Ll}\p{Lo}\p{Lm}\p{Lt}]", "a"), (r"\pM", "")):
        kind = pc.replace_substring_regex(kind, pattern=pattern, replacement=letter)
    return kind


def _where(good: pa.Array, values: pa.Array) -> pa.Array:
    return pc.if_else(pc.fill_null(good, False), values, pa.scalar(None, values.type))


def _fails(good: pa.Array, values: pa.Array) -> Mask:
    return np.asarray(pc.and_(pc.invert(pc.fill_null(good, False)), pc.is_valid(values)))


def _null(values: pa.Array) -> Mask:
    return np.asarray(pc.is_null(values))


def _renamed(problems: list[tuple[str, Mask]], code: str) -> list[tuple[str, Mask]]:
    return [(code, mask) for _, mask in problems]

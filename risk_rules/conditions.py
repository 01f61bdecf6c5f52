"""The condition language of rules: small, typed, three-valued.

A condition compares one column with a literal; groups join conditions. There is no arithmetic, function or loop: what
needs computing is a feature. Depth is at most 3, conditions at most 8, so that a rule can be read aloud.

Inside, truth is a number, so that Kleene's logic is `min`, `max` and a sign: 1 true, 0 unknown, -1 false. The same tree
is compiled for columns (numpy) and for one event; both answer the same, which a property test holds.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from records.errors import BadInput
from risk_rules.columns import Column, nearest

MAX_DEPTH = 3
MAX_CONDITIONS = 8
TRUE, UNKNOWN, FALSE = 1, 0, -1

Literal: TypeAlias = float | bool | str | tuple[float, ...] | tuple[str, ...] | None
Value: TypeAlias = float | bool | str | None
Truth: TypeAlias = NDArray[np.int8]

ORDERED = ("lt", "le", "gt", "ge")
OPERATORS = ("eq", "ne", *ORDERED, "in", "not_in", "between", "is_missing")

# numpy compares arrays and Python compares values with the same operators; the last three are for one value.
_TESTS: Mapping[str, Callable[[Any, Any], Any]] = {
    "eq": operator.eq,
    "ne": operator.ne,
    "lt": operator.lt,
    "le": operator.le,
    "gt": operator.gt,
    "ge": operator.ge,
    "in": lambda observed, values: observed in values,
    "not_in": lambda observed, values: observed not in values,
    "between": lambda observed, ends: ends[0] <= observed < ends[1],
}


@dataclass(frozen=True)
class Condition:
    """`col op value`. `between` includes its start and excludes its end."""

    col: str
    op: str
    value: Literal


@dataclass(frozen=True)
class All:
    parts: tuple[Node, ...]


@dataclass(frozen=True)
class Any_:
    parts: tuple[Node, ...]


@dataclass(frozen=True)
class Not:
    part: Node


Node: TypeAlias = Condition | All | Any_ | Not


def leaves(node: Node) -> Iterator[Condition]:
    """Every condition of the tree, left to right."""
    match node:
        case Condition():
            yield node
        case Not(part):
            yield from leaves(part)
        case All(parts) | Any_(parts):
            for part in parts:
                yield from leaves(part)


def depth(node: Node) -> int:
    """1 for a condition, one more for each group around it."""
    match node:
        case Condition():
            return 1
        case Not(part):
            return 1 + depth(part)
        case All(parts) | Any_(parts):
            return 1 + max(depth(part) for part in parts)


# ---- reading -------------------------------------------------------------------------------------------------------


def parse(raw: object, columns: Mapping[str, Column], thresholds: Mapping[str, Any]) -> Node:
    """The typed tree of what a rule's `when` says, with the thresholds' values of one day put in.

    BadInput, without the name of the rule (the loader adds it), for anything the language does not know: shape, column,
    operator, type, a literal outside the column's domain, too deep, too many.
    """
    node = _node(raw, columns, thresholds)
    count = sum(1 for _ in leaves(node))
    if count > MAX_CONDITIONS:
        raise BadInput(f"`when` has {count} conditions; at most {MAX_CONDITIONS} can be read aloud. Split the rule.")
    if depth(node) > MAX_DEPTH + 1:
        raise BadInput(f"`when` nests groups {depth(node) - 1} deep; at most {MAX_DEPTH}. Split the rule.")
    return node


def _node(raw: object, columns: Mapping[str, Column], thresholds: Mapping[str, Any]) -> Node:
    if not isinstance(raw, Mapping):
        raise BadInput(f"`when` holds {raw!r}. Write a condition {{col, op, value}} or a group all / any / not.")
    if set(raw) in ({"all"}, {"any"}):
        ((word, parts),) = raw.items()
        if not isinstance(parts, list) or not parts:
            raise BadInput(f"`{word}` needs a list of at least one condition or group.")
        nodes = tuple(_node(part, columns, thresholds) for part in parts)
        return All(nodes) if word == "all" else Any_(nodes)
    if set(raw) == {"not"}:
        return Not(_node(raw["not"], columns, thresholds))
    if not {"col", "op"} <= set(raw) <= {"col", "op", "value"}:
        raise BadInput(
            f"`when` holds {dict(raw)!r}. A condition has exactly col, op and value; a group is one of all, any, not."
        )
    return _condition(raw, columns, thresholds)


def _condition(raw: Mapping[str, Any], columns: Mapping[str, Column], thresholds: Mapping[str, Any]) -> Condition:
    name, op = raw["col"], raw["op"]
    if name not in columns:
        raise BadInput(f"`when` reads an unknown column '{name}'. {nearest(str(name), columns)}")
    if op not in OPERATORS:
        raise BadInput(f"`when` uses an unknown operator '{op}' on '{name}'. {nearest(str(op), OPERATORS)}")
    if op == "is_missing":
        if "value" in raw:
            raise BadInput(f"`is_missing` on '{name}' takes no value. Remove it, or wrap the condition in `not`.")
        return Condition(name, op, None)
    if "value" not in raw:
        raise BadInput(f"The condition on '{name}' has no value to compare with. Add one, or use is_missing.")
    value = raw["value"]
    value = [_resolve(v, thresholds) for v in value] if isinstance(value, list) else _resolve(value, thresholds)
    return Condition(name, op, _literal(columns[name], op, value))


def _resolve(value: object, thresholds: Mapping[str, Any]) -> object:
    """The threshold's value for "@name", anything else unchanged."""
    if not (isinstance(value, str) and value.startswith("@")):
        return value
    if value[1:] not in thresholds:
        raise BadInput(f"`when` names an unknown threshold '{value}'. {nearest(value[1:], thresholds)}")
    return thresholds[value[1:]]


def _literal(column: Column, op: str, value: object) -> Literal:
    if op in ORDERED or op == "between":
        if column.kind != "number":
            raise BadInput(f"'{column.name}' is a {column.kind}; {op} orders numbers. Use eq, ne, in or not_in.")
    elif op in ("in", "not_in") and column.kind == "boolean":
        raise BadInput(f"'{column.name}' is a boolean; {op} needs a list of numbers or words. Use eq.")
    if op == "between":
        if not isinstance(value, list) or len(value) != 2:
            raise BadInput(f"between on '{column.name}' needs [start, end], the end excluded; it has {value!r}.")
        start, end = (_one(column, v) for v in value)
        if not float(start) < float(end):
            raise BadInput(f"between on '{column.name}' is empty: {start} is not below {end}. Swap or mend the ends.")
        return float(start), float(end)
    if op in ("in", "not_in"):
        if not isinstance(value, list) or not value:
            raise BadInput(f"{op} on '{column.name}' needs a list of at least one value; it has {value!r}.")
        found = tuple(_one(column, v) for v in value)
        if len(set(found)) < len(found):
            raise BadInput(f"{op} on '{column.name}' lists a value twice. Keep one of each.")
        return found  # type: ignore[return-value]  # all of the column's one kind, which mypy cannot see
    return _one(column, value)


def _one(column: Column, value: object) -> float | bool | str:
    checked = column.checked(value)
    if checked is None:
        raise BadInput(f"A condition compares '{column.name}' with null. Use is_missing instead.")
    column.within_domain(checked)
    return checked


# ---- for columns ---------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Cells:
    """One column ready for comparison: values as float64 (booleans 0/1, words as codes), and where they are known."""

    values: NDArray[np.float64]
    known: NDArray[np.bool_]
    words: tuple[str, ...] | None = None

    def code(self, literal: float | bool | str) -> float:
        """The number that stands for `literal` here; a word that does not occur gets a code no row has."""
        if isinstance(literal, str):
            return float(self.words.index(literal)) if self.words and literal in self.words else -2.0
        return float(literal)


def cells(column: Column, values: pa.Array | pa.ChunkedArray) -> Cells:
    """`values` of `column` made ready; null and NaN are both unknown. BadInput if the Arrow type is another kind."""
    if isinstance(values, pa.ChunkedArray):
        values = values.combine_chunks()
    arrow = values.type
    if column.kind == "string":
        if pa.types.is_dictionary(arrow):
            values = values.cast(arrow.value_type)
        if not (pa.types.is_string(values.type) or pa.types.is_large_string(values.type) or pa.types.is_null(arrow)):
            raise _wrong_type(column, arrow)
        encoded = values.cast(pa.string()).dictionary_encode()
        codes = pc.fill_null(encoded.indices, -1).to_numpy(zero_copy_only=False).astype(np.float64)
        return Cells(codes, codes >= 0, tuple(encoded.dictionary.to_pylist()))
    fits = (
        pa.types.is_boolean(arrow)
        if column.kind == "boolean"
        else pa.types.is_integer(arrow) or pa.types.is_floating(arrow)
    )
    if not (fits or pa.types.is_null(arrow)):
        raise _wrong_type(column, arrow)
    # A boolean cannot be cast to a float in one step.
    numbers = values.cast(pa.int8()) if pa.types.is_boolean(arrow) else values
    array = pc.fill_null(numbers.cast(pa.float64()), math.nan).to_numpy(zero_copy_only=False)
    return Cells(array, ~np.isnan(array))


def _wrong_type(column: Column, arrow: pa.DataType) -> BadInput:
    return BadInput(
        f"Column '{column.name}' came as {arrow}, but rules read it as a {column.kind}. Hand over the table as "
        "features.engine and features.spine made it."
    )


def for_columns(node: Node) -> Callable[[Mapping[str, Cells]], Truth]:
    """`node` as one function over ready columns: int8 per row, 1 true, 0 unknown, -1 false."""
    match node:
        case Condition(col, "is_missing", _):
            return lambda table: _signed(~table[col].known)
        case Condition(col, op, value):

            def compare(table: Mapping[str, Cells]) -> Truth:
                cell = table[col]
                # Times 1 where known and 0, which is unknown, elsewhere.
                return np.multiply(_signed(_compare(cell, op, value)), cell.known.view(np.int8))

            return compare
        case Not(part):
            inner = for_columns(part)
            return lambda table: np.negative(inner(table))
        case All(parts):
            inners = [for_columns(part) for part in parts]
            return lambda table: np.minimum.reduce([inner(table) for inner in inners])
        case Any_(parts):
            inners = [for_columns(part) for part in parts]
            return lambda table: np.maximum.reduce([inner(table) for inner in inners])


def _signed(flags: NDArray[np.bool_]) -> Truth:
    """True as 1, false as -1."""
    return np.subtract(np.multiply(flags.view(np.int8), np.int8(2)), np.int8(1))


def _compare(cell: Cells, op: str, value: Literal) -> NDArray[np.bool_]:
    """Two-valued comparison; what it says of unknown cells is not used."""
    if isinstance(value, tuple):
        codes = [cell.code(v) for v in value]
        if op == "between":
            return np.asarray((cell.values >= codes[0]) & (cell.values < codes[1]))
        # Lists are short, and comparing with each beats sorting the column as np.isin does.
        inside: NDArray[np.bool_] = np.logical_or.reduce([cell.values == code for code in codes])
        return inside if op == "in" else ~inside
    assert value is not None  # noqa: S101  # parse gives every operator but is_missing a value
    return np.asarray(_TESTS[op](cell.values, cell.code(value)))


# ---- for one event -------------------------------------------------------------------------------------------------


def for_one(node: Node) -> Callable[[Mapping[str, Value]], int]:
    """`node` as one function over the checked values of one event: 1 true, 0 unknown, -1 false."""
    match node:
        case Condition(col, "is_missing", _):
            return lambda row: TRUE if row[col] is None else FALSE
        case Condition(col, op, value):
            test = _TESTS[op]

            def compare(row: Mapping[str, Value]) -> int:
                observed = row[col]
                if observed is None:
                    return UNKNOWN
                return TRUE if test(observed, value) else FALSE

            return compare
        case Not(part):
            inner = for_one(part)
            return lambda row: -inner(row)
        case All(parts):
            inners = [for_one(part) for part in parts]
            return lambda row: min(inner(row) for inner in inners)
        case Any_(parts):
            inners = [for_one(part) for part in parts]
            return lambda row: max(inner(row) for inner in inners)


def read_columns(node: Node) -> tuple[str, ...]:
    """The columns a tree reads, each once, in order of first use."""
    return tuple(dict.fromkeys(leaf.col for leaf in leaves(node)))


def joined(nodes: Sequence[Node]) -> Node:
    """All of `nodes` together."""
    return nodes[0] if len(nodes) == 1 else All(tuple(nodes))

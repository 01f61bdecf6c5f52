"""Row-wise columns that a person writes down: `log_price: log1p(price)`.

The language is a small part of Python's expressions: columns, numbers, text in quotes, `+ - * / %`, comparisons, and
the functions of `FUNCTIONS`. It is parsed with `ast` and walked by this module; nothing is executed.
A null stays a null, and so does what has no value (a division by zero, the logarithm of a negative number).
"""

from __future__ import annotations

import ast
import sys
from collections.abc import Callable, Mapping
from difflib import get_close_matches
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import yaml

from records.errors import BadInput

FUNCTIONS: Mapping[str, Callable[..., np.ndarray]] = {
    "log1p": np.log1p,
    "abs": np.abs,
    "round": np.round,
    "floor": np.floor,
    "minimum": np.minimum,
    "maximum": np.maximum,
}
_ARITY = {"minimum": 2, "maximum": 2}

_ARITHMETIC: Mapping[type[ast.operator], Callable[..., np.ndarray]] = {
    ast.Add: np.add,
    ast.Sub: np.subtract,
    ast.Mult: np.multiply,
    ast.Div: np.divide,
    ast.Mod: np.mod,
}
_COMPARISON: Mapping[type[ast.cmpop], Callable[..., np.ndarray]] = {
    ast.Gt: np.greater,
    ast.GtE: np.greater_equal,
    ast.Lt: np.less,
    ast.LtE: np.less_equal,
    ast.Eq: np.equal,
    ast.NotEq: np.not_equal,
}


def nearest(name: str, known: Mapping[str, object] | list[str]) -> str:
    """A hint for a misspelt name: the nearest known one, or the names there are."""
    names = list(known)
    close = get_close_matches(name, names, n=1)
    return f"Did you mean '{close[0]}'?" if close else f"There are: {', '.join(names)}."


def read_derivations(path: Path) -> dict[str, str]:
    """The file of `--derive`: a YAML mapping from the new column's name to its expression."""
    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as problem:
        raise BadInput(f"The file of derived columns '{path}' cannot be read: {problem}.") from problem
    if not isinstance(content, dict) or not all(isinstance(k, str) for k in content):
        raise BadInput(
            f"The file of derived columns '{path}' must be a mapping from names to expressions, "
            "for instance `log_price: log1p(price)`."
        )
    return {name: str(expression) for name, expression in content.items()}


def derive(table: pa.Table, derivations: Mapping[str, str]) -> pa.Table:
    """`table` with one float64 column more per derivation; a later one may use an earlier one."""
    for name, expression in derivations.items():
        if name in table.column_names:
            raise BadInput(f"The derived column '{name}' exists in the table already. Give it another name.")
        with np.errstate(all="ignore"):
            value = _Expression(name, expression, table).number(_parse(name, expression))
        column = np.broadcast_to(np.where(np.isfinite(value), value, np.nan), table.num_rows)
        table = table.append_column(name, pa.array(column, from_pandas=True))
    return table


def numbers(column: pa.ChunkedArray) -> np.ndarray:
    """A numeric or boolean Arrow column as float64 with NaN for null."""
    return np.asarray(pc.cast(column, pa.float64()).to_numpy(zero_copy_only=False), dtype=np.float64)


def _parse(name: str, expression: str) -> ast.expr:
    try:
        return ast.parse(expression, mode="eval").body
    except (SyntaxError, ValueError) as problem:
        raise BadInput(f"The derived column '{name}' is not an expression: '{expression}'.") from problem


class _Expression:
    """Walks one parsed expression over one table."""

    def __init__(self, name: str, expression: str, table: pa.Table) -> None:
        self.name, self.expression, self.table = name, expression, table

    def refuse(self, why: str) -> BadInput:
        return BadInput(f"The derived column '{self.name}: {self.expression}' {why}")

    def number(self, node: ast.expr) -> np.ndarray:
        match node:
            case ast.Constant(value=bool() | int() | float() as constant):
                if abs(constant) > sys.float_info.max:
                    raise self.refuse("has a number that is too large.")
                return np.asarray(float(constant))
            case ast.Name(id=name):
                return self.column(name)
            case ast.BinOp(left=left, op=operator, right=right) if type(operator) in _ARITHMETIC:
                return _ARITHMETIC[type(operator)](self.number(left), self.number(right))
            case ast.UnaryOp(op=ast.USub(), operand=operand):
                return -self.number(operand)
            case ast.Compare(left=left, ops=[comparison], comparators=[right]) if type(comparison) in _COMPARISON:
                return self.compare(left, comparison, right)
            case ast.Call(func=ast.Name(id=function), args=arguments, keywords=[]):
                return self.call(function, arguments)
        raise self.refuse(
            f"uses '{ast.unparse(node)}', which is not part of the language. It knows columns, numbers, "
            f"+ - * / %, comparisons, and {', '.join(FUNCTIONS)}."
        )

    def call(self, function: str, arguments: list[ast.expr]) -> np.ndarray:
        if function not in FUNCTIONS:
            raise self.refuse(f"calls '{function}'. {nearest(function, list(FUNCTIONS))}")
        if len(arguments) != _ARITY.get(function, 1):
            raise self.refuse(f"gives '{function}' {len(arguments)} values; it takes {_ARITY.get(function, 1)}.")
        return FUNCTIONS[function](*(self.number(a) for a in arguments))

    def compare(self, left: ast.expr, comparison: ast.cmpop, right: ast.expr) -> np.ndarray:
        if isinstance(right, ast.Constant) and isinstance(right.value, str):
            if not isinstance(left, ast.Name) or not isinstance(comparison, ast.Eq | ast.NotEq):
                raise self.refuse("compares with text; only `column == 'text'` and `column != 'text'` can.")
            text = pc.cast(self.held(left.id), pa.string())
            same = numbers(pc.equal(text, right.value))
            return same if isinstance(comparison, ast.Eq) else 1.0 - same
        a, b = self.number(left), self.number(right)
        return np.where(np.isnan(a) | np.isnan(b), np.nan, _COMPARISON[type(comparison)](a, b))

    def held(self, column: str) -> pa.ChunkedArray:
        if column not in self.table.column_names:
            raise self.refuse(
                f"reads '{column}', which the table does not have. {nearest(column, self.table.column_names)}"
            )
        return self.table.column(column)

    def column(self, column: str) -> np.ndarray:
        held = self.held(column)
        # A file in which a column is empty does not say that it would hold numbers.
        tests = (pa.types.is_integer, pa.types.is_floating, pa.types.is_boolean, pa.types.is_decimal, pa.types.is_null)
        if not any(test(held.type) for test in tests):
            raise self.refuse(f"reads '{column}' as a number, but it holds {held.type}.")
        return numbers(held)

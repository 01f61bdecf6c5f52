"""What a condition can say at all: the space of values cut into cells inside which nothing changes.

Each column is cut at the literals that conditions compare it with; one value stands for each piece, null for missing.
Evaluating the condition on every combination is exact, since conditions compare one column with literals. It finds
rules that can never hit, rules that can never say no, texts that would print a missing value, and rules that repeat
another.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from risk_rules.columns import Column
from risk_rules.conditions import FALSE, TRUE, UNKNOWN, Cells, Node, Truth, for_columns, leaves, read_columns

MAX_COMBINATIONS = 2_000_000
OTHER_WORD = "\x00 any other word"


@dataclass(frozen=True)
class Possible:
    """What a condition answers over all combinations; `known_on_hit` are the columns that are known in every hit."""

    hit: bool
    no: bool
    undecided: bool
    known_on_hit: frozenset[str]


def possible(node: Node, columns: Mapping[str, Column]) -> Possible:
    """What `node` can answer when its columns take any value they can hold, or none."""
    names = read_columns(node)
    space = _space(names, [node], columns)
    truth = for_columns(node)(space)
    hit = truth == TRUE
    return Possible(
        hit=bool(hit.any()),
        no=bool((truth == FALSE).any()),
        undecided=bool((truth == UNKNOWN).any()),
        known_on_hit=frozenset(name for name in names if bool(space[name].known[hit].all())),
    )


def implies(narrow: Node, wide: Node, columns: Mapping[str, Column]) -> bool:
    """Whether `wide` is true wherever `narrow` is. False also where the two are too large together to be compared."""
    names = read_columns(narrow)
    if not set(read_columns(wide)) <= set(names) or _combinations(names, [narrow, wide], columns) > MAX_COMBINATIONS:
        return False
    space = _space(names, [narrow, wide], columns)
    narrow_truth: Truth = for_columns(narrow)(space)
    return bool(np.all(for_columns(wide)(space)[narrow_truth == TRUE] == TRUE))


def _combinations(names: Iterable[str], nodes: Iterable[Node], columns: Mapping[str, Column]) -> int:
    nodes = list(nodes)
    return math.prod(len(_pieces(columns[name], nodes)) for name in names)


def _space(names: Iterable[str], nodes: Iterable[Node], columns: Mapping[str, Column]) -> dict[str, Cells]:
    """Every combination of pieces, one row each."""
    names, nodes = list(names), list(nodes)
    pieces = [_pieces(columns[name], nodes) for name in names]
    grid = np.meshgrid(*[np.arange(len(p)) for p in pieces], indexing="ij")
    return {
        name: _cells(columns[name], piece, index.ravel())
        for name, piece, index in zip(names, pieces, grid, strict=True)
    }


def _cells(column: Column, pieces: list[float | str | None], index: NDArray[np.intp]) -> Cells:
    if column.kind == "string":
        words = tuple(str(p) for p in pieces if p is not None)
        codes = np.array([-1.0 if p is None else float(words.index(str(p))) for p in pieces])[index]
        return Cells(codes, codes >= 0, words)
    values = np.array([math.nan if p is None else float(p) for p in pieces])[index]
    return Cells(values, ~np.isnan(values))


def _pieces(column: Column, nodes: Iterable[Node]) -> list[float | str | None]:
    """One value for each piece of the column's domain, and None for missing."""
    literals: set[float | str] = set()
    for leaf in itertools.chain.from_iterable(leaves(node) for node in nodes):
        if leaf.col == column.name and leaf.value is not None:
            literals.update(leaf.value if isinstance(leaf.value, tuple) else (leaf.value,))
    if column.kind == "boolean":
        return [0.0, 1.0, None]
    if column.kind == "string":
        return [*(column.values or (*sorted(str(x) for x in literals), OTHER_WORD)), None]
    points = sorted(float(x) for x in literals)
    low = -math.inf if column.minimum is None else column.minimum
    high = math.inf if column.maximum is None else column.maximum
    edges = sorted({*points, low, high})
    found: list[float | str | None] = [p for p in edges if math.isfinite(p)]
    for start, end in itertools.pairwise(edges):
        inner = _between(start, end, column.integer)
        if inner is not None:
            found.append(inner)
    if len(edges) == 1:
        return [edges[0], None]
    return [*found, None]


def _between(start: float, end: float, integer: bool) -> float | None:
    """A number strictly between the two, a whole one for integer columns; None if there is none."""
    if math.isinf(start) and math.isinf(end):
        return 0.0
    if math.isinf(start):
        return math.ceil(end) - 1.0
    if math.isinf(end):
        return math.floor(start) + 1.0
    if integer:
        whole = math.floor(start) + 1.0
        return whole if whole < end else None
    return (start + end) / 2

"""Small things that would cost more outside: what may take part, and answers in the order they were asked in."""

from __future__ import annotations

from typing import Any, Final

import numpy as np

from features.columns import NULL, Flags, Ints, Numbers
from features.compiling import compiled

DAY: Final = 86_400_000_000


def among(column: Ints, allowed: Ints) -> Flags:
    """Where a cell is one of a few."""
    found = np.zeros(len(column), np.bool_)
    _among(column, allowed, found)
    return found


@compiled
def _among(column: Ints, allowed: Ints, found: Flags) -> None:
    few = np.uint64(0)  # a bit for each of 0 to 63
    small = True
    for value in allowed:
        small &= 0 <= value < 64
        few |= np.uint64(1) << np.uint64(value & 63)
    for k in range(len(column)):
        if small:
            found[k] = (np.uint64(column[k]) < 64) & bool(few >> np.uint64(column[k] & 63) & np.uint64(1))
            continue
        for value in allowed:
            found[k] |= column[k] == value


@compiled
def gaps(column: Ints) -> bool:
    """Whether a value is missing."""
    missing = False
    for k in range(len(column)):
        missing |= column[k] == NULL
    return missing


def since(at: Ints, happened: Ints, chosen: Ints, row: Ints, rows: int) -> Numbers:
    """Days from the row chosen for each query (-1: none) to the query, at the rows that asked; NaN elsewhere."""
    out = np.full(rows, np.nan)
    _since(at, happened, chosen, row, out)
    return out


@compiled
def _since(at: Ints, happened: Ints, chosen: Ints, row: Ints, out: Numbers) -> None:
    for k in range(len(row)):
        if chosen[k] >= 0:
            out[row[k]] = (at[k] - happened[chosen[k]]) / DAY


def averaged(counts: Ints, sums: Ints, unit: int, row: Ints, rows: int) -> Numbers:
    """Means of what was summed in parts of a unit, at the rows that asked; NaN where there is nothing to average."""
    out = np.full(rows, np.nan)
    _averaged(counts, sums, unit, row, out)
    return out


@compiled
def _averaged(counts: Ints, sums: Ints, unit: int, row: Ints, out: Numbers) -> None:
    for k in range(len(row)):
        if counts[k] != 0:
            out[row[k]] = sums[k] / (unit * counts[k])


def spread(answers: Any, row: Ints, rows: int) -> Numbers:
    """Answers at the rows that asked; NaN at those that asked nothing."""
    out = np.full(rows, np.nan)
    _spread(answers, row, out)
    return out


@compiled
def _spread(answers: Any, row: Ints, out: Numbers) -> None:
    for k in range(len(row)):
        out[row[k]] = answers[k]

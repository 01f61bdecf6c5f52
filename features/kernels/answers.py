"""Small things that would cost more outside: what may take part, and answers in the order they were asked in."""

from __future__ import annotations

from typing import Any, Final

import numpy as np

from features.columns import NULL, Flags, Ints, Numbers, Places
from features.compiling import compiled

DAY: Final = 86_400_000_000


@compiled
def among(column: Ints, allowed: Ints) -> Flags:
    """Where a cell is one of a few."""
    found = np.zeros(len(column), np.bool_)
    for k in range(len(column)):
        for a in range(len(allowed)):
            if column[k] == allowed[a]:
                found[k] = True
                break
    return found


@compiled
def counted(entered: Places, left: Places, widths: Ints, row: Ints, rows: int) -> Numbers:
    """How many rows each query sees in each of some widths, where all take part, at the rows that asked; NaN at those
    that asked nothing."""
    out = np.full((len(widths), rows), np.nan)
    for w in range(len(widths)):
        for k in range(len(row)):
            out[w, row[k]] = entered[k] - left[widths[w], k]
    return out


@compiled
def gaps(column: Ints) -> bool:
    """Whether a value is missing."""
    missing = False
    for k in range(len(column)):
        missing |= column[k] == NULL
    return missing


@compiled
def since(at: Ints, happened: Ints, chosen: Ints, row: Ints, rows: int) -> Numbers:
    """Days from the row chosen for each query (-1: none) to the query, at the rows that asked; NaN elsewhere."""
    out = np.full(rows, np.nan)
    for k in range(len(row)):
        if chosen[k] >= 0:
            out[row[k]] = (at[k] - happened[chosen[k]]) / DAY
    return out


@compiled
def averaged(counts: Ints, sums: Ints, unit: int, row: Ints, rows: int) -> Numbers:
    """Means of what was summed in parts of a unit, at the rows that asked; NaN where there is nothing to average."""
    out = np.full(rows, np.nan)
    for k in range(len(row)):
        if counts[k] != 0:
            out[row[k]] = sums[k] / (unit * counts[k])
    return out


@compiled
def turned(rows: Ints) -> Ints:
    """Columns of what comes in rows, each in one piece; a few rows at a time, so that both stay near."""
    out = np.empty((rows.shape[1], rows.shape[0]), np.int64)
    for begin in range(0, rows.shape[0], 64):
        for column in range(rows.shape[1]):
            for row in range(begin, min(begin + 64, rows.shape[0])):
                out[column, row] = rows[row, column]
    return out


@compiled
def spread(answers: Any, row: Ints, rows: int) -> Numbers:
    """Answers at the rows that asked; NaN at those that asked nothing."""
    out = np.full(rows, np.nan)
    for k in range(len(row)):
        out[row[k]] = answers[k]
    return out

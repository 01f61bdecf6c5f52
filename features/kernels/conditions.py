"""Which rows take part in what is made of them."""

from __future__ import annotations

from typing import Any

import numpy as np

from features.columns import NULL, Flags, Ints
from features.compiling import compiled


@compiled
def taking_part(parts: Ints, columns: Ints, rows: tuple[int, int]) -> tuple[Any, Flags]:
    """Which rows, from `rows[0]` up to `rows[1]`, meet the conditions of each of several parts, and whether all do.

    parts: where each begins, and the last ends; then for each condition its column, how many cells it allows (0: any
    that is there), and these.
    """
    number = parts[0] - 1
    does, every = np.ones((number, rows[1] - rows[0]), np.bool_), np.ones(number, np.bool_)
    for p in range(number):
        k = parts[p]
        while k < parts[p + 1]:
            column, few = columns[parts[k], rows[0] : rows[1]], parts[k + 1]
            restrict(does[p], column, parts[k + 2 : k + 2 + few])
            k += 2 + few
        for row in range(rows[1] - rows[0]):
            every[p] &= does[p, row]
    return does, every


@compiled
def restrict(part: Flags, column: Ints, allowed: Ints) -> None:
    """Leave out rows whose cell is none of those allowed; where none is named, those that have none."""
    few = np.uint64(0)  # a bit for each of 0 to 63
    small = len(allowed) > 0
    for value in allowed:
        small &= 0 <= value < 64
        few |= np.uint64(1) << np.uint64(value & 63)
    if small:
        for k in range(len(column)):
            part[k] &= (np.uint64(column[k]) < 64) & bool(few >> np.uint64(column[k] & 63) & np.uint64(1))
    elif len(allowed) == 0:
        for k in range(len(column)):
            part[k] &= column[k] != NULL
    elif len(allowed) == 1:
        for k in range(len(column)):
            part[k] &= column[k] == allowed[0]
    else:
        for k in range(len(column)):
            among = False
            for value in allowed:
                among |= column[k] == value
            part[k] &= among

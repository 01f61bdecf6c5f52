"""What a query makes of the rows it sees."""

from __future__ import annotations

from typing import Final

import numpy as np

from features.columns import Flags, Ints, Numbers
from features.compiling import compiled
from features.kernels.numbering import GOLDEN
from features.kernels.sights import Sight

MINUTE: Final = 60_000_000


@compiled
def totals(ask_start: Ints, row_start: Ints, sight: Sight, part: Flags, brought: Ints) -> tuple[Ints, Ints]:
    """How many of the rows that take part each query sees, and the sum of what they bring (nothing, if empty)."""
    entering, leaving, entered, left = sight
    counts, sums = np.empty(len(entered), np.int64), np.empty(len(entered), np.int64)
    late, early, choosy, adding = len(entering) > 0, len(leaving) > 0, len(part) > 0, len(brought) > 0
    for e in range(len(ask_start) - 1):
        i = j = row_start[e]
        number = amount = 0
        for q in range(ask_start[e], ask_start[e + 1]):
            while i < entered[q]:
                row = entering[i] if late else i
                if not choosy or part[row]:
                    number += 1
                    if adding:
                        amount += brought[row]
                i += 1
            while j < left[q]:
                row = leaving[j] if early else j
                if not choosy or part[row]:
                    number -= 1
                    if adding:
                        amount -= brought[row]
                j += 1
            counts[q] = number
            sums[q] = amount
    return counts, sums


@compiled
def _widest(row_start: Ints) -> int:
    """The most rows that an entity has; 1 where there are none."""
    widest = 1
    for e in range(len(row_start) - 1):
        widest = max(widest, row_start[e + 1] - row_start[e])
    return widest


@compiled
def codes(row_start: Ints, column: Ints) -> Ints:
    """A small number for each value: the same for equal values of one entity, below the entity's number of rows."""
    found = np.empty(len(column), np.int64)
    size, widest = 16, _widest(row_start)
    while size < 2 * widest:
        size *= 2
    held = np.empty(size, np.int64)
    code = np.empty(size, np.int64)
    stamp = np.full(size, -1, np.int64)
    for e in range(len(row_start) - 1):
        begin, end = row_start[e], row_start[e + 1]
        mask = 15
        while mask + 1 < 2 * (end - begin):
            mask = 2 * mask + 1
        count = 0
        for k in range(begin, end):
            value = column[k]
            if k > begin and value == column[k - 1]:
                found[k] = found[k - 1]
                continue
            slot = int(np.uint64(value) * GOLDEN >> np.uint64(40)) & mask
            while stamp[slot] == e and held[slot] != value:
                slot = (slot + 1) & mask
            if stamp[slot] != e:
                stamp[slot] = e
                held[slot] = value
                code[slot] = count
                count += 1
            found[k] = code[slot]
    return found


@compiled
def distincts(ask_start: Ints, row_start: Ints, sight: Sight, part: Flags, code: Ints) -> Ints:
    """How many different codes the rows that take part and that each query sees have."""
    entering, leaving, entered, left = sight
    different = np.empty(len(entered), np.int64)
    late, early, choosy = len(entering) > 0, len(leaving) > 0, len(part) > 0
    held = np.zeros(_widest(row_start), np.int64)
    for e in range(len(ask_start) - 1):
        i = j = row_start[e]
        number = 0
        for q in range(ask_start[e], ask_start[e + 1]):
            while i < entered[q]:
                row = entering[i] if late else i
                if not choosy or part[row]:
                    number += held[code[row]] == 0
                    held[code[row]] += 1
                i += 1
            while j < left[q]:
                row = leaving[j] if early else j
                if not choosy or part[row]:
                    held[code[row]] -= 1
                    number -= held[code[row]] == 0
                j += 1
            different[q] = number
        held[: row_start[e + 1] - row_start[e]] = 0
    return different


@compiled
def newest(
    ask_start: Ints, row_start: Ints, sight: Sight, part: Flags, happened: Ints, known: Ints, column: Ints
) -> Ints:
    """The last of the rows that take part and that each query sees: by when it happened, then by when it was known,
    then by its value. -1 where it sees none.

    Rows lie in that order but for the value, so the last one seen is looked for from the last one that ever entered
    downwards; what has been passed does not come back, save where a late row enters.
    """
    entering, leaving, entered, left = sight
    best = np.empty(len(entered), np.int64)
    late, early, choosy = len(entering) > 0, len(leaving) > 0, len(part) > 0
    seen = np.zeros(len(happened), np.bool_)
    for e in range(len(ask_start) - 1):
        begin = row_start[e]
        i = j = begin
        top = begin - 1
        for q in range(ask_start[e], ask_start[e + 1]):
            while i < entered[q]:
                row = entering[i] if late else i
                if not choosy or part[row]:
                    seen[row] = True
                    top = max(top, row)
                i += 1
            while j < left[q]:
                seen[leaving[j] if early else j] = False
                j += 1
            while top >= begin and not seen[top]:
                top -= 1
            if top < begin:
                best[q] = -1
                continue
            chosen, tied = top, top - 1
            while tied >= begin and happened[tied] == happened[top] and known[tied] == known[top]:
                if seen[tied] and column[tied] > column[chosen]:
                    chosen = tied
                tied -= 1
            best[q] = chosen
    return best


@compiled
def oldest(ask_start: Ints, row_start: Ints, sight: Sight, part: Flags) -> Ints:
    """The first of the rows that take part and that each query sees, -1 where it sees none. See `newest`."""
    entering, leaving, entered, left = sight
    best = np.empty(len(entered), np.int64)
    late, early, choosy = len(entering) > 0, len(leaving) > 0, len(part) > 0
    seen = np.zeros(row_start[-1], np.bool_)
    for e in range(len(ask_start) - 1):
        i = j = row_start[e]
        bottom, top = row_start[e + 1], row_start[e] - 1
        for q in range(ask_start[e], ask_start[e + 1]):
            while i < entered[q]:
                row = entering[i] if late else i
                if not choosy or part[row]:
                    seen[row] = True
                    bottom = min(bottom, row)
                    top = max(top, row)
                i += 1
            while j < left[q]:
                seen[leaving[j] if early else j] = False
                j += 1
            while bottom <= top and not seen[bottom]:
                bottom += 1
            best[q] = bottom if bottom <= top else -1
    return best


@compiled
def _rise(heap: Ints, size: int, row: int, column: Ints) -> None:
    child = size
    while child > 0:
        parent = (child - 1) // 2
        if column[heap[parent]] >= column[row]:
            break
        heap[child] = heap[parent]
        child = parent
    heap[child] = row


@compiled
def _drop(heap: Ints, size: int, column: Ints) -> None:
    """Take the top of a heap of `size` away; what is left are the first size - 1."""
    size -= 1
    moving = heap[size]
    hole = 0
    while 2 * hole + 1 < size:
        child = 2 * hole + 1
        if child + 1 < size and column[heap[child + 1]] > column[heap[child]]:
            child += 1
        if column[heap[child]] <= column[moving]:
            break
        heap[hole] = heap[child]
        hole = child
    heap[hole] = moving


@compiled
def largest(ask_start: Ints, row_start: Ints, sight: Sight, part: Flags, column: Ints) -> Ints:
    """A row with the largest value among those that take part and that each query sees; -1 where it sees none.

    A heap of the rows that entered; one that left stays until it comes to the top.
    """
    entering, leaving, entered, left = sight
    best = np.empty(len(entered), np.int64)
    late, early, choosy = len(entering) > 0, len(leaving) > 0, len(part) > 0
    seen = np.zeros(len(column), np.bool_)
    heap = np.empty(_widest(row_start), np.int64)
    for e in range(len(ask_start) - 1):
        i = j = row_start[e]
        size = 0
        for q in range(ask_start[e], ask_start[e + 1]):
            while i < entered[q]:
                row = entering[i] if late else i
                if not choosy or part[row]:
                    seen[row] = True
                    _rise(heap, size, row, column)
                    size += 1
                i += 1
            while j < left[q]:
                seen[leaving[j] if early else j] = False
                j += 1
            while size > 0 and not seen[heap[0]]:
                _drop(heap, size, column)
                size -= 1
            best[q] = heap[0] if size > 0 else -1
    return best


@compiled
def trends(ask_start: Ints, row_start: Ints, sight: Sight, part: Flags, happened: Ints, brought: Ints) -> Numbers:
    """Least-squares slope per day of what the rows bring, over whole minutes; NaN below two different minutes.

    The sums are taken from minute 0 of time and wrap around; moved to the middle of the window's own rows they are
    exact as long as those fit 63 bits, and small however long ago the rows happened.
    """
    entering, leaving, entered, left = sight
    slopes = np.empty(len(entered), np.float64)
    late, early, choosy = len(entering) > 0, len(leaving) > 0, len(part) > 0
    for e in range(len(ask_start) - 1):
        i = j = row_start[e]
        n = sx = sy = sxx = sxy = np.int64(0)
        for q in range(ask_start[e], ask_start[e + 1]):
            while i < entered[q]:
                row = entering[i] if late else i
                if not choosy or part[row]:
                    x, y = happened[row] // MINUTE, brought[row]
                    n, sx, sy, sxx, sxy = n + 1, sx + x, sy + y, sxx + x * x, sxy + x * y
                i += 1
            while j < left[q]:
                row = leaving[j] if early else j
                if not choosy or part[row]:
                    x, y = happened[row] // MINUTE, brought[row]
                    n, sx, sy, sxx, sxy = n - 1, sx - x, sy - y, sxx - x * x, sxy - x * y
                j += 1
            slopes[q] = np.nan
            if n > 1:
                x, y = sx // n, sy // n
                dx, dy = sx - n * x, sy - n * y
                spread = float(n) * float(sxx - 2 * x * sx + n * x * x) - float(dx) * float(dx)
                rise = float(n) * float(sxy - x * sy - y * dx) - float(dx) * float(dy)
                if spread > 0:
                    slopes[q] = rise * 1440.0 / (spread * 1000.0)
    return slopes

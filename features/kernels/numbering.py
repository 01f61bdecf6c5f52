"""Small numbers for entities, and heaps of them."""

from __future__ import annotations

from typing import Final

import numpy as np

from features.columns import NULL, Ints, Places
from features.compiling import compiled

GOLDEN: Final = np.uint64(0x9E3779B97F4A7C15)


@compiled
def _slot(key: int, mask: int) -> int:
    mixed = np.uint64(key) * GOLDEN
    return np.int64(mixed >> np.uint64(29)) & mask  # type: ignore[return-value]  # machine integers


def numbered(asked: Ints, held: Ints) -> tuple[int, Places, Places]:
    """One number per different cell asked, in the order they are met; -1 for null, and for one never asked.

    Returns how many there are, the numbers of what is asked and those of what the rows hold. Where rows come in the
    order in which they are asked about, as those of a training set mostly do, each is found beside the one before.
    """
    ask, row = np.empty(len(asked), np.int32), np.empty(len(held), np.int32)
    return _numbered(asked, held, ask, row), ask, row


@compiled
def _numbered(asked: Ints, held: Ints, ask: Places, row: Places) -> int:
    slots = np.zeros((64, 2), np.int64)  # a cell, and its number plus one (0: free)
    count, upto = _met(asked, ask, slots, 0, 0)
    while upto < len(asked):
        slots = _wider(slots)
        count, upto = _met(asked, ask, slots, count, upto)
    beside = 0
    for k in range(len(held)):
        key = held[k]
        if beside < len(asked) and key == asked[beside]:
            row[k] = ask[beside]
            beside += 1
        elif key == NULL:
            row[k] = -1
        elif k > 0 and key == held[k - 1]:
            row[k] = row[k - 1]
        else:
            row[k] = slots[_place(slots, key), 1] - 1
    return count


@compiled
def _met(asked: Ints, ask: Places, slots: Ints, count: int, begin: int) -> tuple[int, int]:
    """Number what is asked from `begin` on, until the slots are half full. How many there are then, and up to where."""
    for k in range(begin, len(asked)):
        key = asked[k]
        if key == NULL:
            ask[k] = -1
        elif k > 0 and key == asked[k - 1]:
            ask[k] = ask[k - 1]
        else:
            slot = _place(slots, key)
            if slots[slot, 1] == 0:
                if 2 * count == len(slots):
                    return count, k
                count += 1
                slots[slot, 0], slots[slot, 1] = key, count
            ask[k] = slots[slot, 1] - 1
    return count, len(asked)


def dealt(cells: Ints, heaps: int) -> tuple[Ints, Ints]:
    """Where each heap begins, and row numbers heap by heap, in their own order; a cell is always in the same heap, null
    in none."""
    begins, order = np.zeros(heaps + 1, np.int64), np.empty(len(cells), np.int64)
    _dealt(cells, begins, np.empty(len(cells), np.int32), order)
    return begins, order[: begins[-1]]


@compiled
def _dealt(cells: Ints, begins: Ints, heap: Places, order: Ints) -> None:
    heaps = len(begins) - 1
    for k in range(len(cells)):
        mixed = np.uint64(cells[k]) * GOLDEN
        heap[k] = -1 if cells[k] == NULL else np.int32((mixed >> np.uint64(32)) % np.uint64(heaps))
        if heap[k] >= 0:
            begins[heap[k] + 1] += 1
    for h in range(heaps):
        begins[h + 1] += begins[h]
    filled = begins.copy()
    for k in range(len(cells)):
        if heap[k] >= 0:
            order[filled[heap[k]]] = k
            filled[heap[k]] += 1


@compiled
def _place(slots: Ints, key: int) -> int:
    """The slot that has the cell, or the free one where it belongs."""
    mask = len(slots) - 1
    slot = _slot(key, mask)
    while slots[slot, 1] != 0 and slots[slot, 0] != key:
        slot = (slot + 1) & mask
    return slot


@compiled
def _wider(slots: Ints) -> Ints:
    wider = np.zeros((2 * len(slots), 2), np.int64)
    for k in range(len(slots)):
        if slots[k, 1] != 0:
            wider[_place(wider, slots[k, 0])] = slots[k]
    return wider

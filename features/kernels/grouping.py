"""Who belongs together, and in which order."""

from __future__ import annotations

from typing import Any, Final, NamedTuple

import numpy as np

from features.columns import Ints, Places
from features.compiling import compiled
from features.kernels.numbering import GOLDEN

_FEW: Final = 24


class Grouped(NamedTuple):
    """Rows in groups, each in order of two instants: where each group begins, the rows' numbers and the instants.
    `straight` where that is all rows, as they lay."""

    straight: bool
    start: Ints
    row: Ints
    at: Ints
    then: Ints


def in_groups(number: Places, count: int, at: Ints, then: Ints) -> Grouped:
    """Rows by the numbers of their groups, each group in order of (at, then). Rows of no group (-1) are left out.

    Each row becomes one integer, of its group, the high bits of its instant and its own number: so that sorting
    integers, which is fast, does most of what sorting rows would.
    """
    start = np.zeros(count + 1, np.int64)
    if _begun(number, at, then, start):
        return Grouped(True, start, np.arange(len(number)), at, then)
    packed = np.empty(start[-1], np.int64)
    bits = _packed(number, at, count, packed)
    packed.sort()
    order, first, second = (np.empty(len(packed), np.int64) for _ in range(3))
    _unpacked(packed, bits, at, then, order, first, second)
    return Grouped(False, start, order, first, second)


@compiled
def _begun(number: Places, at: Ints, then: Ints, start: Ints) -> bool:
    """Find where each group begins, and whether that is all rows and they lie in order as they are."""
    straight = True
    for k in range(len(number)):
        straight &= number[k] >= 0
        if number[k] >= 0:
            start[number[k] + 1] += 1
        if k > 0 and number[k] == number[k - 1]:
            straight &= at[k] > at[k - 1] or (at[k] == at[k - 1] and then[k] >= then[k - 1])
        elif k > 0:
            straight &= number[k] > number[k - 1]
    for e in range(len(start) - 1):
        start[e + 1] += start[e]
    return straight


@compiled
def _packed(number: Places, at: Ints, count: int, packed: Ints) -> int:
    """How many bits the row's number takes."""
    low = high = np.int64(0)
    n = 0
    for k in range(len(number)):
        if number[k] >= 0:
            low = at[k] if n == 0 else min(low, at[k])
            high = at[k] if n == 0 else max(high, at[k])
            n += 1
    rows = _bits(len(number))
    of_time = 62 - rows - _bits(count)
    drop = _dropped(low, high, of_time)
    n = 0
    for k in range(len(number)):
        if number[k] >= 0:
            moment = np.int64((np.uint64(at[k]) - np.uint64(low)) >> np.uint64(drop))
            packed[n] = ((np.int64(number[k]) << of_time | moment) << rows) | k
            n += 1
    return rows


@compiled
def _bits(number: int) -> int:
    bits = 1
    while number >> bits:
        bits += 1
    return bits


@compiled
def _dropped(low: np.int64, high: np.int64, of_time: int) -> int:
    """How many low bits instants between two must lose, so that what is left fits so many."""
    drop = 0
    while (np.uint64(high) - np.uint64(low)) >> np.uint64(drop) >> np.uint64(of_time) > 0:
        drop += 1
    return drop


@compiled
def _unpacked(packed: Ints, rows: int, at: Ints, then: Ints, order: Ints, first: Ints, second: Ints) -> None:
    """Row numbers of rows packed and sorted, with (at, then), by which what the packing left alike is put in order."""
    mask = (1 << rows) - 1
    begin = 0
    for k in range(len(packed) + 1):
        if k < len(packed):
            order[k] = packed[k] & mask
        if k == len(packed) or packed[k] >> rows != packed[begin] >> rows:
            if k - begin > 1:
                put_in_order(order, begin, k, at, then)
            for n in range(begin, k):
                first[n], second[n] = at[order[n]], then[order[n]]
            begin = k


def together(entity: Ints, at: Ints) -> Ints:
    """Row numbers such that those of one entity lie together, in order of time, whichever entity comes first.

    As `in_groups`, with bits of a hash in place of the group; entities that share these are told apart afterwards.
    """
    packed, order = np.empty(len(entity), np.int64), np.empty(len(entity), np.int64)
    bits, of_time = _mixed(entity, at, packed)
    packed.sort()
    _apart(packed, bits, of_time, entity, at, order)
    return order


@compiled
def _mixed(entity: Ints, at: Ints, packed: Ints) -> tuple[int, int]:
    """How many bits the row's number takes, and how many its instant."""
    rows = _bits(len(entity))
    of_hash = min(rows + 4, 26)
    of_time = 63 - rows - of_hash
    low = high = at[0] if len(at) else np.int64(0)
    for k in range(len(at)):
        low, high = min(low, at[k]), max(high, at[k])
    drop = _dropped(low, high, of_time)
    for k in range(len(at)):
        mixed = np.int64(np.uint64(entity[k]) * GOLDEN >> np.uint64(64 - of_hash))
        moment = np.int64((np.uint64(at[k]) - np.uint64(low)) >> np.uint64(drop))
        packed[k] = ((mixed << of_time | moment) << rows) | k
    return rows, of_time


@compiled
def _apart(packed: Ints, rows: int, of_time: int, entity: Ints, at: Ints, order: Ints) -> None:
    mask = (1 << rows) - 1
    begin = tied = 0
    alone = True  # whether all since `begin` are of one entity
    for k in range(len(packed) + 1):
        done = k == len(packed)
        if done or packed[k] >> rows != packed[tied] >> rows:
            if k - tied > 1:
                put_in_order(order, tied, k, at, at)
            tied = k
        if done or packed[k] >> rows + of_time != packed[begin] >> rows + of_time:
            if not alone:
                put_in_order(order, begin, k, entity, at)
            begin, alone = k, True
        if not done:
            order[k] = packed[k] & mask
            alone &= entity[order[k]] == entity[order[begin]]


@compiled
def _before(one: int, other: int, at: Ints, then: Ints) -> bool:
    return bool(at[one] < at[other] or (at[one] == at[other] and then[one] < then[other]))


@compiled
def put_in_order(order: Any, begin: int, end: int, at: Ints, then: Ints) -> None:
    """Sort order[begin:end] in place by (at, then): mostly there is little to do."""
    disorder = 0
    for k in range(begin + 1, end):
        disorder += _before(order[k], order[k - 1], at, then)
    if disorder == 0:
        return
    if end - begin > _FEW:
        _take_out_and_merge(order, begin, end, at, then)
        return
    for k in range(begin + 1, end):
        moving = order[k]
        hole = k
        while hole > begin and _before(moving, order[hole - 1], at, then):
            order[hole] = order[hole - 1]
            hole -= 1
        order[hole] = moving


@compiled
def _take_out_and_merge(order: Any, begin: int, end: int, at: Ints, then: Ints) -> None:
    """Those that lie in order stay; the others are taken out, sorted by halves, and merged back in."""
    size = end - begin
    straight = np.empty(size, np.int64)
    others = np.empty(size, np.int64)
    n = m = 0
    for k in range(begin, end):
        row = order[k]
        if n > 0 and _before(row, straight[n - 1], at, then):
            # One that is far too late would put out of order all that follow it: it goes, and not they.
            if n == 1 or not _before(row, straight[n - 2], at, then):
                others[m] = straight[n - 1]
                straight[n - 1] = row
            else:
                others[m] = row
            m += 1
        else:
            straight[n] = row
            n += 1
    _halves(others[:m], at, then)
    _merge(straight[:n], others[:m], order[begin:end], at, then)


@compiled
def _halves(rows: Ints, at: Ints, then: Ints) -> None:
    """Merge sort, bottom up."""
    spare = np.empty_like(rows)
    width = 1
    while width < len(rows):
        for left in range(0, len(rows), 2 * width):
            middle, right = min(left + width, len(rows)), min(left + 2 * width, len(rows))
            _merge(rows[left:middle], rows[middle:right], spare[left:right], at, then)
        rows[:] = spare
        width *= 2


@compiled
def _merge(first: Ints, second: Ints, into: Any, at: Ints, then: Ints) -> None:
    """Two that lie in order become one; of rows alike, those of `first` come first."""
    i = j = 0
    for k in range(len(into)):
        if j == len(second) or (i < len(first) and not _before(second[j], first[i], at, then)):
            into[k] = first[i]
            i += 1
        else:
            into[k] = second[j]
            j += 1

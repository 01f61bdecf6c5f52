"""Who belongs together, in which order, and what each query sees when.

In one file, since all of it sorts: what is compiled and kept is told anew by a change of its own file alone.
"""

from __future__ import annotations

from typing import Any, Final, NamedTuple

import numpy as np

from features.columns import NEVER, NULL, Flags, Ints, Places
from features.compiling import compiled

_FEW: Final = 24
_GOLDEN: Final = np.uint64(0x9E3779B97F4A7C15)


class Sight(NamedTuple):
    """How far the sweep has come at each query, and the orders it runs in (empty where that of the rows will do)."""

    entering: Places
    leaving: Places
    entered: Places
    left: Places


@compiled
def _slot(first: int, second: int, mask: int) -> int:
    mixed = np.uint64(first) * _GOLDEN ^ np.uint64(second)
    mixed = (mixed ^ (mixed >> np.uint64(32))) * _GOLDEN
    return int(mixed >> np.uint64(29)) & mask


@compiled
def numbered(asked_first: Ints, asked_second: Ints, rows_first: Ints, rows_second: Ints) -> tuple[int, Places, Places]:
    """One number per different asked pair, in the order they are met; -1 for a pair with a null or never asked.

    Returns how many there are, the numbers of the asked pairs and those of the rows' pairs.
    """
    held = np.zeros((64, 3), np.int64)  # by slot: a pair, and its number plus one (0: free)
    asked = np.full(len(asked_first), -1, np.int32)
    found = np.full(len(rows_first), -1, np.int32)
    count = 0
    for k in range(len(asked_first)):
        one, other = asked_first[k], asked_second[k]
        if NULL in (one, other):
            continue
        if k > 0 and one == asked_first[k - 1] and other == asked_second[k - 1]:
            asked[k] = asked[k - 1]
            continue
        slot = _place(held, one, other)
        if held[slot, 2] == 0:
            count += 1
            held[slot, 0], held[slot, 1], held[slot, 2] = one, other, count
            asked[k] = count - 1
            if 2 * count > len(held):
                held = _wider(held)
            continue
        asked[k] = held[slot, 2] - 1
    for k in range(len(rows_first)):
        one, other = rows_first[k], rows_second[k]
        if NULL in (one, other):
            continue
        if k > 0 and one == rows_first[k - 1] and other == rows_second[k - 1]:
            found[k] = found[k - 1]
            continue
        found[k] = held[_place(held, one, other), 2] - 1
    return count, asked, found


@compiled
def _place(held: Ints, one: int, other: int) -> int:
    """The slot that has the pair, or the free one where it belongs."""
    mask = len(held) - 1
    slot = _slot(one, other, mask)
    while held[slot, 2] != 0 and (held[slot, 0] != one or held[slot, 1] != other):
        slot = (slot + 1) & mask
    return slot


@compiled
def _wider(held: Ints) -> Ints:
    wider = np.zeros((4 * len(held), 3), np.int64)
    for k in range(len(held)):
        if held[k, 2] != 0:
            wider[_place(wider, held[k, 0], held[k, 1])] = held[k]
    return wider


@compiled
def packed(number: Places, count: int, at: Ints) -> tuple[Ints, Ints, bool, int]:
    """Starts of each group; each row as one integer, of its group, the high bits of its instant and its own number;
    whether these lie in order; and how many bits the row's number takes. Rows of no group (-1) are left out.

    So that sorting integers, which is fast, does most of what sorting rows would.
    """
    start = np.zeros(count + 1, np.int64)
    low = high = np.int64(0)
    n = 0
    for k in range(len(number)):
        if number[k] >= 0:
            start[number[k] + 1] += 1
            low = at[k] if n == 0 else min(low, at[k])
            high = at[k] if n == 0 else max(high, at[k])
            n += 1
    for e in range(count):
        start[e + 1] += start[e]
    rows = _bits(len(number))
    of_time = 62 - rows - _bits(count)
    drop = 0
    while (np.uint64(high) - np.uint64(low)) >> np.uint64(drop) >> np.uint64(of_time) > 0:
        drop += 1
    found = np.empty(start[count], np.int64)
    straight = True
    n = 0
    for k in range(len(number)):
        if number[k] >= 0:
            moment = np.int64((np.uint64(at[k]) - np.uint64(low)) >> np.uint64(drop))
            found[n] = ((np.int64(number[k]) << of_time | moment) << rows) | k
            straight &= n == 0 or found[n] > found[n - 1]
            n += 1
    return start, found, straight, rows


@compiled
def _bits(number: int) -> int:
    bits = 1
    while number >> bits:
        bits += 1
    return bits


@compiled
def unpacked(sorted_rows: Ints, rows: int, at: Ints, then: Ints) -> Ints:
    """Row numbers of rows packed and sorted, those of one group that the packing could not tell apart put in order of
    (at, then)."""
    order = np.empty(len(sorted_rows), np.int64)
    first = 0
    for k in range(len(order)):
        order[k] = sorted_rows[k] & ((1 << rows) - 1)
        if sorted_rows[k] >> rows != sorted_rows[first] >> rows:
            if k - first > 1:
                _sort(order, first, k, at, then)
            first = k
    _sort(order, first, len(order), at, then)
    return order


@compiled
def _before(one: int, other: int, at: Ints, then: Ints) -> bool:
    return bool(at[one] < at[other] or (at[one] == at[other] and then[one] < then[other]))


@compiled
def _sort(order: Any, begin: int, end: int, at: Ints, then: Ints) -> None:
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
    _halves(others, np.empty(m, np.int64), 0, m, at, then)
    i = j = 0
    for k in range(begin, end):
        if j == m or (i < n and not _before(others[j], straight[i], at, then)):
            order[k] = straight[i]
            i += 1
        else:
            order[k] = others[j]
            j += 1


@compiled
def _halves(rows: Ints, spare: Ints, begin: int, end: int, at: Ints, then: Ints) -> None:
    """Merge sort, bottom up."""
    width = 1
    while width < end - begin:
        for left in range(begin, end, 2 * width):
            middle, right = min(left + width, end), min(left + 2 * width, end)
            i, j = left, middle
            for k in range(left, right):
                if j == right or (i < middle and not _before(rows[j], rows[i], at, then)):
                    spare[k] = rows[i]
                    i += 1
                else:
                    spare[k] = rows[j]
                    j += 1
        rows[begin:end] = spare[begin:end]
        width *= 2


@compiled
def sights(
    ask_start: Ints, at: Ints, row_start: Ints, happened: Ints, known: Ints, superseded: Ints, widths: Ints
) -> tuple[Flags, Places, Places, Places, Places]:
    """How far the sweep has come in windows of several widths (microseconds; NEVER: without beginning).

    A row at the very instant of a query is not seen: it enters one microsecond after it happened. Returns which orders
    are straight (of entering, then of leaving by width), entering, entered, leaving and left, by width the latter two.
    """
    rows, asks, wide = len(happened), len(at), len(widths)
    straight = np.ones(wide + 1, np.bool_)
    entering, entered = np.empty(rows, np.int32), np.empty(asks, np.int32)
    leaving, left = np.empty((wide, rows), np.int32), np.empty((wide, asks), np.int32)
    enter, leave = np.empty(rows, np.int64), np.empty(rows, np.int64)
    for e in range(len(row_start) - 1):
        begin, end = row_start[e], row_start[e + 1]
        first, after = ask_start[e], ask_start[e + 1]
        latest = np.int64(0)
        corrected = False
        for k in range(begin, end):
            enter[k] = max(happened[k] + 1, known[k])
            latest = max(latest, enter[k] - happened[k] - 1)
            corrected |= superseded[k] != NEVER
        straight[0] = _swept(begin, end, first, after, at, enter, entering, entered, straight[0])
        for w in range(wide):
            width = widths[w]
            if width == NEVER and not corrected:
                for q in range(first, after):
                    left[w, q] = begin
                for k in range(begin, begin if straight[w + 1] else end):
                    leaving[w, k] = k
                continue
            if not corrected and latest <= width:  # so rows leave in the order they happened
                k = begin
                for q in range(first, after):
                    while k < end and happened[k] + width < at[q]:
                        k += 1
                    left[w, q] = k
                for k in range(begin, begin if straight[w + 1] else end):
                    leaving[w, k] = k
                continue
            for k in range(begin, end):
                gone = NEVER if width == NEVER else happened[k] + 1 + width
                leave[k] = max(enter[k], min(gone, superseded[k]))
            straight[w + 1] = _swept(begin, end, first, after, at, leave, leaving[w], left[w], straight[w + 1])
    return straight, entering, entered, leaving, left


@compiled
def sight(
    ask_start: Ints, at: Ints, row_start: Ints, enter: Ints, leave: Ints
) -> tuple[Flags, Places, Places, Places, Places]:
    """As `sights`, of rows that enter and leave when they say."""
    rows, asks = len(enter), len(at)
    straight = np.ones(2, np.bool_)
    gone = np.maximum(enter, leave)
    entering, entered = np.empty(rows, np.int32), np.empty(asks, np.int32)
    leaving, left = np.empty((1, rows), np.int32), np.empty((1, asks), np.int32)
    for e in range(len(row_start) - 1):
        begin, end = row_start[e], row_start[e + 1]
        first, after = ask_start[e], ask_start[e + 1]
        straight[0] = _swept(begin, end, first, after, at, enter, entering, entered, straight[0])
        straight[1] = _swept(begin, end, first, after, at, gone, leaving[0], left[0], straight[1])
    return straight, entering, entered, leaving, left


@compiled
def _swept(
    begin: int, end: int, first: int, after: int, at: Ints, moment: Ints, order: Places, upto: Places, straight: bool
) -> bool:
    """The order of one entity's rows by `moment`, and up to which place of it each of its queries has gone.

    Returns whether the rows of all entities so far lie in order; only then `order` may be left empty.
    """
    disorder = False
    for k in range(begin + 1, end):
        disorder |= moment[k] < moment[k - 1]
    if disorder or not straight:
        for k in range(0 if straight else begin, end):
            order[k] = k
        straight = False
    if disorder:
        _sort(order, begin, end, moment, moment)
    k = begin
    for q in range(first, after):
        while k < end and moment[order[k] if disorder else k] <= at[q]:
            k += 1
        upto[q] = k
    return straight

"""The sliding-window kernels, compiled once and kept on disk.

A row is an interval: a query at t sees the rows that entered at or before t and leave after it. Rows and queries come
grouped by entity: entity e has the rows `row_start[e]` to `row_start[e + 1]`, in the order they happened (then were
known), and likewise the queries, in the order of their instants. So every aggregate is one sweep in which rows enter
and leave in order of time, and a query reads off what is there: O(1) a step.

How far a sweep has come is the same for every aggregate of one window, so it is worked out once: `Sight.entered[q]` and
`Sight.left[q]` say up to which place of the order of entering, and of leaving, query q has gone. Nearly all rows are
known when they happen and are never corrected; then both orders are the order of the rows, and their arrays are empty.

A row that is never seen enters and leaves at one instant. Times are int64 microseconds, values are cells
(`features.cells`).
"""

from __future__ import annotations

from typing import Any, Final, NamedTuple, TypeAlias

import numpy as np
import numpy.typing as npt

from features.compiling import compiled

Ints: TypeAlias = npt.NDArray[np.int64]
Numbers: TypeAlias = npt.NDArray[np.float64]
Flags: TypeAlias = npt.NDArray[np.bool_]
Places: TypeAlias = npt.NDArray[np.int32]

NEVER: Final = np.iinfo(np.int64).max
NULL: Final = np.iinfo(np.int64).min
MINUTE: Final = 60_000_000
DAY: Final = 86_400_000_000
_FEW: Final = 24
_GOLDEN: Final = np.uint64(0x9E3779B97F4A7C15)


class Sight(NamedTuple):
    """How far the sweep has come at each query, and the orders it runs in (empty where that of the rows will do)."""

    entering: Places
    leaving: Places
    entered: Places
    left: Places


# --- who belongs together ---------------------------------------------------------------------------------------------


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


# --- what each query sees ---------------------------------------------------------------------------------------------


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


# --- what a query makes of the rows it sees ---------------------------------------------------------------------------


@compiled
def totals(ask_start: Ints, row_start: Ints, sight: Sight, part: Flags, brought: Ints) -> tuple[Ints, Ints]:
    """How many of the rows that take part each query sees, and the sum of what they bring (nothing, if empty)."""
    counts = np.empty(len(sight.entered), np.int64)
    sums = np.empty(len(sight.entered), np.int64)
    entering, leaving = len(sight.entering) > 0, len(sight.leaving) > 0
    choosy, adding = len(part) > 0, len(brought) > 0
    for e in range(len(ask_start) - 1):
        i = j = row_start[e]
        number = amount = 0
        for q in range(ask_start[e], ask_start[e + 1]):
            while i < sight.entered[q]:
                row = sight.entering[i] if entering else i
                if not choosy or part[row]:
                    number += 1
                    if adding:
                        amount += brought[row]
                i += 1
            while j < sight.left[q]:
                row = sight.leaving[j] if leaving else j
                if not choosy or part[row]:
                    number -= 1
                    if adding:
                        amount -= brought[row]
                j += 1
            counts[q] = number
            sums[q] = amount
    return counts, sums


@compiled
def codes(row_start: Ints, column: Ints) -> Ints:
    """A small number for each value: the same for equal values of one entity, below the entity's number of rows."""
    widest = 1
    for e in range(len(row_start) - 1):
        widest = max(widest, row_start[e + 1] - row_start[e])
    size = 16
    while size < 2 * widest:
        size *= 2
    held = np.empty(size, np.int64)
    code = np.empty(size, np.int64)
    stamp = np.full(size, -1, np.int64)
    found = np.empty(len(column), np.int64)
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
            slot = int(np.uint64(value) * _GOLDEN >> np.uint64(40)) & mask
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
    different = np.empty(len(sight.entered), np.int64)
    entering, leaving, choosy = len(sight.entering) > 0, len(sight.leaving) > 0, len(part) > 0
    widest = 1
    for e in range(len(row_start) - 1):
        widest = max(widest, row_start[e + 1] - row_start[e])
    held = np.zeros(widest, np.int64)
    for e in range(len(ask_start) - 1):
        i = j = row_start[e]
        number = 0
        for q in range(ask_start[e], ask_start[e + 1]):
            while i < sight.entered[q]:
                row = sight.entering[i] if entering else i
                if not choosy or part[row]:
                    number += held[code[row]] == 0
                    held[code[row]] += 1
                i += 1
            while j < sight.left[q]:
                row = sight.leaving[j] if leaving else j
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
    best = np.empty(len(sight.entered), np.int64)
    entering, leaving, choosy = len(sight.entering) > 0, len(sight.leaving) > 0, len(part) > 0
    seen = np.zeros(len(happened), np.bool_)
    for e in range(len(ask_start) - 1):
        begin = row_start[e]
        i = j = begin
        top = begin - 1
        for q in range(ask_start[e], ask_start[e + 1]):
            while i < sight.entered[q]:
                row = sight.entering[i] if entering else i
                if not choosy or part[row]:
                    seen[row] = True
                    top = max(top, row)
                i += 1
            while j < sight.left[q]:
                seen[sight.leaving[j] if leaving else j] = False
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
    best = np.empty(len(sight.entered), np.int64)
    entering, leaving, choosy = len(sight.entering) > 0, len(sight.leaving) > 0, len(part) > 0
    seen = np.zeros(row_start[-1], np.bool_)
    for e in range(len(ask_start) - 1):
        i = j = row_start[e]
        bottom, top = row_start[e + 1], row_start[e] - 1
        for q in range(ask_start[e], ask_start[e + 1]):
            while i < sight.entered[q]:
                row = sight.entering[i] if entering else i
                if not choosy or part[row]:
                    seen[row] = True
                    bottom = min(bottom, row)
                    top = max(top, row)
                i += 1
            while j < sight.left[q]:
                seen[sight.leaving[j] if leaving else j] = False
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
    best = np.empty(len(sight.entered), np.int64)
    entering, leaving, choosy = len(sight.entering) > 0, len(sight.leaving) > 0, len(part) > 0
    seen = np.zeros(len(column), np.bool_)
    widest = 1
    for e in range(len(row_start) - 1):
        widest = max(widest, row_start[e + 1] - row_start[e])
    heap = np.empty(widest, np.int64)
    for e in range(len(ask_start) - 1):
        i = j = row_start[e]
        size = 0
        for q in range(ask_start[e], ask_start[e + 1]):
            while i < sight.entered[q]:
                row = sight.entering[i] if entering else i
                if not choosy or part[row]:
                    seen[row] = True
                    _rise(heap, size, row, column)
                    size += 1
                i += 1
            while j < sight.left[q]:
                seen[sight.leaving[j] if leaving else j] = False
                j += 1
            while size > 0 and not seen[heap[0]]:
                _drop(heap, size, column)
                size -= 1
            best[q] = heap[0] if size > 0 else -1
    return best


@compiled
def trends(
    ask_start: Ints, at: Ints, row_start: Ints, sight: Sight, part: Flags, happened: Ints, brought: Ints
) -> Numbers:
    """Least-squares slope per day of what the rows bring, over whole minutes; NaN below two different minutes.

    The sums are taken from minute 0 of time and wrap around; moved to the query's own minute they are exact as long as
    the window's own sums fit 63 bits.
    """
    slopes = np.empty(len(sight.entered), np.float64)
    entering, leaving, choosy = len(sight.entering) > 0, len(sight.leaving) > 0, len(part) > 0
    for e in range(len(ask_start) - 1):
        i = j = row_start[e]
        n = sx = sy = sxx = sxy = np.int64(0)
        for q in range(ask_start[e], ask_start[e + 1]):
            while i < sight.entered[q]:
                row = sight.entering[i] if entering else i
                if not choosy or part[row]:
                    x, y = happened[row] // MINUTE, brought[row]
                    n, sx, sy, sxx, sxy = n + 1, sx + x, sy + y, sxx + x * x, sxy + x * y
                i += 1
            while j < sight.left[q]:
                row = sight.leaving[j] if leaving else j
                if not choosy or part[row]:
                    x, y = happened[row] // MINUTE, brought[row]
                    n, sx, sy, sxx, sxy = n - 1, sx - x, sy - y, sxx - x * x, sxy - x * y
                j += 1
            t = at[q] // MINUTE
            dx = sx - n * t
            dxx = sxx - 2 * t * sx + n * t * t
            dxy = sxy - t * sy
            spread = float(n) * float(dxx) - float(dx) * float(dx)
            rise = float(n) * float(dxy) - float(dx) * float(sy)
            slopes[q] = rise / spread * (1440.0 / 1000.0) if n > 1 and spread > 0 else np.nan
    return slopes


@compiled
def presence(  # noqa: PLR0912 - one sweep, with the counting of days inside
    ask_start: Ints,
    today: Ints,
    row_start: Ints,
    sight: Sight,
    part: Flags,
    happened: Ints,
    known: Ints,
    day: Ints,
    arriving: Flags,
    last: int,
) -> tuple[Ints, Ints]:
    """Of the last `last` days, on how many the traveller was in the country; and how many days in a row up to today.

    `today` and `day` are local days of queries and rows. Rows are gone through in order, exits before entries at one
    instant. An entry opens a stay that the next row closes if it is an exit; one without an exit counts its own day,
    and so does an exit without an entry. A stay still open lasts until today.
    """
    present = np.zeros(len(sight.entered), np.int64)
    in_a_row = np.zeros(len(sight.entered), np.int64)
    entering, leaving, choosy = len(sight.entering) > 0, len(sight.leaving) > 0, len(part) > 0
    seen = np.zeros(len(happened), np.bool_)
    for e in range(len(ask_start) - 1):
        begin = row_start[e]
        i = j = begin
        top = begin - 1
        bottom = begin
        for q in range(ask_start[e], ask_start[e + 1]):
            while i < sight.entered[q]:
                row = sight.entering[i] if entering else i
                if not choosy or part[row]:
                    seen[row] = True
                    top = max(top, row)
                    bottom = min(bottom, row)
                i += 1
            while j < sight.left[q]:
                seen[sight.leaving[j] if leaving else j] = False
                j += 1
            while bottom <= top and not seen[bottom]:
                bottom += 1
            now = today[q]
            number = run = 0
            counted = now - last  # the newest day counted so far
            run_end = NULL  # the newest day of the current run of days
            inside = False
            since = np.int64(0)
            k = bottom
            while k <= top:
                after = k + 1
                while after <= top and happened[after] == happened[k] and known[after] == known[k]:
                    after += 1
                for turn in range(2):
                    for row in range(k, after):
                        if not seen[row] or arriving[row] != (turn == 1):
                            continue
                        if turn == 1:
                            if inside:
                                number, counted, run, run_end = _stayed(since, since, number, counted, run, run_end)
                            inside, since = True, day[row]
                        else:
                            first = since if inside else day[row]
                            number, counted, run, run_end = _stayed(first, day[row], number, counted, run, run_end)
                            inside = False
                k = after
            if inside:
                number, counted, run, run_end = _stayed(since, now, number, counted, run, run_end)
            present[q] = number
            in_a_row[q] = run if run_end == now else 0
    return present, in_a_row


@compiled
def _stayed(first: Any, end: Any, number: int, counted: int, run: int, run_end: int) -> tuple[int, int, int, int]:
    """Count the days first to end, both included: those not counted before, and those in a row."""
    begin = max(first, counted + 1)
    if end >= begin:
        number += end - begin + 1
        counted = end
    if run_end == NULL or first > run_end + 1:
        run = end - first + 1
    elif end > run_end:
        run += end - run_end
    return number, counted, run, max(run_end, end)


# --- small things that would cost more outside ------------------------------------------------------------------------


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

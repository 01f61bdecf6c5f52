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

from collections.abc import Callable
from typing import Any, Final, NamedTuple, TypeAlias, TypeVar, cast

import numba
import numpy as np
import numpy.typing as npt

Ints: TypeAlias = npt.NDArray[np.int64]
Numbers: TypeAlias = npt.NDArray[np.float64]
Flags: TypeAlias = npt.NDArray[np.bool_]
Places: TypeAlias = npt.NDArray[np.int32]

NEVER: Final = np.iinfo(np.int64).max
NULL: Final = np.iinfo(np.int64).min
MINUTE: Final = 60_000_000
_FEW: Final = 24
_GOLDEN: Final = np.uint64(0x9E3779B97F4A7C15)

F = TypeVar("F", bound=Callable[..., Any])


def compiled(function: F) -> F:
    """Machine code for `function`, cached beside the package (or in the user's cache where that is read-only)."""
    return cast(F, numba.njit(function, cache=True, nogil=True, boundscheck=False))


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
def numbered(asked_first: Ints, asked_second: Ints, rows_first: Ints, rows_second: Ints) -> tuple[int, Ints, Ints]:
    """One number per different asked pair, in the order they are met; -1 for a pair with a null or never asked.

    Returns how many there are, the numbers of the asked pairs and those of the rows' pairs.
    """
    size = 16
    while size < 2 * len(asked_first):
        size *= 2
    mask = size - 1
    holder = np.full(size, -1, np.int64)
    asked = np.full(len(asked_first), -1, np.int64)
    found = np.full(len(rows_first), -1, np.int64)
    example = np.empty(len(asked_first), np.int64)
    count = 0
    for k in range(len(asked_first)):
        one, other = asked_first[k], asked_second[k]
        if NULL in (one, other):
            continue
        slot = _slot(one, other, mask)
        while True:
            number = holder[slot]
            if number < 0:
                holder[slot] = count
                example[count] = k
                asked[k] = count
                count += 1
                break
            if asked_first[example[number]] == one and asked_second[example[number]] == other:
                asked[k] = number
                break
            slot = (slot + 1) & mask
    for k in range(len(rows_first)):
        one, other = rows_first[k], rows_second[k]
        if NULL in (one, other):
            continue
        slot = _slot(one, other, mask)
        while True:
            number = holder[slot]
            if number < 0:
                break
            if asked_first[example[number]] == one and asked_second[example[number]] == other:
                found[k] = number
                break
            slot = (slot + 1) & mask
    return count, asked, found


@compiled
def grouped(number: Ints, count: int, at: Ints, then: Ints) -> tuple[Ints, Ints]:
    """Starts of each group and the row numbers group by group, each in order of (at, then); without number -1."""
    start = np.zeros(count + 1, np.int64)
    for k in range(len(number)):
        if number[k] >= 0:
            start[number[k] + 1] += 1
    for e in range(count):
        start[e + 1] += start[e]
    place = start[:-1].copy()
    order = np.empty(start[count], np.int64)
    for k in range(len(number)):
        e = number[k]
        if e >= 0:
            order[place[e]] = k
            place[e] += 1
    for e in range(count):
        _sort(order, start[e], start[e + 1], at, then)
    return start, order


@compiled
def _before(one: int, other: int, at: Ints, then: Ints) -> bool:
    return bool(at[one] < at[other] or (at[one] == at[other] and then[one] < then[other]))


@compiled
def _sort(order: Ints, begin: int, end: int, at: Ints, then: Ints) -> None:
    """Sort order[begin:end] in place by (at, then); nothing to do where it is sorted already, as rows mostly are."""
    disorder = 0
    for k in range(begin + 1, end):
        if _before(order[k], order[k - 1], at, then):
            disorder += 1
    if disorder == 0:
        return
    if end - begin <= _FEW:
        _insert(order, begin, end, at, then)
        return
    instants = np.empty(end - begin, np.int64)
    for k in range(begin, end):
        instants[k - begin] = at[order[k]]
    by_instant = np.argsort(instants, kind="mergesort")
    held = order[begin:end].copy()
    for k in range(begin, end):
        order[k] = held[by_instant[k - begin]]
    first = begin
    while first < end:
        last = first + 1
        while last < end and at[order[last]] == at[order[first]]:
            last += 1
        if last - first > _FEW:
            later = np.empty(last - first, np.int64)
            for k in range(first, last):
                later[k - first] = then[order[k]]
            by_then = np.argsort(later, kind="mergesort")
            tied = order[first:last].copy()
            for k in range(first, last):
                order[k] = tied[by_then[k - first]]
        elif last - first > 1:
            _insert(order, first, last, at, then)
        first = last


@compiled
def _insert(order: Ints, begin: int, end: int, at: Ints, then: Ints) -> None:
    for k in range(begin + 1, end):
        moving = order[k]
        hole = k
        while hole > begin and _before(moving, order[hole - 1], at, then):
            order[hole] = order[hole - 1]
            hole -= 1
        order[hole] = moving


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
    enter = np.empty(rows, np.int64)
    leave = np.empty(rows, np.int64)
    for k in range(rows):
        enter[k] = max(happened[k] + 1, known[k])
    entering = np.empty(rows, np.int32)
    entered = np.empty(asks, np.int32)
    straight[0] = _in_order(row_start, enter, entering)
    _reached(ask_start, at, row_start, straight[0], entering, enter, entered)
    leaving = np.empty((wide, rows), np.int32)
    left = np.empty((wide, asks), np.int32)
    for w in range(wide):
        for k in range(rows):
            gone = NEVER if widths[w] == NEVER else happened[k] + 1 + widths[w]
            leave[k] = max(enter[k], min(gone, superseded[k]))
        straight[w + 1] = _in_order(row_start, leave, leaving[w])
        _reached(ask_start, at, row_start, straight[w + 1], leaving[w], leave, left[w])
    return straight, entering, entered, leaving, left


@compiled
def sight(
    ask_start: Ints, at: Ints, row_start: Ints, enter: Ints, leave: Ints
) -> tuple[Flags, Places, Places, Places, Places]:
    """As `sights`, of rows that enter and leave when they say."""
    rows, asks = len(enter), len(at)
    straight = np.ones(2, np.bool_)
    gone = np.empty(rows, np.int64)
    for k in range(rows):
        gone[k] = max(enter[k], leave[k])
    entering = np.empty(rows, np.int32)
    entered = np.empty(asks, np.int32)
    straight[0] = _in_order(row_start, enter, entering)
    _reached(ask_start, at, row_start, straight[0], entering, enter, entered)
    leaving = np.empty((1, rows), np.int32)
    left = np.empty((1, asks), np.int32)
    straight[1] = _in_order(row_start, gone, leaving[0])
    _reached(ask_start, at, row_start, straight[1], leaving[0], gone, left[0])
    return straight, entering, entered, leaving, left


@compiled
def _in_order(start: Ints, at: Ints, order: Places) -> bool:
    """Whether rows lie in order of `at` group by group; if not, `order` is filled with the row numbers that do.

    Most rows lie in order; the others are taken out, sorted and merged back in.
    """
    straight = True
    for e in range(len(start) - 1):
        begin, end = start[e], start[e + 1]
        disorder = False
        for k in range(begin + 1, end):
            if at[k] < at[k - 1]:
                disorder = True
                break
        if not disorder:
            if not straight:
                for k in range(begin, end):
                    order[k] = k
            continue
        if straight:
            straight = False
            for k in range(begin):
                order[k] = k
        if end - begin > _FEW:
            _merge_sort(order, begin, end, at)
            continue
        order[begin] = begin
        for k in range(begin + 1, end):
            hole = k
            while hole > begin and at[k] < at[order[hole - 1]]:
                order[hole] = order[hole - 1]
                hole -= 1
            order[hole] = k
    return straight


@compiled
def _merge_sort(order: Places, begin: int, end: int, at: Ints) -> None:
    """Row numbers begin to end in order of `at`: those that lie in order, and the others sorted and merged in."""
    size = end - begin
    straight = np.empty(size, np.int64)
    others = np.empty(size, np.int64)
    n = 0
    m = size
    low = NEVER
    for k in range(end - 1, begin - 1, -1):
        if at[k] <= low:
            low = at[k]
            n += 1
            straight[size - n] = k
        else:
            m -= 1
            others[m] = k
    instants = np.empty(size - m, np.int64)
    for k in range(m, size):
        instants[k - m] = at[others[k]]
    ranked = np.argsort(instants, kind="mergesort")
    i, j = size - n, 0
    for k in range(begin, end):
        if j == len(ranked) or (i < size and at[straight[i]] <= at[others[m + ranked[j]]]):
            order[k] = straight[i]
            i += 1
        else:
            order[k] = others[m + ranked[j]]
            j += 1


@compiled
def _reached(
    ask_start: Ints, at: Ints, row_start: Ints, straight: bool, order: Places, moment: Ints, upto: Places
) -> None:
    """Up to which place of the order each query has gone: the rows before it have `moment` at or before the query."""
    for e in range(len(ask_start) - 1):
        k, end = row_start[e], row_start[e + 1]
        for q in range(ask_start[e], ask_start[e + 1]):
            while k < end and moment[k if straight else order[k]] <= at[q]:
                k += 1
            upto[q] = k


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
            slot = _slot(value, 0, mask)
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
def spread(answers: Numbers, row: Ints, rows: int) -> Numbers:
    """Answers at the rows that asked; NaN at those that asked nothing."""
    out = np.full(rows, np.nan)
    for k in range(len(row)):
        out[row[k]] = answers[k]
    return out

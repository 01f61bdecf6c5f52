"""Who belongs together, in which order, and what each query sees when.

In one file, since all of it sorts: what is compiled and kept is told anew by a change of its own file alone.
"""

from __future__ import annotations

from typing import Any, Final, NamedTuple, TypeAlias

import numpy as np

from features.columns import NEVER, NULL, Flags, Ints, Numbers, Places
from features.compiling import compiled

_FEW: Final = 24
_GOLDEN: Final = np.uint64(0x9E3779B97F4A7C15)


class Grouped(NamedTuple):
    """Rows in groups, each in order of two instants: where each group begins, the rows' numbers and the instants.
    `straight` where that is all rows, as they lay."""

    straight: bool
    start: Ints
    row: Ints
    at: Ints
    then: Ints


Sight: TypeAlias = tuple[Places, Places, Places, Places]
"""The orders in which rows enter and leave (empty where that of the rows will do), and how far the sweep has come in
either at each query."""


def in_groups(number: Places, count: int, at: Ints, then: Ints) -> Grouped:
    """Rows by the numbers of their groups, each group in order of (at, then). Rows of no group (-1) are left out.

    Each row becomes one integer, of its group, the high bits of its instant and its own number: so that sorting
    integers, which is fast, does most of what sorting rows would.
    """
    start, packed = np.zeros(count + 1, np.int64), np.empty(len(number), np.int64)
    bits, straight = _packed(number, at, start, packed)
    packed = packed[: start[-1]]
    if not straight:
        packed.sort()
    elif len(packed) == len(number):
        return Grouped(True, start, np.arange(len(number)), at, then)
    order, first, second = (np.empty(len(packed), np.int64) for _ in range(3))
    _unpacked(packed, bits, at, then, order, first, second)
    return Grouped(False, start, order, first, second)


@compiled
def _packed(number: Places, at: Ints, start: Ints, packed: Ints) -> tuple[int, bool]:
    """How many bits the row's number takes, and whether the rows lie in order as they are."""
    count = len(start) - 1
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
    drop = _dropped(low, high, of_time)
    straight = True
    n = 0
    for k in range(len(number)):
        if number[k] >= 0:
            moment = np.int64((np.uint64(at[k]) - np.uint64(low)) >> np.uint64(drop))
            packed[n] = ((np.int64(number[k]) << of_time | moment) << rows) | k
            straight &= n == 0 or packed[n] >> rows > packed[n - 1] >> rows
            n += 1
    return rows, straight


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
                _sort(order, begin, k, at, then)
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
        mixed = np.int64(np.uint64(entity[k]) * _GOLDEN >> np.uint64(64 - of_hash))
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
                _sort(order, tied, k, at, at)
            tied = k
        if done or packed[k] >> rows + of_time != packed[begin] >> rows + of_time:
            if not alone:
                _sort(order, begin, k, entity, at)
            begin, alone = k, True
        if not done:
            order[k] = packed[k] & mask
            alone &= entity[order[k]] == entity[order[begin]]


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
def _merge_late(begin: int, end: int, happened: Ints, enter: Ints, order: Places, late: Ints) -> None:
    """The order of one entity's rows by when they enter: those known late, which are few, are merged into the rest."""
    m = 0
    for k in range(begin, end):
        late[m] = k
        m += enter[k] > happened[k] + 1
    _sort(late, 0, m, enter, enter)
    i, j = begin, 0
    for k in range(begin, end):
        while i < end and enter[i] > happened[i] + 1:
            i += 1
        if j == m or (i < end and enter[i] <= enter[late[j]]):
            order[k] = i
            i += 1
        else:
            order[k] = late[j]
            j += 1


def sights(
    ask_start: Ints,
    at: Ints,
    ask_row: Ints,
    row_start: Ints,
    happened: Ints,
    known: Ints,
    superseded: Ints,
    widths: Ints,
    plain: Ints,
    asked: int,
) -> tuple[Flags, Places, Places, Places, Places, Numbers]:
    """How far the sweep has come in windows of several widths (microseconds; NEVER: without beginning).

    superseded: empty where nothing was corrected. A row at the very instant of a query is not seen: it enters one
    microsecond after it happened. Returns which orders are straight (of entering, then of leaving by width), entering,
    entered, leaving and left, by width the latter two; and for the widths at the places `plain` how many rows each
    query sees, at the rows that asked, NaN at those of the `asked` that asked nothing.
    """
    rows, asks, wide = len(happened), len(at), len(widths)
    straight = np.ones(wide + 1, np.bool_)
    entering, entered = np.empty(rows, np.int32), np.empty(asks, np.int32)
    leaving, left = np.empty((wide, rows), np.int32), np.empty((wide, asks), np.int32)
    counts = np.empty((len(plain), asked), np.float64)
    if asks < asked:
        counts[:] = np.nan
    moments = np.empty((3, rows), np.int64)
    _sights(
        (ask_start, at, ask_row, row_start, happened, known, superseded, widths, plain),
        (straight, entering, entered, leaving, left, counts),
        moments,
    )
    return straight, entering, entered, leaving, left, counts


@compiled
def _sights(  # noqa: PLR0912 - one pass over each entity, while it is near
    given: tuple[Ints, Ints, Ints, Ints, Ints, Ints, Ints, Ints, Ints],
    found: tuple[Flags, Places, Places, Places, Places, Numbers],
    moments: Ints,
) -> None:
    ask_start, at, ask_row, row_start, happened, known, superseded, widths, plain = given
    straight, entering, entered, leaving, left, counts = found
    enter, leave, late = moments[0], moments[1], moments[2]
    ever_corrected = len(superseded) > 0
    for e in range(len(row_start) - 1):
        begin, end = row_start[e], row_start[e + 1]
        first, after = ask_start[e], ask_start[e + 1]
        latest = newest = np.int64(NULL)
        corrected = disorder = False
        for k in range(begin, end):
            moment = max(happened[k] + 1, known[k])
            enter[k] = moment
            latest = max(latest, moment - happened[k] - 1)
            disorder |= moment < newest
            newest = max(newest, moment)
        if ever_corrected:
            for k in range(begin, end):
                corrected |= superseded[k] != NEVER
        if disorder or not straight[0]:
            for k in range(0 if straight[0] else begin, begin if disorder else end):
                entering[k] = k
            straight[0] = False
        if disorder:
            _merge_late(begin, end, happened, enter, entering, late)
        _walk(begin, end, first, after, at, enter, entering, entered, disorder)
        for w, width in enumerate(widths):
            if not corrected and (width == NEVER or latest <= width):  # so rows leave in the order they happened
                k, q = begin, first
                while q < after and k < end and width != NEVER:  # a step by one row or one query, without a branch
                    left[w, q] = k
                    gone = int(happened[k] + width < at[q])
                    k += gone
                    q += 1 - gone
                left[w, q:after] = k
                if not straight[w + 1]:
                    for k in range(begin, end):
                        leaving[w, k] = k
                continue
            for k in range(begin, end):
                gone = NEVER if width == NEVER else happened[k] + 1 + width
                leave[k] = max(enter[k], min(gone, superseded[k] if ever_corrected else NEVER))
            straight[w + 1] = _swept(begin, end, first, after, at, leave, leaving[w], left[w], straight[w + 1])
        for p in range(len(plain)):
            for q in range(first, after):
                counts[p, ask_row[q]] = entered[q] - left[plain[p], q]


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
    _walk(begin, end, first, after, at, moment, order, upto, disorder)
    return straight


@compiled
def _walk(
    begin: int, end: int, first: int, after: int, at: Ints, moment: Ints, order: Places, upto: Places, disorder: bool
) -> None:
    """Up to which place each query of one entity has gone: of the rows' own order, or of another where there is one."""
    k = begin
    for q in range(first, after):
        while k < end and moment[order[k] if disorder else k] <= at[q]:
            k += 1
        upto[q] = k

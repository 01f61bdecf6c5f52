"""What each query sees when."""

from __future__ import annotations

from typing import NamedTuple, TypeAlias

import numpy as np

from features.columns import NEVER, NULL, Flags, Ints, Numbers, Places
from features.compiling import compiled
from features.kernels import grouping

Sight: TypeAlias = tuple[Places, Places, Places, Places]
"""The orders in which rows enter and leave (empty where that of the rows will do), and how far the sweep has come in
either at each query."""


@compiled
def _merge_late(begin: int, end: int, happened: Ints, enter: Ints, order: Places, late: Ints) -> None:
    """The order of one entity's rows by when they enter: those known late, which are few, are merged into the rest."""
    m = 0
    for k in range(begin, end):
        late[m] = k
        m += enter[k] > happened[k] + 1
    grouping.put_in_order(late, 0, m, enter, enter)
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


class Seen(NamedTuple):
    """What the queries see in several windows: first in those that are so wide, then in those whose rows state when
    they enter and leave. One row for each window of either sort; but those that are so wide have one order of entering,
    which comes first. An order that was never turned is that of the rows, and is not filled in."""

    turned: Flags
    entering: Places
    entered: Places
    turned_leaving: Flags
    leaving: Places
    left: Places


@compiled
def sight(seen: Seen, wide: int, window: int) -> Sight:
    """What the queries see in one window, after the first `wide` in those that are stated."""
    first = max(0, window - wide + 1)
    entering = seen.entering[first, : len(seen.entering[first]) * seen.turned[first]]
    leaving = seen.leaving[window, : len(seen.leaving[window]) * seen.turned_leaving[window]]
    return entering, leaving, seen.entered[first], seen.left[window]


@compiled
def seen(
    ask_start: Ints,
    at: Ints,
    ask_row: Ints,
    row_start: Ints,
    happened: Ints,
    known: Ints,
    superseded: Ints,
    widths: Ints,
    stated: Ints,
    rows: tuple[int, int],
    plain: Ints,
    counts: Numbers,
) -> Seen:
    """How far the sweep has come in windows of several widths (microseconds; NEVER: without beginning), and in those
    whose rows enter and leave when they say: `stated` has one row for either, and in it theirs from `rows[0]` up to
    `rows[1]`.

    A row at the very instant of a query is not seen: it enters one microsecond after it happened. For the widths at the
    places `plain[:, 0]`, how many rows each query sees goes into `counts`, at the place `plain[:, 1]` and the rows that
    asked.
    """
    held, asks, wide, others = len(happened), len(at), len(widths), len(stated) // 2
    turned, turned_leaving = np.zeros(1 + others, np.bool_), np.zeros(wide + others, np.bool_)
    entering, entered = np.empty((1 + others, held), np.int32), np.empty((1 + others, asks), np.int32)
    leaving, left = np.empty((wide + others, held), np.int32), np.empty((wide + others, asks), np.int32)
    found = Seen(turned, entering, entered, turned_leaving, leaving, left)
    if wide > 0:
        _sights((ask_start, at, ask_row, row_start, happened, known, superseded, widths, plain), found, counts)
    for k in range(others):
        enter, leave = stated[2 * k, rows[0] : rows[1]], stated[2 * k + 1, rows[0] : rows[1]]
        _stated(ask_start, at, row_start, enter, leave, found, k + 1, wide + k)
    return found


@compiled
def _sights(  # noqa: PLR0912 - one pass over each entity, while it is near
    given: tuple[Ints, Ints, Ints, Ints, Ints, Ints, Ints, Ints, Ints], found: Seen, counts: Numbers
) -> None:
    ask_start, at, ask_row, row_start, happened, known, superseded, widths, plain = given
    entering, entered, leaving, left = found.entering[0], found.entered[0], found.leaving, found.left
    enter, leave, late = np.empty_like(happened), np.empty_like(happened), np.empty_like(happened)
    ever_corrected = bool(np.any(superseded != NEVER))
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
        if disorder or found.turned[0]:
            for k in range(begin if found.turned[0] else 0, begin if disorder else end):
                entering[k] = k
            found.turned[0] = True
        if disorder:
            _merge_late(begin, end, happened, enter, entering, late)
        _walk(begin, end, first, after, at, enter, entering, entered, disorder)
        for w, width in enumerate(widths):
            if not corrected and (width == NEVER or latest <= width):  # so rows leave in the order they happened
                k, q = begin, first
                if width != NEVER and after - first == 1:  # as at a booth: several rows at a time
                    rows, moment = happened[begin:end], at[first]
                    for n in range(len(rows)):
                        k += int(rows[n] + width < moment)
                elif width != NEVER:
                    while q < after and k < end:  # a step by one row or one query, without a branch
                        left[w, q] = k
                        gone = int(happened[k] + width < at[q])
                        k += gone
                        q += 1 - gone
                for rest in range(q, after):
                    left[w, rest] = k
                if found.turned_leaving[w]:
                    for k in range(begin, end):
                        leaving[w, k] = k
                continue
            for k in range(begin, end):
                gone = NEVER if width == NEVER else happened[k] + 1 + width
                leave[k] = max(enter[k], min(gone, superseded[k]))
            found.turned_leaving[w] = _swept(
                begin, end, first, after, at, leave, leaving[w], left[w], found.turned_leaving[w]
            )
        for p in range(len(plain)):
            for q in range(first, after):
                counts[plain[p, 1], ask_row[q]] = entered[q] - left[plain[p, 0], q]


@compiled
def _stated(
    ask_start: Ints, at: Ints, row_start: Ints, enter: Ints, leave: Ints, found: Seen, first: int, window: int
) -> None:
    """As `_sights`, of rows that enter and leave when they say."""
    gone = np.maximum(enter, leave)
    for e in range(len(row_start) - 1):
        rows, asks = (row_start[e], row_start[e + 1]), (ask_start[e], ask_start[e + 1])
        found.turned[first] = _swept(
            *rows, *asks, at, enter, found.entering[first], found.entered[first], found.turned[first]
        )
        found.turned_leaving[window] = _swept(
            *rows, *asks, at, gone, found.leaving[window], found.left[window], found.turned_leaving[window]
        )


@compiled
def _swept(
    begin: int, end: int, first: int, after: int, at: Ints, moment: Ints, order: Places, upto: Places, turned: bool
) -> bool:
    """The order of one entity's rows by `moment`, and up to which place of it each of its queries has gone.

    Returns whether the rows of an entity so far do not lie in order; until then `order` is not filled in.
    """
    disorder = False
    for k in range(begin + 1, end):
        disorder |= moment[k] < moment[k - 1]
    if disorder or turned:
        for k in range(begin if turned else 0, end):
            order[k] = k
        turned = True
    if disorder:
        grouping.put_in_order(order, begin, end, moment, moment)
    _walk(begin, end, first, after, at, moment, order, upto, disorder)
    return turned


@compiled
def _walk(
    begin: int, end: int, first: int, after: int, at: Ints, moment: Ints, order: Places, upto: Places, disorder: bool
) -> None:
    """Up to which place each query of one entity has gone: of the rows' own order, or of another where there is one."""
    k = begin
    if after - first == 1:  # as at a booth: several rows at a time
        rows, now = moment[begin:end], at[first]
        for n in range(len(rows)):
            k += int(rows[n] <= now)
        upto[first] = k
        return
    for q in range(first, after):
        while k < end and moment[order[k] if disorder else k] <= at[q]:
            k += 1
        upto[q] = k

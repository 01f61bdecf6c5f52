"""On how many days a traveller was in the country."""

from __future__ import annotations

from typing import Any

import numpy as np

from features.columns import NULL, Flags, Ints
from features.compiling import compiled
from features.kernels.sights import Sight


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
    entering, leaving, entered, left = sight
    present = np.zeros(len(entered), np.int64)
    in_a_row = np.zeros(len(entered), np.int64)
    late, early, choosy = len(entering) > 0, len(leaving) > 0, len(part) > 0
    seen = np.zeros(len(happened), np.bool_)
    for e in range(len(ask_start) - 1):
        begin = row_start[e]
        i = j = begin
        top = begin - 1
        bottom = begin
        for q in range(ask_start[e], ask_start[e + 1]):
            while i < entered[q]:
                row = entering[i] if late else i
                if not choosy or part[row]:
                    seen[row] = True
                    top = max(top, row)
                    bottom = min(bottom, row)
                i += 1
            while j < left[q]:
                seen[leaving[j] if early else j] = False
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

"""Instants as local time: `since` each of its moments the zone is `offsets` ahead, all in microseconds."""

from __future__ import annotations

from typing import Final

import numpy as np

from features.columns import Ints
from features.compiling import compiled

HOUR: Final = 3_600_000_000


@compiled
def hours(instants: Ints, since: Ints, offsets: Ints) -> Ints:
    """Local hours since 1970 began there."""
    found = np.empty(len(instants), np.int64)
    k = 0
    for n in range(len(instants)):
        at = instants[n]
        while k + 1 < len(since) and since[k + 1] <= at:
            k += 1
        while k > 0 and since[k] > at:
            k -= 1
        found[n] = (at + offsets[k]) // HOUR
    return found

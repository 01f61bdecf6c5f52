"""The eleven values worked out one row at a time, as they would be explained to somebody. Slow and obvious."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple, TypeAlias

import numpy as np
import numpy.typing as npt

DAY_US = 86_400_000_000
HOUR_US = DAY_US // 24
Ints: TypeAlias = npt.NDArray[np.int64]


class Crossing(NamedTuple):
    """Times in microseconds since 1970."""

    happened: int
    known: int
    post: int
    direction: str
    document: int


def of_traveller(at: int, crossings: Sequence[Crossing]) -> dict[str, float | None]:
    """What a traveller's crossings, in any order, say as of a moment; `since_last` in seconds."""
    seen = [c for c in crossings if c.happened < at and c.known <= at]

    def within(days: int) -> list[Crossing]:
        return [c for c in seen if c.happened >= at - days * DAY_US]

    year = within(365)
    night = [c for c in year if c.happened % DAY_US < 6 * HOUR_US]
    return {
        **{f"c{days}": len(within(days)) for days in (7, 30, 90, 365)},
        "entries365": sum(c.direction == "entry" for c in year),
        "night365": len(night) / len(year) if year else None,
        "posts365": len({c.post for c in year}),
        "docs1825": len({c.document for c in within(1825)}),
        "since_last": (at - max(c.happened for c in seen)) / 1e6 if seen else None,
        "n_prior": len(seen),
    }


def of_route(at: int, happened: Ints, known: Ints) -> dict[str, float | None]:
    """`happened` and `known` of all crossings of one route, in any order."""
    return {"route90": int(np.sum((happened >= at - 90 * DAY_US) & (happened < at) & (known <= at)))}

"""How evenly candidates for a model select: asked with their selections, answered with one number for each.

Attributes are joined here and stay here. A number is a ratio of two selection rates over large groups, rounded, so that
no two selections that differ in one person tell that person's group.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence

import numpy as np
import pyarrow as pa

from evidence.cells import CELL, UNKNOWN, coded
from evidence.intervals import Interval, bootstrap
from evidence.metrics import selected
from records.errors import BadInput

DIGITS = 3
WorstOff = Callable[[Iterable[np.ndarray]], list[float]]


class TooSmall(BadInput):
    """No attribute has two groups that are large enough to be held against each other."""


def worst_off(attributes: Mapping[str, pa.Array | pa.ChunkedArray], *, least: int = CELL) -> WorstOff:
    """A function of selections (n,) over these rows: of each, the lowest over the highest selection rate among groups
    of `least` rows or more, of the attribute where that is lowest.

    `attributes` are n groups by name. TooSmall where no attribute has two such groups.
    """
    kept = [each for each in (large(groups, least) for groups in attributes.values()) if len(each[0]) > 1]
    if not kept:
        raise TooSmall(
            f"No attribute has two groups of {least} rows or more, so nobody's selection can be held against anybody's."
        )

    def ratios(selections: Iterable[np.ndarray]) -> list[float]:
        return [round(min(_ratio(code, len(names), chosen) for names, code in kept), DIGITS) for chosen in selections]

    return ratios


def more_even(
    groups: pa.Array | pa.ChunkedArray,
    scores: np.ndarray,
    than: np.ndarray,
    draws: Sequence[np.ndarray],
    *,
    capacity: float,
    least: int = CELL,
) -> tuple[Interval, Interval, Interval]:
    """The lowest over the highest selection rate when `scores` select, when `than` does, and the first minus the
    second, with intervals from the same redrawn rows."""
    names, code = large(groups, least)

    def ratio(by: np.ndarray, rows: np.ndarray) -> float:
        return _ratio(code[rows], len(names), selected(by[rows], capacity))

    everything = np.arange(len(scores))
    return (
        bootstrap(lambda rows: ratio(scores, rows), everything, draws),
        bootstrap(lambda rows: ratio(than, rows), everything, draws),
        bootstrap(lambda rows: ratio(scores, rows) - ratio(than, rows), everything, draws),
    )


def large(groups: pa.Array | pa.ChunkedArray, least: int) -> tuple[tuple[str, ...], np.ndarray]:
    """The known groups with at least so many rows, and each row's place among them (-1 for the others)."""
    names, code = coded(groups)
    counts = np.bincount(code, minlength=len(names))
    kept = [n for n, name in enumerate(names) if counts[n] >= least and name.lower() != UNKNOWN]
    place = np.full(len(names), -1)
    place[kept] = np.arange(len(kept))
    return tuple(names[n] for n in kept), place[code]


def _ratio(code: np.ndarray, groups: int, chosen: np.ndarray) -> float:
    """Lowest over highest share of the groups' rows that is chosen; 1 where nobody is."""
    rates = np.bincount(code + 1, weights=chosen, minlength=groups + 1) / np.maximum(
        np.bincount(code + 1, minlength=groups + 1), 1
    )
    most = float(rates[1:].max())
    return float(rates[1:].min()) / most if most > 0 else 1.0

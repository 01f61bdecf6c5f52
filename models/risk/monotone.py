"""Whether a model keeps its promised directions: a test by probes, since a learner's own word for it is not enough.

A probe takes a row, moves one promised column the way that must not lower the score, and looks whether it did.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from models.risk.encoding import Matrix

TOLERANCE = 1e-9  # log-odds: sums of leaves in another order differ by less
MOVES = 4  # of each row
_BATCH = 100_000


@dataclass(frozen=True)
class Violations:
    """Of `probes` moves, how many lowered the score, and by how much (log-odds) at worst."""

    probes: int
    found: int
    worst: float


def probe(
    raw: Callable[[Matrix], np.ndarray],
    rows: Matrix,
    directions: Mapping[str, int],
    *,
    probes: int = 1_000_000,
    seed: int = 7,
) -> Violations:
    """Probe the score `raw` at rows drawn from `rows`; `directions` gives +1 or -1 for named columns.

    Half of the moves are small steps, half go to another row's value of the column. Without a direction there is
    nothing to probe.
    """
    at = np.array([i for i, name in enumerate(rows.names) if directions.get(name)], dtype=np.int64)
    if not len(at) or not len(rows.values):
        return Violations(0, 0, 0.0)
    way = np.array([directions[rows.names[i]] for i in at], dtype=np.float64)
    with_nulls = np.where(np.isnan(rows.values[:, at]), 0.0, rows.values[:, at])
    step = np.maximum(with_nulls.std(axis=0), 1e-6)
    random = np.random.default_rng(seed)
    found, worst = 0, 0.0
    for start in range(0, probes, _BATCH):
        size = min(_BATCH, probes - start)
        # Several moves share the row they start from, and its score. A null has no direction: there nought is tried.
        whose = np.arange(size) // MOVES
        rows_here = rows.values[random.integers(0, len(rows.values), whose[-1] + 1)].copy()
        rows_here[:, at] = np.nan_to_num(rows_here[:, at], nan=0.0)
        which = random.integers(0, len(at), size)
        after = rows_here[whose]
        values = after[np.arange(size), at[which]]
        other = with_nulls[random.integers(0, len(with_nulls), size), which]
        small = random.random(size) < 0.5
        moved = np.where(small, step[which] * random.exponential(0.3, size), np.abs(other - values))
        after[np.arange(size), at[which]] = values + way[which] * moved
        before = raw(Matrix(rows_here, rows.names, rows.kinds))
        fell = before[whose] - raw(Matrix(after, rows.names, rows.kinds))
        found += int((fell > TOLERANCE).sum())
        worst = max(worst, float(fell.max(initial=0.0)))
    return Violations(probes, found, worst)

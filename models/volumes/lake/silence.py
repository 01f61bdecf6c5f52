"""Silence where there is always noise: a broken feed, not a flow gone."""

import numpy as np

ALWAYS_REPORTS = 0.95
"""Share of the last eight weeks with crossings that makes a silent day a fault of the feed."""
LOOK_BACK_DAYS = 56
BUSY = 5.0
"""Crossings a day under which a silent day proves nothing."""


def silent(counts: np.ndarray) -> np.ndarray:
    """Days (S, N) without anyone at a place that reported on nearly all days before: a broken feed, not a flow gone.

    An outage stays one until something comes again, however long: weeks of silence are not taken as usual. A shut
    place must be declared shut, and its days given as NaN.
    """
    known = counts.copy()
    answer = np.zeros(counts.shape, bool)
    steady = np.zeros(len(counts), bool)
    for day in range(counts.shape[1]):
        before = known[:, max(0, day - LOOK_BACK_DAYS) : day]
        seen = np.isfinite(before).sum(axis=1)
        enough = seen >= LOOK_BACK_DAYS // 2
        reports = (before > 0).sum(axis=1) >= ALWAYS_REPORTS * seen
        busy = np.nansum(before, axis=1) >= BUSY * seen
        steady = np.where(enough, reports & busy, steady)
        answer[:, day] = steady & (counts[:, day] == 0)
        known[answer[:, day], day] = np.nan
    return answer

"""Counts that are mostly zero or come in bursts: what days like this one brought, zeros and all.

Quantiles are those of past counts themselves, each weighing by how alike its day is: recent, at the same time of the
year, on the same weekday. The share of zeros and the size of bursts need no model of their own.
"""

import numpy as np

from models.volumes.counts.history import History
from models.volumes.members.seasonal import same_season
from models.volumes.rhythm import LEVELS

RECENT = 21.0
"""Steps after which a recent count weighs half."""
YEARS = 4
"""Years back whose days around the same date are looked at."""
AROUND = 14
"""Days on either side of the same date."""
YEAR = 365
WEEKDAY = 1.5
"""How much more the same weekday weighs."""


def like_days(history: History) -> np.ndarray:
    """Quantiles (S, H, 15) of weighted past counts; same-season ones where there are none. Meant for days."""
    values, n = history.values, history.length
    step = np.arange(n)
    answer = np.empty((len(values), history.horizon, len(LEVELS)))
    seen = np.isfinite(values)
    order = np.argsort(np.where(seen, values, np.inf), axis=1)
    ordered = np.take_along_axis(values, order, axis=1)
    for ahead in range(history.horizon):
        target = n + ahead
        away = target - step
        weight = 0.5 ** (away / RECENT)
        weight *= 8.0 / max(weight.sum(), 1e-9)
        for year in range(1, YEARS + 1):
            weight = weight + 8.0 / (2 * AROUND + 1) * 0.7 ** (year - 1) * (np.abs(away - YEAR * year) <= AROUND)
        weight = weight * np.where(away % 7 == 0, WEEKDAY, 1.0)
        own = np.take_along_axis(np.where(seen, weight[None, :], 0.0), order, axis=1)
        rank = np.cumsum(own, axis=1)
        total = rank[:, -1:]
        place = (rank - 0.5 * own) / np.maximum(total, 1e-12)
        for series in range(len(values)):
            count = int(seen[series].sum())
            if count:
                answer[series, ahead] = np.interp(LEVELS, place[series, :count], ordered[series, :count])
    bare = ~seen.any(axis=1)
    if bare.any():
        answer[bare] = same_season(history)[bare]
    return np.maximum(answer, 0.0)

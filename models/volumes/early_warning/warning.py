"""Is reality leaving the forecast? Each arriving count against its quantiles, and a chart that adds up small surprises.

Three steps, each a function over arrays of S series and N days:

1. `scores`: where a count lies in its forecast, on the scale of a standard normal; a count is an interval as wide as
   itself, so that many zeros are no surprise.
2. `alone`: what the same day at other places, and a drift that is weeks old, do not explain. A storm or a feast moves
   all posts at once and is nobody's alarm; the sum over all posts is judged as a series of its own.
3. `path`: a two-sided cumulative sum. It rises with surprises of one sign that go on, and falls back without them.

`limits` then keeps a promise of at most so many false alarms a series and year, from the panel's own past.
"""

from collections.abc import Sequence

import numpy as np
from scipy.stats import norm

from models.volumes.rhythm import LEVELS, MEDIAN
from records.errors import BadInput

FARTHEST = 8.0
"""Scores beyond this tell nothing more."""
MEMORY, SPREAD_MEMORY, WARM, REFIT = 365, 180, 56, 7
"""Days that teach what places share, days that teach how large surprises are, days before the first, days between."""
OLD = (15, 42)
"""Days back between which a mean counts as drift: a change must be two weeks old before it is taken as usual."""
BELIEF = 20.0
CLIP = 4.0
LEAST_SPREAD = 0.25
TOP = 40.0
"""Where a path stops rising, so that it comes back once a change has become usual."""
AIM = 0.85
"""Share of the promise that is aimed at: the past is a sample, and half of all aims at the promise itself miss it."""


SLACK, MOST = 1.5, 3.0
"""The surprise a day may bring for nothing, and what one day can bring at most: one strange day raises no alarm."""
SETTINGS = {"quiet": 1.0, "keen": 3.0}
"""Promises: at most so many false alarms a series and year."""
# Learnt on my_ridership_daily and us_airport_immigration_daily alone: see benchmarks/volumes_parts/early_warning.py.
TAUGHT_LIMIT, TAUGHT_THIRD = 4.05, 3.85
"""The limit that keeps a promise of 3 on other flows; so much further on, a third as many alarms came."""
PRIOR_YEARS = 20.0
"""Series-years that the limits of other flows count for beside the panel's own."""

_NORMAL = norm.ppf(LEVELS)
_GRID = np.arange(0.5, TOP, 0.1)


def scores(counts: np.ndarray, quantiles: np.ndarray) -> np.ndarray:
    """Normal scores of counts (…) in their forecasts (…, Q); NaN where either is missing.

    A count y stands for all between y - ½ and y + ½, a zero for all below ½: its score is the mean of a standard normal
    there. For large counts that is the score of y itself; for a forecast that is mostly zero, a zero scores near 0.
    """
    below = np.where(counts <= 0, -FARTHEST, _score(counts - 0.5, quantiles))
    above = np.maximum(_score(counts + 0.5, quantiles), below)
    width = norm.cdf(above) - norm.cdf(below)
    with np.errstate(divide="ignore", invalid="ignore"):
        tied = (norm.pdf(below) - norm.pdf(above)) / width
    score = np.where(width > 0.01, tied, (below + above) / 2)
    usable = np.isfinite(counts) & np.isfinite(quantiles).all(axis=-1)
    return np.asarray(np.where(usable, score, np.nan))


def _score(value: np.ndarray, quantiles: np.ndarray) -> np.ndarray:
    """Straight between quantiles; beyond the outermost, in units of their own distance from the median."""
    under = (quantiles <= value[..., None]).sum(axis=-1)
    place = np.clip(under - 1, 0, len(LEVELS) - 2)
    low = np.take_along_axis(quantiles, place[..., None], axis=-1)[..., 0]
    high = np.take_along_axis(quantiles, place[..., None] + 1, axis=-1)[..., 0]
    first, middle, last = quantiles[..., 0], quantiles[..., MEDIAN], quantiles[..., -1]
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        inside = _NORMAL[place] + (_NORMAL[place + 1] - _NORMAL[place]) * np.clip((value - low) / (high - low), 0, 1)
        short = _NORMAL[0] * (1 + (first - value) / (middle - first))
        over = _NORMAL[-1] * (1 + np.where(value > last, (value - last) / (last - middle), 0.0))
    score = np.where(under == 0, short, np.where(under == len(LEVELS), over, inside))
    return np.asarray(np.clip(np.nan_to_num(score, nan=0.0, posinf=FARTHEST, neginf=-FARTHEST), -FARTHEST, FARTHEST))


def alone(surprise: np.ndarray, places: Sequence[object], before: np.ndarray | None = None) -> np.ndarray:
    """Scores (S, N) less what other places and an old drift explain, over their usual spread; NaN until it is known.

    `places` (S) says which series belong to one place: those are never used against each other, since a post's entries
    and exits change together. A place that should stand for itself, as the sum of all, has None. `before` (S, fewer)
    is what this function said earlier; only the later days are computed.
    """
    count, length = surprise.shape
    if len(places) != count:
        raise BadInput(f"{count} series need {count} places, not {len(places)}. Give None for a series of its own.")
    answer = np.full((count, length), np.nan)
    begin = 0 if before is None else before.shape[1]
    answer[:, :begin] = before if before is not None else 0.0
    usual = np.nan_to_num(np.clip(surprise, -CLIP, CLIP))
    today = np.nan_to_num(np.clip(surprise, -2 * CLIP, 2 * CLIP))
    yesterday = np.concatenate([np.zeros((count, 1)), usual[:, :-1]], axis=1)
    drift = _drift(usual)
    known = np.cumsum(np.isfinite(surprise).any(axis=0))
    for fitted in range(begin - begin % REFIT, length, REFIT):
        if fitted == 0 or known[fitted - 1] < WARM:
            continue
        learn, judge = slice(max(0, fitted - MEMORY), fitted), slice(max(fitted, begin), min(fitted + REFIT, length))
        recent = slice(max(0, fitted - SPREAD_MEMORY), fitted)
        for row, place in enumerate(places):
            others = [i for i, other in enumerate(places) if None not in (place, other) and other != place]
            # A drift is a mean of many days, so its scale is far smaller; three times it, the ridge treats it alike.
            taught, applied = (
                np.concatenate([now[others], yesterday[others], drift[others], 3.0 * drift[row : row + 1]])
                for now in (usual, today)
            )
            told = taught[:, learn]
            weights = np.linalg.solve(told @ told.T + BELIEF * np.eye(len(told)), told @ usual[row, learn])
            left = surprise[row] - weights @ applied
            past = left[recent][np.isfinite(left[recent])]
            if len(past) >= WARM // 2:
                spread = 1.4826 * np.median(np.abs(past - np.median(past)))
                answer[row, judge] = left[judge] / max(spread, LEAST_SPREAD)
    return answer


def _drift(usual: np.ndarray) -> np.ndarray:
    near, far = OLD
    total = np.concatenate([np.zeros((len(usual), 1)), np.cumsum(usual, axis=1)], axis=1)
    drift = np.zeros_like(usual)
    days = np.arange(far, usual.shape[1])
    drift[:, days] = (total[:, days - near + 1] - total[:, days - far]) / (far - near + 1)
    return drift


def path(surprise: np.ndarray, start: np.ndarray | None = None) -> np.ndarray:
    """The chart (S, N, 2), upwards and downwards, from `start` (S, 2). A missing day leaves it where it stands."""
    level = np.zeros((len(surprise), 2)) if start is None else start
    chart = np.empty((*surprise.shape, 2))
    for day in range(surprise.shape[1]):
        step = np.clip(surprise[:, day], -MOST, MOST)
        moved = np.clip(level + np.stack([step, -step], axis=1) - SLACK, 0.0, TOP)
        level = np.where(np.isfinite(step)[:, None], moved, level)
        chart[:, day] = level
    return chart


def limits(chart: np.ndarray, promise: float, known: np.ndarray, steps_a_year: float = 365.0) -> np.ndarray:
    """The limit of each day (N,), from the days before it: at most `promise` alarms a series and year are to be false.

    `known` (S, N) marks the days that were judged. Alarms in the past count as false: nobody has to tell which were
    true, and a panel that often changes gets a higher limit. What other flows taught counts for PRIOR_YEARS.
    """
    highest = chart.max(axis=2)
    change = np.concatenate([np.zeros((len(highest), 1)), highest[:, :-1]], axis=1)
    crossed = np.zeros((len(_GRID), highest.shape[1]))
    for row, h in enumerate(_GRID):
        crossed[row] = ((highest > h) & (change <= h)).sum(axis=0)
    # As of the evening before: today's count must not move the limit it is held against.
    so_far = np.concatenate([np.zeros((len(_GRID), 1)), np.cumsum(crossed, axis=1)[:, :-1]], axis=1)
    years = np.concatenate([[0.0], np.cumsum(known.sum(axis=0))[:-1]]) / steps_a_year
    taught = np.minimum(3.0 * 3.0 ** (-(_GRID - TAUGHT_LIMIT) / TAUGHT_THIRD), 20.0)
    # The taught rate is of limits that had themselves aimed a little below the promise.
    rate = (so_far + PRIOR_YEARS * AIM * taught[:, None]) / (years + PRIOR_YEARS)
    too_many = rate > AIM * promise + 1e-9
    last = np.where(too_many.any(axis=0), len(_GRID) - 1 - np.argmax(too_many[::-1], axis=0), -1)
    return np.asarray(_GRID[np.minimum(last + 1, len(_GRID) - 1)])


def false_alarms_a_year(chart: np.ndarray, limit: np.ndarray, known: np.ndarray, steps_a_year: float = 365.0) -> float:
    """Upcrossings of the limit a series and year of judged days (S, N)."""
    over = chart.max(axis=2) > limit
    return float((over[:, 1:] & ~over[:, :-1]).sum() / (known.sum() / steps_a_year))

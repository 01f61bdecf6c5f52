"""How sure a figure is: Wilson for shares, effective sample size for weighted ones, redrawn days for the rest."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

Z95 = 1.959963984540054
NOISE = 2.0  # standard errors: the best of a dozen is lucky by one of them


@dataclass(frozen=True)
class Interval:
    """A figure with the ends of its 95% interval; every part is None where it is undefined."""

    value: float | None = None
    low: float | None = None
    high: float | None = None


UNDEFINED = Interval()


def beyond_noise(gained: np.ndarray) -> bool:
    """Whether the mean of what each row gains (n,) lies above zero by more than noise, as it must before a plainer way
    gives way. False without rows."""
    return bool(len(gained) and gained.mean() > NOISE * gained.std() / np.sqrt(len(gained)))


def wilson(successes: float, trials: float) -> Interval:
    """Wilson's 95% interval of a share; `trials` may be an effective number. Undefined without trials."""
    if trials <= 0:
        return Interval(None)
    share = successes / trials
    shrink = 1.0 + Z95**2 / trials
    centre = (share + Z95**2 / (2 * trials)) / shrink
    half = Z95 * np.sqrt(share * (1 - share) / trials + Z95**2 / (4 * trials**2)) / shrink
    return Interval(share, max(0.0, float(centre - half)), min(1.0, float(centre + half)))


def effective_size(weights: np.ndarray) -> float:
    """How many equally weighted rows know as much: (sum of w) squared over the sum of w squared; 0 without weight."""
    squares = float(np.sum(np.square(weights)))
    return float(np.sum(weights)) ** 2 / squares if squares > 0 else 0.0


def redrawn_days(days: np.ndarray, draws: int, seed: int = 7) -> list[np.ndarray]:
    """Row numbers of `draws` samples that redraw whole days with replacement.

    Rows of one day share officers, weather and flights; redrawing them together keeps the interval honest. With fewer
    than ten days there is too little to redraw, and rows are redrawn instead.
    """
    generator = np.random.default_rng(seed)
    _, day = np.unique(days, return_inverse=True)
    count = int(day.max(initial=-1)) + 1
    if count < 10:
        return [generator.integers(0, len(days), len(days)) for _ in range(draws)]
    order = np.argsort(day, kind="stable")
    rows = np.split(order, np.cumsum(np.bincount(day))[:-1])
    return [np.concatenate([rows[d] for d in generator.integers(0, count, count)]) for _ in range(draws)]


def bootstrap(
    statistic: Callable[[np.ndarray], float | None], everything: np.ndarray, draws: Sequence[np.ndarray]
) -> Interval:
    """`statistic` of the rows `everything`, with the 2.5 and 97.5 percentiles over `draws` where it is defined.

    Undefined draws are left out; with fewer than half defined, no interval is given.
    """
    value = statistic(everything)
    found = [v for v in (statistic(rows) for rows in draws) if v is not None]
    if value is None or len(found) * 2 < len(draws) or not found:
        return Interval(value)
    low, high = np.percentile(found, [2.5, 97.5])
    return Interval(value, float(low), float(high))


def mean_of(each: np.ndarray, draws: Sequence[np.ndarray]) -> Interval:
    """The mean of what each row has (n,), undefined without rows."""
    return bootstrap(lambda at: float(each[at].mean()) if len(at) else None, np.arange(len(each)), draws)

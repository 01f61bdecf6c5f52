"""How often the 80% interval held, and how sure that is."""

import numpy as np

BOOTSTRAPS = 2000
LENGTHS = {"MS": 3, "D": 7, "h": 24}
"""Steps that follow each other and are drawn together, by frequency."""


def randomised_pit(y: np.ndarray, quantiles: np.ndarray, levels: np.ndarray, random: np.random.Generator) -> np.ndarray:
    """Where each count (n,) lies in the distribution that its quantiles (n, Q), ascending, draw: 0 to 1, (n,).

    Between two quantiles the distribution is a straight line. A count takes up the line from half a count below it to
    half a count above, and a draw says where in there it lies: so zeros that half of the quantiles tie with are spread
    over the lower half. Beyond the outermost quantiles it may lie anywhere beyond their levels.
    """
    low = _level(y - 0.5, quantiles, levels, 0.0, levels[-1])
    high = _level(y + 0.5, quantiles, levels, levels[0], 1.0)
    return np.asarray(low + random.random(len(y)) * (high - low))


def _level(x: np.ndarray, quantiles: np.ndarray, levels: np.ndarray, under: float, above: float) -> np.ndarray:
    """The level (n,) of each x on the line through its quantiles; `under` and `above` beyond their ends."""
    place = (quantiles < x[:, None]).sum(axis=1)
    level = np.where(place == 0, under, above)
    inner = np.flatnonzero((place > 0) & (place < len(levels)))
    right = place[inner]
    below, beyond = quantiles[inner, right - 1], quantiles[inner, right]
    level[inner] = levels[right - 1] + (levels[right] - levels[right - 1]) * (x[inner] - below) / (beyond - below)
    return level


def held(pit: np.ndarray) -> np.ndarray:
    """Whether each count lies in the 80% interval."""
    return (pit >= 0.1) & (pit <= 0.9)


def interval(
    inside: np.ndarray, moments: np.ndarray, length: int, share: float, random: np.random.Generator
) -> tuple[float, float]:
    """The interval in which the share of `inside` (n,) lies, by drawing runs of `length` dates with replacement.

    All rows of a date are drawn together, whatever their series: what moves one flow moves its neighbours. Runs go
    on at the first date when they reach the last.
    """
    dates, place = np.unique(moments, return_inverse=True)
    rows, hits = np.bincount(place), np.bincount(place, inside)
    runs = -(-len(dates) // length)
    starts = random.integers(0, len(dates), (BOOTSTRAPS, runs, 1))
    drawn = ((starts + np.arange(length)) % len(dates)).reshape(BOOTSTRAPS, -1)[:, : len(dates)]
    shares = hits[drawn].sum(axis=1) / rows[drawn].sum(axis=1)
    low, high = np.quantile(shares, [(1 - share) / 2, (1 + share) / 2])
    return float(low), float(high)

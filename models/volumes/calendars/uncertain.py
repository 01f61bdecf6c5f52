"""Where the moon decides, both days are forecast and the two answers mixed, so that the doubt shows as a wider range.

The computed Hijri calendar says when a month can begin; a country announces that day or, after a clouded evening, the
next. Averaging the two answers quantile by quantile would promise a middle that never comes; mixing their
distributions keeps both humps.
"""

from collections.abc import Mapping, Sequence

import numpy as np

from models.volumes.calendars.almanac import PLAIN, Almanac
from models.volumes.calendars.calendar import Calendar, calendar
from models.volumes.rhythm import LEVELS, Rhythm

SIGHTING: Mapping[int, float] = {0: 0.6, 1: 0.4}
"""Days by which the moon may be sighted later than computed, and how likely each is held to be, until it is announced.

A convention, not learnt: Tunisia's announcements of recent years went either way.
"""
FINE = (np.arange(200) + 0.5) / 200
"""Levels at which distributions are drawn before they are mixed."""

Chances = tuple[tuple[float, Calendar], ...]


def chances(
    rhythm: Rhythm,
    start: int,
    length: int,
    countries: Sequence[str] = (),
    sighting: Mapping[int, float] = SIGHTING,
    almanac: Almanac = PLAIN,
) -> Chances:
    """Calendars by how likely they are, the computed one first; that one alone where no day is in doubt."""
    computed = calendar(rhythm, start, length, countries, almanac=almanac)
    if not computed.uncertain.any():
        return ((1.0, computed),)
    others = [
        (weight, calendar(rhythm, start, length, countries, by, almanac)) for by, weight in sighting.items() if by
    ]
    return ((1.0 - sum(weight for weight, _ in others), computed), *others)


def mixed(quantiles: Sequence[np.ndarray], weights: Sequence[float]) -> np.ndarray:
    """Quantiles (..., 15) of the mixture of distributions given by their quantiles (..., 15) and weights that sum to 1.

    Beyond the outermost levels each distribution ends.
    """
    answer = np.array(quantiles[0], float)
    differ = np.any([np.any(one != answer, axis=-1) for one in quantiles], axis=0)
    if differ.any():
        answer[differ] = _mixture([one[differ] for one in quantiles], weights)
    return answer


def _mixture(quantiles: Sequence[np.ndarray], weights: Sequence[float]) -> np.ndarray:
    """The same of n distributions each (n, 15), by drawing them finely and counting."""
    between = np.stack([np.interp(FINE, LEVELS, unit) for unit in np.eye(len(LEVELS))])
    drawn = np.concatenate([one @ between for one in quantiles], axis=1)
    mass = np.repeat(np.asarray(weights) / len(FINE), len(FINE))
    order = np.argsort(drawn, axis=1)
    drawn, mass = np.take_along_axis(drawn, order, axis=1), mass[order]
    reached = np.cumsum(mass, axis=1) - 0.5 * mass
    return np.stack([np.interp(LEVELS, at, values) for at, values in zip(reached, drawn, strict=True)])

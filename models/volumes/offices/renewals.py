"""Renewals that fall due: when permits end is known, whether and when their renewal is asked for is learnt.

Of permits that ended long enough ago, each category has a share that asked for renewal and a distribution of the days
between the end and the application (negative: before the end). A category with few permits borrows from all. A permit
still running that has not asked by now asks later with what is left of that chance. No person enters: files are
counted by office and category.
"""

from dataclasses import dataclass
from datetime import datetime

import numpy as np
import pyarrow.compute as pc

from models.volumes.lake.rows import Known, before_today, codes
from models.volumes.rhythm import LEVELS
from records.errors import BadInput

EARLIEST, LATEST = -180, 120
"""Days from a permit's end within which an application counts as its renewal."""
OWN_PERMITS = 40.0
"""Ended permits that the belief in all categories' behaviour is worth against a category's own."""
LAGS = np.arange(EARLIEST, LATEST + 1)


@dataclass(frozen=True)
class Permits:
    """Permits, one a row: the last valid day and the day its renewal was asked for (NaT where it was not, so far), with
    codes of office and category; `today` is the first day that is not known any more."""

    ends: np.ndarray  # datetime64[D]
    asked: np.ndarray  # datetime64[D]
    office: np.ndarray
    category: np.ndarray
    length: np.ndarray  # days of validity
    offices: tuple[str, ...]
    categories: tuple[str, ...]
    today: np.datetime64


@dataclass(frozen=True)
class Behaviour:
    """Per category (C): `asks` and `does_not` are the weights of a beta distribution of the chance that renewal is
    asked for; `lag` (C, L) the distribution of the days from the end, over LAGS."""

    asks: np.ndarray
    does_not: np.ndarray
    lag: np.ndarray

    @property
    def chance(self) -> np.ndarray:
        """Expected chance (C,)."""
        return np.asarray(self.asks / (self.asks + self.does_not))

    def remaining(self, days_past_end: np.ndarray, category: np.ndarray, chance: np.ndarray) -> np.ndarray:
        """Chance (n, L) that renewal is asked for at each lag, given that it was not before `days_past_end`.

        `chance` (C,) is that of each category."""
        ahead = self.lag[category] * chance[category, None]
        ahead = np.where(days_past_end[:, None] <= LAGS, ahead, 0.0)
        never = 1.0 - chance[category]
        return np.asarray(ahead / np.maximum(ahead.sum(axis=1) + never, 1e-12)[:, None])


@dataclass(frozen=True)
class Due:
    """Renewals expected to be asked for: `mean` (O, D) per office and day from `first` on, sample paths (P, O, D) and
    their quantiles (O, D, 15). Days from `complete` on also bring renewals of permits that are not granted yet and are
    no part of it."""

    offices: tuple[str, ...]
    first: np.datetime64
    complete: np.datetime64
    mean: np.ndarray
    paths: np.ndarray
    quantiles: np.ndarray


def permits(lake: Known, as_of: datetime, zone: str = "Africa/Tunis") -> Permits:
    """Every permit that was granted or renewed, as the authority knew it at `as_of`.

    A renewal is the first application of the same file that follows the grant.
    """
    columns = ["file", "state", "office", "category", "valid_from", "valid_to", "happened_at"]
    rows = lake.as_known("permits", as_of, columns)
    rows = rows.sort_by([("file", "ascending"), ("happened_at", "ascending")])
    rows, day, today = before_today(rows, as_of, zone)
    file = np.asarray(pc.dictionary_encode(rows["file"]).combine_chunks().indices)
    state = rows["state"].to_numpy(zero_copy_only=False)
    # The next application of the same file, read off from the back.
    position = np.where(state == "applied", np.arange(len(file)), len(file))
    following = np.append(np.minimum.accumulate(position[::-1])[::-1][1:], len(file))
    given = np.flatnonzero(np.isin(state, ("granted", "renewed")) & pc.is_valid(rows["valid_to"]).to_numpy(False))
    if not len(given):
        raise BadInput(f"The lake knew of no granted permit at {as_of}. Ingest permits, or choose a later moment.")
    after = np.minimum(following[given], len(file) - 1)
    renewed = (following[given] < len(file)) & (file[after] == file[given])
    ends = rows["valid_to"].to_numpy(zero_copy_only=False).astype("datetime64[D]")[given]
    begins = rows["valid_from"].to_numpy(zero_copy_only=False).astype("datetime64[D]")[given]
    office, offices = codes(rows["office"].take(given))
    category, categories = codes(rows["category"].take(given))
    return Permits(
        ends,
        np.where(renewed, day[after], np.datetime64("NaT", "D")),
        office,
        category,
        (ends - begins).astype(int),
        offices,
        categories,
        today,
    )


def learnt(known: Permits) -> Behaviour:
    """How each category renews, from permits whose time to ask was over before `today`, shrunk to all categories."""
    over = known.ends + LATEST < known.today
    lag = (known.asked - known.ends).astype(float)
    asked = over & np.isfinite(lag) & ~np.isnat(known.asked) & (lag >= EARLIEST) & (lag <= LATEST)
    classes = len(known.categories)
    both = np.zeros((classes, len(LAGS)))
    np.add.at(both, (known.category[asked], lag[asked].astype(int) - EARLIEST), 1.0)
    ended = np.bincount(known.category[over], minlength=classes).astype(float)
    # One ask and one not, spread over all lags, so that nothing is impossible before it was seen.
    everywhere = both.sum(axis=0) + 1.0 / len(LAGS)
    share = everywhere.sum() / (ended.sum() + 2.0)
    pooled = both + OWN_PERMITS * share * everywhere / everywhere.sum()
    asks = pooled.sum(axis=1)
    return Behaviour(asks, ended + OWN_PERMITS - asks, pooled / asks[:, None])


def renewals_due(known: Permits, behaviour: Behaviour, days: int, *, paths: int = 200, seed: int = 7) -> Due:
    """Renewals asked for on each of `days` days from today on, by office.

    The chance of each category is drawn once a path, so that what is not known of behaviour does not average out over
    permits; then every permit asks or does not by itself.
    """
    open_still = np.isnat(known.asked) & (known.ends + LATEST >= known.today)
    ends, office = known.ends[open_still], known.office[open_still]
    category = known.category[open_still]
    past = (known.today - ends).astype(int)
    shape = (len(known.offices), days)
    generator = np.random.default_rng(seed)
    # When a permit asks, if it does, depends on its category and end alone: one ascending line of shares for all kinds.
    kinds, kind = np.unique(np.stack([category, past]), axis=1, return_inverse=True)
    ahead = np.where(kinds[1][:, None] <= LAGS, behaviour.lag[kinds[0]], 0.0)
    left = ahead.sum(axis=1)
    when = np.arange(len(left))[:, None] + np.cumsum(ahead, axis=1) / np.maximum(left, 1e-12)[:, None]
    drawn = np.zeros((paths, *shape))
    for path in range(paths):
        chance = generator.beta(behaviour.asks, behaviour.does_not)[kinds[0]]
        asks = chance * left / np.maximum(chance * left + 1.0 - chance, 1e-12)
        asking = np.flatnonzero(generator.random(len(kind)) < asks[kind])
        of = kind[asking]
        place = np.searchsorted(when.ravel(), of + generator.random(len(of)), side="right")
        day = LAGS[np.minimum(place - of * len(LAGS), len(LAGS) - 1)] - past[asking]
        soon = (day >= 0) & (day < days)
        np.add.at(drawn[path], (office[asking][soon], day[soon]), 1.0)
    mean = np.zeros(shape)
    at = LAGS[None, :] - past[:, None]  # days from today
    row, lag = np.nonzero((at >= 0) & (at < days))
    expected = behaviour.remaining(past, category, behaviour.chance)
    np.add.at(mean, (office[row], at[row, lag]), expected[row, lag])
    shortest = int(known.length.min()) if len(known.length) else 0
    return Due(
        known.offices,
        known.today,
        known.today + max(shortest + EARLIEST, 0),
        mean,
        drawn,
        np.moveaxis(np.quantile(drawn, LEVELS, axis=0), 0, -1),
    )

"""Forecasts from one origin after another, as they would have been made: the one path of backtest and forecast."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from models.volumes.calendars.almanac import PLAIN, Almanac
from models.volumes.calendars.uncertain import Chances, chances
from models.volumes.counts.breaks import RUN, trusted
from models.volumes.counts.history import history_at
from models.volumes.counts.panel import Panel
from models.volumes.members.seasonal import same_season_lags
from models.volumes.pooling.pool import MEMBERS, Errors, Pool, learn
from models.volumes.rhythm import LEVELS, moments
from records.errors import BadInput

Progress = Callable[[str], None]

QUIET = 8
"""Seasons in a row in which nobody came at a step, after which nobody is expected there."""
HARDLY = 0.9
"""Quantiles up to this one are zero then; those above keep what members say of who may come all the same."""


@dataclass(frozen=True)
class Fold:
    """What every member said at one origin: {name: (S, H, 15)}, and the counts that came (S, H), NaN where unknown.

    `feast` (H,) is true around a feast, `silent` (S,) for series that never counted anything but zero, `quiet` (S, H)
    at steps in whose place of the season nobody came for long.
    """

    origin: int
    quantiles: Mapping[str, np.ndarray]
    actual: np.ndarray
    feast: np.ndarray
    silent: np.ndarray
    quiet: np.ndarray

    def pooled(self, pool: Pool) -> np.ndarray:
        """The pool's answer (S, H, 15)."""
        answer = pool.combine(self.quantiles, self.feast)
        answer[self.quiet[..., None] & (LEVELS <= HARDLY) & np.isfinite(answer)] = 0.0
        answer[self.silent] = np.where(np.isfinite(answer[self.silent]), 0.0, np.nan)
        return answer


@dataclass(frozen=True)
class Rehearsal:
    """What the pool says of an earlier origin (S, H, 15), and the counts that came since (S, H), NaN where none did."""

    quantiles: np.ndarray
    actual: np.ndarray


@dataclass(frozen=True)
class Forecast:
    """The pool's quantiles (S, H, 15) from one origin; NaN for a series with no counts yet or one that has ended.

    `past` are the same pool's answers from the origins before. `mean` (S, H) is known where it was read from paths.
    """

    origin: int
    quantiles: np.ndarray
    naive: np.ndarray
    pool: Pool
    actual: np.ndarray
    past: tuple[Rehearsal, ...] = ()
    mean: np.ndarray | None = None


def roll(
    panel: Panel,
    cutoffs: Sequence[int],
    horizon: int,
    countries: Sequence[str] = (),
    *,
    almanac: Almanac = PLAIN,
    teaching: int | None = None,
    stored: Pool | None = None,
    progress: Progress | None = None,
) -> Iterator[Forecast]:
    """Forecasts from each cutoff, ascending.

    Weights are learnt once, from `teaching` rolling origins whose horizons all end by the first cutoff. Widths are
    learnt again at each cutoff from every earlier origin, as far as its counts had come by then. A `stored` pool is
    taken as it is: nothing is learnt, and members without a weight in it are not fitted; BadInput where it is one of
    another frequency. The `almanac` is what is known at the last cutoff; an earlier origin sees what was known by then.
    """
    if stored and not set(stored.weights) <= set(panel.rhythm.members):
        raise BadInput(f"The stored pool is not one of frequency {panel.rhythm.freq!r}. Learn its weights again.")
    length, calendars = cutoffs[-1] + horizon - panel.start + 1, dict[int, Chances]()

    def days(origin: int) -> Chances:
        """The calendars as they were known at an origin, made once for all origins that knew as much."""
        known = almanac if origin == cutoffs[-1] else almanac.by(moments(np.array(origin + 1), panel.rhythm))
        much = len(known.official.days)
        if much not in calendars:
            calendars[much] = chances(panel.rhythm, panel.start, length, countries, almanac=known)
        return calendars[much]

    members = panel.rhythm.members if stored is None else tuple({*stored.weights, "naive"})
    teachers = teaching_origins(panel, cutoffs[0], horizon, teaching) if stored is None else []
    folds: list[Fold] = []
    for number, origin in enumerate(teachers):
        if progress:
            progress(f"learning {number + 1}/{len(teachers)}")
        folds.append(_fold(panel, origin, horizon, days(origin), members))
    weights: Mapping[str, float] | None = None
    for number, cutoff in enumerate(cutoffs):
        if progress:
            progress(f"cutoff {number + 1}/{len(cutoffs)}")
        pool = stored or learn(errors_known(panel, folds, cutoff), members, weights)
        weights = pool.weights
        # The last origin teaches nothing more, so those without a weight need not be fitted there.
        heard = tuple({*weights, "naive"}) if number == len(cutoffs) - 1 else members
        fold = _fold(panel, cutoff, horizon, days(cutoff), heard)
        past = tuple(Rehearsal(old.pooled(pool), _come(old, cutoff)) for old in folds)
        yield Forecast(cutoff, fold.pooled(pool), fold.quantiles["naive"], pool, fold.actual, past)
        folds.append(fold)


def teaching_origins(panel: Panel, first_cutoff: int, horizon: int, count: int | None = None) -> list[int]:
    """Origins before the first cutoff, ascending, that leave a season of counts before them."""
    wanted = panel.rhythm.validation if count is None else count
    step = max(1, horizon // 2 if panel.rhythm.unit == "M" else horizon)
    earliest = panel.start + (5 if panel.rhythm.unit == "M" else 3 * panel.rhythm.season - 1)
    origins = [first_cutoff - horizon - i * step for i in range(wanted)]
    return sorted(origin for origin in origins if origin >= earliest)


def errors_known(panel: Panel, folds: Sequence[Fold], cutoff: int) -> Errors:
    """The errors of earlier folds as far as their counts had come by the cutoff, and which fell within a shock."""
    if not folds:
        nothing = np.empty(0, int)
        return Errors(np.empty(0), {}, nothing, nothing, nothing, np.empty(0, bool), np.empty(0, bool))
    known = panel.values[:, : cutoff - panel.start + 1]
    sure = trusted(known, panel.rhythm, shortest=RUN[panel.rhythm.unit])
    usable, calm = [], []
    for fold in folds:
        answered = np.isfinite(np.stack([q[..., 0] for q in fold.quantiles.values()])).all(axis=0)
        begin = fold.origin + 1 - panel.start
        ordinary = np.ones(fold.actual.shape, bool)
        there = sure[:, begin : begin + fold.actual.shape[1]]
        ordinary[:, : there.shape[1]] = there
        usable.append(np.isfinite(_come(fold, cutoff)) & answered)
        calm.append(ordinary)
    ahead = 1 + np.arange(folds[0].actual.shape[1])

    def gathered(values: Sequence[np.ndarray]) -> np.ndarray:
        return np.concatenate([np.broadcast_to(v, u.shape)[u] for v, u in zip(values, usable, strict=True)])

    return Errors(
        gathered([fold.actual for fold in folds]),
        {
            name: np.concatenate([fold.quantiles[name][rows] for fold, rows in zip(folds, usable, strict=True)])
            for name in folds[0].quantiles
        },
        np.concatenate([np.nonzero(rows)[0] for rows in usable]),
        gathered([np.array(number) for number in range(len(folds))]),
        gathered([fold.origin + ahead for fold in folds]),
        gathered([fold.feast for fold in folds]),
        gathered(calm),
    )


def _come(fold: Fold, cutoff: int) -> np.ndarray:
    """The fold's counts (S, H) as far as they had come by the cutoff, else NaN."""
    step = fold.origin + 1 + np.arange(fold.actual.shape[1])
    return np.where(step <= cutoff, fold.actual, np.nan)


def _fold(panel: Panel, origin: int, horizon: int, days: Chances, members: Sequence[str]) -> Fold:
    history = history_at(panel, origin, horizon, days[0][1], days[1:])
    begun = np.isfinite(history.values).any(axis=1) & (panel.last >= origin)
    blank = np.full((len(panel.ids), horizon, len(LEVELS)), np.nan)
    quantiles = {}
    for name in members:
        answer = blank.copy()
        if begun.any():
            answer[begun] = MEMBERS[name](history.of(begun))
        quantiles[name] = answer
    actual = np.full((len(panel.ids), horizon), np.nan)
    came = panel.values[:, origin - panel.start + 1 :][:, :horizon]
    actual[:, : came.shape[1]] = came
    silent = ~(np.nan_to_num(panel.values[:, : origin - panel.start + 1]) > 0).any(axis=1)
    lags = same_season_lags(history, QUIET)
    feast = history.calendar.around_feast[history.length :]
    return Fold(origin, quantiles, actual, feast, silent, (lags == 0).all(axis=2))

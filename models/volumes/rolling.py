"""Forecasts from one origin after another, as they would have been made: the one path of backtest and forecast."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from models.volumes.history import history_at
from models.volumes.panel import Panel
from models.volumes.pool import MEMBERS, Errors, Pool, learn
from models.volumes.rhythm import LEVELS
from models.volumes.uncertain import Chances, chances

Progress = Callable[[str], None]


@dataclass(frozen=True)
class Fold:
    """What every member said at one origin: {name: (S, H, 15)}, and the counts that came (S, H), NaN where unknown."""

    origin: int
    quantiles: Mapping[str, np.ndarray]
    actual: np.ndarray


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
    teaching: int | None = None,
    apart: int | None = None,
    progress: Progress | None = None,
) -> Iterator[Forecast]:
    """Forecasts from each cutoff, ascending.

    Weights are learnt once, from `teaching` rolling origins whose horizons all end by the first cutoff. Widths are
    learnt again at each cutoff from every earlier origin, as far as its counts had come by then.
    """
    days = chances(panel.rhythm, panel.start, max(cutoffs) + horizon - panel.start + 1, countries)
    teachers = teaching_origins(panel, cutoffs[0], horizon, teaching, apart)
    folds: list[Fold] = []
    for number, origin in enumerate(teachers):
        if progress:
            progress(f"learning {number + 1}/{len(teachers)}")
        folds.append(_fold(panel, origin, horizon, days))
    weights: Mapping[str, float] | None = None
    for number, cutoff in enumerate(cutoffs):
        if progress:
            progress(f"cutoff {number + 1}/{len(cutoffs)}")
        pool = learn(errors_known(folds, cutoff), panel.rhythm.members, weights)
        weights = pool.weights
        fold = _fold(panel, cutoff, horizon, days)
        past = tuple(Rehearsal(pool.combine(old.quantiles), _come(old, cutoff)) for old in folds)
        yield Forecast(cutoff, pool.combine(fold.quantiles), fold.quantiles["naive"], pool, fold.actual, past)
        folds.append(fold)


def teaching_origins(
    panel: Panel, first_cutoff: int, horizon: int, count: int | None = None, apart: int | None = None
) -> list[int]:
    """Origins before the first cutoff, ascending, that leave a season of counts before them."""
    wanted = panel.rhythm.validation if count is None else count
    step = apart or max(1, horizon // 2 if panel.rhythm.unit == "M" else horizon)
    earliest = panel.start + (5 if panel.rhythm.unit == "M" else 3 * panel.rhythm.season - 1)
    origins = [first_cutoff - horizon - i * step for i in range(wanted)]
    return sorted(origin for origin in origins if origin >= earliest)


def errors_known(folds: Sequence[Fold], cutoff: int) -> Errors:
    """The errors of earlier folds as far as their counts had come by the cutoff."""
    y, series, fold_number = [], [], []
    quantiles: dict[str, list[np.ndarray]] = {}
    for number, fold in enumerate(folds):
        answered = np.isfinite(np.stack([q[..., 0] for q in fold.quantiles.values()])).all(axis=0)
        usable = np.isfinite(_come(fold, cutoff)) & answered
        y.append(fold.actual[usable])
        series.append(np.nonzero(usable)[0])
        fold_number.append(np.full(int(usable.sum()), number))
        for name, values in fold.quantiles.items():
            quantiles.setdefault(name, []).append(values[usable])
    if not y:
        return Errors(np.empty(0), {}, np.empty(0, int), np.empty(0, int))
    return Errors(
        np.concatenate(y),
        {name: np.concatenate(parts) for name, parts in quantiles.items()},
        np.concatenate(series),
        np.concatenate(fold_number),
    )


def _come(fold: Fold, cutoff: int) -> np.ndarray:
    """The fold's counts (S, H) as far as they had come by the cutoff, else NaN."""
    step = fold.origin + 1 + np.arange(fold.actual.shape[1])
    return np.where(step <= cutoff, fold.actual, np.nan)


def _fold(panel: Panel, origin: int, horizon: int, days: Chances) -> Fold:
    history = history_at(panel, origin, horizon, days[0][1], days[1:])
    begun = np.isfinite(history.values).any(axis=1) & (panel.last >= origin)
    blank = np.full((len(panel.ids), horizon, len(LEVELS)), np.nan)
    quantiles = {}
    for name in panel.rhythm.members:
        answer = blank.copy()
        if begun.any():
            answer[begun] = MEMBERS[name](history.of(begun))
        quantiles[name] = answer
    actual = np.full((len(panel.ids), horizon), np.nan)
    came = panel.values[:, origin - panel.start + 1 :][:, :horizon]
    actual[:, : came.shape[1]] = came
    return Fold(origin, quantiles, actual)

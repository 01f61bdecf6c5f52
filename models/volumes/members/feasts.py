"""What feasts did in earlier years, remembered as ratios, since trees cannot learn a feast from one or two samples.

Ordinary days say what is usual: the same weekday's counts of the last weeks, days around days off left out. A day of
a feast is then a ratio to what was usual before it. The ratios of the same day of the same feast in all earlier years
are averaged in logarithms, a series' own beside those of all series, and say what the coming one would mean.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from models.volumes.calendars.calendar import Calendar
from models.volumes.counts.gaps import mean_known
from models.volumes.counts.history import History
from models.volumes.members.seasonal import same_season
from models.volumes.rhythm import LEVELS, MEDIAN

WEEKS, BEYOND = 8, 4
"""Ordinary same weekdays that make the usual count, and the weeks further back that may replace moved ones."""
FADE = 0.85
"""Weight of a week beside the next."""
YEARS, YEAR_FADE = 4, 0.5
"""Earlier years of a feast that are remembered, and the weight of one beside the next."""
OWN = 0.3
"""Years of a series' own that weigh as much as all series together."""
NEAR = 0.5
"""Share of its remembered effect that a feast is given on days which are ordinary though near to it."""
LARGEST = 3.0
"""Logarithm of a ratio beyond which it is no effect of a feast."""
DOUBT = 1.6
"""How much wider the days of a feast are than ordinary ones: a year or two tell less than eight weeks."""


@dataclass(frozen=True)
class Expected:
    """Of n rows: the usual count, the remembered ratios to the same weekday and to the week (NaN for no memory), and
    the count that they make of it. NaN where no ordinary day is known."""

    usual: np.ndarray
    ratio: np.ndarray
    ratio_of_week: np.ndarray
    count: np.ndarray


def expected(history: History, series: np.ndarray, origin: np.ndarray, target: np.ndarray) -> Expected:
    """What is usual for the rows' targets, as far as known at their origins, and what feasts make of it."""
    clean, season = ordinary(history), history.rhythm.season
    usual = fading_mean(ordinary_lags(clean, series, origin, target, season))
    calendar = history.calendar
    if history.rhythm.unit != "D" or not (calendar.feast >= 0).any():
        nothing = np.full(len(series), np.nan)
        return Expected(usual, nothing, nothing, usual)
    before = earlier_days(calendar)[target]
    beside_same, beside_week = effects(history, clean)
    same = remembered(beside_same, before, series, origin)
    week = remembered(beside_week, before, series, origin)
    days = [fading_mean(ordinary_lags(clean, series, origin, target - back, season)) for back in range(1, season)]
    usual_week = mean_known(np.stack([usual, *days]), axis=0)
    felt = np.where(calendar.ordinary[target], NEAR, 1.0)
    count = usual * np.exp(felt * np.nan_to_num(same))
    # A feast on a Wednesday is like the same feast on a Sunday, not like a Wednesday: days off go by the week.
    off = (calendar.columns["holiday"][target] > 0) & np.isfinite(week)
    count = np.where(off, usual_week * np.exp(np.nan_to_num(week)), count)
    return Expected(usual, np.exp(same), np.exp(week), count)


def feast_season(history: History) -> np.ndarray:
    """Quantiles (S, H, 15): the last ordinary counts of the same weekday, moved by what feasts did in earlier years.

    A series without an ordinary day yet is answered by its same-season counts.
    """
    rows = history.ahead()
    lags = ordinary_lags(ordinary(history), *rows, history.rhythm.season)
    spread = _weighted_quantiles(lags).reshape(len(history.values), history.horizon, len(LEVELS))
    answer = _moved(spread, history)
    unknown = ~np.isfinite(answer).all(axis=(1, 2))
    if unknown.any():
        answer[unknown] = same_season(history)[unknown]
    return answer


def moved_by_feasts(member: Callable[[History], np.ndarray]) -> Callable[[History], np.ndarray]:
    """A member that knows no feast is shown ordinary days alone, and its answer is moved by what feasts did before."""

    def member_moved(history: History) -> np.ndarray:
        quiet = ordinary(history)
        enough = np.isfinite(quiet).sum(axis=1) >= 0.5 * np.isfinite(history.values).sum(axis=1)
        if history.rhythm.unit != "D" or not enough.all():
            return member(history)
        return _moved(member(replace(history, values=quiet)), history)

    return member_moved


def _moved(quantiles: np.ndarray, history: History) -> np.ndarray:
    rows = history.ahead()
    said = expected(history, *rows)
    with np.errstate(invalid="ignore", divide="ignore"):
        ratio = np.where(said.usual > 0, said.count / said.usual, 1.0)
    doubt = np.where(history.calendar.ordinary[rows[2]] | ~np.isfinite(said.ratio), 1.0, DOUBT)
    ratio, doubt = (part.reshape(*quantiles.shape[:2], 1) for part in (ratio, doubt))
    middle = quantiles[..., MEDIAN : MEDIAN + 1]
    return np.asarray(np.maximum((middle + (quantiles - middle) * doubt) * ratio, 0.0))


def ordinary(history: History) -> np.ndarray:
    """Counts (S, N) of ordinary days; NaN on days that a feast or a run of days off moves."""
    return np.where(history.calendar.ordinary[: history.length], history.values, np.nan)


def ordinary_lags(
    clean: np.ndarray, series: np.ndarray, origin: np.ndarray, target: np.ndarray, season: int
) -> np.ndarray:
    """Ordinary counts (n, WEEKS + BEYOND) of the target's season up to the origin, newest first; NaN beyond WEEKS."""
    nearest = target - season * -(-(target - origin) // season)
    at = nearest[:, None] - season * np.arange(WEEKS + BEYOND)
    values = np.where(at >= 0, clean[series[:, None], np.maximum(at, 0)], np.nan)
    return np.where(np.cumsum(np.isfinite(values), axis=1) <= WEEKS, values, np.nan)


def fading_mean(lags: np.ndarray) -> np.ndarray:
    """Mean (n,) of counts (n, k), newest first, older ones fading; NaN for none."""
    weight = np.isfinite(lags) * FADE ** np.arange(lags.shape[1])
    total = weight.sum(axis=1)
    return np.where(total > 0, (weight * np.nan_to_num(lags)).sum(axis=1) / np.maximum(total, 1e-9), np.nan)


def earlier_days(calendar: Calendar) -> np.ndarray:
    """Steps (T, YEARS) of the same day of the same feast in earlier years, newest first; -1 where there is none."""
    before = np.full((len(calendar.feast), YEARS), -1)
    seen: dict[tuple[int, int], list[int]] = {}
    for t, (feast, offset) in enumerate(zip(calendar.feast.tolist(), calendar.offset.tolist(), strict=True)):
        if feast < 0:
            continue
        days = seen.setdefault((feast, int(offset)), [])
        newest = [day for day in reversed(days) if t - day > 200][:YEARS]
        before[t, : len(newest)] = newest
        days.append(t)
    return before


def effects(history: History, clean: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Logarithms (S, N) of each count over what was usual for its weekday before it, and for a day of that week."""
    count, length = history.values.shape
    season = history.rhythm.season
    series, step = (part.ravel() for part in np.indices((count, length)))
    same = fading_mean(ordinary_lags(clean, series, step - 1, step, season)).reshape(count, length)
    week = mean_known(np.stack([same, *[_later(same, back) for back in range(1, season)]]), axis=0)
    floor = 0.05 * week + 0.3
    with np.errstate(invalid="ignore"):
        logs = (np.log((history.values + floor) / (usual + floor)) for usual in (same, week))
        beside_same, beside_week = (np.clip(log, -LARGEST, LARGEST) for log in logs)
    return beside_same, beside_week


def remembered(effect: np.ndarray, before: np.ndarray, series: np.ndarray, origin: np.ndarray) -> np.ndarray:
    """Mean log effect (n,) of the earlier days (n, YEARS) known at the origin, shrunk to that of all series."""
    usable = (before >= 0) & (before <= origin[:, None])
    place = np.where(usable, before, 0)
    own = np.where(usable, effect[series[:, None], place], np.nan)
    shared = np.where(usable, mean_known(effect, axis=0)[place], np.nan)
    fade = YEAR_FADE ** np.arange(YEARS)
    own_weight, weight = np.isfinite(own) * fade, np.isfinite(shared) * fade
    common = (weight * np.nan_to_num(shared)).sum(axis=1) / np.maximum(weight.sum(axis=1), 1e-9)
    mean = ((own_weight * np.nan_to_num(own)).sum(axis=1) + OWN * common) / (own_weight.sum(axis=1) + OWN)
    return np.where(weight.sum(axis=1) > 0, mean, np.nan)


def _weighted_quantiles(lags: np.ndarray) -> np.ndarray:
    """Quantiles (n, 15) of fading counts (n, k), each a point amid its weight."""
    weight = np.isfinite(lags) * FADE ** np.arange(lags.shape[1])
    order = np.argsort(np.where(np.isfinite(lags), lags, np.inf), axis=1)
    values, mass = np.take_along_axis(np.nan_to_num(lags), order, axis=1), np.take_along_axis(weight, order, axis=1)
    total = np.maximum(mass.sum(axis=1, keepdims=True), 1e-9)
    reached = (np.cumsum(mass, axis=1) - 0.5 * mass) / total
    known = np.isfinite(lags).sum(axis=1)
    answer = np.full((len(lags), len(LEVELS)), np.nan)
    for row in np.flatnonzero(known):
        answer[row] = np.interp(LEVELS, reached[row, : known[row]], values[row, : known[row]])
    return answer


def _later(values: np.ndarray, by: int) -> np.ndarray:
    moved = np.full(values.shape, np.nan)
    if by < values.shape[1]:
        moved[:, by:] = values[:, :-by]
    return moved

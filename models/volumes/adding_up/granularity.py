"""Hours, days and months that add up, path by path: 14 days by hour, 90 days by day and 24 months by month, say.

A day's paths say how much comes, the hours' paths when: each path of a day is dealt out to its hours by their shares. A
month whose days are all forecast is the sum of its days, which are first moved, all by one factor, to between what days
and month say, nearer to the one that is surer. A month that the days reach into keeps its own word for the rest of it.
Only single series are touched, so that nodes add up as before.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from models.volumes.adding_up.coherent import Coherent
from records.errors import BadInput

WEEK = 7
FARTHEST_MOVE = 2.0
"""Days are moved to at most so many times what they said, and at least to its inverse."""
Uncounted = tuple[np.ndarray, np.ndarray]
"""A series' days (k,) that nobody counted, and what is usual on each (k,), NaN where nothing is known."""
NO_DAYS: Uncounted = (np.empty(0, "datetime64[D]"), np.empty(0))


@dataclass(frozen=True)
class Nested:
    """Three forecasts of the same series from one moment; every step is the sum of the finer ones inside it."""

    hours: Coherent
    days: Coherent
    months: Coherent


def nested(
    hours: Coherent,
    days: Coherent,
    months: Coherent,
    *,
    days_counted: np.ndarray | None = None,
    uncounted: Sequence[Uncounted] = (),
) -> Nested:
    """Forecasts that add up over time, from three of the same hierarchy and as many paths.

    The first hour must lie in the first day, and the first day in the first month; the last hour in one of the days.
    What was counted before them in that month is given per series (n,), nothing where nothing was, and so are the days
    that nobody counted, which are told as `likely` does.
    BadInput where steps or paths do not meet.
    """
    count, _, draws = days.series.shape
    day_of_hour = (hours.origin + 1 + np.arange(hours.series.shape[1])) // 24 - (days.origin + 1)
    dates = np.datetime64(days.origin + 1, "D") + np.arange(days.series.shape[1])
    month_of_day = dates.astype("datetime64[M]").astype(int) - (months.origin + 1)
    if (day_of_hour[0], month_of_day[0]) != (0, 0):
        raise BadInput("The first hour must lie in the first day, and the first day in the first month.")
    if day_of_hour[-1] >= days.series.shape[1]:
        raise BadInput("The hours reach farther than their days: forecast more days or fewer hours.")
    if not hours.series.shape[::2] == months.series.shape[::2] == (count, draws):
        raise BadInput("Hours, days and months must be forecast for the same series and by equally many paths.")
    days_before = (np.zeros(count) if days_counted is None else days_counted)[:, None]
    unknown = uncounted or [NO_DAYS] * count

    cut = -1 if (hours.origin + 1 + len(day_of_hour)) % 24 == 0 else int(day_of_hour[-1])
    inside = np.bincount(month_of_day, minlength=months.series.shape[1])[: months.series.shape[1]]
    length = _length(months)
    missing = _days_missing(dates, inside, length)
    factors = _towards(days, months, month_of_day, missing == 0, days_before + likely(days.series, dates[0], unknown))
    moved = days.series * factors[:, month_of_day, None]
    by_hour, by_day = _dealt(hours.series, moved, day_of_hour, cut)
    order = np.empty(draws, int)
    order[moved.sum(axis=(0, 1)).argsort(kind="stable")] = months.series.sum(axis=(0, 1)).argsort(kind="stable")
    by_month = months.series[..., order] * np.where(inside > 0, missing / length, 1.0)[None, :, None]
    for day, month in enumerate(month_of_day[month_of_day < by_month.shape[1]]):
        by_month[:, month] += by_day[:, day]
    by_month[:, 0] += days_before + likely(by_day, dates[0], unknown)
    return Nested(replace(hours, series=by_hour), replace(days, series=by_day), replace(months, series=by_month))


def likely(days: np.ndarray, first: np.datetime64, uncounted: Sequence[Uncounted]) -> np.ndarray:
    """Paths (n, P) of what came in all on days that nobody counted, from the paths (n, d, P) of the days from `first`.

    A day before `first` is told by the next of its weekday on which somebody is expected at all, since a shut day says
    nothing of an open one, moved half the way to what was usual around it. That it was a feast is not known here.
    """
    answer = np.zeros(days.shape[::2])
    for row, (missing, usual) in enumerate(uncounted):
        open_days = days[row].any(axis=1)
        for ahead, around in zip((missing - first).astype(int), usual, strict=True):
            if ahead >= 0:
                answer[row] += days[row, ahead]
                continue
            for alike in [k for k in range(ahead % WEEK, len(open_days), WEEK) if open_days[k]][:1]:
                told = days[row, alike]
                move = 0.5 + 0.5 * around / told.mean() if np.isfinite(around) else 1.0
                answer[row] += told * np.clip(move, 1 / FARTHEST_MOVE, FARTHEST_MOVE)
    return answer


def _length(months: Coherent) -> np.ndarray:
    """Days of each month of the horizon."""
    first = (np.datetime64(months.origin + 1, "M") + np.arange(months.series.shape[1] + 1)).astype("datetime64[D]")
    return np.asarray(np.diff(first).astype(int))


def _days_missing(dates: np.ndarray, inside: np.ndarray, length: np.ndarray) -> np.ndarray:
    """Days of each month that come after the last forecast day; those before the first have been counted."""
    missing = length - inside
    missing[0] -= int((dates[0] - dates[0].astype("datetime64[M]").astype("datetime64[D]")).astype(int))
    return np.asarray(missing)


def _towards(
    days: Coherent, months: Coherent, month_of_day: np.ndarray, whole: np.ndarray, counted: np.ndarray
) -> np.ndarray:
    """Factors (n, months) that move the days of a whole month to between its days' sum and its own forecast, less what
    `counted` paths (n, P) say came of the first month before."""
    factors = np.ones((len(days.series), max(len(whole), int(month_of_day.max()) + 1)))
    for month in np.flatnonzero(whole):
        said = days.series[:, month_of_day == month].sum(axis=1)
        own = months.series[:, month] - (counted if month == 0 else 0.0)
        spread, own_spread = said.var(axis=1), own.var(axis=1)
        belief = own_spread / np.maximum(spread + own_spread, 1e-12)
        middle = belief * said.mean(axis=1) + (1.0 - belief) * np.maximum(own.mean(axis=1), 0.0)
        ratio = middle / np.maximum(said.mean(axis=1), 1e-12)
        usable = (said.mean(axis=1) > 0) & (spread + own_spread > 0)
        factors[:, month] = np.where(usable, np.clip(ratio, 1 / FARTHEST_MOVE, FARTHEST_MOVE), 1.0)
    return factors


def _dealt(hours: np.ndarray, days: np.ndarray, day_of_hour: np.ndarray, cut: int) -> tuple[np.ndarray, np.ndarray]:
    """Hours (n, h, P) that share each day's paths among them, and the days (n, d, P), which are then their sums.

    Where the hours end within a day, `cut`, they stand, and the day is at least their sum.
    """
    by_hour, by_day = hours.copy(), days.copy()
    for day in range(min(int(day_of_hour.max()) + 1, days.shape[1])):
        inside = day_of_hour == day
        if day == cut:
            by_day[:, day] = np.maximum(by_day[:, day], by_hour[:, inside].sum(axis=1))
            continue
        shares = by_hour[:, inside]
        usual = shares.mean(axis=2, keepdims=True)
        usual = np.where(usual.sum(axis=1, keepdims=True) > 0, usual, 1.0)
        shares = np.where(shares.sum(axis=1, keepdims=True) > 0, shares, usual)
        by_hour[:, inside] = shares / shares.sum(axis=1, keepdims=True) * days[:, day, None]
        by_day[:, day] = by_hour[:, inside].sum(axis=1)
    return by_hour, by_day

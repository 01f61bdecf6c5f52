"""What the trees see of one (series, origin, target): same-season counts, levels, calendar, covariates.

Everything is aligned to the target's time and divided by the level of the recent past, so that one model serves a
quiet pier and a capital's airport. Only counts up to the origin of a row are read, whatever the history holds beyond.
"""

from dataclasses import dataclass

import numpy as np

from models.volumes.counts.gaps import mean_known
from models.volumes.counts.history import History
from models.volumes.members import feasts

CATEGORIES = ("weekday", "hour", "month", "feast", "ramadan_hour", "series")
"""Columns without an order, where they are present."""


@dataclass(frozen=True)
class Rows:
    """n training or forecast rows: series, origin and target as positions in the history."""

    series: np.ndarray
    origin: np.ndarray
    target: np.ndarray


class Windows:
    """Means of counts over any window in constant time, missing ones left out."""

    def __init__(self, values: np.ndarray) -> None:
        seen = np.isfinite(values)
        blank = np.zeros((len(values), 1))
        self.sum = np.concatenate([blank, np.cumsum(np.where(seen, values, 0.0), axis=1)], axis=1)
        self.count = np.concatenate([blank, np.cumsum(seen, axis=1)], axis=1)
        self.length = values.shape[1]

    def mean(self, series: np.ndarray, start: np.ndarray, stop: np.ndarray) -> np.ndarray:
        """Mean over start <= t < stop, NaN where nothing is known."""
        start, stop = np.clip(start, 0, self.length), np.clip(stop, 0, self.length)
        count = self.count[series, stop] - self.count[series, start]
        total = self.sum[series, stop] - self.sum[series, start]
        return np.where(count > 0, total / np.maximum(count, 1), np.nan)


def levels(windows: Windows, rows: Rows, width: int) -> np.ndarray:
    """Recent mean of each row's series at its origin, never zero: a quiet spell falls back on a longer one."""
    stop = rows.origin + 1
    recent = windows.mean(rows.series, stop - width, stop)
    longer = windows.mean(rows.series, stop - 6 * width, stop)
    level = np.fmax(recent, 0.15 * longer)
    return np.where(np.isfinite(level), np.maximum(level, 0.3), 1.0)


def design(history: History, windows: Windows, rows: Rows, level: np.ndarray) -> dict[str, np.ndarray]:
    """Feature columns (n,) by name."""
    columns = _recent(history, windows, rows, level)
    columns |= _same_season(history, windows, rows, level)
    columns |= {name: values[rows.target] for name, values in history.calendar.columns.items()}
    columns |= {name: codes[rows.series].astype(float) for name, codes in history.groups.items()}
    columns |= _expected(history, rows, level)
    columns |= _ahead(history, rows, level)
    return columns


def _at(values: np.ndarray, series: np.ndarray, step: np.ndarray) -> np.ndarray:
    inside = (step >= 0) & (step < values.shape[1])
    return np.where(inside, values[series, np.clip(step, 0, values.shape[1] - 1)], np.nan)


def _recent(history: History, windows: Windows, rows: Rows, level: np.ndarray) -> dict[str, np.ndarray]:
    season, width = history.rhythm.season, history.rhythm.level
    short = history.rhythm.short_season
    stop = rows.origin + 1
    near = windows.mean(rows.series, stop - short, stop)
    older = windows.mean(rows.series, stop - 2 * width, stop - width)
    oldest = windows.mean(rows.series, stop - 4 * width, stop)
    columns = {
        "ahead": (rows.target - rows.origin).astype(float),
        "size": np.log1p(level),
        "last": _at(history.values, rows.series, rows.origin) / level,
        "last_season_mean": near / level,
        "trend": older / level,
        "long_mean": oldest / level,
        "zero_share": _share_of_zeros(history.values, rows, width),
    }
    if season != short:
        columns["last_long_season_mean"] = windows.mean(rows.series, stop - season, stop) / level
    for back in (1, 2):
        columns[f"last_{back + 1}"] = _at(history.values, rows.series, rows.origin - back) / level
    return columns


def _share_of_zeros(values: np.ndarray, rows: Rows, width: int) -> np.ndarray:
    zero = Windows(np.where(np.isfinite(values), (values == 0).astype(float), np.nan))
    return zero.mean(rows.series, rows.origin + 1 - 2 * width, rows.origin + 1)


def _same_season(history: History, windows: Windows, rows: Rows, level: np.ndarray) -> dict[str, np.ndarray]:
    rhythm = history.rhythm
    columns: dict[str, np.ndarray] = {}
    for name, season, count in (("season", rhythm.season, rhythm.recall), ("short", rhythm.short_season, 7)):
        if name == "short" and rhythm.short_season == rhythm.season:
            continue
        nearest = rows.target - season * -(-(rows.target - rows.origin) // season)
        lags = np.stack([_at(history.values, rows.series, nearest - season * j) for j in range(count)], axis=1)
        lags /= level[:, None]
        for j in range(min(3, count)):
            columns[f"{name}_lag_{j + 1}"] = lags[:, j]
        known = np.isfinite(lags).sum(axis=1)
        columns[f"{name}_mean"] = mean_known(lags)
        ordered = np.sort(lags, axis=1)
        columns[f"{name}_low"] = ordered[:, 0]
        middle = np.maximum(known - 1, 0) // 2
        columns[f"{name}_median"] = ordered[np.arange(len(lags)), middle]
        columns[f"{name}_high"] = ordered[np.arange(len(lags)), np.maximum(known - 1, 0)]
    year, reach = (rhythm.year, 3) if rhythm.year else (rhythm.season, 0)
    if rhythm.unit == "h":
        return columns
    for back in (1, 2, 3):
        then, origin_then = rows.target - back * year, rows.origin + 1 - back * year
        usable = then <= rows.origin
        value = np.where(
            usable, windows.mean(rows.series, then - reach, np.minimum(then + reach, rows.origin) + 1), np.nan
        )
        base = windows.mean(rows.series, origin_then - rhythm.level, origin_then)
        with np.errstate(divide="ignore", invalid="ignore"):
            columns[f"profile_{back}"] = np.clip(np.where(base > 0, value / base, np.nan), 0, 20)
    columns["profile"] = mean_known(np.stack([columns[f"profile_{back}"] for back in (1, 2, 3)], axis=1))
    return columns


def _expected(history: History, rows: Rows, level: np.ndarray) -> dict[str, np.ndarray]:
    """What is usual on ordinary days, and what the same day of the same feast in earlier years makes of it."""
    if history.rhythm.unit == "M":
        return {}
    said = feasts.expected(history, rows.series, rows.origin, rows.target)
    columns = {"usual": said.usual / level}
    if np.isfinite(said.ratio).any() or (history.calendar.feast >= 0).any():
        columns |= {"feast_ratio": said.ratio, "feast_ratio_of_week": said.ratio_of_week}
        columns |= {"feast_count": said.count / level}
    return columns


def _ahead(history: History, rows: Rows, level: np.ndarray) -> dict[str, np.ndarray]:
    """Columns known ahead, beside their own recent level, and the count they would mean at the recent load."""
    columns: dict[str, np.ndarray] = {}
    width = history.rhythm.level
    for name, known in history.known.items():
        covariate = Windows(known)
        stop = rows.origin + 1
        usual = covariate.mean(rows.series, stop - width, stop)
        value = known[rows.series, rows.target]
        columns[f"{name}_ahead"] = value
        with np.errstate(divide="ignore", invalid="ignore"):
            columns[f"{name}_beside_usual"] = np.where(usual > 0, value / usual, np.nan)
        for step in (-1, 1):
            columns[f"{name}_{'before' if step < 0 else 'after'}"] = _at(known, rows.series, rows.target + step)
        season = history.rhythm.season
        nearest = rows.target - season * -(-(rows.target - rows.origin) // season)
        counts = np.stack([_at(history.values, rows.series, nearest - season * j) for j in range(4)], axis=1)
        carried = np.stack([_at(known, rows.series, nearest - season * j) for j in range(4)], axis=1)
        both = np.isfinite(counts) & np.isfinite(carried)
        with np.errstate(divide="ignore", invalid="ignore"):
            load = np.where(both, counts, 0).sum(axis=1) / np.where(both, carried, 0).sum(axis=1)
            columns[f"{name}_load"] = np.where(np.isfinite(load), load * value / level, np.nan)
    return columns

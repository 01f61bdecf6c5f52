"""What the next day should bring, cheaply and every day anew: the forecast that arriving counts are judged against.

A count is its level, its weekday and what days off do to it, added on a log scale. Level and weekday are medians over
weeks, so that a change which has just begun does not teach the forecast that it is usual. Days off are learnt over all
series together, and then how far each series differs. Anyone else's quantiles can be judged in the same way: see
models.volumes.early_warning.warning.
"""

from dataclasses import dataclass, replace

import numpy as np

from models.volumes.calendars.calendar import Calendar
from models.volumes.rhythm import LEVELS

LEVEL_DAYS = 35
WEEKDAY_WEEKS = 8
WARM = 7 * WEEKDAY_WEEKS
"""Days before the first answer."""
REFIT = 7
SHARED, OWN = 3.0, 6.0
"""Days off that a shared effect, and a series' difference from it, must have seen to be half believed."""
SPREAD_DAYS, SHAPE_DAYS = 180, 365
LARGEST = 1.2
"""Log change by a day off above which a day was shut, and teaches nothing about the next."""
FEAST_DAYS = range(-4, 8)
"""Days around the first day of a feast that have an effect of their own."""


@dataclass(frozen=True)
class Reference:
    """Quantiles (S, N, Q) for S series and N days, each made the evening before; NaN while there is too little to say.

    `errors` (S, N) are log(1 + count) less its forecast, and `plain` the same before days off were taken out.
    """

    quantiles: np.ndarray
    errors: np.ndarray
    plain: np.ndarray

    @property
    def length(self) -> int:
        """N, the days that are answered."""
        return int(self.errors.shape[1])

    def until(self, length: int) -> "Reference":
        """As it stood after `length` days."""
        return replace(
            self,
            quantiles=self.quantiles[:, :length],
            errors=self.errors[:, :length],
            plain=self.plain[:, :length],
        )


def reference(values: np.ndarray, days: Calendar, before: Reference | None = None) -> Reference:
    """The reference of daily counts (S, N), NaN where missing; `days` is the calendar of at least those N days.

    With `before`, the reference of the same table when it was shorter, only the later days are computed.
    """
    count, length = values.shape
    logs = np.log1p(values)
    special, effects = special_days(days)
    begin = before.length if before else 0
    made = _room(count, length, before)
    moved, spread, shapes = np.zeros_like(logs), np.ones(count), np.zeros((2, len(LEVELS)))
    for day in range(max(begin, WARM), length):
        if day % REFIT == 0 or day == max(begin, WARM):
            known = day - day % REFIT  # what a week's refit knows, also where this run begins inside the week
            moved = _moved(made.plain[:, :known], effects)
            spread, shapes = _spread(made.errors[:, :known], special)
        plain = logs[:, day - WARM : day] - moved[:, day - WARM : day]
        same_weekday = plain[:, (WARM - 7 * np.arange(1, WEEKDAY_WEEKS + 1))]
        usual = _median(plain[:, -LEVEL_DAYS:]) + _median(same_weekday) - _median(plain)
        made.plain[:, day] = logs[:, day] - usual
        made.errors[:, day] = made.plain[:, day] - moved[:, day]
        middle = usual + moved[:, day]
        # A count of few has chance of its own beyond what the errors of busier weeks show.
        chance = np.sqrt(spread**2 + 1.0 / (np.exp(np.clip(middle, 0, 50)) + 1.0))
        log_quantiles = middle[:, None] + chance[:, None] * shapes[int(special[day])]
        made.quantiles[:, day] = np.maximum(np.expm1(log_quantiles), 0.0)
    return made


def special_days(days: Calendar) -> tuple[np.ndarray, np.ndarray]:
    """Which days (N,) holidays touch, and their effects (N, K) as zeros and ones."""
    if "run_length" not in days.columns:
        return np.zeros(len(days.feast), bool), np.zeros((len(days.feast), 0))
    c = days.columns
    off, weekday, length, place = c["run_length"] > 0, c["weekday"], c["run_length"], c["run_place"]
    long = length >= 3
    feast = (days.feast >= 0) & (days.offset >= FEAST_DAYS.start) & (days.offset < FEAST_DAYS.stop)
    special = (c["holiday"] > 0) | long | (c["days_to_long_run"] <= 2) | (c["days_from_long_run"] <= 2) | feast
    parts = [c["holiday"] > 0, off & (weekday < 5), long & (place == length), long & (place > 3), length >= 5]
    parts += [c["days_to_long_run"] == k for k in (1, 2, 3)]
    parts += [c["days_from_long_run"] == k for k in (1, 2)]
    parts += [long & (place == k) for k in (1, 2, 3)]
    parts += [long & (weekday == k) for k in range(7)]
    parts += [off & ~long & (c["holiday"] > 0) & (weekday == k) for k in range(7)]
    parts += [
        (days.feast == f) & (days.offset == k) for f in np.unique(days.feast[days.feast >= 0]) for k in FEAST_DAYS
    ]
    return special, np.column_stack(parts) * special[:, None].astype(float)


def _room(count: int, length: int, before: Reference | None) -> Reference:
    made = Reference(
        np.full((count, length, len(LEVELS)), np.nan),
        np.full((count, length), np.nan),
        np.full((count, length), np.nan),
    )
    if before:
        made.quantiles[:, : before.length] = before.quantiles
        made.errors[:, : before.length] = before.errors
        made.plain[:, : before.length] = before.plain
    return made


def _moved(plain: np.ndarray, effects: np.ndarray) -> np.ndarray:
    """What days off add to log counts (S, days of the calendar), by ridge on the errors that ignored them."""
    known = plain.shape[1]
    seen = effects[:known].any(axis=1) & (np.isfinite(plain).any(axis=0) if known else np.zeros(0, bool))
    if not seen.any():
        return np.zeros((len(plain), len(effects)))
    learnt = effects[:known][seen]
    errors = np.clip(plain[:, seen], -LARGEST, LARGEST)
    middle = _median(errors.T)
    cross = learnt.T @ learnt
    identity = np.eye(cross.shape[0])
    shared = np.linalg.solve(cross + SHARED * identity, learnt.T @ middle)
    rest = np.nan_to_num(errors - (learnt @ shared)[None])
    own = np.linalg.solve(cross + OWN * identity, learnt.T @ rest.T)
    return np.asarray((effects @ (shared[:, None] + own)).T)


def _spread(errors: np.ndarray, special: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Spread of each series (S,) on ordinary days, and the quantiles (2, Q) of errors over it, ordinary and special."""
    known = errors.shape[1]
    ordinary = np.where(special[:known], np.nan, errors)[:, -SPREAD_DAYS:]
    spread = 1.4826 * _median(np.abs(ordinary)) if ordinary.size else np.full(len(errors), np.nan)
    spread = np.where(np.isfinite(spread), np.maximum(spread, 0.02), np.nan)
    scaled = (errors / spread[:, None])[:, -SHAPE_DAYS:]
    recent = special[:known][-SHAPE_DAYS:]
    shapes = np.full((2, len(LEVELS)), np.nan)
    for kind in (0, 1):
        pooled = scaled[:, recent == bool(kind)]
        pooled = pooled[np.isfinite(pooled)]
        if len(pooled) >= 10 * len(LEVELS):
            shapes[kind] = np.quantile(pooled, LEVELS)
    shapes[1] = np.where(np.isfinite(shapes[1]), shapes[1], 2.0 * shapes[0])
    return spread, shapes


def _median(values: np.ndarray) -> np.ndarray:
    """Median along the last axis, NaN left out and NaN where nothing is known; faster than numpy's on small rows."""
    ordered = np.sort(values, axis=-1)
    known = np.isfinite(values).sum(axis=-1)
    low = np.take_along_axis(ordered, (np.maximum(known - 1, 0) // 2)[..., None], axis=-1)[..., 0]
    high = np.take_along_axis(ordered, np.minimum(known // 2, values.shape[-1] - 1)[..., None], axis=-1)[..., 0]
    return np.asarray(np.where(known > 0, (low + high) / 2, np.nan))

"""Whether flags and reasons of a contestant hold when the seed, the rows or the months of training change."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from evidence.intervals import redrawn_days
from evidence.metrics import selected
from models.risk.comparison import Held
from models.risk.contestants import Fitted, Pushes
from models.risk.encoding import Matrix

REASONS = 3
MONTH = np.timedelta64(30, "D")
EXPLAINED = 1_000  # flagged rows whose reasons are compared, at most

Part = tuple[Matrix, np.ndarray]


def held(learnt: Fitted, train: Part, valid: Part, test: Matrix, time: np.ndarray, capacity: float) -> Held:
    was = learnt.raw(test)
    flags = selected(was, capacity)

    def changed(other: Fitted) -> float:
        now = selected(other.raw(test), capacity)
        return float(1 - np.minimum(flags, now).sum() / flags.sum())

    days = time.astype("datetime64[D]")
    drawn = np.sort(redrawn_days(days, 1, seed=11)[0])
    redrawn = learnt.again((train[0].rows(drawn), train[1][drawn]), valid, 2)
    month = None
    earlier = time < time.max() - MONTH
    if earlier.mean() >= 0.5 and 0 < train[1][earlier].sum() < earlier.sum():
        month = changed(learnt.again((train[0].rows(earlier), train[1][earlier]), valid, 0))
    shown = np.flatnonzero(flags > 0)
    shown = shown[np.unique(np.linspace(0, len(shown) - 1, EXPLAINED).astype(int))]
    kept = _kept(learnt.pushes(test.rows(shown)), redrawn.pushes(test.rows(shown)))
    return Held(changed(learnt.again(train, valid, 1)), changed(redrawn), month, kept)


def _kept(was: Pushes, now: Pushes) -> float | None:
    """Mean share of the first three reasons that are among the first three again; a text's rate, count and code are
    one reason."""
    names = sorted({_told_of(name) for name in (*was.names, *now.names)})
    if not names:
        return None
    first, second = (_first(each, names) for each in (was, now))
    several = np.minimum(np.maximum(first.sum(axis=1), 1), REASONS)
    return float(np.mean((first & second).sum(axis=1) / several))


def _first(pushes: Pushes, names: Sequence[str]) -> np.ndarray:
    """(n, names): whether the reason is among the first three that move the score at all."""
    gather = np.array([[_told_of(name) == known for known in names] for name in pushes.names], dtype=np.float64)
    weight = np.abs(pushes.values @ gather.reshape(len(pushes.names), len(names)))
    rank = np.argsort(np.argsort(-weight, axis=1, kind="stable"), axis=1)
    return np.asarray((rank < REASONS) & (weight > 0))


def _told_of(name: str) -> str:
    return name.removesuffix(" rate").removesuffix(" count")

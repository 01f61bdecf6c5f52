"""How far the reasons of a model can be leant on: how often they change where nothing that matters has.

Two things that should not change a reason are tried on the latest cases: the model is grown again on a bootstrap of the
subjects it learnt from, and every number a case holds is moved by up to a hundredth of its own spread (what is missing
stays missing, whole numbers stay whole, truth values and words stay what they are). Both are bounded: REFITS refits of
at most GROWN rows each, JITTERS jitters, and ROWS cases.

The refits also tell how many of the cases that would be flagged, the share CAPACITY with the highest scores, give way
to others. And from the same trials each group of reasons gets a bar: the smallest push, in log-odds, that was found
again, in the same direction and among the reasons a reader is shown, in at least HELD of the trials. A reason below it
is "less certain".
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Final

import numpy as np

from evidence.metrics import selected
from models.risk.encoding import Matrix
from models.treeshap import TreeShap

REFITS: Final = 4
JITTERS: Final = 4
ROWS: Final = 1_000
GROWN: Final = 20_000
SPREAD: Final = 0.01
HELD: Final = 0.8
SHOWN: Final = 3
CAPACITY: Final = 0.05
_PUSHES: Final = 50  # of a group, for a bar of its own

Boosters = Sequence[Any]


@dataclass(frozen=True)
class Stability:
    """`refit` and `noise` are shares of cases whose first reason became another; `least` the bar of each group.

    `flags` is the share of flagged cases that a refit replaces; None of a model from before that was tried. A group
    without a bar (None) was never found again often enough: its reasons are all less certain.
    """

    cases: int
    refits: int
    grown: int
    jitters: int
    refit: float
    noise: float
    least: Mapping[str, float | None]
    flags: float | None = None

    def certain(self, group: str, push: float) -> bool:
        """Whether a reason of `group` that moves the score by `push` log-odds is one that was found again."""
        least = self.least.get(group)
        return least is not None and abs(push) >= least

    def as_json(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_json(cls, written: Mapping[str, Any]) -> Stability:
        return cls(**written)


def stability(
    boosters: Boosters,
    grow: Callable[[np.ndarray], Boosters],
    subjects: np.ndarray,
    cases: Matrix,
    groups: Sequence[str],
    *,
    seed: int = 1,
    capacity: float = CAPACITY,
) -> Stability:
    """Try the reasons of `cases`, evenly chosen, against refits and noise.

    `grow` grows the model again on the training rows it is given the numbers of; `subjects` (n,) says whom each
    training row is about, since rows of one person come and go together; `groups` is the group of each column.
    """
    random = np.random.default_rng(seed)
    chosen = np.unique(np.linspace(0, len(cases.values) - 1, ROWS).astype(int))
    rows = cases.values[chosen]
    names = sorted(set(groups))
    gather = np.array([[group == name for name in names] for group in groups], dtype=np.float64)
    first = TreeShap.of(list(boosters))
    was = first.values(rows) @ gather
    flagged = selected(was.sum(axis=1), capacity)

    refits, grown, replaced = [], 0, []
    for _ in range(REFITS):
        drawn = _bootstrap(subjects, random)
        grown = max(grown, len(drawn))
        refits.append(TreeShap.of(list(grow(drawn))).values(rows) @ gather)
        replaced.append(1 - np.minimum(flagged, selected(refits[-1].sum(axis=1), capacity)).sum() / flagged.sum())
    jitters = [first.values(_jittered(rows, cases, random)) @ gather for _ in range(JITTERS)]
    return Stability(
        len(rows),
        REFITS,
        grown,
        JITTERS,
        _changed(was, refits),
        _changed(was, jitters),
        {name: _bar(was, refits, k) for k, name in enumerate(names)},
        round(float(np.mean(replaced)), 4),
    )


def _bootstrap(subjects: np.ndarray, random: np.random.Generator) -> np.ndarray:
    """Numbers of the rows of as many subjects as there are, drawn with replacement; at most GROWN rows."""
    _, whose = np.unique(subjects, return_inverse=True)
    order = np.argsort(whose, kind="stable")
    starts = np.searchsorted(whose[order], np.arange(whose.max() + 2))
    drawn = random.integers(0, len(starts) - 1, len(starts) - 1)
    return np.concatenate([order[starts[n] : starts[n + 1]] for n in drawn])[:GROWN]


def _jittered(rows: np.ndarray, cases: Matrix, random: np.random.Generator) -> np.ndarray:
    spread = np.array([np.nanstd(column) if np.isfinite(column).any() else 0.0 for column in cases.values.T])
    spread[[kind != "number" for kind in cases.kinds]] = 0.0
    moved: np.ndarray = rows + SPREAD * spread * random.uniform(-1, 1, rows.shape)
    whole = (np.isnan(cases.values) | (cases.values == np.round(cases.values))).all(axis=0)
    return np.where(whole, np.round(moved), moved)


def _first(totals: np.ndarray) -> np.ndarray:
    return np.asarray(np.argmax(np.abs(totals), axis=1))


def _changed(was: np.ndarray, tried: Sequence[np.ndarray]) -> float:
    return round(float(np.mean([_first(was) != _first(now) for now in tried])), 4)


def _shown(totals: np.ndarray) -> np.ndarray:
    """(n, groups): whether the group is among the SHOWN that weigh most."""
    rank = np.argsort(np.argsort(-np.abs(totals), axis=1), axis=1)
    return np.asarray(rank < SHOWN)


def _bar(was: np.ndarray, refits: Sequence[np.ndarray], group: int) -> float | None:
    """The least push of one group that was held: an isotonic line through "found again" over the size of the push."""
    from sklearn.isotonic import IsotonicRegression

    told = _shown(was)[:, group]
    if told.sum() * len(refits) < _PUSHES:
        return None
    push = np.tile(np.abs(was[told, group]), len(refits))
    again = np.concatenate(
        [_shown(now)[told, group] & (np.sign(now[told, group]) == np.sign(was[told, group])) for now in refits]
    )
    held = IsotonicRegression().fit(push, again.astype(np.float64)).predict(push)
    return round(float(push[held >= HELD].min()), 4) if (held >= HELD).any() else None

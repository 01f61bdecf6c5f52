"""The less discriminatory equal: of models that rank equally well, the one whose worst-off group is best off.

Many ways of growing trees answer one question equally well, and differ in whom they select. Around the way that was
tuned for ranking stand simple variations: shallower, slower and smoother trees, and trees without one of the columns
that matter most. A candidate is a mean of as many models as ever, of one or two recipes. No column is thereby simply
dropped: a score that knows nothing of place may well select *less* evenly, and mixed with others more so.

Candidates are judged on several windows of time, each after the rows it was grown on and all before any test. Those
within MARGIN of the best PR-AUC are equals; among them the highest of the lowest over highest selection rate wins.
Attributes stay where they are: `worst_off` is asked what share each candidate's selections leave the worst-off group,
and answers with a number (see `evidence.parity`).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import combinations, pairwise

import numpy as np
import pyarrow as pa

from evidence.metrics import pr_auc, selected
from models.risk.encoding import Matrix
from models.risk.learners import Candidate, Trees, grow
from models.risk.profiles import Part

MARGIN = 0.01
MEMBERS = 5
WINDOWS = 3
COLUMNS = 8  # that are tried without, those that the tuned trees gained most from
SEEDS = (1, 2)  # of each recipe while it is judged
WorstOff = Callable[[Iterable[np.ndarray]], Sequence[float]]
"""Of selections (n,) over the rows of all windows, one after the other, the lowest over the highest selection rate."""
Even = Callable[[pa.ChunkedArray, np.ndarray], WorstOff | None]
"""From subjects (n,) and moments (n,) to `WorstOff` over these rows; None where their groups are too small to tell."""


@dataclass(frozen=True)
class Window:
    """Rows to grow on, and later ones to be judged by."""

    train: Part
    judged: Part


@dataclass(frozen=True)
class Recipe:
    """One way to grow trees, without the columns made of one source (all, if None)."""

    candidate: Candidate
    without: str | None = None

    @property
    def name(self) -> str:
        return self.candidate.name + (f", without {self.without}" if self.without else "")


@dataclass(frozen=True)
class Equal:
    """A candidate: how many of its members are of which recipe, and how it did on the windows.

    `pr_auc` is the mean over windows, `level` its mean share of each window's best, `parity` the lowest over the
    highest selection rate over all windows together.
    """

    members: tuple[tuple[Recipe, int], ...]
    pr_auc: float
    level: float
    parity: float

    @property
    def name(self) -> str:
        return " + ".join(f"{count} of {recipe.name}" for recipe, count in self.members)


@dataclass(frozen=True)
class Frontier:
    """What the search found: `best` by PR-AUC, the one `chosen`, and those that none beats in both (`equals` of them
    were within the margin of `tried`)."""

    best: Equal
    chosen: Equal
    frontier: tuple[Equal, ...]
    equals: int
    tried: int


def search(
    windows: Sequence[Window],
    tuned: Candidate,
    worst_off: WorstOff,
    *,
    capacity: float,
    rounds: int,
    monotone: Mapping[str, int] | None = None,
    progress: Callable[[str], None] = lambda _: None,
) -> Frontier:
    """Grow every recipe around `tuned` on every window, and judge every mean of one or two of them."""
    tried = recipes(tuned, windows[-1].train, rounds, monotone)
    scores: dict[str, list[np.ndarray]] = {}
    for n, recipe in enumerate(tried):
        progress(f"{n + 1} of {len(tried)}: {recipe.name}")
        scores[recipe.name] = [
            grown(recipe, window.train, None, SEEDS, rounds, monotone).raw(masked(window.judged[0], recipe.without))
            for window in windows
        ]
    mixed = list(_mixes(tried))

    def raw(members: tuple[tuple[Recipe, int], ...], n: int) -> np.ndarray:
        return np.asarray(sum(count * scores[recipe.name][n] for recipe, count in members) / MEMBERS)

    ranks = np.array([[pr_auc(w.judged[1], raw(m, n)) or 0.0 for n, w in enumerate(windows)] for m in mixed])
    levels = (ranks / ranks.max(axis=0)).mean(axis=1)
    levels /= levels.max()
    progress(f"holding {len(mixed)} candidates against each other")
    parity = worst_off(
        np.concatenate([selected(raw(members, n), capacity) for n in range(len(windows))]) for members in mixed
    )
    found = [
        Equal(members, float(rank), float(level), float(even))
        for members, rank, level, even in zip(mixed, ranks.mean(axis=1), levels, parity, strict=True)
    ]
    equals = [each for each in found if each.level >= 1 - MARGIN]
    best = max(found, key=lambda each: each.level)
    return Frontier(best, max(equals, key=lambda e: (e.parity, e.level)), _frontier(found), len(equals), len(found))


def windows_of(
    learn: Part, as_of: np.ndarray, closed: np.ndarray, *, count: int = WINDOWS
) -> tuple[list[Window], np.ndarray]:
    """`count` windows over the latter half of the rows to learn from, each after the rows it is grown on; and the
    numbers of the rows judged, window after window.

    `as_of` (n,) in time order and `closed` (n,), when each outcome was: what was open when a window began teaches none.
    """
    edges = [len(as_of) * (count + n) // (2 * count) for n in range(count + 1)]
    found, rows = [], []
    for first, end in pairwise(edges):
        earlier = np.flatnonzero(closed[:first] <= as_of[first])
        judged = np.arange(first, end)
        found.append(Window(_rows(learn, earlier), _rows(learn, judged)))
        rows.append(judged)
    return found, np.concatenate(rows)


def recipes(tuned: Candidate, train: Part, rounds: int, monotone: Mapping[str, int] | None = None) -> list[Recipe]:
    """The tuned way and its variations, with every column and, tuned and shallow, without each that matters most."""
    p = dict(tuned.parameters)
    tuned = replace(tuned, name="tuned")
    shallow = _varied(tuned, "shallow", {"max_depth": 3, "num_leaves": 8})
    slow = _varied(tuned, "slow", {"learning_rate": p.get("learning_rate", 0.1) / 2})
    least, ridge = p.get("min_data_in_leaf", 20) * 8, max(1.0, p.get("lambda_l2", 0.0)) * 10
    smooth = _varied(tuned, "smooth", {"min_data_in_leaf": least, "lambda_l2": ridge})
    without = _sources(tuned, train, rounds, monotone)
    return [Recipe(each) for each in (tuned, shallow, slow, smooth)] + [
        Recipe(each, name) for each in (tuned, shallow) for name in without
    ]


def grown(
    recipe: Recipe,
    train: Part,
    valid: Part | None,
    seeds: Sequence[int],
    rounds: int,
    monotone: Mapping[str, int] | None = None,
) -> Trees:
    """Trees of one recipe; they read the same columns as any other's, and know nothing of those left out."""
    parts = [None if part is None else (masked(part[0], recipe.without), part[1]) for part in (train, valid)]
    assert parts[0] is not None  # noqa: S101
    return grow(recipe.candidate, parts[0], parts[1], seeds=seeds, rounds=rounds, monotone=monotone)


def fitted(
    equal: Equal, train: Part, valid: Part | None, rounds: int, monotone: Mapping[str, int] | None = None
) -> Trees:
    """The candidate grown in full: MEMBERS models, each with a seed of its own."""
    parts, seed = [], 1
    for recipe, count in equal.members:
        parts.append(grown(recipe, train, valid, range(seed, seed + count), rounds, monotone))
        seed += count
    boosters = tuple(booster for trees in parts for booster in trees.boosters)
    return Trees(boosters, parts[0].kinds, float(np.mean([trees.valid_loss for trees in parts])))


def _rows(part: Part, rows: np.ndarray) -> Part:
    return part[0].rows(rows), part[1][rows]


def _varied(tuned: Candidate, name: str, parameters: Mapping[str, float]) -> Candidate:
    return replace(tuned, name=name, parameters={**tuned.parameters, **parameters})


def _source(name: str) -> str:
    """The column that an encoded one was made of."""
    return name.removesuffix(" rate").removesuffix(" count")


def masked(matrix: Matrix, without: str | None) -> Matrix:
    if without is None:
        return matrix
    out = [_source(name) == without for name in matrix.names]
    return replace(matrix, values=np.where(np.asarray(out), np.nan, matrix.values))


def _sources(tuned: Candidate, train: Part, rounds: int, monotone: Mapping[str, int] | None) -> list[str]:
    """The columns that the tuned trees gain most from, the greatest first."""
    trees = grow(tuned, train, None, seeds=[1], rounds=rounds, monotone=monotone)
    gained: defaultdict[str, float] = defaultdict(float)
    for name, gain in zip(train[0].of(tuned.kinds).names, trees.boosters[0].feature_importance("gain"), strict=True):
        gained[_source(name)] += float(gain)
    return sorted((name for name in gained if gained[name] > 0), key=lambda name: (-gained[name], name))[:COLUMNS]


def _mixes(tried: Sequence[Recipe]) -> Iterator[tuple[tuple[Recipe, int], ...]]:
    for recipe in tried:
        yield ((recipe, MEMBERS),)
    for first, second in combinations(tried, 2):
        for count in range(1, MEMBERS):
            yield ((first, count), (second, MEMBERS - count))


def _frontier(found: Sequence[Equal]) -> tuple[Equal, ...]:
    """Candidates that no other beats in both, the best by PR-AUC first."""
    kept: list[Equal] = []
    for each in sorted(found, key=lambda e: (-e.level, -e.parity)):
        if not kept or each.parity > kept[-1].parity:
            kept.append(each)
    return tuple(kept)

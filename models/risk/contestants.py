"""Whoever may be compared: boosted trees of a profile, CatBoost, logistic regression, a scorecard, a column of scores.

Each learns from the same training and validation rows, says how to order later rows, what pushed each of them, and how
to learn the same again from other rows: without that nobody can say whether its flags and reasons hold.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, replace
from functools import partial
from itertools import pairwise
from typing import Any

import numpy as np

from models.risk.encoding import Matrix
from models.risk.examiners import beside
from models.risk.learners import Logistic, Trees, grow
from models.risk.profiles import PROFILES, Profile, Search, directed, fit
from models.risk.scorecard import Scorecard, scorecard
from models.treeshap import TreeShap
from records.errors import BadInput

Part = tuple[Matrix, np.ndarray]
Say = Callable[[str], None]
SCORECARD, LOGISTIC, CATBOOST = "scorecard", "logistic regression", "catboost"


@dataclass(frozen=True)
class Pushes:
    """What moved each score: `values` (n, p) in log-odds, one column for each of `names`."""

    names: tuple[str, ...]
    values: np.ndarray


@dataclass(frozen=True)
class Fitted:
    """Who has learnt: `raw` orders rows in log-odds, `pushes` says why, `again` learns the same anew from other rows
    with another seed, and `said` is what a reader may know of it. `later` learns from the rows of a later fold with
    less to try than at first; None where there is nothing to try."""

    raw: Callable[[Matrix], np.ndarray]
    pushes: Callable[[Matrix], Pushes]
    again: Callable[[Part, Part, int], Fitted]
    said: tuple[str, ...] = ()
    later: Callable[[Part, Part], Fitted] | None = None


@dataclass(frozen=True)
class Contestant:
    """`learn` takes training rows, validation rows and a listener to what is going on."""

    name: str
    learn: Callable[[Part, Part, Say], Fitted]


def contestant(
    name: str, *, monotone: Mapping[str, int] | None = None, levels: Mapping[str, tuple[str, ...]] | None = None
) -> Contestant:
    """The contestant of this name. BadInput that lists those there are, or says what is lacking.

    `monotone` are directions of columns that trees keep, `levels` the words of text columns that a scorecard says.
    """
    known: dict[str, Callable[[Part, Part, Say], Fitted]] = {
        **{profile.name: trees(profile, monotone).learn for profile in PROFILES.values()},
        LOGISTIC: lambda train, valid, say: _logistic(train),
        SCORECARD: lambda train, valid, say: _scorecard(levels or {}, train),
        CATBOOST: lambda train, valid, say: _catboost(train, valid, 1),
    }
    if name not in known:
        raise BadInput(f"There is nobody called '{name}' to compare with. Choose among: {', '.join(known)}.")
    if name == CATBOOST:
        _catboost_here()
    return Contestant(name, known[name])


def trees(profile: Profile, monotone: Mapping[str, int] | None = None) -> Contestant:
    """Boosted trees within the budget of `profile`."""
    return Contestant(profile.name, partial(_trees, profile, monotone or {}))


def without(one: Contestant, columns: Collection[str], name: str) -> Contestant:
    """The same contestant, called `name`, who may not read some columns."""

    def seen(part: Part) -> Part:
        return _without(part[0], columns), part[1]

    def blind(fitted: Fitted) -> Fitted:
        later = fitted.later
        return Fitted(
            lambda rows: fitted.raw(_without(rows, columns)),
            lambda rows: fitted.pushes(_without(rows, columns)),
            lambda train, valid, seed: blind(fitted.again(seen(train), seen(valid), seed)),
            fitted.said,
            None if later is None else lambda train, valid: blind(later(seen(train), seen(valid))),
        )

    return Contestant(name, lambda train, valid, say: blind(one.learn(seen(train), seen(valid), say)))


def _without(matrix: Matrix, columns: Collection[str]) -> Matrix:
    kept = [place for place, name in enumerate(matrix.names) if name not in columns]
    names, kinds = (tuple(each[place] for place in kept) for each in (matrix.names, matrix.kinds))
    return Matrix(matrix.values[:, kept], names, kinds, matrix.offset)


def _trees(profile: Profile, monotone: Mapping[str, int], train: Part, valid: Part, say: Say) -> Fitted:
    return _grown(profile, fit(train, valid, profile, monotone=monotone, progress=say))


def _grown(profile: Profile, found: Search) -> Fitted:
    def again(train: Part, valid: Part, seed: int) -> Fitted:
        seeds = range(1 + 100 * seed, 1 + 100 * seed + profile.members)
        ways = directed(train[0], found.monotone)
        grown = grow(found.candidate, train, valid, seeds=seeds, rounds=profile.rounds, monotone=ways)
        return _grown(profile, replace(found, trees=grown))

    def later(train: Part, valid: Part) -> Fitted:
        return _grown(profile, fit(train, valid, profile, monotone=found.monotone, finalists=found.finalists))

    said = f"{found.chosen}; {sum(booster.num_trees() for booster in found.trees.boosters)} trees"
    return Fitted(found.trees.raw, partial(_tree_pushes, found.trees), again, (said,), later)


def _tree_pushes(grown: Trees, rows: Matrix) -> Pushes:
    read = rows.of(grown.kinds)
    return Pushes(read.names, TreeShap.of(list(grown.boosters)).values(read.values))


def _logistic(train: Part) -> Fitted:
    floor = beside(train)
    return Fitted(floor.raw, partial(_line_pushes, floor), lambda train, valid, seed: _logistic(train))


def _line_pushes(floor: Logistic, rows: Matrix) -> Pushes:
    """Each column's part of the sum; what a text column's levels add is one push."""
    read = rows.of(floor.KINDS)
    parts = floor.design(rows) * np.asarray(floor.weights)
    category = [kind == "category" for kind in read.kinds]
    plain = len(read.names) - sum(category)
    edges = np.cumsum([plain, *floor.sizes])
    blocks = [parts[:, a:b].sum(axis=1) for a, b in pairwise(edges)]
    names = [n for n, c in zip(read.names, category, strict=True) if not c]
    names += [n for n, c in zip(read.names, category, strict=True) if c]
    return Pushes(tuple(names), np.column_stack([parts[:, :plain], *blocks]))


def _scorecard(levels: Mapping[str, tuple[str, ...]], train: Part) -> Fitted:
    card = scorecard(train)
    return Fitted(
        card.raw,
        partial(_point_pushes, card),
        lambda train, valid, seed: _scorecard(levels, train),
        tuple(f"{line.points:+d}  {line.words(levels)}" for line in card.lines),
    )


def _point_pushes(card: Scorecard, rows: Matrix) -> Pushes:
    return Pushes(tuple(line.column for line in card.lines), card.unit * card.parts(rows))


def _catboost_here() -> Any:
    try:
        catboost = importlib.import_module("catboost")
    except ImportError:
        raise BadInput(
            "CatBoost is not installed. Install the extra `bench`, or compare without this challenger."
        ) from None
    return catboost


def _catboost(train: Part, valid: Part, seed: int) -> Fitted:
    """CatBoost on numbers and plain codes, which it makes statistics of its own from, in the order of time."""
    catboost = _catboost_here()
    kinds = ("number", "category", "actor")

    def pool(part: Matrix, labels: np.ndarray | None = None) -> Any:
        read = part.of(kinds)
        columns: list[np.ndarray] = [
            column.astype(np.int64) if place in read.categorical else column
            for place, column in enumerate(read.values.T)
        ]
        rows = [list(row) for row in zip(*columns, strict=True)]
        return catboost.Pool(
            rows, labels, cat_features=read.categorical, feature_names=list(read.names), baseline=_started(part, labels)
        )

    model = catboost.CatBoostClassifier(
        iterations=700, learning_rate=0.06, depth=6, random_seed=seed, thread_count=1, od_type="Iter", od_wait=60,
        verbose=0, allow_writing_files=False, has_time=True,
    ).fit(pool(*train), eval_set=pool(*valid))  # fmt: skip

    def raw(rows: Matrix) -> np.ndarray:
        return np.asarray(model.predict(pool(rows), prediction_type="RawFormulaVal"))

    def pushes(rows: Matrix) -> Pushes:
        return Pushes(rows.of(kinds).names, model.get_feature_importance(pool(rows), type="ShapValues")[:, :-1])

    return Fitted(raw, pushes, _catboost, (f"{model.tree_count_} trees",))


def _started(part: Matrix, labels: np.ndarray | None) -> np.ndarray | None:
    """Where learning starts on rows with an examiner's effect; scores start at nothing."""
    return None if labels is None else part.offset

"""The learners of risk scores: the mean of a few boosted-tree models, and logistic regression beside it as the floor.

A single tree model's flags are a lottery (a new seed replaces a fifth of the top 5%), so every score is the mean
log-odds of several seeds; contributions of the members average the same way and still add up.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from models.risk.encoding import FIRST_LEVEL, Matrix

WORKERS = 2  # models grown at the same time, each on one thread: no thread ever waits for another
PATIENCE = 50  # rounds without a better validation loss before growing stops


@dataclass(frozen=True)
class Candidate:
    """One way to grow trees: which kinds of columns, and LightGBM's parameters."""

    name: str
    kinds: tuple[str, ...]
    parameters: Mapping[str, float]


_CODES = ("number", "category", "actor")
_RATES = ("number", "category", "rate", "count")
_CATEGORIES = {"cat_smooth": 100, "min_data_per_group": 100, "max_cat_threshold": 32}

# The whole search: small, fixed and the same for every table, so that the same data gives the same answer.
CANDIDATES = (
    Candidate(
        "very deep trees on codes",
        _CODES,
        {"learning_rate": 0.15, "num_leaves": 127, "min_data_in_leaf": 50, "feature_fraction": 0.9, "lambda_l2": 1}
        | _CATEGORIES,
    ),
    Candidate(
        "deep trees on codes",
        _CODES,
        {"learning_rate": 0.09, "num_leaves": 63, "min_data_in_leaf": 100, "feature_fraction": 0.9, "lambda_l2": 1}
        | _CATEGORIES,
    ),
    Candidate(
        "deep trees on codes and history",
        (*_CODES, "rate", "count"),
        {"learning_rate": 0.09, "num_leaves": 63, "min_data_in_leaf": 50, "feature_fraction": 0.5, "lambda_l2": 1}
        | _CATEGORIES,
    ),
    Candidate(
        "middling trees on history",
        _RATES,
        {"learning_rate": 0.06, "num_leaves": 31, "min_data_in_leaf": 20, "feature_fraction": 0.7, "lambda_l2": 10}
        | _CATEGORIES,
    ),
    Candidate(
        "small trees on history",
        _RATES,
        {"learning_rate": 0.06, "num_leaves": 15, "min_data_in_leaf": 100, "feature_fraction": 0.5, "lambda_l2": 10}
        | _CATEGORIES,
    ),
)


@dataclass(frozen=True)
class Trees:
    """Several LightGBM models over the same columns; the raw score is their mean log-odds."""

    boosters: tuple[Any, ...]
    kinds: tuple[str, ...]
    valid_loss: float

    def raw(self, matrix: Matrix) -> np.ndarray:
        values = matrix.of(self.kinds).values
        return np.asarray(np.mean([b.predict(values, raw_score=True, num_threads=1) for b in self.boosters], axis=0))


def grow(
    candidate: Candidate,
    train: tuple[Matrix, np.ndarray],
    valid: tuple[Matrix, np.ndarray] | None,
    *,
    seeds: Sequence[int],
    rounds: int,
    monotone: Mapping[str, int] | None = None,
) -> Trees:
    """Grow one model per seed on `train` (matrix, labels), each stopped where the log loss on `valid` is least.

    Without `valid` every model grows all its `rounds`. `monotone` gives the direction (+1, -1) of named columns.
    """
    import lightgbm

    matrix, labels = train[0].of(candidate.kinds), train[1]
    parameters: dict[str, Any] = {
        "objective": "binary",
        "metric": "binary_logloss",
        "bagging_fraction": 0.8,
        "bagging_freq": 1,
        "deterministic": True,
        "force_row_wise": True,
        "num_threads": 1,
        "verbosity": -1,
        **candidate.parameters,
    }
    if monotone:
        parameters["monotone_constraints"] = [monotone.get(name, 0) for name in matrix.names]
        parameters["monotone_constraints_method"] = "intermediate"  # `advanced` breaks its promise in LightGBM 4.7
    held = None if valid is None else (valid[0].of(candidate.kinds).values, valid[1])

    def member(seed: int) -> Any:
        data = lightgbm.Dataset(
            matrix.values, labels, categorical_feature=matrix.categorical, params={"verbosity": -1, "num_threads": 1}
        )
        return lightgbm.train(
            parameters | {"seed": seed},
            data,
            rounds,
            valid_sets=[] if held is None else [data.create_valid(*held)],
            callbacks=[] if held is None else [lightgbm.early_stopping(PATIENCE, verbose=False)],
        )

    with ThreadPoolExecutor(WORKERS) as pool:
        boosters = tuple(pool.map(member, seeds))
    losses = [np.nan if held is None else b.best_score["valid_0"]["binary_logloss"] for b in boosters]
    return Trees(boosters, candidate.kinds, float(np.mean(losses)))


@dataclass(frozen=True)
class Search:
    """What was tried on validation, and what won."""

    trees: Trees
    chosen: str
    losses: Mapping[str, float] = field(default_factory=dict)


def search(
    train: tuple[Matrix, np.ndarray],
    valid: tuple[Matrix, np.ndarray],
    *,
    seeds: int,
    first_rounds: int = 200,
    rounds: int = 400,
    candidates: Sequence[Candidate] = CANDIDATES,
    progress: Callable[[str], None] = lambda _: None,
) -> Search:
    """Grow every candidate a little, keep the one with the least validation log loss, and grow it fully per seed."""
    progress(f"trying {len(candidates)} ways to grow trees")

    def first_try(candidate: Candidate) -> float:
        return grow(candidate, train, valid, seeds=[1], rounds=first_rounds).valid_loss

    with ThreadPoolExecutor(WORKERS) as pool:
        losses = dict(zip((c.name for c in candidates), pool.map(first_try, candidates), strict=True))
    chosen = min(candidates, key=lambda candidate: losses[candidate.name])
    progress(f"growing {seeds} models: {chosen.name}")
    return Search(grow(chosen, train, valid, seeds=range(1, seeds + 1), rounds=rounds), chosen.name, losses)


@dataclass(frozen=True)
class Logistic:
    """Logistic regression on standardised numbers (missing at the median) and one column per category level."""

    names: tuple[str, ...]
    kinds: tuple[str, ...]
    centre: tuple[float, ...]
    median: tuple[float, ...]
    scale: tuple[float, ...]
    sizes: tuple[int, ...]  # codes of each category
    weights: tuple[float, ...]
    offset: float

    KINDS = ("number", "category", "rate", "count")

    def raw(self, matrix: Matrix) -> np.ndarray:
        return np.asarray(self._design(matrix.of(self.KINDS)) @ np.asarray(self.weights) + self.offset)

    def _design(self, matrix: Matrix) -> np.ndarray:
        category = np.array([kind == "category" for kind in matrix.kinds], dtype=bool)
        plain = matrix.values[:, ~category]
        filled = np.where(np.isnan(plain), np.asarray(self.median), plain)
        blocks = [np.clip((filled - np.asarray(self.centre)) / np.asarray(self.scale), -6.0, 6.0)]
        for column, size in zip(matrix.values[:, category].T, self.sizes, strict=True):
            blocks.append((column[:, None] == np.arange(size)[None, :]).astype(np.float64))
        return np.hstack(blocks)


def logistic(train: tuple[Matrix, np.ndarray], *, strength: float = 0.5) -> Logistic:
    """Fit `Logistic` on `train` (matrix, labels); `strength` is the inverse of the ridge penalty."""
    from sklearn.linear_model import LogisticRegression

    matrix, labels = train[0].of(Logistic.KINDS), train[1]
    category = np.array([kind == "category" for kind in matrix.kinds], dtype=bool)
    plain = matrix.values[:, ~category]
    known = ~np.isnan(plain)
    some = known.any(axis=0)
    median = np.zeros(plain.shape[1])
    median[some] = np.nanmedian(plain[:, some], axis=0)
    filled = np.where(known, plain, median)
    scale = filled.std(axis=0)
    sizes = [int(max(column.max(initial=0), FIRST_LEVEL - 1)) + 1 for column in matrix.values[:, category].T]
    unfitted = Logistic(
        matrix.names,
        matrix.kinds,
        tuple(filled.mean(axis=0)),
        tuple(median),
        tuple(np.where(scale > 0, scale, 1.0)),
        tuple(sizes),
        (),
        0.0,
    )
    fit = LogisticRegression(C=strength, max_iter=1000).fit(unfitted._design(matrix), labels)
    return Logistic(
        unfitted.names,
        unfitted.kinds,
        unfitted.centre,
        unfitted.median,
        unfitted.scale,
        unfitted.sizes,
        tuple(map(float, fit.coef_[0])),
        float(fit.intercept_[0]),
    )

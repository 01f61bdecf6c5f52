"""The learners of risk scores: the mean of a few boosted-tree models, and logistic regression beside it as the floor.

A single tree model's flags are a lottery (a new seed replaces a fifth of the top 5%), so every score is the mean
log-odds of several seeds; contributions of the members average the same way and still add up.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from models.risk.calibration import log_odds
from models.risk.encoding import FIRST_LEVEL, Matrix

if TYPE_CHECKING:
    from models.treescore import TreeScore

WORKERS = 2  # models grown at the same time, each on one thread: no thread ever waits for another
LEAST_LEAF, LEAVES_FILLED = 20, 25  # rows of a leaf: at most a twenty-fifth of all, unless those are too few
MANY = 10_000  # rows that are scored sooner by reading the trees first
PATIENCE = 50  # rounds without a better validation loss before growing stops
_LEVELS = {"cat_smooth": 100, "min_data_per_group": 100, "max_cat_threshold": 32}  # of native splits


@dataclass(frozen=True)
class Candidate:
    """One way to grow trees: which kinds of columns, LightGBM's parameters, and whether codes are split as sets of
    levels (`native`) or as numbers."""

    name: str
    kinds: tuple[str, ...]
    parameters: Mapping[str, float]
    native: bool = True


@dataclass(frozen=True)
class Trees:
    """Several LightGBM models over the same columns; the raw score is their mean log-odds."""

    boosters: tuple[Any, ...]
    kinds: tuple[str, ...]
    valid_loss: float

    def raw(self, matrix: Matrix) -> np.ndarray:
        values = matrix.of(self.kinds).values
        if len(values) >= MANY:
            return self._scorer.raw(values, WORKERS)
        return np.asarray(np.mean([b.predict(values, raw_score=True, num_threads=1) for b in self.boosters], axis=0))

    @cached_property
    def _scorer(self) -> TreeScore:
        from models.treescore import TreeScore

        return TreeScore.of([booster.model_to_string() for booster in self.boosters])


@dataclass(frozen=True)
class Bins:
    """Rows cut into bins once. Models only read them, so any number may grow on them at the same time.

    `matrix` and `labels` are the rows that teach, as a candidate reads them; `held` are those that stop growing."""

    matrix: Matrix
    labels: np.ndarray
    data: Any
    held: Any | None


def binned(candidate: Candidate, train: tuple[Matrix, np.ndarray], valid: tuple[Matrix, np.ndarray] | None) -> Bins:
    """`train` and `valid` (matrix, labels) as `candidate` reads them."""
    import lightgbm

    matrix, labels = train[0].of(candidate.kinds), train[1]
    parameters = {"num_threads": 1, "verbosity": -1, "min_data_in_leaf": _least(candidate, len(labels))}

    def cut(part: Matrix, answers: np.ndarray, reference: Any = None) -> Any:
        return lightgbm.Dataset(
            part.values,
            answers,
            reference=reference,
            init_score=None if part.offset is None else part.offset + _base(labels),
            categorical_feature=matrix.categorical if candidate.native else [],
            params=parameters,
        ).construct()

    data = cut(matrix, labels)
    return Bins(matrix, labels, data, None if valid is None else cut(valid[0].of(candidate.kinds), valid[1], data))


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
    return grow_on(binned(candidate, train, valid), candidate, seeds=seeds, rounds=rounds, monotone=monotone)


def grow_on(
    bins: Bins, candidate: Candidate, *, seeds: Sequence[int], rounds: int, monotone: Mapping[str, int] | None = None
) -> Trees:
    """`grow` on rows that were cut for this candidate, or for another that reads the same and fills leaves less."""
    import lightgbm

    parameters: dict[str, Any] = {
        "objective": "binary",
        "metric": "binary_logloss",
        "bagging_fraction": 0.8,
        "bagging_freq": 1,
        "deterministic": True,
        "force_col_wise": True,  # the same trees as row by row: on one thread both add up in one order, this one sooner
        "num_iterations": rounds,
        "num_threads": 1,
        "verbosity": -1,
        **_LEVELS,
        **candidate.parameters,
        "min_data_in_leaf": _least(candidate, len(bins.labels)),
    }
    if monotone:
        parameters["monotone_constraints"] = [monotone.get(name, 0) for name in bins.matrix.names]
        parameters["monotone_constraints_method"] = "intermediate"  # `advanced` breaks its promise in LightGBM 4.7

    def member(seed: int) -> tuple[Any, float]:
        """The trees up to the least loss on the rows held, and that loss."""
        # Not `lightgbm.train`: for every model it names the columns of the rows held anew, under the others' eyes.
        booster = lightgbm.Booster(parameters | {"bagging_seed": seed, "feature_fraction_seed": seed}, bins.data)
        if bins.held is not None:
            booster.add_valid(bins.held, "held")
        least, best = np.inf, 0
        for number in range(1, rounds + 1):
            booster.update()
            if bins.held is None:
                continue
            loss = booster.eval_valid()[0][2]
            if loss < least:
                least, best = loss, number
            elif number - best >= PATIENCE:
                break
        kept = lightgbm.Booster(model_str=booster.model_to_string(num_iteration=best or -1))
        return kept if bins.matrix.offset is None else _raised(kept, _base(bins.labels)), least

    with ThreadPoolExecutor(WORKERS) as pool:
        boosters, losses = zip(*pool.map(member, seeds), strict=True)
    return Trees(boosters, candidate.kinds, float(np.mean(losses)) if bins.held is not None else np.nan)


def _least(candidate: Candidate, rows: int) -> int:
    """Rows of a leaf. Leaves filled for tens of thousands of rows would leave a few hundred without a single split."""
    asked = int(candidate.parameters.get("min_data_in_leaf", LEAST_LEAF))
    return min(max(LEAST_LEAF, rows // LEAVES_FILLED), asked)


def _base(labels: np.ndarray) -> float:
    """Log-odds of the share of positives: where growing starts beside an offset."""
    return float(log_odds(np.array(labels.mean())))


def _raised(booster: Any, base: float) -> Any:
    """`booster` with `base` in the leaves of its first tree, where LightGBM puts it when no row has an offset."""
    for leaf in range(booster.dump_model(num_iteration=1)["tree_info"][0]["num_leaves"]):
        booster.set_leaf_output(0, leaf, booster.get_leaf_output(0, leaf) + base)
    return booster


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
        return np.asarray(self.design(matrix) @ np.asarray(self.weights) + self.offset)

    def design(self, matrix: Matrix) -> np.ndarray:
        """What the weights multiply (n, q): numbers in order, then a column per code of each category."""
        matrix = matrix.of(self.KINDS)
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
    fit = LogisticRegression(C=strength, max_iter=1000).fit(unfitted.design(matrix), labels)
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

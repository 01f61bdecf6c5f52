"""Two ways to learn, each a fixed budget: `shipped`, whose every score is explained at once, and `large`, beyond it.

Both are the mean of five boosted-tree models. How columns are read (smoothed point-in-time rates, codes, native splits)
and how trees grow is chosen by time-ordered validation: one try for each way of reading, then Optuna's suggestions, as
many as the budget has, from a fixed seed and one after the other, so that the same data gives the same answer. The
plain first candidate stays unless another's loss is lower by more than noise, since a choice that flips with the draw
of the rows makes flags flip with it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Any

import numpy as np

from evidence.intervals import beyond_noise
from evidence.metrics import losses
from models.risk.calibration import platt
from models.risk.encoding import Matrix
from models.risk.learners import Bins, Candidate, Trees, binned, grow, grow_on

Part = tuple[Matrix, np.ndarray]  # a matrix and its labels (n,) of 0 and 1

TRIED_SEEDS = (1, 2)  # of each candidate: one seed's luck decides less
TRIED_ROWS = 100_000  # the latest rows, which candidates are tried on where there are more
_SUGGESTIONS_SEED = 7


@dataclass(frozen=True)
class Profile:
    """A budget: `members` models of at most `rounds` trees, with at most `leaves` leaves and `depth` splits on any path
    (-1 is any), chosen among `tries` candidates that grew `tried_rounds` trees each. `rates` are the learning rates
    that may be suggested, `leasts` the rows of a leaf, `shares` the part of the columns that a tree sees; the first
    candidate takes `rate`, `least` and `share`."""

    name: str
    members: int
    rounds: int
    leaves: int
    depth: int
    tries: int
    tried_rounds: int
    rate: float
    rates: tuple[float, float]
    least: int = 50
    leasts: tuple[int, int] = (20, 400)
    share: float = 0.5
    shares: tuple[float, float] = (0.3, 1.0)

    @property
    def trees(self) -> int:
        return self.members * self.rounds


PROFILES: Mapping[str, Profile] = MappingProxyType(
    {
        p.name: p
        for p in (
            # Slow steps and well-filled leaves: quicker ones rank better where there is much to learn, but
            # then another seed gives a seventh of the flags to others, on customs declarations.
            Profile(
                "shipped",
                5,
                100,
                31,
                6,
                tries=12,
                tried_rounds=100,
                rate=0.055,
                rates=(0.04, 0.07),
                least=150,
                leasts=(100, 400),
                share=0.6,
                shares=(0.4, 1.0),
            ),
            Profile("large", 5, 1000, 127, -1, tries=7, tried_rounds=200, rate=0.12, rates=(0.06, 0.15), least=50),
        )
    }
)

_HISTORY = ("number", "category", "rate", "count")
# Way of reading → kinds of columns, and whether codes are split as sets of levels or as numbers.
WAYS: Mapping[str, tuple[tuple[str, ...], bool]] = MappingProxyType(
    {
        "codes and rates": (_HISTORY, False),
        "rates": (("number", "rate", "count"), False),
        "native splits and rates": (_HISTORY, True),
        "native splits": (("number", "category", "actor"), True),
        "native splits of everything": ((*_HISTORY, "actor"), True),
    }
)


@dataclass(frozen=True)
class Search:
    """What was tried on validation, and what won: `losses` are calibrated log losses by candidate; `finalists` are the
    plain candidate and, if it is another, that of the least loss."""

    trees: Trees
    chosen: str
    losses: Mapping[str, float]
    candidate: Candidate
    monotone: Mapping[str, int]
    finalists: tuple[Candidate, ...]


def fit(
    train: Part,
    valid: Part,
    profile: Profile,
    *,
    seeds: int | None = None,
    monotone: Mapping[str, int] | None = None,
    progress: Callable[[str], None] = lambda _: None,
    finalists: Sequence[Candidate] = (),
) -> Search:
    """The mean of `seeds` (the profile's `members` if None) models, read and grown as validation found best.

    `train` and `valid` are in time order. `monotone` gives directions (+1, -1) of named columns; history rates may only
    ever raise a score. `finalists`, of a search on earlier rows, are all that is tried, if there are any.
    """
    ways = directed(train[0], monotone or {})
    tried = tune(train, valid, profile, ways, progress, finalists)
    first, best = tried[0], min(tried, key=lambda each: float(each[1].mean()))
    candidate = (best if beyond_noise(first[1] - best[1]) else first)[0]
    members = profile.members if seeds is None else seeds
    progress(f"growing {members} models: {candidate.name}")
    trees = grow(candidate, train, valid, seeds=range(1, members + 1), rounds=profile.rounds, monotone=ways)
    told = {each.name: float(loss.mean()) for each, loss in tried}
    return Search(trees, candidate.name, told, candidate, ways, (first[0],) if best is first else (first[0], best[0]))


def directed(matrix: Matrix, monotone: Mapping[str, int]) -> dict[str, int]:
    """The directions that scores keep over the columns of `matrix`: history rates rise, others as `monotone` says."""
    return {n: 1 for n, kind in zip(matrix.names, matrix.kinds, strict=True) if kind == "rate"} | dict(monotone)


def tune(
    train: Part,
    valid: Part,
    profile: Profile,
    monotone: Mapping[str, int],
    progress: Callable[[str], None],
    finalists: Sequence[Candidate] = (),
) -> list[tuple[Candidate, np.ndarray]]:
    """Each candidate that was tried, the plain one first, with its calibrated losses on validation rows (n,): the
    `finalists`, or if there are none as many as the profile has tries."""
    latest = slice(max(0, len(train[1]) - TRIED_ROWS), None)
    shown = (train[0].rows(latest), train[1][latest])
    bins: dict[tuple[tuple[str, ...], bool], Bins] = {}

    def tried(candidate: Candidate) -> np.ndarray:
        reads = candidate.kinds, candidate.native
        if reads not in bins:  # nothing else that is suggested changes them, but for the least rows of a leaf
            loosest = {**candidate.parameters, "min_data_in_leaf": profile.leasts[0]}
            bins[reads] = binned(replace(candidate, parameters=loosest), shown, valid)
        trees = grow_on(bins[reads], candidate, seeds=TRIED_SEEDS, rounds=profile.tried_rounds, monotone=monotone)
        raw = trees.raw(valid[0]) + (0.0 if valid[0].offset is None else valid[0].offset)
        return losses(valid[1], platt(raw, valid[1])(raw))

    progress(f"trying {len(finalists) or profile.tries} ways to grow trees")
    if finalists:
        return [(candidate, tried(candidate)) for candidate in finalists]
    return list(_searched(_ways(train[0]), profile, tried))


def _searched(
    ways: Sequence[str], profile: Profile, tried: Callable[[Candidate], np.ndarray]
) -> Iterator[tuple[Candidate, np.ndarray]]:
    import optuna

    optuna.logging.set_verbosity(optuna.logging.WARNING)
    study = optuna.create_study(sampler=optuna.samplers.TPESampler(seed=_SUGGESTIONS_SEED, n_startup_trials=len(ways)))
    for way in ways:
        study.enqueue_trial({"way": way} | _first(profile))
    for number in range(profile.tries):
        trial = study.ask()
        candidate = _suggested(trial, ways, profile, number)
        loss = tried(candidate)
        study.tell(trial, float(loss.mean()))
        yield candidate, loss


def plain(profile: Profile, way: str) -> Candidate:
    """The first candidate of a way of reading: where the suggestions start."""
    kinds, native = WAYS[way]
    return Candidate(way, kinds, _parameters(profile, **_first(profile)), native)


def _parameters(
    profile: Profile, *, rate: float, leaves: int, least: int, share: float, ridge: float
) -> dict[str, float]:
    """LightGBM's names for what is suggested, as short as they are worth."""
    return {
        "learning_rate": round(rate, 4),
        "num_leaves": leaves,
        "min_data_in_leaf": least,
        "feature_fraction": round(share, 2),
        "lambda_l2": round(ridge, 2),
        "max_depth": profile.depth,
    }


def _ways(matrix: Matrix) -> tuple[str, ...]:
    """The ways that differ on this matrix: without codes or actors some read the very same, and without rates none
    reads them alone."""
    kinds = set(matrix.kinds)
    distinct: dict[tuple[frozenset[str], bool], str] = {}
    for way, (read, native) in WAYS.items():
        columns = kinds & set(read)
        if columns and (way != "rates" or "rate" in kinds):
            distinct.setdefault((frozenset(columns), native and bool(columns & {"category", "actor"})), way)
    return tuple(distinct.values())


def _first(profile: Profile) -> dict[str, Any]:
    return {
        "rate": profile.rate,
        "leaves": profile.leaves,
        "least": profile.least,
        "share": profile.share,
        "ridge": 10.0,
    }


def _suggested(trial: Any, ways: Sequence[str], profile: Profile, number: int) -> Candidate:
    way = trial.suggest_categorical("way", ways)
    kinds, native = WAYS[way]
    parameters = _parameters(
        profile,
        rate=trial.suggest_float("rate", *profile.rates, log=True),
        leaves=trial.suggest_int("leaves", 7, profile.leaves, log=True),
        least=trial.suggest_int("least", *profile.leasts, log=True),
        share=trial.suggest_float("share", *profile.shares),
        ridge=trial.suggest_float("ridge", 0.3, 30.0, log=True),
    )
    name = way if number < len(ways) else f"{way}, suggestion {number + 1 - len(ways)}"
    return Candidate(name, kinds, parameters, native)

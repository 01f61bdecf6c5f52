"""Who looked, kept apart from what there was to find.

Some examiners find far more than others in the very same cases. A model that may read who looks would order cases by
their examiner, and one that may not still learns the examiner's habits as if they were the case's risk. So the effect
of each examiner is estimated beside a linear model of the columns, as a random intercept: pulled towards the average
the more, the fewer findings it rests on and the more alike examiners are. Trees then grow on what is left (the effect
is their starting point, `Matrix.offset`), and a score leaves it out, as if the average examiner looked. History rates
count findings against what those who looked usually find.

Two things are told: how much of what can be predicted is only who looks (above `MUCH`, with a warning), and how far the
other columns tell who looks, since through them a model can reach around all of this.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from evidence.intervals import Interval, bootstrap, redrawn_days
from evidence.metrics import losses
from models.risk import history
from models.risk.calibration import log_odds, platt, probability
from models.risk.encoding import Matrix
from models.risk.learners import Logistic, logistic

NOBODY = -1  # no examiner on record
MUCH = 0.10  # share of the signal, or of the effect told by columns, above which somebody has to know
ROWS = 100_000  # the latest rows, which effects are estimated from where there are more
DRAWS = 200
_STEPS = 60
_SLICES = 32
_NAMED = 3  # columns that are named in a warning


@dataclass(frozen=True)
class Examiners:
    """The effect of each examiner in log-odds of a finding, its mean over the rows learnt from 0; `found` are the rows
    behind each, `spread` the standard deviation between examiners that was estimated."""

    names: tuple[str, ...]
    effects: np.ndarray
    found: np.ndarray
    spread: float

    def offset(self, who: np.ndarray) -> np.ndarray:
        """The effect behind each row (n,); 0 where nobody is on record."""
        return np.where(who >= 0, np.append(self.effects, 0.0)[who], 0.0)


@dataclass(frozen=True)
class Examined:
    """What there is to tell about who looked. Every share lies between 0 and 1; None where undefined.

    `share`: of what columns and examiners predict together on later rows, the part that is who looks. `told`: of the
    variance of the effect, how much the columns tell on later rows; `through`: the columns that tell most of it alone.
    `carried`: how much of that variance the averaged score still shares. `lowest` and `highest` are the finding rates
    of an average case under the examiners at either end.
    """

    column: str
    examiners: int
    spread: float
    lowest: float
    highest: float
    share: Interval
    told: float | None
    carried: float | None
    through: tuple[tuple[str, float], ...]

    @property
    def warnings(self) -> tuple[str, ...]:
        said = []
        if self.share.value is not None and self.share.value > MUCH:
            said.append(
                f"Who looked ('{self.column}') explains {self.share.value:.0%} of what can be predicted: an average "
                f"case is found out in {self.lowest:.1%} to {self.highest:.1%}, depending on who looks. Scores are as "
                "if the average examiner looked; train examiners alike, and expect fewer hits than in the past."
            )
        if self.told is not None and self.told > MUCH:
            named = ", ".join(f"'{name}' {part:.0%}" for name, part in self.through) or "no column alone"
            said.append(
                f"The columns tell {self.told:.0%} of who looked ({named}), so a model can reach around the average "
                f"through them; its score still shares {self.carried or 0:.0%} with the examiner's effect. "
                "Exclude such columns where they say nothing about the case."
            )
        return tuple(said)


def looked(column: pa.Array | pa.ChunkedArray) -> tuple[np.ndarray, tuple[str, ...]]:
    """Number of each row's examiner (n,), NOBODY where null, and the examiners by name."""
    text = pc.cast(column, pa.string())
    names = sorted(pc.unique(text.drop_null()).to_pylist())
    at = pc.fill_null(pc.index_in(text, value_set=pa.array(names, pa.string())), NOBODY)
    return np.asarray(at.to_numpy(zero_copy_only=False), dtype=np.int64), tuple(names)


def worth(
    who: np.ndarray, days: np.ndarray, labels: np.ndarray, prior: float, known: np.ndarray | None = None
) -> np.ndarray:
    """How many average findings each row's finding is worth, by what its examiner was known to have found before.

    A finding of one who finds twice the average `prior` counts as two: so much more would be expected of it. The
    arguments are those of `history.expanding`.
    """
    return history.rate(*history.expanding(who, days, labels, known), prior) / prior


def separate(who: np.ndarray, names: Sequence[str], train: tuple[Matrix, np.ndarray]) -> tuple[Examiners, Logistic]:
    """Effects of examiners (`who` (n,) of the training rows), and the logistic regression estimated beside them.

    How far examiners differ, and how far columns matter, are variances found by expectation and maximisation; what is
    left is Newton's method. The effects are eliminated from each step, so that thousands of examiners cost no more than
    a handful. An offset that the matrix brings along is known beside both.
    """
    matrix, labels = train[0].rows(slice(-ROWS, None)), train[1][-ROWS:]
    who, size = who[-ROWS:], len(names)
    floor = logistic((matrix, labels))
    design = np.column_stack([np.ones(len(labels)), floor.design(matrix)])
    known, seen = who >= 0, who[who >= 0]
    given = np.zeros(len(labels)) if matrix.offset is None else matrix.offset
    weights = np.zeros(design.shape[1])
    weights[0] = log_odds(np.array(labels.mean()))
    effects, variance, plain = np.zeros(size), 1.0, 1.0
    for _ in range(_STEPS):
        ridge = np.append(0.0, np.full(design.shape[1] - 1, 1 / plain))
        chance = probability(design @ weights + given + np.where(known, np.append(effects, 0.0)[who], 0.0))
        slack, rest = chance * (1 - chance), labels - chance
        mixed = np.column_stack([np.bincount(seen, column[known], size) for column in (design * slack[:, None]).T])
        own = np.bincount(seen, slack[known], size) + 1 / variance
        pull = np.bincount(seen, rest[known], size) - effects / variance
        whole = design.T @ (design * slack[:, None]) + np.diag(ridge) - mixed.T @ (mixed / own[:, None])
        step = np.linalg.solve(whole, design.T @ rest - ridge * weights - mixed.T @ (pull / own))
        moved = (pull - mixed @ step) / own
        weights, effects = weights + np.clip(step, -2, 2), effects + np.clip(moved, -2, 2)
        inverse = np.linalg.inv(whole)
        unsure = 1 / own + ((mixed @ inverse) * mixed).sum(axis=1) / own**2
        plain = max(float(np.mean((weights**2 + np.diag(inverse))[1:])), 1e-6)
        before, variance = variance, max(float(np.mean(effects**2 + unsure)) if size else 0.0, 1e-6)
        if abs(variance - before) < 1e-4 * before and np.abs(moved).max(initial=0.0) < 1e-4:
            break
    found = np.bincount(seen, minlength=size).astype(np.float64)
    centre = float(found @ effects / len(labels))
    return (
        Examiners(tuple(names), effects - centre, found, float(np.sqrt(variance))),
        replace(floor, weights=tuple(map(float, weights[1:])), offset=float(weights[0]) + centre),
    )


def beside(train: tuple[Matrix, np.ndarray]) -> Logistic:
    """Logistic regression beside the offset of the matrix, where it has one."""
    nobody = np.full(len(train[1]), NOBODY)
    return logistic(train) if train[0].offset is None else separate(nobody, (), train)[1]


def ahead(trees: np.ndarray, floor: np.ndarray, labels: np.ndarray, offset: np.ndarray) -> bool:
    """Whether trees tell validation rows better than logistic regression, by more than one standard error of log loss.

    What is left once who looked is known may be too little for trees: then the simpler answer holds better later.
    """
    first, second = (losses(labels, platt(raw + offset, labels)(raw + offset)) for raw in (floor, trees))
    gained = first - second
    return bool(gained.mean() > gained.std() / np.sqrt(len(gained)))


def examined(
    column: str,
    examiners: Examiners,
    train: tuple[Matrix, np.ndarray],
    later: tuple[Matrix, np.ndarray],
    who: tuple[np.ndarray, np.ndarray],
    raw: np.ndarray,
    days: np.ndarray,
) -> Examined:
    """What there is to tell about who looked, from rows that are later than training.

    `who` are the examiners of the training and of the later rows, `raw` and `days` (n,) the averaged scores and the
    days of the later rows.
    """
    labels, effect = later[1], examiners.offset(who[1])
    base = log_odds(np.array(train[1].mean()))
    known = (who[0] >= 0, who[1] >= 0)
    parts = (train[0].rows(known[0]), later[0].rows(known[1]))
    learnt, held = examiners.offset(who[0])[known[0]], effect[known[1]]
    alone = _alone(*parts, learnt, held)
    ends = probability(base + np.array([examiners.effects.min(initial=0.0), examiners.effects.max(initial=0.0)]))
    return Examined(
        column,
        int((examiners.found > 0).sum()),
        examiners.spread,
        float(ends[0]),
        float(ends[1]),
        _share(labels, base + effect, raw, raw + effect, days),
        _told(*parts, learnt, held),
        _shared(raw[known[1]], held),
        tuple(sorted(alone.items(), key=lambda each: -each[1])[:_NAMED]),
    )


def _share(labels: np.ndarray, looks: np.ndarray, case: np.ndarray, both: np.ndarray, days: np.ndarray) -> Interval:
    """The part of the log loss saved by both that is saved by who looks: the mean of entering first and entering last.

    Each score is put on a straight line of its own first, so that none is blamed for a base rate that moved.
    """
    if not 0 < labels.sum() < len(labels):
        return Interval(None)
    nothing = np.full(len(labels), labels.mean())
    base = losses(labels, nothing)
    e, f, ef = (base - losses(labels, platt(raw, labels)(raw)) for raw in (looks, case, both))

    def part(rows: np.ndarray) -> float | None:
        first, last, all_of = e[rows].mean(), (ef - f)[rows].mean(), ef[rows].mean()
        return float(np.clip((first + last) / 2 / all_of, 0.0, 1.0)) if all_of > 0 else None

    return bootstrap(part, np.arange(len(labels)), redrawn_days(days, DRAWS))


def _told(train: Matrix, later: Matrix, learnt: np.ndarray, held: np.ndarray) -> float | None:
    """R² of the effect on later rows, as small trees tell it from the columns."""
    import lightgbm

    if len(held) < 2 or held.std() == 0 or learnt.std() == 0:
        return None
    rows = slice(-20_000, None)
    kinds = ("number", "category", "rate", "count")
    seen = train.of(kinds).rows(rows)
    data = lightgbm.Dataset(seen.values, learnt[rows], categorical_feature=seen.categorical, params={"verbosity": -1})
    parameters = {"objective": "l2", "num_leaves": 15, "min_data_in_leaf": 50, "num_threads": 1, "verbosity": -1}
    trees = lightgbm.train(parameters | {"seed": 1, "deterministic": True, "force_row_wise": True}, data, 60)
    return _explained(trees.predict(later.of(kinds).values, num_threads=1), held)


def _alone(train: Matrix, later: Matrix, learnt: np.ndarray, held: np.ndarray) -> dict[str, float]:
    """R² of the effect on later rows from one column alone, where it is above 1%: the mean effect of its slice."""
    if len(held) < 2 or held.std() == 0:
        return {}
    told = {}
    for name, seen, asked in zip(train.names, train.values.T, later.values.T, strict=True):
        known = seen[~np.isnan(seen)]
        edges = np.unique(np.quantile(known, np.linspace(0, 1, _SLICES + 1)[1:-1]) if len(known) else known)
        code = [np.where(np.isnan(v), 0, 1 + np.searchsorted(edges, v, side="left")) for v in (seen, asked)]
        size = len(edges) + 2
        mean = np.bincount(code[0], learnt, size) / (np.bincount(code[0], minlength=size) + history.SMOOTHING)
        if (part := _explained(mean[code[1]], held)) and part > 0.01:
            told[name] = part
    return told


def _explained(told: np.ndarray, held: np.ndarray) -> float:
    return float(max(0.0, 1 - np.mean((held - told) ** 2) / held.var()))


def _shared(raw: np.ndarray, held: np.ndarray) -> float | None:
    if len(held) < 2 or raw.std() == 0 or held.std() == 0:
        return None
    return float(np.corrcoef(raw, held)[0, 1] ** 2)

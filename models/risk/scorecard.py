"""A points scorecard of at most ten lines: what a person could add up on paper, and what any model has to beat.

Each line is a fact about a case ("the tax rate is at least 8") with whole points. Lines are taken one after the other,
the one that adds most to what the lines before it say, and weighed together by logistic regression.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from models.risk.calibration import log_odds, probability
from models.risk.encoding import FIRST_LEVEL, MISSING, UNSEEN, Matrix

LINES = 10
MOST = 10  # points of the line that weighs most
CUTS = tuple(n / 10 for n in range(1, 10))
ROWS = 30_000  # the latest rows, which it is made from where there are more
_LEAST = 50  # rows on either side of a line
_EVIDENCE = 15.0  # chi-squared of a line: some hundred are looked at for each that is taken
_RIDGE = 1.0


@dataclass(frozen=True)
class Line:
    """True of a case whose `column` lies in [`least`, `below`), or, without both, is missing."""

    column: str
    least: float | None = None
    below: float | None = None
    points: int = 0

    def holds(self, values: np.ndarray) -> np.ndarray:
        """Whether the line is true, per value (n,); NaN is missing."""
        if self.least is None and self.below is None:
            return np.asarray(np.isnan(values))
        above = values >= (-np.inf if self.least is None else self.least)
        return np.asarray(above & (values < (np.inf if self.below is None else self.below)))

    def words(self, levels: Mapping[str, Sequence[str]] | None = None) -> str:
        """The line as it is read; `levels` name the codes of text columns."""
        if self.least is None and self.below is None:
            return f"{self.column} is missing"
        if self.below is not None and self.least is not None:
            code = int(self.least)
            named = (levels or {}).get(self.column, ())
            if code in (UNSEEN, MISSING):
                return f"{self.column} is {'missing' if code == MISSING else 'rare'}"
            at = code - FIRST_LEVEL
            return f"{self.column} is {named[at] if at < len(named) else f'level {at + 1}'}"
        return f"{self.column} is {f'at least {self.least:g}' if self.below is None else f'below {self.below:g}'}"


@dataclass(frozen=True)
class Scorecard:
    """`lines` to add up; `unit` is what a point is worth in log-odds, `offset` the log-odds of none."""

    lines: tuple[Line, ...]
    unit: float
    offset: float

    def points(self, matrix: Matrix) -> np.ndarray:
        """Points of each row (n,)."""
        return np.asarray(self.parts(matrix).sum(axis=1))

    def parts(self, matrix: Matrix) -> np.ndarray:
        """Points of each row by line (n, lines)."""
        at = {name: place for place, name in enumerate(matrix.names)}
        parts = [line.points * line.holds(matrix.values[:, at[line.column]]) for line in self.lines]
        return np.column_stack(parts) if parts else np.zeros((len(matrix.values), 0))

    def raw(self, matrix: Matrix) -> np.ndarray:
        return self.offset + self.unit * self.points(matrix)


def scorecard(train: tuple[Matrix, np.ndarray]) -> Scorecard:
    """The scorecard of `train` (matrix, labels), in time order; without a single line where nothing tells anything."""
    # Where text has history rates they stand for its codes, which would each need a name.
    kinds = ("number", "rate", "count") if "rate" in train[0].kinds else ("number", "category")
    matrix, labels = train[0].rows(slice(-ROWS, None)).of(kinds), train[1][-ROWS:]
    lines = list(_possible(matrix))
    at = {name: place for place, name in enumerate(matrix.names)}
    facts = np.zeros((len(labels), len(lines)), dtype=np.float32)
    for place, line in enumerate(lines):
        facts[:, place] = line.holds(matrix.values[:, at[line.column]])
    base = float(log_odds(np.array(labels.mean())))
    known = np.zeros(len(labels)) if matrix.offset is None else matrix.offset
    taken: list[int] = []
    weights = np.array([base])
    for _ in range(min(LINES, len(lines))):
        chance = probability(_design(facts, taken) @ weights + known)
        slack = chance * (1 - chance)
        gained = ((labels - chance).astype(np.float32) @ facts) ** 2 / np.maximum(_own(facts, taken, slack), 1e-9)
        gained[taken] = 0.0
        best = int(np.argmax(gained))
        if gained[best] < _EVIDENCE:
            break
        taken.append(best)
        weights = _weighed(_design(facts, taken), labels, np.append(weights, 0.0), known)
    if not taken:
        return Scorecard((), 1.0, base)
    unit = np.abs(weights[1:]).max() / MOST
    points = np.round(weights[1:] / unit).astype(int)
    total = unit * (facts[:, taken] @ points).astype(np.float64)
    straight = _weighed(np.column_stack([np.ones(len(total)), total]), labels, np.array([weights[0], 1.0]), known)
    kept = sorted((replace(lines[k], points=int(p)) for k, p in zip(taken, points, strict=True) if p), key=_weight)
    return Scorecard(tuple(kept), float(straight[1] * unit), float(straight[0]))


def _possible(matrix: Matrix) -> Iterator[Line]:
    """Every line that could be taken: tenths of numbers, levels of text, missing or not."""
    for name, kind, values in zip(matrix.names, matrix.kinds, matrix.values.T, strict=True):
        found: list[Line] = []
        if kind in ("category", "actor"):
            found = [Line(name, float(code), float(code) + 1) for code in np.unique(values)]
        else:
            known = values[~np.isnan(values)]
            cuts = np.unique(np.quantile(known, CUTS, method="inverted_cdf") if len(known) else known)
            found = [Line(name), *(Line(name, least=float(cut)) for cut in cuts)]
        for line in found:
            true = line.holds(values).sum()
            if _LEAST <= true <= len(values) - _LEAST:
                yield line


def _weight(line: Line) -> int:
    return -abs(line.points)


def _design(facts: np.ndarray, taken: Sequence[int]) -> np.ndarray:
    return np.column_stack([np.ones(len(facts)), facts[:, list(taken)]])


def _own(facts: np.ndarray, taken: Sequence[int], slack: np.ndarray) -> np.ndarray:
    """What each fact knows that the base and the facts `taken` do not: its variance left beside them."""
    design = _design(facts, taken)
    mixed = (design * slack[:, None]).astype(np.float32).T @ facts
    inside = np.linalg.solve((design * slack[:, None]).T @ design + 1e-9 * np.eye(design.shape[1]), mixed)
    return np.asarray(slack.astype(np.float32) @ facts - (mixed * inside).sum(axis=0))


def _weighed(design: np.ndarray, labels: np.ndarray, weights: np.ndarray, known: np.ndarray) -> np.ndarray:
    """Logistic regression by Newton's method beside the log-odds `known`, with a slight ridge on all but the base."""
    ridge = np.append(0.0, np.full(design.shape[1] - 1, _RIDGE))
    for _ in range(25):
        chance = probability(design @ weights + known)
        inside = (design * (chance * (1 - chance))[:, None]).T @ design + np.diag(ridge)
        step = np.linalg.solve(inside, design.T @ (labels - chance) - ridge * weights)
        weights = weights + np.clip(step, -2.0, 2.0)
        if np.abs(step).max() < 1e-6:
            break
    return weights

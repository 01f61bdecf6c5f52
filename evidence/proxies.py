"""What stands for an attribute without being one: how well columns tell it, and what dropping them would do.

A column that tells an attribute is a question, not a verdict. Dropping it may make selections more even or less
(without places, London's searches by ethnicity went from .71 to .44), so parity is measured again without each of the
leakiest before anyone decides. Attributes are joined here and stay here; who grows a model anew is told the column's
name alone.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Self

import numpy as np
import pyarrow as pa

from evidence.cells import CELL
from evidence.intervals import UNDEFINED, Z95, Interval, redrawn_days
from evidence.metrics import roc_auc
from evidence.parity import large, more_even

SLICES = 32
LEAKIEST = 5
TOGETHER = "all columns together"
_ROUNDS = 60


@dataclass(frozen=True)
class Proxy:
    """A column, and how well it alone tells `group` from everyone else (ROC-AUC, on rows it was not learnt from).

    `with_it` and `without` are the lowest over the highest selection rate of the attribute's groups when the model has
    the column and when it was grown anew without it; `change` is the second minus the first, redrawn together.
    Undefined where nobody grew a model without it.
    """

    attribute: str
    column: str
    group: str
    told: Interval
    with_it: Interval = UNDEFINED
    without: Interval = UNDEFINED
    change: Interval = UNDEFINED

    @classmethod
    def from_json(cls, written: Mapping[str, Any]) -> Self:
        parts: dict[str, Any] = {k: Interval(**v) if isinstance(v, Mapping) else v for k, v in written.items()}
        return cls(**parts)


def proxies(
    attributes: Mapping[str, pa.Array | pa.ChunkedArray],
    columns: Mapping[str, np.ndarray],
    scores: np.ndarray,
    without: Callable[[str], np.ndarray] | None = None,
    *,
    capacity: float,
    days: np.ndarray,
    subjects: np.ndarray | None = None,
    least: int = CELL,
    most: int = LEAKIEST,
    draws: int = 200,
    seed: int = 7,
) -> tuple[Proxy, ...]:
    """The `most` leakiest columns of each attribute, first what all `columns` tell together.

    `columns` (name to n numbers or codes, NaN where missing), `scores` (n,) of the model as it is, `days` (n,) to
    redraw by, `subjects` (n,) whom each row is about: rows of one person are learnt from or told, never both. `without`
    grows the model anew without a column and scores the same rows; it is asked once per column. An attribute with fewer
    than two groups of `least` rows is left out.
    """
    _, whose = np.unique(np.arange(len(scores)) if subjects is None else subjects, return_inverse=True)
    persons = int(whose.max(initial=0)) + 1
    half = (np.random.default_rng(seed).permutation(persons) % 2 == 0)[whose]
    alike = persons / max(1, len(whose))  # rows of one person know hardly more than one row
    found: list[Proxy] = []
    again: dict[str, np.ndarray] = {}
    redrawn = redrawn_days(days, draws)
    for attribute, groups in attributes.items():
        names, code = large(groups, least)
        if len(names) < 2:
            continue
        found.append(_best(attribute, TOGETHER, names, code, partial(_together, columns, half), alike))
        alone = [
            _best(attribute, name, names, code, partial(_alone, values, half), alike)
            for name, values in columns.items()
        ]
        for proxy in sorted(alone, key=lambda p: (-(p.told.value or 0.0), p.column))[:most]:
            if without is None:
                found.append(proxy)
                continue
            if proxy.column not in again:
                again[proxy.column] = without(proxy.column)
            even = more_even(groups, again[proxy.column], scores, redrawn, capacity=capacity, least=least)
            found.append(Proxy(attribute, proxy.column, proxy.group, proxy.told, even[1], even[0], even[2]))
    return tuple(found)


def _best(
    attribute: str,
    column: str,
    names: Sequence[str],
    code: np.ndarray,
    told: Callable[[np.ndarray], np.ndarray],
    alike: float,
) -> Proxy:
    """The group that is told best, by scores (n,) that `told` gives for being inside it."""
    each = []
    for n, name in enumerate(names):
        inside = (code == n).astype(np.float64)
        each.append(Proxy(attribute, column, name, _area(inside, told(inside), alike)))
    return max(each, key=lambda proxy: proxy.told.value or 0.0)


def _alone(values: np.ndarray, half: np.ndarray, inside: np.ndarray) -> np.ndarray:
    """The share of the group in the row's slice of the column, learnt on the other half of the rows."""
    distinct = np.unique(values[~np.isnan(values)])
    if len(distinct) > SLICES:
        distinct = np.unique(np.quantile(distinct, np.linspace(0, 1, SLICES + 1)[1:-1]))
    level = np.where(np.isnan(values), 0, 1 + np.searchsorted(distinct, values, side="left"))
    scores = np.zeros(len(values))
    for learnt, told in ((half, ~half), (~half, half)):
        found = np.bincount(level[learnt], weights=inside[learnt], minlength=len(distinct) + 2)
        rows = np.bincount(level[learnt], minlength=len(distinct) + 2)
        scores[told] = ((found + inside.mean()) / (rows + 1))[level[told]]
    return scores


def _together(columns: Mapping[str, np.ndarray], half: np.ndarray, inside: np.ndarray) -> np.ndarray:
    """The log-odds of being inside the group by small trees over all columns, learnt on the other half of the rows."""
    import lightgbm

    matrix = np.column_stack(list(columns.values()))
    scores = np.zeros(len(inside))
    plain = {"objective": "binary", "num_leaves": 15, "num_threads": 1, "deterministic": True, "verbosity": -1}
    for learnt, told in ((half, ~half), (~half, half)):
        data = lightgbm.Dataset(matrix[learnt], inside[learnt], params=plain)
        scores[told] = lightgbm.train(plain, data, _ROUNDS).predict(matrix[told], raw_score=True, num_threads=1)
    return scores


def _area(inside: np.ndarray, scores: np.ndarray, alike: float) -> Interval:
    """ROC-AUC with Hanley and McNeil's interval, as if there were only the share `alike` of the rows."""
    area = roc_auc(inside, scores)
    if area is None:
        return UNDEFINED
    n, m = alike * float(inside.sum()), alike * float((1 - inside).sum())
    first, second = area / (2 - area), 2 * area**2 / (1 + area)
    variance = (area * (1 - area) + (n - 1) * (first - area**2) + (m - 1) * (second - area**2)) / (n * m)
    half = Z95 * float(np.sqrt(max(variance, 0.0)))
    return Interval(area, max(0.0, area - half), min(1.0, area + half))

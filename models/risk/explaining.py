"""Explanations for those who work with the model itself: in shap's own form, pair by pair, and of other models.

What people in casework read is made from `RiskModel.contributions`; here are the doors for notebooks. `shap` is slow
to import and is brought in where it is used.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa

from models.risk.encoding import Matrix
from models.risk.model import RiskModel
from records.errors import BadInput


@dataclass(frozen=True)
class Interactions:
    """How pairs of inputs act together on one score, in log-odds: `values` (p, p), symmetric, in the order of `names`.

    Rows add up to the contributions, and all of it with `base` to the raw score; off the diagonal stands half of what a
    pair does together.
    """

    names: tuple[str, ...]
    values: np.ndarray
    base: float

    def strongest(self, most: int = 5) -> list[tuple[str, str, float]]:
        """The pairs that act together most, each with what it adds, both halves."""
        rows, columns = np.triu_indices(len(self.names), k=1)
        pairs = 2 * self.values[rows, columns]
        order = np.argsort(-np.abs(pairs), kind="stable")[:most]
        return [(self.names[rows[n]], self.names[columns[n]], float(pairs[n])) for n in order]


def interactions(model: RiskModel, values: pa.Table) -> Interactions:
    """Exact interactions of the one row of `values`. BadInput for more rows or none."""
    if values.num_rows != 1:
        raise BadInput(
            f"Interactions are those of one row, and here are {values.num_rows}. Choose it: `values.slice(n, 1)`."
        )
    explainer = model.explainer
    return Interactions(model.names, explainer.interactions(model.matrix(values).values[0]), float(explainer.base))


def explanation(model: RiskModel, values: pa.Table) -> Any:
    """The contributions of the rows of `values` as a `shap.Explanation`, for shap's plots.

    Its data are the observed values themselves, words as words and not as the codes that the trees read.
    """
    import shap

    parts = model.contributions(values)
    observed = np.array([values[name].to_pylist() for name in parts.names], dtype=object).T
    base = np.full(values.num_rows, parts.base)
    return shap.Explanation(parts.values, base, observed, feature_names=list(parts.names))


def explained_otherwise(raw: Callable[[Matrix], np.ndarray], background: Matrix, rows: Matrix) -> Any:
    """A `shap.Explanation` of a model that is not trees, such as the logistic regression a model is judged beside.

    `raw` scores a matrix. What an input adds is counted against `background`, some hundred rows, by permutation: slow,
    and exact only on average where inputs act together, but of any model.
    """
    import shap

    def scored(table: np.ndarray) -> np.ndarray:
        return raw(Matrix(np.asarray(table, dtype=np.float64), rows.names, rows.kinds))

    masker = shap.maskers.Independent(background.values, max_samples=len(background.values))
    explainer = shap.explainers.Permutation(scored, masker, feature_names=list(rows.names), seed=1)
    return explainer(rows.values)

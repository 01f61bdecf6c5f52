"""Exact Shapley values of LightGBM models, fast enough for every row. It stands alone: numpy and numba will do.

**What is computed.** The contribution of each feature to a row's raw score, as `shap.TreeExplainer` (path-dependent)
and LightGBM's `pred_contrib` define it. A coalition of features is worth what the trees say when only its members are
known: at a split on a member the row takes its own side, at any other split both sides count, by their shares of the
training rows. The Shapley values of that game, and `base`, its worth when nothing is known, add up to the raw score.

**How.** Let every feature join the coalition with probability t. The Shapley value of feature i is what i adds to the
expected worth, averaged over t from 0 to 1 (Owen, 1972):

    phi_i = integral over t of  E_t[worth | i joined] - E_t[worth | i stayed away]

In a tree that expectation is a walk. Take a split whose left side holds the share z of its training rows, and let o be
1 if the row itself goes left and 0 otherwise. The walk goes left with the probability

    p = z + t (o - z)

From the leaves up, the expected worth of a split is H = H_right + p (H_left - H_right); from the root down, the weight
with which a split is reached is A, of which A p goes left and the rest goes right. As p is the only place where the
split's feature enters, a split on feature i adds to phi_i

    (o - z)  integral over t of  A (H_left - H_right)

What is integrated is a polynomial in t, of degree less than d where d features are tested on the longest path. The
Gauss-Legendre rule of m points integrates polynomials up to degree 2 m - 1 exactly, so m = d / 2 points, rounded up,
give the value itself and no approximation: three points for trees of depth six. Nothing grows with 2^d or d^2, there
are no tables to keep, and all terms are bounded by the leaves, so deep trees are explained by the same few lines.

*A feature tested again further down* joined once for both tests. Let u be 1 if its tests above send the row towards
this split and 0 otherwise, and s the share of training rows they send there. Where u is 0, whoever gets here stayed
away: p = z and the split adds nothing. Where u is 1, the share of walks here that joined is t / F, F = t + (1 - t) s,
so p = z + (t / F) (o - z), and the split adds (o - z) times the integral of (s / F^2) A (H_left - H_right).

*Interactions* are the second derivatives in place of the first. A leaf of value v whose path tests features k, with
o_k and z_k over all tests of k, adds to each pair of them

    v  integral over t of  (o_i - z_i) (o_j - z_j)  product over the other k of  (z_k + t (o_k - z_k))

half to (i, j) and half to (j, i); the diagonal holds what is left of phi_i.

**How fast.** Eight rows walk side by side in the lanes of one vector register, through splits that need no branch: what
missing values, zeros and categories mean is settled once per row, by giving each way of reading a feature a slot of its
own in which every test reads `slot <= threshold`. A row's values do not depend on the rows beside it, nor on how many
there are: one row and a million get the same bits.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import ArrayLike

from .kernels import Forest, Numbers, explain, interact
from .reading import read

CHUNK: Final = 1024  # rows a thread takes at a time


@dataclass(frozen=True)
class TreeShap:
    """Explains the raw score of a model, or the mean raw score of several; that of a random forest is a sum, too.

    `base`: () or, for a model of K classes, (K,). What is said of (n, p) below is (n, p, K) for such a model.
    """

    features: tuple[str, ...]
    base: Numbers
    forests: tuple[Forest, ...]

    @classmethod
    def of(cls, members: Any) -> TreeShap:
        """An explainer for a LightGBM booster or model text, or for the mean of a sequence of them.

        ValueError for linear trees, whose contributions are not defined this way, and for members of different inputs.
        """
        if isinstance(members, str) or not isinstance(members, Sequence):
            members = [members]
        texts = [member if isinstance(member, str) else member.model_to_string() for member in members]
        return cls(*read(texts))

    def values(self, rows: ArrayLike, threads: int | None = None) -> Numbers:
        """Contributions (n, p) of the features to the raw scores of `rows` (n, p); with `base` they add up to them.

        A missing value is NaN, a category its code. `threads` defaults to the machine's cores.
        """
        table = self._table(rows)
        found = np.zeros((len(table), self.base.size * len(self.features)))
        starts = range(0, len(table), CHUNK)

        def explain_from(start: int) -> None:
            for forest in self.forests:
                explain(forest, table[start : start + CHUNK], found[start : start + CHUNK])

        workers = min(threads or os.cpu_count() or 1, len(starts))
        if workers > 1:
            with ThreadPoolExecutor(workers) as pool:
                list(pool.map(explain_from, starts))
        else:
            for start in starts:
                explain_from(start)
        return self._shaped(found)

    def interactions(self, row: ArrayLike) -> Numbers:
        """How pairs of features act together on one row (p,): (p, p), symmetric; rows add up to `values` of the row."""
        table = self._table(np.asarray(row, dtype=np.float64)[None])
        p = len(self.features)
        pairs = np.zeros((self.base.size, p, p))
        for forest in self.forests:
            interact(forest, table[0], pairs)
        alone = self.values(table, threads=1)[0].reshape(p, -1).T - pairs.sum(axis=2)
        pairs[:, np.arange(p), np.arange(p)] = alone
        return pairs[0] if self.base.ndim == 0 else np.moveaxis(pairs, 0, -1)

    def explanation(self, rows: ArrayLike) -> Any:
        """The contributions of `rows` as a `shap.Explanation`, for shap's plots."""
        import shap

        table = self._table(rows)
        base = np.broadcast_to(self.base, (len(table), *self.base.shape))
        return shap.Explanation(self.values(table), base, table, feature_names=list(self.features))

    def _table(self, rows: ArrayLike) -> Numbers:
        table = np.ascontiguousarray(rows, dtype=np.float64)
        if table.ndim != 2 or table.shape[1] != len(self.features):
            raise ValueError(
                f"The model reads {len(self.features)} features, but the rows have the shape {table.shape}. "
                "Give one row per case and one column per feature, in the order of the model."
            )
        return table

    def _shaped(self, found: Numbers) -> Numbers:
        if self.base.ndim == 0:
            return found
        return np.moveaxis(found.reshape(len(found), self.base.size, -1), 1, 2)

"""Forecasts that add up: every node's own forecast moves the paths of the series, and sums of those are the answer.

Each node, from the total down to the single series, is forecast by itself and drawn as paths. Path by path and step by
step, the series' values are then sought that lie nearest to what all nodes say, each node trusted by its own spread at
that step (weighted least squares, none below zero). Whatever is told of a node is read from the sums of these paths, so
nothing needs to be made to fit afterwards.

Chosen on Hong Kong's control points before the published folds, against summing the series alone, least squares by
structure, MinT with shrunk covariances of rolling errors, and averages over levels: MinT's correlations, learnt from a
few folds, cost more than they gave, and one spread per step serves holidays better than one for all.
"""

import numpy as np

from features.compiling import compiled

SWEEPS = 5
"""Rounds over the series in which values that would fall below zero settle."""
CERTAIN = 1e-4
"""Spread of a node, beside the widest of its step, under which it counts as certain."""


def reconcile(paths: np.ndarray, parts: np.ndarray, closed: np.ndarray) -> np.ndarray:
    """Paths (n, H, P) of the series, at least zero, whose sums lie nearest to the drawn paths (D, H, P) of D nodes.

    `parts` (D, n) says what each node contains, the last n nodes being the series. A node without paths (NaN) has no
    say; a series without them is zero, and so is one where it is `closed` (n, H).
    """
    n = parts.shape[1]
    told = np.isfinite(paths).all(axis=2)
    spread = np.where(told, paths.std(axis=2), np.nan)
    answer = np.zeros((n, *paths.shape[1:]))
    for step in range(paths.shape[1]):
        free = told[-n:, step] & ~closed[:, step]
        nodes = told[:, step] & ~(parts & closed[:, step]).any(axis=1) & (parts & free).any(axis=1)
        if free.any():
            weight = 1.0 / np.maximum(spread[nodes, step], CERTAIN * (1.0 + spread[nodes, step].max())) ** 2
            answer[free, step] = _nearest(parts[np.ix_(nodes, free)].astype(float), weight, paths[nodes, step])
    return answer


def _nearest(parts: np.ndarray, weight: np.ndarray, wanted: np.ndarray) -> np.ndarray:
    """Series (n, P), none below zero, of least weighted squared distance from what nodes (D, P) want."""
    towards = parts.T * weight
    curve = towards @ parts
    pull = towards @ wanted
    found = np.linalg.solve(curve, pull)
    below = (found < 0.0).any(axis=0)
    if below.any():
        found[:, below] = _settled(parts, weight, pull[:, below], np.maximum(found[:, below], 0.0))
    return np.asarray(found)


def _settled(parts: np.ndarray, weight: np.ndarray, pull: np.ndarray, series: np.ndarray) -> np.ndarray:
    """The same, series by series in turn from a start (n, P) that is not below zero; node sums are carried along."""
    one, above = np.nonzero(parts.T)
    first = np.searchsorted(one, np.arange(len(series) + 1))
    settled = np.ascontiguousarray(series)
    _settle(above, first, weight, weight @ parts, pull, settled, parts @ settled)
    return settled


@compiled
def _settle(
    above: np.ndarray,
    first: np.ndarray,
    weight: np.ndarray,
    together: np.ndarray,
    pull: np.ndarray,
    series: np.ndarray,
    sums: np.ndarray,
) -> None:
    """Moves `series` (n, P) and `sums` (D, P); series i is in the nodes above[first[i] : first[i + 1]], which weigh
    `together`[i]."""
    slope = np.empty(series.shape[1])
    for _ in range(SWEEPS):
        for one in range(len(series)):
            nodes = above[first[one] : first[one + 1]]
            slope[:] = pull[one]
            for node in nodes:
                slope -= weight[node] * sums[node]
            for path in range(len(slope)):
                slope[path] = max(slope[path] / together[one], -series[one, path])
            series[one] += slope
            for node in nodes:
                sums[node] += slope

"""The forecast of every node of a hierarchy from one origin, read from paths that add up."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from types import MappingProxyType

import numpy as np
from scipy.special import ndtri

from models.volumes.adding_up.hierarchy import Hierarchy
from models.volumes.adding_up.paths import DRAWS, Dependence, at_scores, dependence, draw, normal_scores, quantiles_of
from models.volumes.adding_up.reconcile import reconcile
from models.volumes.counts.panel import Panel
from models.volumes.pooling.pool import NARROWEST, WIDEST, stretch
from models.volumes.pooling.rolling import Forecast, Rehearsal
from models.volumes.rhythm import MEDIAN

REHEARSAL_DRAWS = 201
FEWER_DRAWS = 401
MANY = 40_000
"""Nodes times steps beyond which fewer paths are drawn: 250 nodes by hour for 14 days stay under two gigabytes."""
SHRINK_SCORES = 300.0
"""Past counts that the belief in a level's width as it is is worth."""
MIDDLES = ndtri((np.arange(100) + 0.5) / 100)
"""Normal scores of the middles of a hundred equal shares."""
EIGHTY = float(ndtri(0.9))
"""Standard errors on either side that hold 80%."""


@dataclass(frozen=True)
class Coherent:
    """Possible futures from one origin of all K nodes of a hierarchy, which add up in every path and step.

    `series` (n, H, P) are the paths of the series, in counts; one that was not forecast is zero and false in
    `answered` (n,). `actual` (K, H) are the counts that came, NaN where unknown.
    """

    origin: int
    hierarchy: Hierarchy
    series: np.ndarray
    answered: np.ndarray
    actual: np.ndarray

    def paths(self, node: int) -> np.ndarray:
        """The paths (H, P) of one node."""
        return np.asarray(self.series[self.hierarchy.parts[node]].sum(axis=0))

    @cached_property
    def mean(self) -> np.ndarray:
        """Means (K, H); NaN for a node of which no series was forecast."""
        return np.where(self._told[:, None], self.hierarchy.add_up(self.series.mean(axis=2)), np.nan)

    @cached_property
    def quantiles(self) -> np.ndarray:
        """Quantiles (K, H, 15) of the paths; NaN for a node of which no series was forecast."""
        read = np.stack([quantiles_of(self.paths(node)) for node in range(len(self._told))])
        return np.where(self._told[:, None, None], read, np.nan)

    @property
    def _told(self) -> np.ndarray:
        return np.asarray((self.hierarchy.parts & self.answered).any(axis=1))


def coherent(
    forecasts: Iterable[Forecast],
    hierarchy: Hierarchy,
    *,
    closed: Mapping[int, np.ndarray] = MappingProxyType({}),
    draws: int = DRAWS,
    seed: int = 0,
) -> Iterator[Coherent]:
    """Coherent forecasts from what `rolling.roll` says of the panel `hierarchy.of_nodes`.

    `closed` has by origin (n, H) true where an announced closure shuts a series at a step of the horizon: it is exactly
    zero there, and nodes above it have no say, since their own forecasts know of no closure.
    """
    for forecast in forecasts:
        n, horizon = hierarchy.parts.shape[1], forecast.actual.shape[1]
        together = dependence(forecast.past, *forecast.actual.shape)
        widths = _widths(forecast.past, hierarchy, together, abs(forecast.origin))
        wide = np.maximum(stretch(centred(forecast.quantiles), widths[:, None, None]), 0.0)
        paths = draw(wide, together, draws, (seed, abs(forecast.origin)))
        shut = closed.get(forecast.origin, np.zeros((n, horizon), bool))
        yield Coherent(
            forecast.origin,
            hierarchy,
            reconcile(paths, hierarchy.parts[hierarchy.distinct], shut),
            np.isfinite(forecast.quantiles[-n:]).all(axis=(1, 2)),
            forecast.actual[hierarchy.among_distinct],
        )


def of_all_nodes(panel: Panel, hierarchy: Hierarchy, forecasts: Iterable[Forecast]) -> tuple[Panel, list[Forecast]]:
    """Coherent forecasts of all K nodes, and their panel, from those of the distinct ones."""
    place = hierarchy.among_distinct
    every = replace(
        panel,
        ids=hierarchy.names,
        values=panel.values[place],
        last=panel.last[place],
        groups={name: codes[place] for name, codes in panel.groups.items()},
        known={name: column[place] for name, column in panel.known.items()},
    )
    made = []
    for forecast in forecasts:
        draws = DRAWS if forecast.actual.size <= MANY else FEWER_DRAWS
        (added,) = coherent([forecast], hierarchy, draws=draws)
        made.append(
            replace(
                forecast,
                quantiles=added.quantiles,
                mean=added.mean,
                naive=forecast.naive[place],
                actual=added.actual,
                past=(),
            )
        )
    return every, made


def centred(quantiles: np.ndarray) -> np.ndarray:
    """Quantiles (..., 15) moved so that the mean lies no farther from where the median was than a count's would.

    Skewness learnt from a few folds is mostly those folds' luck, and summed over series it moves every total. Counts
    with a gamma's shape have their mean above the median by a third of the variance over the mean.
    """
    values = at_scores(quantiles, MIDDLES)
    mean, variance = values.mean(axis=-1), values.var(axis=-1)
    most = variance / (3.0 * np.maximum(mean, 1e-9))
    gap = mean - quantiles[..., MEDIAN]
    return np.asarray(np.maximum(quantiles + (np.clip(gap, -most, most) - gap)[..., None], 0.0))


def _widths(past: Sequence[Rehearsal], hierarchy: Hierarchy, together: Dependence, seed: int) -> np.ndarray:
    """Factors (D,) by which each level's own forecasts are widened so that reconciled ones would have held 80%."""
    levels = np.array(hierarchy.levels)[hierarchy.distinct]
    parts = hierarchy.parts[hierarchy.distinct]
    factors = np.ones(len(levels))
    if not past:
        return factors
    scores = []
    for number, rehearsal in enumerate(past):
        paths = draw(centred(rehearsal.quantiles), together, REHEARSAL_DRAWS, (seed, number))
        n, horizon = parts.shape[1], paths.shape[1]
        series = reconcile(paths, parts, np.zeros((n, horizon), bool))
        summed = quantiles_of(np.tensordot(parts.astype(float), series, axes=1))
        scores.append(np.abs(normal_scores(rehearsal.actual, summed)))
    for level in np.unique(levels):
        seen = [score[levels == level] for score in scores]
        held = np.concatenate([score[np.isfinite(score)] for score in seen])
        if len(held):
            factor = np.quantile(held, 0.8) / EIGHTY
            belief = len(held) / (len(held) + SHRINK_SCORES)
            factors[levels == level] = np.clip(belief * factor + 1.0 - belief, NARROWEST, WIDEST)
    return factors

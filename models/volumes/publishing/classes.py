"""Flows by class of traveller: each flow's paths dealt out in its mix of the last weeks, so that they add up to it."""

from collections.abc import Mapping

import numpy as np
import pyarrow as pa

from evidence.groups import CELL
from models.volumes.adding_up.paths import quantiles_of
from models.volumes.publishing.nightly import Ahead
from models.volumes.publishing.published import TABLES
from models.volumes.rhythm import COLUMNS, moments

OTHER = "other"


def class_table(days: Ahead, counted: Mapping[str, Mapping[str, int]], *, cell: int = CELL, seed: int = 11) -> pa.Table:
    """The table `classes`: of each node and day, what comes of each class that at least `cell` persons of the counted
    weeks had, the rest together as OTHER. A node without two such classes is left out."""
    told = days.told
    classes = sorted({name for mix in counted.values() for name in mix})
    mixes = [counted.get(flow, {}) for flow in told.hierarchy.series]
    counts = np.array([[mix.get(name, 0) for name in classes] for mix in mixes], float)
    dealt = _dealt(told.series, counts, np.random.default_rng(seed))
    clock = moments(told.origin + 1 + np.arange(told.series.shape[1]), days.nodes.rhythm).astype("datetime64[us]")
    parts = [TABLES["classes"].empty_table()]
    for node, inside in zip(told.hierarchy.names, told.hierarchy.parts, strict=True):
        summed, known = dealt[inside].sum(axis=0), counts[inside].sum(axis=0)
        groups = _groups(known, cell)
        for group in groups if len(groups) > 1 else ():
            paths = summed[group].sum(axis=0)
            label = classes[group[0]] if len(group) == 1 and known[group[0]] >= cell else OTHER
            columns = {"node": pa.array([node] * len(clock)), "class": pa.array([label] * len(clock))}
            columns |= {"ds": pa.array(clock), "mean": pa.array(paths.mean(axis=1))}
            quantiles = quantiles_of(paths)
            columns |= {name: pa.array(quantiles[:, place]) for place, name in enumerate(COLUMNS)}
            parts.append(pa.table(columns).select(TABLES["classes"].names).cast(TABLES["classes"]))
    return pa.concat_tables(parts)


def _dealt(series: np.ndarray, counts: np.ndarray, generator: np.random.Generator) -> np.ndarray:
    """Paths (n, C, H, P) of every class, from those of the flows (n, H, P) and what was counted of each (n, C).

    A path has one mix on all of its days, as far as the counts leave it open, and each day its own chance of it.
    """
    known = np.where(counts.sum(axis=1, keepdims=True) > 0, counts, counts.sum(axis=0))
    mix = generator.gamma(known[:, :, None], size=(*known.shape, series.shape[2]))
    mix /= np.maximum(mix.sum(axis=1, keepdims=True), 1e-12)
    share = generator.gamma(np.maximum(mix[:, :, None] * np.maximum(series, 1.0)[:, None], 0.0))
    total = share.sum(axis=1, keepdims=True)
    # Where chance left nobody, the mix itself is taken: what is dealt out is always all of it.
    share = np.where(total > 0, share / np.maximum(total, 1e-300), mix[:, :, None])
    return np.asarray(share * series[:, None])


def _groups(counts: np.ndarray, cell: int) -> list[list[int]]:
    """Classes told apart, the largest first, and those told together last: fewer than `cell` are never told alone."""
    order = [int(place) for place in np.argsort(-counts, kind="stable") if counts[place] > 0]
    alone = [place for place in order if counts[place] >= cell]
    rest = [place for place in order if counts[place] < cell]
    if rest and counts[rest].sum() < cell and alone:
        rest.insert(0, alone.pop())
    return [[place] for place in alone] + ([rest] if rest else [])

"""What a model would find and miss among all who are scored, estimated from checks that others chose.

Figures of checked rows say how a model orders those whom somebody wanted to check. The random control stands for the
others: here the places a capacity has are given to the highest scores of everyone, as the control weighs them.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from evidence.off_policy import Checked, missed_risk, precision, prevalence
from evidence.selection import Estimate, hajek


@dataclass(frozen=True)
class AmongAll:
    """Share of positives among all, share of them among those selected at a capacity, share of all positives missed."""

    prevalence: Estimate
    precision: Estimate
    missed: Estimate


def among_all(labels: np.ndarray, chances: np.ndarray, raw: np.ndarray, capacity: float) -> AmongAll:
    """The estimates for a model whose scores are `raw` (n,), at a `capacity` that is a share of all.

    `labels` (n,) of checked rows, NaN where nothing was found out; `chances` (n,) of having been checked, NaN where
    nobody knows (see `evidence.selection.declared`). Each is refused in words where no row has a known probability.
    """
    usable = ~np.isnan(labels) & (np.nan_to_num(chances) > 0)
    if not usable.any():
        refused = hajek(labels, chances)
        return AmongAll(refused, refused, refused)
    checked = Checked(labels[usable], chances[usable], everyone=False)
    chosen = highest(raw[usable], 1 / chances[usable], capacity)
    return AmongAll(prevalence(checked), precision(checked, chosen), missed_risk(checked, chosen))


def highest(raw: np.ndarray, weights: np.ndarray, capacity: float) -> np.ndarray:
    """Which rows (n,) lie in the highest `capacity` of all, each standing for `weights` (n,) rows; at least one."""
    order = np.argsort(-raw, kind="stable")
    before = np.cumsum(weights[order]) - weights[order]
    last = order[max(0, int(np.searchsorted(before, capacity * weights.sum())) - 1)]
    return np.asarray(raw >= raw[last])

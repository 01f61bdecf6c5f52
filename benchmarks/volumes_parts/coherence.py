"""Hong Kong's control points, mode > post > direction > class: do forecasts add up, and how far off is each level."""

from collections import defaultdict
from dataclasses import replace
from typing import Any

import numpy as np

from benchmarks.volumes_parts.sets import folds, table
from models.volumes.adding_up.coherent import Coherent, coherent
from models.volumes.adding_up.hierarchy import SERIES, declared, of_nodes
from models.volumes.backtest import prepare
from models.volumes.pooling.rolling import roll
from models.volumes.rhythm import MEDIAN

SET = "hk_control_points_daily"
LEVELS = ("mode > post > direction > traveller_class",)


def measure() -> dict[str, Any]:
    """WAPE by level over all series of the set, its public folds taken together, and the greatest gap in any path."""
    options = replace(folds(SET).options(), series=(), levels=LEVELS)
    panel = prepare(table(SET), options)
    hierarchy = declared(panel, options.levels)
    levels = np.array(hierarchy.levels)
    forecasts = roll(of_nodes(panel, hierarchy), options.cutoff_steps(panel.end), options.horizon, options.holidays)
    errors, counts, greatest = defaultdict(float), defaultdict(float), 0.0
    for one in coherent(forecasts, hierarchy):
        greatest = max(greatest, gap(one))
        came = np.isfinite(one.actual)
        error = np.abs(one.quantiles[..., MEDIAN] - one.actual)
        for level in np.unique(levels):
            rows = came & (levels == level)[:, None]
            errors[level] += error[rows].sum()
            counts[level] += one.actual[rows].sum()
    wape = {str(level): float(errors[level] / counts[level]) for level in errors}
    return {
        "nodes": int((levels != SERIES).sum()),
        "wape_by_level": {level: round(value, 4) for level, value in wape.items()},
        "volumes_coherence_error": greatest,
        "volumes_total_wape_hk_hierarchy": wape["total"],
    }


def gap(one: Coherent) -> float:
    """The greatest difference, in travellers, between the total and the sum of a level's nodes: in paths and means."""
    levels = np.array(one.hierarchy.levels)
    total, worst = one.paths(0), 0.0
    for level in np.unique(levels):
        nodes = np.flatnonzero(levels == level)
        worst = max(worst, float(np.abs(sum(one.paths(node) for node in nodes) - total).max()))
        worst = max(worst, float(np.abs(one.mean[nodes].sum(axis=0) - one.mean[0]).max()))
    return worst

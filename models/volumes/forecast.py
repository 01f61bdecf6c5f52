"""The forecast that is published: the same pool as in the backtest, from the last day that is known."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa

from models.volumes.backtest import Figures, figures, forecast_table, prepare, rolled
from models.volumes.counts.breaks import shock_notes
from models.volumes.counts.panel import Note, Panel
from models.volumes.members.schedule import lacking
from models.volumes.options import Options
from models.volumes.pooling.pool import Pool
from models.volumes.pooling.rolling import Progress

PROOF_FOLDS = 2
"""Earlier origins that are forecast and scored beside the published one."""


@dataclass(frozen=True)
class FlowForecast:
    """`forecasts` has unique_id, cutoff, ds, mean, q0.01 … q0.99 for the steps after the last known one.

    `pool` and `naive` are the losses of the same pool and of seasonal naive from the origins one and two horizons
    earlier; they are empty where the table is too short for one, and where a stored pool was taken. `learnt` is the
    pool itself, to be stored for the nights that follow.
    """

    forecasts: pa.Table
    pool: Mapping[str, Figures]
    naive: Mapping[str, Figures]
    learnt: Pool
    notes: tuple[Note, ...]

    @property
    def weights(self) -> Mapping[str, float]:
        """What each member weighs in the pool."""
        return self.learnt.weights

    def figures(self) -> dict[str, float]:
        """Test figures by name, for a run's record; undefined ones are left out."""
        named = {}
        for who, parts in (("pool", self.pool), ("naive", self.naive)):
            for part, losses in parts.items():
                for name in ("mase", "scaled_crps", "coverage_80", "wape", "spl"):
                    value = getattr(losses, name)
                    if value is not None:
                        named[f"{who}_{part}_{name}"] = value
        return named


def forecast(
    source: Path | str | pd.DataFrame | pa.Table,
    options: Options,
    progress: Progress | None = None,
    *,
    stored: Pool | None = None,
) -> FlowForecast:
    """Forecast a long table from the last step that has a count, or from the one cutoff that the options name.

    Rows after that step may hold columns known ahead. With a `stored` pool nothing is learnt anew: its members are
    fitted to the newest counts, once. BadInput where the table cannot be used.
    """
    return forecast_panel(prepare(source, options), options, progress, stored=stored)


def forecast_panel(
    panel: Panel, options: Options, progress: Progress | None = None, *, stored: Pool | None = None
) -> FlowForecast:
    """The same for a panel that is already checked."""
    known = np.flatnonzero(np.isfinite(panel.values).any(axis=0))
    origin = options.cutoff_steps(0)[-1] if options.cutoffs else panel.start + int(known[-1])
    proofs = [origin - options.horizon * back for back in range(PROOF_FOLDS, 0, -1)]
    proofs = [proof for proof in proofs if proof - panel.start + 1 >= 3 * panel.rhythm.short_season]
    if stored and not options.levels:
        proofs = []  # only levels, whose paths go together as past errors did, need the origins before
    panel, made = rolled(panel, options, [*proofs, origin], progress, stored=stored)
    past = made[:-1]
    pool, naive = figures(panel, past, options) if past else ({}, {})
    newest = replace(made[-1], actual=np.full_like(made[-1].actual, np.nan))
    table = forecast_table(panel, [newest]).drop_columns(["y"])
    said = panel.notes + shock_notes(panel.until(origin)) + lacking(panel, [origin], options.horizon)
    return FlowForecast(table, pool, naive, made[-1].pool, said)

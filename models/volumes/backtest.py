"""Rolling backtest of a long table: forecasts as they would have been made, and how they did beside seasonal naive."""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from models.volumes import losses
from models.volumes.adding_up.coherent import of_all_nodes
from models.volumes.adding_up.hierarchy import columns_of, declared, of_nodes
from models.volumes.calendars.calendar import calendar
from models.volumes.counts.breaks import shock_notes
from models.volumes.counts.panel import Note, Panel, read_panel
from models.volumes.members.schedule import lacking
from models.volumes.options import Options
from models.volumes.pooling.pool import Pool, mean_of
from models.volumes.pooling.rolling import Forecast, Progress, roll
from models.volumes.rhythm import COLUMNS, moments, steps
from records.errors import BadInput


@dataclass(frozen=True)
class Figures:
    """Losses over some rows; None where undefined."""

    rows: int
    mase: float | None
    scaled_crps: float | None
    coverage_80: float | None
    wape: float | None
    spl: float | None


@dataclass(frozen=True)
class Report:
    """`forecasts` has unique_id, cutoff, ds, y (null where unknown), mean, q0.01 … q0.99; figures are by name of the
    part of the rows ("all", and "feast" and "ordinary" where countries were named), for the pool and seasonal naive.
    `learnt` is the pool of the last cutoff, to be stored for the nights that follow."""

    forecasts: pa.Table
    pool: Mapping[str, Figures]
    naive: Mapping[str, Figures]
    learnt: Pool
    notes: tuple[Note, ...]
    series: int
    cutoffs: tuple[str, ...]
    cpu_seconds: float

    @property
    def weights(self) -> Mapping[str, float]:
        """What each member weighs in the pool."""
        return self.learnt.weights

    def write(self, path: Path) -> None:
        """Write the forecasts as Parquet.

        The column y is there for everyone; for pandas it is declared as the index, because scorers join their own
        counts, and a second column y would meet theirs.
        """
        table = self.forecasts
        described = pa.Schema.from_pandas(table.slice(0, 0).to_pandas().set_index("y")).metadata
        pq.write_table(table.replace_schema_metadata(described), path)

    def lines(self) -> list[str]:
        """The report as a person reads it."""
        shown = [f"{self.series} series, {len(self.cutoffs)} cutoffs from {self.cutoffs[0]} to {self.cutoffs[-1]}"]
        heads = ("rows", "MASE", "scaled CRPS", "cover 80%", "WAPE", "SPL")
        shown.append(f"{'':<26}" + "".join(f"{head:>13}" for head in heads))
        for part, figures in self.pool.items():
            for name, row in (("pool", figures), ("seasonal naive", self.naive[part])):
                cells = (row.mase, row.scaled_crps, row.coverage_80, row.wape, row.spl)
                text = "".join(f"{'undefined' if cell is None else f'{cell:.4f}':>13}" for cell in cells)
                shown.append(f"{name + ('' if part == 'all' else f', {part} days'):<26}{row.rows:>13}{text}")
        shown.append("weights: " + ", ".join(f"{name} {weight:.2f}" for name, weight in self.weights.items()))
        shown += [f"{'refused' if n.refused else 'note'}: {n.series or 'table'}: {n.problem}" for n in self.notes]
        shown.append(f"{self.cpu_seconds:.0f} CPU seconds")
        return shown


def backtest(
    source: Path | str | pd.DataFrame | pa.Table,
    options: Options,
    progress: Progress | None = None,
    *,
    stored: Pool | None = None,
) -> Report:
    """Forecast a long table from each cutoff, reading after it only ds and the columns named known ahead.

    A `stored` pool answers as it is, with nothing learnt. BadInput where the table or the options cannot be used;
    troubles of single series are notes of the report.
    """
    began = time.process_time()

    def cutoffs_given(last: np.ndarray) -> list[int]:
        return options.cutoff_steps(_common_end(last, options.horizon))

    panel = prepare(source, options, judged_until=lambda last: cutoffs_given(last)[0])
    cutoffs = cutoffs_given(panel.last)
    check_cutoffs(panel, cutoffs)
    panel, forecasts = rolled(panel, options, cutoffs, progress, stored=stored)
    pool, naive = figures(panel, forecasts, options)
    return Report(
        forecasts=forecast_table(panel, forecasts),
        pool=pool,
        naive=naive,
        learnt=forecasts[-1].pool,
        notes=panel.notes + shock_notes(panel.until(cutoffs[-1])) + lacking(panel, cutoffs, options.horizon),
        series=len(panel.ids),
        cutoffs=tuple(str(moments(np.array(cutoff), panel.rhythm).astype("datetime64[m]")) for cutoff in cutoffs),
        cpu_seconds=time.process_time() - began,
    )


def prepare(
    source: Path | str | pd.DataFrame | pa.Table,
    options: Options,
    judged_until: Callable[[np.ndarray], int] | None = None,
) -> Panel:
    """The checked panel of the options' series, from their start on; `judged_until` as in read_panel."""
    columns = tuple(dict.fromkeys((*options.hierarchy, *columns_of(options.levels))))
    panel = read_panel(source, options.freq, columns, options.known_ahead, judged_until)
    if options.series:
        panel = panel.only(options.series)
    if options.start:
        panel = panel.since(int(steps(np.array([options.start], "datetime64[us]"), panel.rhythm)[0]))
    if not panel.ids or not panel.values.size:
        raise BadInput(
            "No series is left to forecast. " + " ".join(f"{n.series}: {n.problem}." for n in panel.notes[:3])
        )
    return panel


def rolled(
    panel: Panel,
    options: Options,
    cutoffs: Sequence[int],
    progress: Progress | None = None,
    *,
    stored: Pool | None = None,
) -> tuple[Panel, list[Forecast]]:
    """Forecasts from every cutoff, and the panel they are of: that of all nodes, where the options name levels."""
    hierarchy = declared(panel, options.levels) if options.levels else None
    panel = of_nodes(panel, hierarchy) if hierarchy else panel
    seen = limited(panel, options, cutoffs[0])
    made = roll(seen, cutoffs, options.horizon, options.holidays, stored=stored, progress=progress)
    return of_all_nodes(panel, hierarchy, made) if hierarchy else (panel, list(made))


def forecast_table(panel: Panel, forecasts: Sequence[Forecast]) -> pa.Table:
    """One row per series, cutoff and step that has a forecast: unique_id, cutoff, ds, y, mean, q0.01 … q0.99."""
    parts = []
    for forecast in forecasts:
        quantiles = forecast.quantiles
        row, ahead = np.nonzero(np.isfinite(quantiles[..., 0]))
        chosen = quantiles[row, ahead]
        y = forecast.actual[row, ahead]
        columns = {
            "unique_id": pa.array(np.array(panel.ids, object)[row], pa.string()),
            "cutoff": pa.array(np.repeat(moments(np.array(forecast.origin), panel.rhythm), len(row))),
            "ds": pa.array(moments(forecast.origin + 1 + ahead, panel.rhythm)),
            "y": pa.array(y, mask=~np.isfinite(y)),
            "mean": pa.array(mean_of(chosen) if forecast.mean is None else forecast.mean[row, ahead]),
        }
        columns |= {name: pa.array(chosen[:, place]) for place, name in enumerate(COLUMNS)}
        parts.append(pa.table(columns))
    return pa.concat_tables(parts)


def _common_end(last: np.ndarray, horizon: int) -> int:
    """The last step that every series which has not ended long before reaches."""
    return int(last[last >= last.max() - horizon].min())


def check_cutoffs(panel: Panel, cutoffs: Sequence[int]) -> None:
    """BadInput unless every cutoff lies inside the table."""
    first = moments(np.array(cutoffs[0]), panel.rhythm)
    if cutoffs[0] < panel.start:
        begins = moments(np.array(panel.start), panel.rhythm)
        raise BadInput(
            f"The first cutoff {first} lies before the table, which begins {begins}. Use fewer or later cutoffs."
        )
    if cutoffs[-1] > panel.end:
        ends = moments(np.array(panel.end), panel.rhythm)
        raise BadInput(f"The last cutoff lies after the table, which ends {ends}. Use an earlier cutoff.")


def limited(panel: Panel, options: Options, first_cutoff: int) -> Panel:
    """The panel without the steps before the longest history that the first cutoff and its teachers may look at."""
    if options.hist is None:
        return panel
    return panel.since(first_cutoff - options.hist - panel.rhythm.validation * options.horizon + 1)


@dataclass(frozen=True)
class _Scored:
    y: np.ndarray
    pool: np.ndarray
    naive: np.ndarray
    scale: np.ndarray
    block: np.ndarray
    feast: np.ndarray | None


def figures(
    panel: Panel, forecasts: Sequence[Forecast], options: Options
) -> tuple[dict[str, Figures], dict[str, Figures]]:
    """Losses of the pool and of seasonal naive over every row whose count came, by part of the rows."""
    scored = _scored_rows(panel, forecasts, options)
    parts = {"all": np.ones(len(scored.y), bool)}
    if scored.feast is not None:
        parts |= {"feast": scored.feast, "ordinary": ~scored.feast}
    pool = {part: _losses(scored, scored.pool, rows) for part, rows in parts.items()}
    return pool, {part: _losses(scored, scored.naive, rows) for part, rows in parts.items()}


def _losses(scored: _Scored, quantiles: np.ndarray, rows: np.ndarray) -> Figures:
    y, scale, block, answered = scored.y[rows], scored.scale[rows], scored.block[rows], quantiles[rows]
    return Figures(
        len(y),
        losses.mase(y, answered, scale, block),
        losses.scaled_crps(y, answered),
        losses.coverage(y, answered),
        losses.wape(y, answered),
        losses.spl(y, answered, scale, block),
    )


def _scored_rows(panel: Panel, forecasts: Sequence[Forecast], options: Options) -> _Scored:
    season = options.season or panel.rhythm.season
    y, pool, naive, scale, block, feast = [], [], [], [], [], []
    days = calendar(
        panel.rhythm, panel.start, forecasts[-1].origin + options.horizon - panel.start + 1, options.holidays
    )
    near = days.around_feast
    for number, forecast in enumerate(forecasts):
        row, ahead = np.nonzero(np.isfinite(forecast.actual) & np.isfinite(forecast.quantiles[..., 0]))
        past = panel.values[:, : forecast.origin - panel.start + 1]
        errors = np.array([losses.naive_error(history, season) for history in past])
        y.append(forecast.actual[row, ahead])
        pool.append(forecast.quantiles[row, ahead])
        naive.append(forecast.naive[row, ahead])
        scale.append(errors[row])
        block.append(number * len(panel.ids) + row)
        feast.append(near[forecast.origin - panel.start + 1 + ahead])
    return _Scored(
        y=np.concatenate(y),
        pool=np.concatenate(pool),
        naive=np.concatenate(naive),
        scale=np.concatenate(scale),
        block=np.concatenate(block),
        feast=np.concatenate(feast) if options.holidays and panel.rhythm.unit != "M" else None,
    )

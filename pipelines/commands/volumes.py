from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from pipelines.lists import names
from pipelines.outputs import output_file

Decorated = Callable[..., Any]


def _table_options(command: Decorated) -> Decorated:
    """What a forecast of any long table may be told, alike for `backtest` and `forecast`."""
    for option in (
        click.option(
            "--freq", type=click.Choice(["MS", "D", "h"]), help="Step of the table: month start, day or hour."
        ),
        click.option("--horizon", type=click.IntRange(min=1), help="Steps to forecast."),
        click.option("--holidays", callback=names, help="Countries whose holidays matter, ISO codes: TN or HK,CN."),
        click.option("--hierarchy", callback=names, help="Columns whose values add up, from the top: mode,post."),
        click.option("--known-ahead", callback=names, help="Columns known for the future too, for instance flights."),
        click.option(
            "--out",
            required=True,
            type=click.Path(path_type=Path, dir_okay=False),
            callback=output_file,
            help="Parquet to write.",
        ),
    ):
        command = option(command)
    return command


def _pool_options(command: Decorated) -> Decorated:
    """A pool that was learnt before, and where to keep the one that answered."""
    for option in (
        click.option(
            "--pool",
            type=click.Path(path_type=Path, exists=True, dir_okay=False),
            help="Answer with this kept pool instead of learning one: quick, for every night.",
        ),
        click.option(
            "--keep-pool", type=click.Path(path_type=Path, dir_okay=False), help="JSON to keep the pool in, for --pool."
        ),
    ):
        command = option(command)
    return command


@click.group(short_help="Forecast volumes, and see how forecasts would have done.")
def command() -> None:
    """Forecasts of counts: any long table with unique_id, ds and y (Parquet or CSV), one row per series and step.

    Each forecast has a mean and the quantiles 1, 2.5, 5, 10, 20 … 90, 95, 97.5 and 99%. `backtest` shows how good they
    would have been, beside the planner's habit (seasonal naive); `forecast` makes them. The authority's own flows are
    forecast by `basira run forecast`.
    """


@command.command()
@click.argument("file", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@click.option(
    "--cutoffs", type=click.IntRange(min=1), default=4, show_default=True, help="How many moments to forecast from."
)
@click.option("--step", type=click.IntRange(min=1), help="Steps between them; the horizon if left out.")
@click.option(
    "--folds",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="JSON with preset, unique_ids and cutoffs instead.",
)
@_pool_options
@_table_options
def backtest(
    file: Path, cutoffs: int, step: int | None, folds: Path | None, freq: str | None, horizon: int | None,
    holidays: tuple[str, ...], hierarchy: tuple[str, ...], known_ahead: tuple[str, ...], out: Path,
    pool: Path | None, keep_pool: Path | None,
) -> None:  # fmt: skip
    """Forecast FILE from several past moments, reading nothing after them but ds and what is known ahead.

    \b
    basira volumes backtest flows.parquet --freq D --horizon 28 --cutoffs 6 --step 28 --holidays TN --out out.parquet

    OUT has one row per unique_id, cutoff and ds: y, mean, q0.01 … q0.99. Troubles of single series are said, the others
    are forecast all the same.
    """
    from models.volumes.backtest import backtest as run
    from models.volumes.options import Options, options_from_folds
    from models.volumes.pool import keep, kept
    from pipelines.progress import say

    if folds is not None:
        options = options_from_folds(folds)
    else:
        options = Options(**_step_and_horizon(freq, horizon), folds=cutoffs, step=step)
    options = options.naming(holidays=holidays, hierarchy=hierarchy, known_ahead=known_ahead)
    report = run(file, options, say, stored=kept(pool) if pool else None)
    if keep_pool:
        keep(report.learnt, keep_pool)
    report.write(out)
    click.echo("\n".join(report.lines()))
    click.echo(f"{report.forecasts.num_rows} rows in {out}")


@command.command()
@click.argument("file", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@_pool_options
@_table_options
def forecast(
    file: Path, freq: str | None, horizon: int | None,
    holidays: tuple[str, ...], hierarchy: tuple[str, ...], known_ahead: tuple[str, ...], out: Path,
    pool: Path | None, keep_pool: Path | None,
) -> None:  # fmt: skip
    """Forecast FILE from its last step on, with the models that `backtest` judges.

    \b
    basira volumes forecast flows.parquet --freq D --horizon 14 --holidays TN --out next.parquet

    Columns named known ahead must reach over the horizon: rows with ds and these columns, and no y.
    """
    import pyarrow.parquet as pq

    from models.volumes.forecast import forecast as run
    from models.volumes.options import Options
    from models.volumes.pool import keep, kept
    from pipelines.progress import say
    from pipelines.summary import flows_text

    options = Options(**_step_and_horizon(freq, horizon)).naming(
        holidays=holidays, hierarchy=hierarchy, known_ahead=known_ahead
    )
    report = run(file, options, say, stored=kept(pool) if pool else None)
    if keep_pool:
        keep(report.learnt, keep_pool)
    pq.write_table(report.forecasts, out)
    click.echo(flows_text(report))
    click.echo(f"{report.forecasts.num_rows} rows in {out}")


def _step_and_horizon(freq: str | None, horizon: int | None) -> dict[str, Any]:
    from records.errors import BadInput

    if freq is None or horizon is None:
        raise BadInput("Say the step and how far to look: --freq D --horizon 14 (MS for months, h for hours).")
    return {"freq": freq, "horizon": horizon}

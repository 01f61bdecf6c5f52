from collections.abc import Callable
from dataclasses import replace
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
        click.option("--hierarchy", callback=names, help="Columns that tell series apart, for the models: mode,post."),
        click.option(
            "--levels", callback=names, help="Levels that must add up, forecast too: 'mode > post > direction'."
        ),
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
    would have been, beside the planner's habit (seasonal naive); `forecast` makes them.

    \b
    The authority's own flows, from the lake, every night:
      basira volumes nightly             make and publish a run: hours, days, months, offices, staffing, alarms
      basira volumes nowcast             the running day and month, from what has come so far
      basira volumes changed             what moved since the run before, and why
      basira volumes how-did             how earlier runs did on what came since
      basira volumes alarms              which flows left their forecast, which feeds fell silent
      basira volumes staffing POST       booths and officers by hour, and what the promise costs
      basira volumes scenario FILE       what if: an overlay on the newest run
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
    holidays: tuple[str, ...], hierarchy: tuple[str, ...], levels: tuple[str, ...],
    known_ahead: tuple[str, ...], out: Path, pool: Path | None, keep_pool: Path | None,
) -> None:  # fmt: skip
    """Forecast FILE from several past moments, reading nothing after them but ds and what is known ahead.

    \b
    basira volumes backtest flows.parquet --freq D --horizon 28 --cutoffs 6 --step 28 --holidays TN --out out.parquet

    OUT has one row per unique_id, cutoff and ds: y, mean, q0.01 … q0.99. Troubles of single series are said, the others
    are forecast all the same.
    """
    from models.volumes.backtest import backtest as run
    from models.volumes.options import Options, options_from_folds
    from models.volumes.pooling.pool import keep, kept
    from pipelines.progress import say

    if folds is not None:
        options = options_from_folds(folds)
    else:
        options = Options(**_step_and_horizon(freq, horizon), folds=cutoffs, step=step)
    options = options.naming(holidays=holidays, hierarchy=hierarchy, known_ahead=known_ahead)
    options = replace(options, levels=levels or options.levels)
    report = run(file, options, say, stored=kept(pool) if pool else None)
    if keep_pool:
        keep(report.learnt, keep_pool)
    report.write(out)
    click.echo("\n".join(report.lines()))
    click.echo(f"{report.forecasts.num_rows} rows in {out}")


@command.command()
@click.argument("file", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@click.option(
    "--scenario",
    type=click.Path(path_type=Path),
    help="YAML that changes a column known ahead: the forecast is made anew from it, and OUT is that one.",
)
@_pool_options
@_table_options
def forecast(
    file: Path, scenario: Path | None, freq: str | None, horizon: int | None,
    holidays: tuple[str, ...], hierarchy: tuple[str, ...], levels: tuple[str, ...],
    known_ahead: tuple[str, ...], out: Path, pool: Path | None, keep_pool: Path | None,
) -> None:  # fmt: skip
    """Forecast FILE from its last step on, with the models that `backtest` judges.

    \b
    basira volumes forecast flows.parquet --freq D --horizon 14 --holidays TN --out next.parquet

    Columns named known ahead must reach over the horizon: rows with ds and these columns, and no y. What if some of
    them change? In a scenario (see `basira volumes scenario`), half the ferries from June on are

    \b
    - {first: 2026-06-01, known: ferries, low: 0.5, high: 0.5}
    """
    import pyarrow.parquet as pq

    from models.volumes.backtest import prepare
    from models.volumes.forecast import forecast_panel
    from models.volumes.options import Options
    from models.volumes.pooling.pool import keep, kept
    from models.volumes.what_if import scenarios
    from models.volumes.what_if.inputs import forecast_again
    from pipelines.progress import say
    from pipelines.summary import flows_text

    options = Options(**_step_and_horizon(freq, horizon)).naming(
        holidays=holidays, hierarchy=hierarchy, known_ahead=known_ahead
    )
    options = replace(options, levels=levels)
    overlay = scenarios.read(scenario) if scenario else None
    panel = prepare(file, options)
    report = forecast_panel(panel, options, say, stored=kept(pool) if pool else None)
    if keep_pool:
        keep(report.learnt, keep_pool)
    click.echo(flows_text(report))
    if overlay:
        again = forecast_again(panel, options, report, overlay, say)
        report = again.told
        moved = again.effect
        click.echo(
            f"{overlay.name}: the medians sum to {moved.median_after:,.0f} instead of {moved.median_before:,.0f}; the "
            f"80% range of a step is {moved.width_after:,.1f} wide on average instead of {moved.width_before:,.1f}"
        )
    pq.write_table(report.forecasts, out)
    click.echo(f"{report.forecasts.num_rows} rows in {out}")


_level = click.option(
    "--level",
    type=click.Choice(["nation", "mode", "governorate", "post", "flow"]),
    default="post",
    show_default=True,
    help="How finely it is told.",
)


@command.command()
@click.option("--relearn", is_flag=True, help="Learn weights anew, whether or not a week has passed.")
def nightly(relearn: bool) -> None:
    """Forecast all flows and offices from what the lake knows now, and publish the run whole.

    14 days by hour, 90 days by day, 24 months, from the nation down to each post and direction, all of which add up;
    applications, caseload, renewals and the stock of foreigners; staffing; alarms on the newest days. What was learnt
    in the last seven days is used again, so that most nights only fit each model once. `basira run forecast` is the
    same as a Prefect flow, which does nothing where nothing has changed.

    Tunisia's holidays, Hijri days, school holidays and ferry season are those of the table `calendar` as far as it was
    known by then (`basira ingest FILE --table calendar`; announced days are in no doubt), else computed.
    Holidays elsewhere are those of the setting `origins`: countries by mode of post, as in "land=DZ,LY; sea=FR,IT", or
    none.
    """
    from pipelines.progress import say
    from pipelines.steps.forecasting import forecast_volumes
    from pipelines.summary import forecast_text
    from records.settings import settings

    click.echo(forecast_text(forecast_volumes(settings(), say, relearn=relearn)))


@command.command()
@_level
def nowcast(level: str) -> None:
    """Tell the running day and month anew from what has come so far, and publish it beside the newest run.

    What has come is certain; what is to come is what usually follows such a beginning, laid over the possible futures
    of the newest run, so that flows and posts add up, and the day inside its month. `basira run nowcast` is the same
    as a Prefect flow, made for every hour.
    """
    from pipelines.steps.nowcasting import tell_running
    from pipelines.volume_texts import running_text
    from records.settings import settings

    click.echo(running_text(tell_running(settings()), level))


@command.command()
@_level
@click.option("--most", type=click.IntRange(min=1), default=10, show_default=True, help="How many flows are told.")
def changed(level: str, most: int) -> None:
    """What moved most between the last two published runs, over the days that both forecast, and why."""
    from dataclasses import asdict

    from models.volumes.publishing.published import runs
    from pipelines.steps import forecasting
    from pipelines.summary import changed_text, why_changed
    from records.errors import BadInput
    from records.settings import settings

    made = runs(settings().home / "volumes")
    if len(made) < 2:
        raise BadInput(
            f"{len(made)} published run{' is' if len(made) == 1 else 's are'} there, and two are compared. Make one "
            "with `basira volumes nightly`."
        )
    read, moved = forecasting.changed(made[-2], made[-1].card(), made[-1].table("days"), level, most)
    click.echo(f"From {made[-2].path.name} to {made[-1].path.name}: {why_changed(asdict(read))}")
    click.echo(changed_text(list(map(asdict, moved))) if moved else f"Nothing moved at the level {level}.")


@command.command("how-did")
@click.option("--month", metavar="YYYY-MM", help="Judge this month by the run that stood as it began.")
def how_did(month: str | None) -> None:
    """How published runs did on the counts that came since: inside their 80% range, error and bias, by level.

    \b
    basira volumes how-did                   the last five runs
    basira volumes how-did --month 2026-07   that month, by the last run from before it
    """
    from pipelines.steps.looking_back import months_run, recent_runs
    from pipelines.summary import did_text
    from records.settings import settings

    click.echo(did_text(months_run(settings(), month) if month else recent_runs(settings())))


@command.command()
@click.argument("file", type=click.Path(path_type=Path))
@_level
@click.option("--hours", is_flag=True, help="Over the 14 days by hour, instead of the 90 days.")
@click.option("--keep", is_flag=True, help="Keep it for planners, in the folder of scenarios.")
def scenario(file: Path, level: str, hours: bool, keep: bool) -> None:
    """What FILE, a scenario in YAML, does to the newest run, and to how sure it is. The run itself stays as it is.

    \b
    name: ferry cancelled
    author: planner
    made_on: 2026-05-01
    note: the ferry's engine is repaired
    changes:
    - {first: 2026-06-01, last: 2026-06-03, where: {post: la-goulette}, low: 0, high: 0}
    - {first: 2026-06-10, where: {mode: air}, low: 1.2, high: 1.4, chance: 0.7}

    low and high are how many times as many come: 0 and 0 is a closure, 1.2 and 1.4 is +20-40%. `where` names mode,
    governorate, post or direction; left out, it is everything.
    """
    from models.volumes.publishing.published import newest
    from models.volumes.what_if import scenarios
    from models.volumes.what_if.overlay import what_if
    from pipelines.summary import effects_text
    from records.settings import settings

    place = settings()
    told = scenarios.read(file)
    run = newest(place.home / "volumes")
    effects = what_if(run, told, "hours" if hours else "days").effects(level)
    click.echo(f"{told.name}, by {told.author} on {told.made_on}: {told.note}")
    click.echo(effects_text(effects) if effects else f"It changes nothing at the level {level}.")
    if keep:
        kept = place.home / "scenarios" / f"{file.stem}.yaml"
        scenarios.write(told, kept)
        click.echo(f"Kept in {kept}")


@command.command()
@click.argument("post")
@click.option("--minutes", type=click.FloatRange(min=0), default=15.0, show_default=True, help="The promised wait.")
@click.option(
    "--share",
    type=click.FloatRange(0, 1, min_open=True, max_open=True),
    default=0.95,
    show_default=True,
    help="Share of travellers for whom it is promised.",
)
@click.option(
    "--quantile",
    type=click.FloatRange(0, 1, min_open=True, max_open=True),
    default=0.8,
    show_default=True,
    help="Quantile of the forecast at which it is kept.",
)
@click.option("--days", type=click.IntRange(1, 14), default=2, show_default=True, help="Days to show by hour.")
def staffing(post: str, minutes: float, share: float, quantile: float, days: int) -> None:
    """Booths and officers by hour at POST, so that the promise is kept, and what it costs to be surer.

    \b
    basira volumes staffing la-goulette --minutes 15 --share 0.95 --quantile 0.8

    The plan is tried out on the possible futures of the newest run, hour by hour, with the line that is left over from
    the hour before. Officers work shifts of eight hours.
    """
    from models.volumes.desks.staffing import Promise
    from pipelines.steps.staffing import staff_post
    from pipelines.summary import staffing_text
    from records.settings import settings

    click.echo(staffing_text(staff_post(settings(), post, Promise(minutes, share, quantile)), days))


@command.command()
def alarms() -> None:
    """Which flows have left their forecast and which feeds fell silent, as of the newest run.

    A flow alarm is raised at most once a flow and year while nothing is wrong. Zero rows from a place that always
    reports are an alarm on its feed, not on the flow.
    """
    from models.volumes.publishing.published import newest
    from pipelines.summary import alarms_text
    from records.settings import settings

    click.echo(alarms_text(newest(settings().home / "volumes")))


def _step_and_horizon(freq: str | None, horizon: int | None) -> dict[str, Any]:
    from records.errors import BadInput

    if freq is None or horizon is None:
        raise BadInput("Say the step and how far to look: --freq D --horizon 14 (MS for months, h for hours).")
    return {"freq": freq, "horizon": horizon}

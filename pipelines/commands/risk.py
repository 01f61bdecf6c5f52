import importlib
import pkgutil
from datetime import UTC, datetime, timedelta
from pathlib import Path

import click

from pipelines import risk_commands
from pipelines.lists import names, shares
from pipelines.outputs import output_file

Table = click.Path(path_type=Path, exists=True, dir_okay=False)


def _aware(moment: datetime | None) -> datetime | None:
    return None if moment is None else moment.replace(tzinfo=UTC)


@click.group(short_help="Risk models: train, and judge on any table.")
def command() -> None:
    """Risk models that are judged on later cases than they learnt from, beside logistic regression and the base rate.

    `train` makes the engine's own two models from the lake; `backtest` does the same job on any table of cases with an
    outcome, from anyone.
    """


@command.command()
@click.argument("file", type=Table, required=False)
@click.option("--label", required=True, help="Column of 0 and 1: was something found? Null where nobody looked.")
@click.option("--time", "time", required=True, help="Column with the moment of each case.")
@click.option("--valid-from", type=click.DateTime(), help="First day of validation; what lies before teaches.")
@click.option("--test-from", type=click.DateTime(), help="First day of the test.")
@click.option("--train", type=Table, help="Instead of FILE and dates, three files.")
@click.option("--valid", type=Table)
@click.option("--test", type=Table, help="May have no label: then scores are written and nothing is judged.")
@click.option("--exclude", callback=names, help="Columns that are never features: other outcomes, the decision itself.")
@click.option("--audit", callback=names, help="Group columns for the audit; never features.")
@click.option(
    "--derive",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="YAML of row-wise columns, such as unit_price: price / mass.",
)
@click.option("--examiner", help="Column of who looked: averaged out of every score, and its share of the signal told.")
@click.option("--post", help="Column of where: with under 1,000 labelled cases there, logistic regression scores.")
@click.option("--delay", type=click.FloatRange(min=0), default=0.0, help="Days until a case's outcome is known.")
@click.option("--known-at", help="Column with the moment a label was known; it counts from then, never before.")
@click.option(
    "--profile",
    type=click.Choice(["shipped", "large"]),
    default="shipped",
    show_default=True,
    help="shipped: every score can be explained at once. large: more and deeper trees, explained slowly.",
)
@click.option("--row-id", help="Column that names a case; row numbers if left out.")
@click.option("--allow", callback=names, help="Columns that may be used although they look like leaks.")
@click.option(
    "--capacity",
    callback=shares,
    default="0.01,0.02,0.05,0.10",
    show_default=True,
    help="Shares of cases that can be checked.",
)
@click.option(
    "--out",
    required=True,
    type=click.Path(path_type=Path, dir_okay=False),
    callback=output_file,
    help="Parquet to write.",
)
def backtest(
    file: Path | None, label: str, time: str, valid_from: datetime | None, test_from: datetime | None,
    train: Path | None, valid: Path | None, test: Path | None, exclude: tuple[str, ...], audit: tuple[str, ...],
    derive: Path | None, examiner: str | None, post: str | None, delay: float, known_at: str | None, profile: str,
    row_id: str | None, allow: tuple[str, ...], capacity: tuple[float, ...], out: Path,
) -> None:  # fmt: skip
    """Train on the past of FILE (Parquet or CSV), choose on what follows, judge on the rest.

    \b
    basira risk backtest cases.parquet --label found --time seen_at --valid-from 2024-01-01 --test-from 2024-07-01 \\
        --exclude fined,arrested --audit group --out scores.parquet

    OUT has one row per validation and test case: row_id, split, raw and score (a calibrated probability). Printed are
    PR-AUC, precision and recall at capacity, calibration error, and group rates for the audit columns.
    """
    from models.risk.backtest import Options
    from models.risk.backtest import backtest as run
    from models.risk.profiles import PROFILES
    from models.risk.report import text
    from models.risk.sources import Columns, Sources
    from pipelines.progress import say

    columns = Columns(label, time, row_id, exclude, audit, allow, derive, known_at, examiner, post)
    options = Options(
        columns,
        _aware(valid_from),
        _aware(test_from),
        capacity,
        profile=PROFILES[profile],
        delay=timedelta(days=delay),
    )
    click.echo(text(run(Sources(file, train, valid, test), options, out=out, progress=say)))


@command.command()
@click.argument("name", type=click.Choice(["secondary_check", "permit_lapse"]))
def train(name: str) -> None:
    """Train the engine's own model NAME on the lake, track it in MLflow, and keep it as a candidate.

    \b
    secondary_check   probability that a check of a crossing would confirm an irregularity
    permit_lapse      probability that a permit ends with neither renewal nor exit

    Needs a sign-in (`basira login`): whoever trains a model is written down, and somebody else promotes it. The flow
    `train` does the same as the engine.
    """
    from pipelines.progress import say
    from pipelines.steps.signing_in import signed_in_actor
    from pipelines.steps.training import train_model
    from pipelines.summary import training_text
    from records.settings import settings
    from serving.house import open_house

    place = settings()
    trainer = signed_in_actor(place, open_house(place))
    click.echo(training_text(train_model(place, name, say, trainer=trainer)))


for _each in pkgutil.iter_modules(risk_commands.__path__):
    _found = importlib.import_module(f"pipelines.risk_commands.{_each.name}").command
    command.add_command(_found, _each.name.replace("_", "-"))

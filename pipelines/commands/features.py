from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from pipelines.instants import instant
from pipelines.lists import names
from pipelines.outputs import table_file

if TYPE_CHECKING:
    from features.declaration import SubjectKind

Kind = click.option(
    "--kind",
    type=click.Choice(["crossing", "permit"]),
    default="crossing",
    show_default=True,
    help="What the feature is about.",
)


@click.group(short_help="What is computed about a subject, and from what.")
def command() -> None:
    """The feature catalogue: every value a model or rule may read, with its unit, its words and its lineage.

    None of them reads who someone is: a feature that would, at any depth, is refused when it is loaded.
    """


@command.command("list")
@Kind
@click.option("--group", help="Only those of one reason group, such as stay or papers.")
def list_(kind: "SubjectKind", group: str | None) -> None:
    """The features of one kind of subject, by reason group."""
    from pipelines.feature_texts import catalogue_text

    click.echo(catalogue_text(kind, group))


@command.command()
@click.argument("name")
@Kind
def show(name: str, kind: "SubjectKind") -> None:
    """One feature: what it says in three languages, what it is made of, who reads it, and where it comes from."""
    from pipelines.feature_texts import feature_named, feature_text
    from risk_rules.rulebook import Rulebook

    click.echo(feature_text(feature_named(name, kind), Rulebook.load(on=datetime.now(UTC).date())))


@command.command()
@click.argument("name")
@Kind
@click.option("--event", help="A crossing_id, or a permit as FILE|LAST_DAY: as it was, or would have been, assessed.")
@click.option("--subject", help="Or a person, by the pseudonym that the lake's column `subject` holds.")
@click.option("--as-of", callback=instant, help="With --subject: the moment, with its zone: 2025-06-01T09:00Z.")
@click.option(
    "--rows", type=click.IntRange(min=1), default=20, show_default=True, help="Rows to show of each table, the newest."
)
def explain(
    name: str, kind: "SubjectKind", event: str | None, subject: str | None, as_of: datetime | None, rows: int
) -> None:
    """The value of a feature, the very rows it was computed from, and how it follows from them.

    \b
    basira features explain days_over_authorised_stay --event C71900412
    basira features explain entries_last_90_days --subject k1.2HQ2G3esGH3DbLb2rcorUA --as-of 2025-06-01T09:00Z

    Of a person without an event, what only an event says (post, document, service) is not known, and null. A subject
    that nothing is on record of gets nulls and counts of 0. The value is reckoned a second time, row by row, and held
    against the engine's.
    """
    from pipelines.feature_texts import explained_text, feature_named
    from pipelines.steps.explaining import explain_event, explain_person
    from records.errors import BadInput
    from records.settings import settings

    feature = feature_named(name, kind)
    if event is not None and subject is None and as_of is None:
        found, about = explain_event(settings(), name, kind, event)
    elif event is None and subject is not None and as_of is not None:
        found, about = explain_person(settings(), name, kind, subject, as_of)
    else:
        raise BadInput("Of what? Say --event ID, which has its own moment, or --subject ID with --as-of MOMENT.")
    click.echo(explained_text(found, feature, about, rows))


@command.command()
@click.option(
    "--subjects",
    "file",
    required=True,
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="Parquet, CSV or JSON lines with a column `subject`, a moment, and what else is known of an event.",
)
@click.option("--as-of", required=True, help="Column of FILE with the moment of each row, with its zone.")
@Kind
@click.option(
    "--features",
    "asked",
    callback=names,
    help="Features, reason groups (stay,papers) or models (secondary_check); all a model may read if left out.",
)
@click.option(
    "--out",
    required=True,
    type=click.Path(path_type=Path, dir_okay=False),
    callback=table_file,
    help="Parquet or CSV to write.",
)
def build(file: Path, as_of: str, kind: "SubjectKind", asked: tuple[str, ...], out: Path) -> None:
    """Features of any subjects, each as of its own moment: the same values that models learn from and rules read.

    \b
    basira features build --subjects cohort.csv --as-of seen_at --features stay,frequency --out cohort.parquet

    OUT has FILE's columns in their order and a column per feature behind them, row by row. Columns that an event has
    (docs/data-dictionary.md: post, direction, document, expected_at …) are used where FILE has them; what needs one
    that it lacks is null. A subject that nothing is on record of gets nulls and counts of 0.
    """
    from pipelines import subjects
    from pipelines.progress import say
    from records.lake import Lake
    from records.settings import settings

    chosen = subjects.chosen(kind, asked)
    handed_in = subjects.read_subjects(file, kind, as_of)
    rows = subjects.answered(handed_in, kind, chosen, Lake.open(settings().lake), say)
    subjects.write(rows, out)
    click.echo(f"{rows.num_rows:,} rows in {out}: {rows.num_columns} columns, {len(chosen)} of them features")

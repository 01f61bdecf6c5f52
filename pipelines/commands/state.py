import click


@click.group(invoke_without_command=True, short_help="The live state: how far it is, how large, and making it anew.")
@click.pass_context
def command(context: click.Context) -> None:
    """Everyone's history, held ready, so that an assessment at a booth need not read the lake.

    It is derived from the lake and follows it: `ingest`, `quarantine retry` and the flows bring in what they committed,
    and what `retire` deletes is gone from its files too. A server brings in small batches by itself before it answers,
    and says in the answer how far behind it is where it cannot.

    \b
    basira state         how far it is, its rows by table, its size
    basira state build   make it anew from the lake
    """
    if context.invoked_subcommand is None:
        from pipelines.steps.catching_up import standing
        from pipelines.summary import standing_text
        from records.settings import settings

        click.echo(standing_text(standing(settings())))


@command.command()
def build() -> None:
    """Make it anew from the lake, whatever was there.

    Never needed in daily use: a state that is missing, or was made by a version with other features, is made by
    whichever of `ingest`, `run` and `serve` comes first. A server goes on answering from the one before until this one
    is whole.
    """
    from pipelines.progress import say
    from pipelines.steps.catching_up import make_anew, standing
    from pipelines.summary import standing_text
    from records.settings import settings

    place = settings()
    make_anew(place, say)
    click.echo(standing_text(standing(place)))

from pathlib import Path

import click


@click.command(short_help="Take records in: CSV, JSON lines or Parquet.")
@click.argument("path", type=click.Path(path_type=Path, exists=True))
@click.option("--table", help="Which table the rows belong to. `docs/data-dictionary.md` lists them.")
@click.option(
    "--mapping",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="YAML that says how the supplier names things.",
)
def command(path: Path, table: str | None, mapping: Path | None) -> None:
    """Take the rows of PATH into the lake, or all supplies of a world that `basira sample` wrote.

    Every row is accounted for: accepted, quarantined with every reason, or a duplicate. The same file twice changes
    nothing. A file that breaks half-way leaves nothing behind. See what was refused with `basira quarantine list`.

    \b
    A mapping, for a supplier with other names:
      columns: {crossing_id: No, happened_at: Date, post: Poste}
      values: {direction: {Entrée: entry, Sortie: exit}}
      encoding: windows-1256
      zone: Africa/Tunis          # for times without a zone
      known_at: {lag: PT2H}       # or {column: NAME}
    """
    from pipelines.progress import counting, say
    from pipelines.steps.catching_up import catch_up
    from pipelines.steps.ingesting import ingest_file, ingest_world
    from records.errors import BadInput
    from records.settings import settings

    place = settings()
    with counting("ingest") as progress:
        if path.is_dir():
            if table or mapping:
                raise BadInput(
                    f"'{path}' is a folder; --table and --mapping go with one file. Leave them out for a sample world."
                )
            receipts = ingest_world(place, path, progress)
        elif table is None:
            raise BadInput("Which table do these rows belong to? Say --table NAME, for instance --table crossings.")
        else:
            receipts = [ingest_file(place, path, table, mapping, progress)]
    from pipelines.summary import caught_up_text, receipts_text

    click.echo(receipts_text(receipts))
    say(caught_up_text(catch_up(place, say)))

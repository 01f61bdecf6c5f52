from pathlib import Path

import click


@click.group(short_help="Rows that could not be taken in: why, and another try.")
def command() -> None:
    """Rows that failed at the door wait here, encrypted, for 90 days; the reasons are kept without their content.

    Nothing is lost: correct the mapping and try the batch again.
    """


@command.command("list")
@click.option("--table", help="Only this table.")
@click.option("--rows", is_flag=True, help="Row by row, instead of counts by batch and reason.")
def list_(table: str | None, rows: bool) -> None:
    """What is refused and why, by batch and reason."""
    from pipelines.summary import quarantine_text
    from records.lake import Lake
    from records.quarantine import open_rows
    from records.settings import settings

    click.echo(quarantine_text(open_rows(Lake.open(settings().lake), table), rows))


@command.command()
@click.argument("batch")
@click.option(
    "--mapping", type=click.Path(path_type=Path, exists=True, dir_okay=False), help="The corrected mapping, whole."
)
def retry(batch: str, mapping: Path | None) -> None:
    """Try the refused rows of BATCH again, read by the corrected mapping, as a new batch that names the old one."""
    from pipelines.progress import say
    from pipelines.steps.catching_up import catch_up
    from pipelines.summary import caught_up_text, receipts_text
    from records.reception import reception
    from records.settings import settings

    place = settings()
    click.echo(receipts_text([reception(place).retry(batch, mapping)]))
    say(caught_up_text(catch_up(place, say)))

from datetime import UTC, date, datetime
from pathlib import Path

import click

Folder = click.Path(path_type=Path, exists=True, file_okay=False)


def _day(on: datetime | None) -> date:
    return (on or datetime.now(UTC)).date()


@click.group(short_help="The rules in force, and whether a rulebook holds.")
def command() -> None:
    """Rules are sentences that policy people read and write, in YAML, with dates, a legal basis and cases.

    A rule proposes; it never refuses entry, detains or cancels. No condition reads who someone is, or a score.
    """


@command.command("list")
@click.option("--on", type=click.DateTime(["%Y-%m-%d"]), help="The rules of this day; today if left out.")
@click.option("--lang", type=click.Choice(["ar", "fr", "en"]), default="en", show_default=True)
def list_(on: datetime | None, lang: str) -> None:
    """The rules in force: number, title, mitigation, basis."""
    from models.risk.report import table
    from risk_rules.rulebook import Rulebook

    book = Rulebook.load(on=_day(on))
    rows = [(rule.id, rule.title[lang], rule.mitigation, rule.basis) for rule in book.rules]
    click.echo(table(("rule", "title", "mitigation", "basis"), rows))
    click.echo(f"{len(rows)} rules in force on {book.on}, rulebook {book.hash}; {len(book.dormant)} not in force")


@command.command()
@click.argument("folder", type=Folder, required=False)
@click.option("--on", type=click.DateTime(["%Y-%m-%d"]), help="The day to check for; today if left out.")
def check(folder: Path | None, on: datetime | None) -> None:
    """Load the rulebook of FOLDER (the installed one if left out) with every check, and run its cases.

    The first thing that does not hold is said: file, rule, what, why and how to mend it.
    """
    from risk_rules.rulebook import Rulebook

    book = Rulebook.load(folder, on=_day(on))
    click.echo(
        f"{len(book.rules)} rules in force hold, {len(book.dormant)} more are not in force; rulebook {book.hash}"
    )
    if book.examples:
        click.echo(f"On an invented basis, so not for production: {', '.join(book.examples)}")

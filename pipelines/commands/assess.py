from datetime import datetime

import click


@click.command(short_help="Score, explain and propose for a day.")
@click.option("--day", type=click.DateTime(["%Y-%m-%d"]), help="Local day; the newest the lake holds if left out.")
@click.option(
    "--purpose", type=click.Choice(["secondary_check", "permit_lapse"]), default="secondary_check", show_default=True
)
@click.option(
    "--lang", type=click.Choice(["ar", "fr", "en"]), default="en", show_default=True, help="Language of the reasons."
)
def command(day: datetime | None, purpose: str, lang: str) -> None:
    """Assess every crossing of a day (or every permit that falls due) and store it for serving.

    A model scores, a rule proposes, an officer decides: what is shown is a proposal with its reasons. Doing it again
    with the same knowledge changes nothing. `basira run assess` is the same under Prefect.
    """
    from pipelines.progress import say
    from pipelines.steps.assessing import assess_day
    from pipelines.summary import assessed_text
    from records.settings import settings

    place = settings()
    click.echo(assessed_text(place, assess_day(place, purpose, say, day.date() if day else None), lang))

import click


@click.command(short_help="Does a champion still hold?")
@click.argument("name", type=click.Choice(["secondary_check", "permit_lapse"]))
@click.option("--lang", type=click.Choice(["ar", "fr", "en"]), default="en", show_default=True)
def command(name: str, lang: str) -> None:
    """Does the champion of NAME still hold? Quiet, alarm, or too few findings to say; and what to do.

    What the random control found since the model was finished is tested day by day, by bets that stay valid however
    often one looks: of 100 models that hold, at most 5 ever raise an alarm. Inputs are compared with those it learnt
    from. Looking again on the same records changes nothing; `basira run watch` does the same for every model. An alarm
    that a person acknowledged, on the page or by the API, says who and why; it stands all the same.
    """
    from pipelines.progress import say
    from pipelines.steps.watching import watch
    from pipelines.watched import watched_text
    from records.settings import settings

    click.echo(watched_text(name, watch(settings(), name, say), lang))

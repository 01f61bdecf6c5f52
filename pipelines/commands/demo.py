from pathlib import Path

import click


@click.command(short_help="The whole of it on an invented country, with a summary.")
@click.option(
    "--scale", type=click.FloatRange(min=0.01), default=0.667, show_default=True, help="1.0 is some 300,000 crossings."
)
@click.option("--seed", type=int, default=7, show_default=True)
@click.option(
    "--lang", type=click.Choice(["ar", "fr", "en"]), default="en", show_default=True, help="Language of the reasons."
)
@click.option(
    "--world",
    type=click.Path(path_type=Path, file_okay=False),
    help="Where the invented records go; in the home folder if left out.",
)
def command(scale: float, seed: int, lang: str, world: Path | None) -> None:
    """Run the whole flow on an invented country and say what came out.

    Its records are taken in, both risk models and the forecasts trained, and the newest day assessed. The summary shows
    every row accounted for, each model beside its naive baseline, the five highest-ranked crossings with their reasons
    in words, and tomorrow's range per post.

    Run again, it goes on from what is there. `basira serve` shows the result in a browser.
    """
    from pipelines.demo import run_demo
    from records.settings import settings

    click.echo(run_demo(settings(), scale=scale, seed=seed, lang=lang, world=world))

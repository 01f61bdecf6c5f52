from pathlib import Path

import click

from pipelines.outputs import output_file


@click.command(short_help="What must be known of a model before leaning on it.")
@click.argument("name", type=click.Choice(["secondary_check", "permit_lapse"]))
@click.option("--model", help="First letters of a candidate's hash; left out: the champion, else the newest.")
@click.option("--lang", type=click.Choice(["ar", "fr", "en"]), default="en", show_default=True)
@click.option("--as", "form", type=click.Choice(["text", "json", "page"]), default="text", show_default=True)
@click.option(
    "--out",
    type=click.Path(path_type=Path, dir_okay=False),
    callback=lambda context, option, path: path and output_file(context, option, path),
    help="File to write instead.",
)
def command(name: str, model: str | None, lang: str, form: str, out: Path | None) -> None:
    """The model card of NAME: of its champion, else of the newest candidate, else how many findings are needed.

    Its figures come from the run itself; below them stands what is known of its use: what an audit found of its inputs,
    how often officers decided otherwise, and whom to ask. No person can be read from it, so it needs no sign-in.
    """
    import json

    from records.settings import settings
    from serving import model_cards
    from serving.house import open_house
    from serving.languages import language
    from serving.model_pages import card_of

    place, reader = settings(), language(lang)
    found = card_of(open_house(place), name, model)
    match form:
        case "json":
            written = json.dumps(model_cards.as_json(found, reader), ensure_ascii=False, indent=1) + "\n"
        case "page":
            written = model_cards.as_page(found, reader, mode=place.mode.value, alone=True)
        case _:
            written = model_cards.as_text(found, reader) + "\n"
    if out is None:
        click.echo(written, nl=False)
    else:
        out.write_text(written, encoding="utf-8")
        click.echo(f"Wrote {out}.")

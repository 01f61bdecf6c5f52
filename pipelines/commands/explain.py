from pathlib import Path

import click


@click.command(short_help="Why one assessment is what it is, for an officer, oversight or the person.")
@click.argument("assessment_id")
@click.option("--lang", type=click.Choice(["ar", "fr", "en"]), default="en", show_default=True)
@click.option(
    "--audience",
    type=click.Choice(["officer", "oversight", "person"]),
    default="officer",
    show_default=True,
    help="Reasons alone; the whole dossier; or what the person concerned may be told.",
)
@click.option("--as", "form", type=click.Choice(["text", "json", "page"]), default="text", show_default=True)
@click.option("--out", type=click.Path(path_type=Path, dir_okay=False), help="File to write; printed if left out.")
@click.option("--replay", is_flag=True, help="Make the dossier again from its own inputs and compare it, byte by byte.")
def command(assessment_id: str, lang: str, audience: str, form: str, out: Path | None, replay: bool) -> None:
    """Explain the assessment ASSESSMENT_ID as the account signed in here (`basira login NAME`) may see it.

    \b
    officer     what happened, the score, its reasons, the rules, the proposal
    oversight   the dossier: every contribution, what would have changed the band, the rules and their limits, model,
                data versions, who saw it, what was decided; frozen, and --replay says whether it still comes out so
    person      facts about themselves, the legal basis, how to correct or contest; no score, threshold or third party

    Every look is written in the journal under the account's name.
    """
    from pipelines.steps.explaining_scores import explained, replayed
    from records.settings import settings

    place = settings()
    if replay:
        same, text = replayed(place, assessment_id)
        click.echo(text)
        raise SystemExit(0 if same else 1)
    text = explained(place, assessment_id, audience, lang, form)
    if out is None:
        click.echo(text, nl=False)
    else:
        out.write_text(text, encoding="utf-8")
        click.echo(f"{out}: {form} for {audience}, {lang}")

import click


@click.command(short_help="Accept a gap between groups of a candidate, as oversight.")
@click.argument("name", type=click.Choice(["secondary_check", "permit_lapse"]))
@click.argument("gap")
@click.option("--model", help="First letters of a candidate's hash; the newest if left out.")
@click.option("--reason", required=True, help="Why the gap is accepted; kept in the journal.")
def command(name: str, gap: str, model: str | None, reason: str) -> None:
    """Accept one GAP between groups of a candidate of NAME, named as its gate names it. For oversight, signed in."""
    from pipelines.steps.signing_in import signed_in_actor
    from records.settings import settings
    from serving.house import open_house
    from serving.promotion import sign_off

    place = settings()
    house = open_house(place)
    sign_off(house, signed_in_actor(place, house), name, gap, reason=reason, model=model)
    click.echo(f"The gap '{gap}' is signed off for this candidate.")

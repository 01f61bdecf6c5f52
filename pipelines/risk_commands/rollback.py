import click


@click.command(short_help="Let the champion before the present one speak again.")
@click.argument("name", type=click.Choice(["secondary_check", "permit_lapse"]))
@click.option("--why", required=True, help="Kept in the journal.")
def command(name: str, why: str) -> None:
    """Let the champion of NAME before the present one speak again; where there was none, no model speaks from then on.

    Needs a sign-in (`basira login`).
    """
    from pipelines.steps.signing_in import signed_in_actor
    from records.settings import settings
    from serving.house import open_house
    from serving.promotion import roll_back

    place = settings()
    house = open_house(place)
    back = roll_back(house, signed_in_actor(place, house), name, why=why)
    if back is None:
        click.echo(f"No model speaks for '{name}' now: scores are empty; rules, facts and the random control go on.")
    else:
        click.echo(f"{back.model[:12]} of '{name}' is champion again.")

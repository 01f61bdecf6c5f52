import click


@click.command(short_help="Make a candidate champion, through its gates.")
@click.argument("name", type=click.Choice(["secondary_check", "permit_lapse"]))
@click.option("--model", help="First letters of a candidate's hash; the newest if left out.")
@click.option("--why", default="", help="Kept in the journal.")
@click.option("--look", is_flag=True, help="Only say what the gates would answer.")
def command(name: str, model: str | None, why: str, look: bool) -> None:
    """Make a candidate of NAME champion, if every gate lets it through. Needs a sign-in (`basira login`).

    Nobody promotes what they trained. Exits with 1 where a gate refuses, and says at which, with the figure and what
    would mend it.
    """
    from pipelines.steps.signing_in import signed_in_actor
    from pipelines.summary import gates_text
    from records.settings import settings
    from serving.house import open_house
    from serving.promotion import promote, weigh

    place = settings()
    house = open_house(place)
    actor = signed_in_actor(place, house)
    told = weigh(house, name, actor, model) if look else promote(house, actor, name, model, why=why)
    click.echo(gates_text(told.gates))
    which = f"{told.candidate.model[:12]} of '{name}'"
    if not told.passed:
        click.echo(f"Refused: {which} is not champion. Nothing was changed.")
        raise SystemExit(1)
    click.echo(f"Every gate would let {which} through." if look else f"{which} is champion now.")

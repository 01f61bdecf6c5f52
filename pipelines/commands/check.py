import click


@click.command(short_help="What stands between this installation and production.")
def command() -> None:
    """List what production mode would refuse to start for: invented rules, models of the sample world, demo accounts,
    default secrets, and whatever of controller, contact, retention and rights assessment is missing.

    Exits with 1 while anything is lacking. Whether the journal is whole is checked too.
    """
    from records import journal
    from records.settings import settings
    from serving.house import open_house

    house = open_house(settings())
    verdict = journal.verify(house.engine)
    lacks = house.lacks()
    if not verdict.sound:
        lacks = [f"The journal does not hold: {verdict.broken}. Find out who changed it.", *lacks]
    click.echo(f"Journal: {verdict.entries} entries hold.")
    for lack in lacks:
        click.echo(f"- {lack}")
    click.echo("Nothing is lacking." if not lacks else f"{len(lacks)} things are lacking.")
    if lacks:
        raise SystemExit(1)

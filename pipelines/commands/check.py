import click


@click.command(short_help="What stands between this installation and production.")
@click.option("--mend", is_flag=True, help="Let MLflow's aliases follow the journal where they differ.")
def command(mend: bool) -> None:
    """List what production mode would refuse to start for: invented rules, models of the sample world, demo accounts,
    default secrets, an audit without an account of its own, and whatever of controller, contact, retention and rights
    assessment is missing.

    Exits with 1 while anything is lacking. Whether the journal is whole is checked too, whether MLflow names the same
    champions, and whether a champion is past the day its card names.
    """
    from records import journal
    from records.settings import settings
    from risk_rules.rule import PURPOSES
    from serving.house import open_house
    from serving.promotion import apart, expired, follow

    house = open_house(settings())
    verdict = journal.verify(house.engine)
    if mend:
        for purpose in PURPOSES:
            follow(house, purpose)
    lacks = [*house.lacks(), *apart(house), *expired(house)]
    if not verdict.sound:
        lacks = [f"The journal does not hold: {verdict.broken}. Find out who changed it.", *lacks]
    click.echo(f"Journal: {verdict.entries} entries hold.")
    if house.settings.vault_url.startswith("sqlite"):
        click.echo("The vault is an SQLite file, which knows no accounts: the audit opens it to read only.")
    for lack in lacks:
        click.echo(f"- {lack}")
    click.echo("Nothing is lacking." if not lacks else f"{len(lacks)} things are lacking.")
    if lacks:
        raise SystemExit(1)

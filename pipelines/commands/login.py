import click


@click.command(short_help="Sign in, so that the command line acts as you.")
@click.argument("name")
@click.option("--password", prompt=True, hide_input=True, help="Asked for if left out.")
def command(name: str, password: str) -> None:
    """Sign in as the account NAME for twelve hours.

    What needs a person, such as adding accounts, is then done, and journalled, as that person. The token lies in the
    home folder and only its owner may read it. Who runs the machine is no identity here.
    """
    from pipelines.steps.signing_in import sign_in_here
    from records.settings import settings
    from serving.house import open_house

    place = settings()
    until = sign_in_here(place, open_house(place), name, password)
    click.echo(f"Signed in as '{name}' until {until:%Y-%m-%d %H:%M} UTC.")

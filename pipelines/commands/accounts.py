import click


@click.group(short_help="Named accounts and their roles.")
def command() -> None:
    """Everyone who signs in has a named account with roles; what a role may see or do is denied unless granted.

    \b
    analyst         crossings at a border post: scores, reasons, proposals
    caseworker      permits at a foreigners' office
    planner         forecasts; no person at all
    data_scientist  models
    oversight       both kinds of cases, without deciding
    protection      referrals of children and of signs of trafficking
    administrator   accounts; no case

    The first account is the administrator's: `basira accounts first NAME`. From then on an administrator adds the
    others, signed in with `basira login`.
    """


@command.command()
@click.argument("name")
@click.password_option(help="At least 12 characters; asked for if left out.")
def first(name: str, password: str) -> None:
    """Make the administrator's account NAME, where there is none that anyone can sign in with."""
    from records.settings import settings
    from serving.accounts import first_administrator
    from serving.house import open_house

    first_administrator(open_house(settings()).engine, name, password)
    click.echo(f"Account '{name}' keeps the accounts now. Sign in: basira login {name}")


@command.command()
@click.argument("name")
@click.option("--role", "roles", multiple=True, required=True, help="One or more; see `basira accounts --help`.")
@click.password_option(help="At least 12 characters; asked for if left out.")
def add(name: str, roles: tuple[str, ...], password: str) -> None:
    """Add the account NAME. Needs an administrator's sign-in (`basira login`)."""
    from pipelines.steps.signing_in import signed_in_actor
    from records.settings import settings
    from serving.accounts import create_account
    from serving.house import open_house
    from serving.store import writing

    place = settings()
    house = open_house(place)
    actor = signed_in_actor(place, house)
    with writing(house.engine) as connection:
        create_account(connection, actor, name, roles, password)
    click.echo(f"Account '{name}' with {', '.join(roles)}.")

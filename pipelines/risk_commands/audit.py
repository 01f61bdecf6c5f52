from datetime import UTC, datetime

import click

from pipelines.lists import names


@click.command(short_help="Who is checked, missed and held up more than others.")
@click.argument("name", type=click.Choice(["secondary_check", "permit_lapse"]))
@click.option("--attributes", callback=names, default="sex,age,nationality", show_default=True, help="To group by.")
@click.option("--since", type=click.DateTime(), help="First day to look at; all that is on record if left out.")
@click.option("--proxies", is_flag=True, help="Also what stands for an attribute, and parity without it (slow).")
def command(name: str, attributes: tuple[str, ...], since: datetime | None, proxies: bool) -> None:
    """Audit the champion of NAME, and those who chose before it, by group and by every crossing of two groups.

    Needs oversight's sign-in (`basira login`). Attributes are read from the identity vault, through the address
    `audit_vault_url` of the settings, in production by an account of its own; only tables of groups come back, and the
    journal says who asked. Oversight finds the newest audit in the workbench, under "groups".

    One gap is fixed beforehand, in the model's declaration, and tested alone; all others are tested together.
    """
    from pipelines.audited import audit_text
    from pipelines.progress import say
    from pipelines.steps.auditing import audit_model
    from pipelines.steps.signing_in import signed_in_actor
    from records.settings import settings
    from serving.house import open_house

    place = settings()
    house = open_house(place)
    begins = None if since is None else since.replace(tzinfo=UTC)
    actor = signed_in_actor(place, house)
    kept = audit_model(house, name, attributes, actor, say, since=begins, proxies=proxies)
    click.echo(audit_text(kept, house.day(kept.made_at)))

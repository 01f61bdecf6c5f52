import click

Kind = click.Choice(["crossing", "permit"])


@click.group(short_help="What is computed about a subject, and from what.")
def command() -> None:
    """The feature catalogue: every value a model or rule may read, with its unit, its words and its lineage.

    None of them reads who someone is: a feature that would, at any depth, is refused when it is loaded.
    """


@command.command("list")
@click.option("--kind", type=Kind, default="crossing", show_default=True)
def list_(kind: str) -> None:
    """All features of one kind of subject."""
    from features.catalogue import features
    from models.risk.report import table

    rows = [(f.name, f.group, f.unit, f.role) for f in features("permit" if kind == "permit" else "crossing").values()]
    click.echo(table(("feature", "group", "unit", "for"), rows))


@command.command()
@click.argument("name")
@click.option("--kind", type=Kind, default="crossing", show_default=True)
def show(name: str, kind: str) -> None:
    """One feature: what it says in three languages, and the columns it comes from."""
    from features.catalogue import features
    from records.errors import BadInput

    known = features("permit" if kind == "permit" else "crossing")
    if name not in known:
        raise BadInput(f"There is no {kind} feature '{name}'. `basira features list --kind {kind}` names them all.")
    feature = known[name]
    click.echo(f"{feature.name} ({feature.unit}): {feature.doc}")
    for code, text in feature.texts.items():
        click.echo(f"  {code}: {text}")
    click.echo(f"  group {feature.group}, tier {feature.tier}, reads {', '.join(feature.reads)}")

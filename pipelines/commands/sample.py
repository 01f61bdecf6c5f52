from pathlib import Path

import click


@click.command(short_help="Invent a country's records: the sample world.")
@click.argument("folder", type=click.Path(path_type=Path, file_okay=False), default=Path("world"))
@click.option(
    "--scale", type=click.FloatRange(min=0.001), default=1.0, show_default=True, help="1.0 is some 300,000 crossings."
)
@click.option(
    "--years", type=click.IntRange(min=2, max=20), default=3, show_default=True, help="The first has no findings yet."
)
@click.option("--seed", type=int, default=7, show_default=True, help="Same seed, same bytes.")
def command(folder: Path, scale: float, years: int, seed: int) -> None:
    """Write an invented world to FOLDER: supplies as institutions would send them, and the hidden truth apart.

    \b
    FOLDER/supplies   Parquet, CSV (also Windows-1256, in Arabic), JSON lines; late, corrected, doubled and bad rows
    FOLDER/mappings   how each supplier's columns are named
    FOLDER/truth      what really was; no part of the product reads it
    FOLDER/world.json parameters, their hash, and the order of supply

    Nobody in it exists. Next: basira ingest FOLDER
    """
    from pipelines.progress import counting
    from records.errors import BadInput
    from records.sample import make_world, world_summary

    if folder.exists() and any(folder.iterdir()):
        raise BadInput(f"'{folder}' is not empty, and a world is never written over something. Name a new folder.")
    with counting("sample world", "crossings") as progress:
        world = make_world(folder, scale=scale, years=years, seed=seed, progress=progress)
    click.echo(world_summary(world))

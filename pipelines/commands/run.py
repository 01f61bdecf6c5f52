import click

FLOWS = (
    "ingest",
    "build",
    "train",
    "forecast",
    "nowcast",
    "assess",
    "watch",
    "collect",
    "compact",
    "retire",
    "everything",
)


@click.command(short_help="Run a flow: build, train, assess, forecast … or everything.")
@click.argument("flow", type=click.Choice(FLOWS), default="everything")
@click.option(
    "--world", type=click.Path(exists=True, file_okay=False), help="Folder of supplies for `ingest` and `everything`."
)
def command(flow: str, world: str | None) -> None:
    """Run one FLOW now, under Prefect, on this machine.

    \b
    ingest      take in a folder of supplies (--world)
    build       features of every assessable crossing and permit, as of its own moment
    train       both risk models, beside their baselines: candidates, which persons promote
    forecast    daily volumes per post and direction, 14 days ahead
    assess      score the newest day, explain, propose, store for serving
    watch       look whether both champions still hold: quiet, alarm, or too few findings to say
    collect     move decisions and selections into the lake
    compact     tidy the lake's files
    retire      delete what has outlived its retention
    everything  all of the above that the newest records need, in order

    Schedules for a Prefect server are in prefect.yaml. The first flow of a process waits some seconds for Prefect's own
    server to start.
    """
    from records.settings import settings

    settings().prefect_home.mkdir(parents=True, exist_ok=True)  # Prefect makes its own folder, not those above it
    from pipelines.flows import run_flow

    click.echo(run_flow(flow, world))

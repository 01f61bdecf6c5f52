import click


@click.command(short_help="The API and the pages, in a browser.")
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option("--port", type=click.IntRange(1, 65535), default=8000, show_default=True)
def command(host: str, port: int) -> None:
    """Serve the API and the pages over what the flows stored.

    Everything but /healthz needs an account: `basira accounts add NAME --role analyst` makes one. The demo's accounts
    are named in its summary. Before it listens, the live state is brought up to the lake and the kernels are made
    ready, so that nobody at a booth waits for either.
    """
    import uvicorn

    from features.warming import warm
    from pipelines.progress import say
    from pipelines.steps.catching_up import catch_up
    from records.settings import settings
    from serving.api import create_app

    place = settings()
    app = create_app(place)
    if place.lake.is_dir():
        catch_up(place, say)
    warm()
    app.state.house.ready()
    click.echo(f"Basira on http://{host}:{port}  (Ctrl-C stops it)")
    uvicorn.run(app, host=host, port=port, log_level="warning")

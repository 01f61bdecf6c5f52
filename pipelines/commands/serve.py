import click


@click.command(short_help="The API and the pages, in a browser.")
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option("--port", type=click.IntRange(1, 65535), default=8000, show_default=True)
def command(host: str, port: int) -> None:
    """Serve the API and the pages over what the flows stored.

    Everything but /healthz needs an account: `basira accounts add NAME --role analyst` makes one. The demo's accounts
    are named in its summary.
    """
    import uvicorn

    from records.settings import settings
    from serving.api import create_app

    app = create_app(settings())
    click.echo(f"Basira on http://{host}:{port}  (Ctrl-C stops it)")
    uvicorn.run(app, host=host, port=port, log_level="warning")

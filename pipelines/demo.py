"""The demonstration: an invented world through the whole flow, and a summary a person understands."""

from __future__ import annotations

import time
from datetime import timedelta
from pathlib import Path

from pipelines.progress import counting, say
from pipelines.summary import duration_text
from records.errors import BadInput
from records.sample import make_world, open_world, world_summary
from records.settings import Mode, Settings
from serving.accounts import demo_accounts
from serving.house import open_house


def run_demo(settings: Settings, *, scale: float, seed: int, lang: str, world: Path | None = None) -> str:
    """Make the world unless it is there, run the flow `everything`, and tell what came out and where to look."""
    if settings.mode is not Mode.DEMO:
        raise BadInput(f"This installation is in mode '{settings.mode}', and invented people have no place in it.")
    started = time.monotonic()
    folder = world or settings.home / "world"
    if (folder / "world.json").exists():
        made = open_world(folder)
    else:
        say(f"Inventing a country's records in {folder}")
        with counting("sample world", "crossings") as progress:
            made = make_world(folder, scale=scale, seed=seed, progress=progress)
    say("Starting Prefect (some seconds, once)")
    settings.prefect_home.mkdir(parents=True, exist_ok=True)  # Prefect makes its own folder, not those above it
    from pipelines.flows import everything

    told = everything(world=str(folder), home=str(settings.home), lang=lang)
    accounts = demo_accounts(open_house(settings).engine, settings.keys)
    took = timedelta(seconds=time.monotonic() - started)
    return "\n\n".join(
        [world_summary(made), told, _where(settings, accounts), f"All of this took {duration_text(took)}."]
    )


def _where(settings: Settings, accounts: dict[str, str]) -> str:
    environment = f"PREFECT_HOME={settings.prefect_home} PREFECT_SERVER_ANALYTICS_ENABLED=false"
    return "\n".join(
        [
            "Where to look",
            f"  pages    basira serve, then http://127.0.0.1:8000, as analyst / {accounts['analyst']}",
            f"           other roles: {settings.keys / 'demo-accounts.json'}",
            f"  MLflow   mlflow ui --backend-store-uri {settings.mlflow_uri}",
            f"  Prefect  {environment} prefect server start",
        ]
    )

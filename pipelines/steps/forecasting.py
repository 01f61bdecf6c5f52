"""Daily volumes per post and direction, forecast from what the lake knows now, tracked and stored for serving."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import asdict
from datetime import date

from models import folder, tracking
from models.volumes.lake_flows import LakeForecast, forecast_lake
from models.volumes.rhythm import COLUMNS
from pipelines.steps.moments import known_until
from records.lake import Lake
from records.settings import Settings
from serving.house import open_house
from serving.store import Forecast, save_forecasts, writing

HORIZON_DAYS = 14
Say = Callable[[str], None]


def forecast_volumes(settings: Settings, say: Say) -> LakeForecast:
    """Forecast the next days, save them for planners, and log how the same models did on the days before."""
    lake = Lake.open(settings.lake)
    made = forecast_lake(lake, known_until(lake), horizon=HORIZON_DAYS, zone=settings.zone, progress=say)
    card = {"weights": dict(made.flows.weights), "figures": made.flows.figures(), "horizon_days": HORIZON_DAYS}
    card["notes"] = [asdict(note) for note in made.flows.notes]
    kept = folder.write(settings.models, {"volumes.json": json.dumps(card, sort_keys=True, indent=1).encode()})
    run = tracking.log_run(
        settings.mlflow_uri,
        settings.home / "mlruns",
        "volumes",
        kept,
        parameters={"horizon_days": HORIZON_DAYS, **{f"weight {k}": v for k, v in made.flows.weights.items()}},
        metrics=made.flows.figures(),
        versions=lake.versions(),
    )
    tracking.set_champion(settings.mlflow_uri, "volumes", run.version)
    house = open_house(settings)
    with writing(house.engine) as connection:
        save_forecasts(connection, stored(made, kept.name))
    return made


def stored(made: LakeForecast, model: str) -> list[Forecast]:
    """The forecasts as casework keeps them: one per post, direction and day."""
    return [
        Forecast(
            place=row["post"],
            direction=row["direction"],
            day=_day(row["ds"]),
            made_on=_day(row["cutoff"]),
            model=model,
            mean=row["mean"],
            quantiles={name.removeprefix("q"): row[name] for name in COLUMNS},
        )
        for row in made.forecasts.to_pylist()
    ]


def _day(moment: date) -> date:
    return date(moment.year, moment.month, moment.day)

"""Train a declared model, track it, and let the journal name it champion if it earned that."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from models import tracking
from models.risk.catalogue import declaration
from models.risk.judging import BASE, MODEL
from models.risk.training import TooFewFindings, TrainedModel, train
from pipelines.steps.building import similar_values, training_values
from records.lake import Lake
from records.settings import Settings
from serving.accounts import engine_actor
from serving.champions import Champion, name_champion
from serving.house import open_house
from serving.store import writing

Say = Callable[[str], None]


@dataclass(frozen=True)
class Training:
    """What became of one model's training; `why` says in words whether and why it is champion now."""

    name: str
    outcome: TrainedModel | TooFewFindings
    champion: bool
    why: str


def train_model(settings: Settings, name: str, say: Say) -> Training:
    """Train `name` on what the lake knows now, log it to MLflow, and name it champion if it beats both simpler answers
    (or does not lose to logistic regression beyond noise)."""
    lake = Lake.open(settings.lake)
    versions = lake.versions()
    values, labels = training_values(settings, name, say)
    similar = similar_values(settings, name, values, say)
    outcome = train(declaration(name), values, labels, similar=similar, versions=versions, progress=say)
    if isinstance(outcome, TooFewFindings):
        return Training(name, outcome, False, str(outcome))
    folder = outcome.model.save(settings.models)
    say(f"{name}: logging to MLflow")
    run = tracking.log_run(
        settings.mlflow_uri,
        settings.home / "mlruns",
        name,
        folder,
        parameters=outcome.parameters,
        metrics=_figures(outcome),
        versions=versions,
    )
    earned, why = _earned(outcome)
    if earned:
        house = open_house(settings)
        actor = engine_actor(house.engine, settings.keys)
        with writing(house.engine) as connection:
            name_champion(connection, actor, Champion(name, folder.name, learnt_from(settings)))
        tracking.set_champion(settings.mlflow_uri, name, run.version)
    return Training(name, outcome, earned, why)


def learnt_from(settings: Settings) -> str:
    """What a model trained here learnt from, as far as the installation's mode says."""
    return "records" if settings.mode.value == "production" else "sample"


def _figures(outcome: TrainedModel) -> dict[str, float | None]:
    named = {f"{who} {metric}": f.value for who, figures in outcome.figures.items() for metric, f in figures.items()}
    held = outcome.model.stability
    changes = {"first reason changed by refit": held.refit, "first reason changed by noise": held.noise} if held else {}
    return {**named, "gain over logistic regression": outcome.gain.value, **changes}


def _earned(outcome: TrainedModel) -> tuple[bool, str]:
    mine, base = (outcome.figures[who]["pr_auc"].value or 0.0 for who in (MODEL, BASE))
    if mine <= base:
        return False, f"not champion: its PR-AUC {mine:.3f} is not above the base rate {base:.3f}"
    if outcome.gain.high is not None and outcome.gain.high < 0:
        return False, "not champion: logistic regression is better beyond noise"
    return True, "champion"

"""Train a declared model, prove it, track it: that makes a candidate, and only its gates make a champion of one."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial

import pyarrow as pa
import pyarrow.compute as pc

from evidence.groups import AUDITED
from models import tracking
from models.risk.catalogue import declaration
from models.risk.declaration import RiskDeclaration
from models.risk.gates import Gate, wide_gaps
from models.risk.proof import Findings, Proof
from models.risk.proving import prove
from models.risk.training import TooFewFindings, TrainedModel, train
from pipelines.steps.auditing import audit_views, evened
from pipelines.steps.building import similar_values, training_values
from pipelines.steps.moments import known_until
from records.journal import Actor
from records.lake import Lake
from records.settings import Mode, Settings
from serving import champions
from serving.accounts import engine_actor, require
from serving.capabilities import Capability
from serving.champions import DEMONSTRATION, Champion
from serving.house import House, open_house
from serving.promotion import promote, sign_off
from serving.store import writing

Say = Callable[[str], None]


@dataclass(frozen=True)
class Training:
    """What became of one model's training. `gates` are those it was promoted by, or refused at, in a demonstration;
    elsewhere there are none, and it is a candidate that waits for a person."""

    name: str
    outcome: TrainedModel | TooFewFindings
    champion: bool
    gates: tuple[Gate, ...] = ()


def train_model(settings: Settings, name: str, say: Say, *, trainer: Actor | None = None) -> Training:
    """Train `name` on what the lake knows now, prove it and log it: a candidate of `trainer`, or of the engine.

    In mode demo, and there alone, the engine then promotes what it trained itself through the same gates as anybody.
    """
    house, lake = open_house(settings), Lake.open(settings.lake)
    actor = trainer or engine_actor(house.engine, settings.keys)
    require(actor, Capability.TRAIN)
    versions = lake.versions()
    values, labels = training_values(settings, name, say)
    similar = similar_values(settings, name, values, say)
    declared = declaration(name)
    who = who_looked(lake, declared)
    # Growing some hundred variations takes minutes, which a demonstration does not have.
    even = None if trainer is None and settings.mode is Mode.DEMO else partial(evened, house, name, actor)
    outcome = train(
        declared, values, labels, similar=similar, examiners=who, even=even, versions=versions, progress=say
    )
    if isinstance(outcome, TooFewFindings):
        counts = Findings(outcome.findings, outcome.positives, outcome.needed_findings, outcome.needed_positives)
        with writing(house.engine) as connection:
            champions.record_too_few(connection, actor, name, counts)
        return Training(name, outcome, False)
    folder = outcome.model.save(settings.models)
    say(f"{name}: asking what is on record about the candidate")
    proof = prove(
        declared,
        outcome,
        values,
        labels,
        learnt_from=learnt_from(settings),
        made_on=datetime.now(UTC).date(),
        audits=lambda views: audit_views(house, declared, folder.name, views, AUDITED, actor),
        champion=house.champion(name),
        examiners=who,
    )
    kept = proof.save(settings.proofs).name
    say(f"{name}: logging to MLflow")
    tracking.log_run(
        settings.mlflow_uri,
        settings.home / "mlruns",
        name,
        folder,
        parameters={**outcome.parameters, "proof": kept},
        metrics=_figures(outcome, proof),
        versions=versions,
    )
    with writing(house.engine) as connection:
        champions.record_candidate(connection, actor, Champion(name, folder.name, proof.learnt_from), kept)
    if trainer is None and settings.mode is Mode.DEMO:
        return _demonstrated(house, actor, name, outcome, proof)
    return Training(name, outcome, False)


def learnt_from(settings: Settings) -> str:
    """What a model trained here learnt from, as far as the installation's mode says."""
    return "records" if settings.mode is Mode.PRODUCTION else "sample"


def _demonstrated(house: House, engine: Actor, name: str, outcome: TrainedModel, proof: Proof) -> Training:
    """The engine's own promotion: gaps that were planted into the invented world are signed off as what they are."""
    for gap in wide_gaps(proof):
        sign_off(house, engine, name, gap, reason=DEMONSTRATION, model=proof.model)
    weighed = promote(house, engine, name, proof.model, why=DEMONSTRATION)
    return Training(name, outcome, weighed.passed, weighed.gates)


def who_looked(lake: Lake, declared: RiskDeclaration) -> pa.Table | None:
    """Who looked at each event, by the last check known of it; None where nobody looks."""
    if declared.subject_kind != "crossing":
        return None
    checks = lake.as_known("checks", known_until(lake), ["event_kind", "event", "officer", "known_at"])
    checks = checks.filter(pc.equal(checks["event_kind"], declared.subject_kind))
    rows = checks.sort_by([("known_at", "descending")])
    first = pc.equal(pc.index_in(rows["event"], value_set=rows["event"].combine_chunks()), pa.array(range(len(rows))))
    kept = rows.filter(first)
    return pa.table({"event": kept["event"], "examiner": kept["officer"]})


def _figures(outcome: TrainedModel, proof: Proof) -> dict[str, float | None]:
    named = {f"{who} {metric}": f.value for who, figures in outcome.figures.items() for metric, f in figures.items()}
    held = outcome.model.stability
    changes = {"first reason changed by refit": held.refit, "first reason changed by noise": held.noise} if held else {}
    return {
        **named,
        "gain over logistic regression": outcome.gain.value,
        "calibration error beyond chance": proof.calibrated.excess,
        **changes,
    }

"""A champion that was looked at every day: what the control found of it is drawn, quiet or changed."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import numpy as np
import pyarrow as pa

from models.risk.model import RiskModel
from models.risk.reference import Reference, reference
from models.risk.watching import Findings, courses, times
from pipelines.steps.watching import claim_rows, input_rows
from records import journal
from records.lake import Lake
from records.settings import Settings
from records.tables import table
from serving.accounts import engine_actor
from serving.house import open_house
from serving.store import writing
from tests.serving.crossings import PURPOSE, READS
from tests.serving.small_model import LEVELS, small_model

UNTIL = datetime(2026, 1, 5, tzinfo=UTC)
ALARMED = {"days": 300, "factor": 2.5, "change": 150}
"""How a model is looked at that gives an alarm about both claims."""


def cases(rows: int, *, seed: int = 1, shifted: bool = False) -> pa.Table:
    """Values of the small model's inputs; where `shifted`, entries are more and some permits are of a new state."""
    random = np.random.default_rng(seed)
    states = [*LEVELS["permit_state"], "suspended"] if shifted else list(LEVELS["permit_state"])
    return pa.table(
        {
            "as_of": pa.array([UTC_START + timedelta(minutes=n) for n in range(rows)], pa.timestamp("us", tz="UTC")),
            READS[0]: random.integers(10 if shifted else 0, 30, rows).astype(float),
            READS[1]: random.integers(0, 3000, rows).astype(float),
            READS[2]: random.choice(states, rows).tolist(),
            READS[3]: random.random(rows) < 0.5,
        }
    )


UTC_START = UNTIL - timedelta(days=60)


def referenced(findings: int = 3000, confirmed: int = 180) -> RiskModel:
    """The small model with a reference, as if so many findings of the control had been confirmed before."""
    model = small_model()
    none = pa.table(
        {
            name: pa.array([], kind)
            for name, kind in {
                "as_of": pa.timestamp("us", tz="UTC"),
                "known_at": pa.timestamp("us", tz="UTC"),
                "label": pa.float64(),
                "selected_by": pa.string(),
            }.items()
        }
    )
    made = reference(model, cases(4000), none, np.datetime64(UNTIL.replace(tzinfo=None)), timedelta(hours=9))
    return replace(model, reference=replace(made, findings=findings, confirmed=confirmed))


def speaks_for(settings: Settings, model: RiskModel) -> None:
    """Save a model and name it champion."""
    model.save(settings.models)
    engine = open_house(settings).engine
    actor = engine_actor(engine, settings.keys)
    payload = {"purpose": PURPOSE, "model": model.hash, "learnt_from": "sample"}
    with writing(engine) as connection:
        journal.append(connection, kind="champion_named", actor=actor, payload=payload)
    engine.dispose()


def looked(
    settings: Settings, *, days: int = 200, per_day: float = 12, factor: float = 1.0, change: int = 0, seed: int = 3
) -> RiskModel:
    """Name a champion, and put into the lake what daily looks at it said: odds `factor` times as promised from the day
    `change` on."""
    model = referenced()
    speaks_for(settings, model)
    rows = _rows(model, days, per_day, factor, change, seed)
    lake = Lake.create(settings.lake, buckets=2)
    lake.append("watches", pa.Table.from_pylist(rows, schema=table("watches").lake_schema), batch="looked")
    return model


def _rows(model: RiskModel, days: int, per_day: float, factor: float, change: int, seed: int) -> list[dict]:
    random = np.random.default_rng(seed)
    day = np.repeat(np.arange(days), random.poisson(per_day, days))
    promised = 1 / (1 + np.exp(-random.normal(-3.2, 1.0, len(day))))
    found = (random.random(len(day)) < np.where(day >= change, times(promised, factor), promised)).astype(float)
    assert isinstance(model.reference, Reference)
    likely = 1 / (1 + np.exp(-random.normal(-3.2, 1.0, 500)))
    first = UNTIL.date()
    told = courses(model.reference, Findings(found, promised, day), likely, days)
    rows = [row for course in told for row in claim_rows(course, first, 3, 11)]
    now = cases(1500, seed=2, shifted=True)
    rows += input_rows(model.reference, model, now, model.score(now).raw, first + timedelta(days=days - 1))
    at = UNTIL + timedelta(days=days)
    return [{"name": model.name, "model": model.hash, "happened_at": at, "known_at": at} | row for row in rows]

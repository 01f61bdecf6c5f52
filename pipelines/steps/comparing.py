"""Compare models of one purpose on the lake's findings, or any models on any table, and log what came out."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from datetime import timedelta
from functools import partial
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from evidence.groups import AUDITED
from features.catalogue import features
from features.engine import compute
from features.spine import crossing_spine, permit_spine
from models import tracking
from models.risk.catalogue import declaration
from models.risk.comparable import FOLDS, Beside, as_it_stands, of_declared, of_table, scored
from models.risk.comparing import compare
from models.risk.comparison import Comparison
from models.risk.comparison_report import plain_figures
from models.risk.contestants import CATBOOST, LOGISTIC, SCORECARD, Contestant, contestant, without
from models.risk.declaration import RiskDeclaration
from models.risk.expressions import nearest
from models.risk.model import RiskModel
from models.risk.proving import Audits
from models.risk.sources import Columns
from pipelines.steps.auditing import audit_views
from pipelines.steps.building import BEGINNING, assessable, training_values
from pipelines.steps.moments import known_until
from pipelines.steps.training import who_looked
from records.errors import BadInput
from records.journal import Actor
from records.lake import Lake
from records.settings import Settings
from risk_rules import strict_yaml
from risk_rules.rulebook import Rulebook
from serving.capabilities import Capability, may
from serving.house import House, open_house

REFERENCE = "shipped"
BASELINES = (LOGISTIC, SCORECARD)
CHALLENGERS = ("large", CATBOOST)
RECENT = timedelta(days=28)
READ_GROUPS = (Capability.TRAIN, Capability.AUDIT)
Say = Callable[[str], None]


def compare_declared(
    settings: Settings,
    name: str,
    say: Say,
    *,
    challengers: Sequence[str] = (),
    leaving_out: Sequence[str] = (),
    count: int = FOLDS,
    draws: int = 100,
    actor: Actor | None = None,
) -> Comparison:
    """How the champion of `name` is trained, and as it stands, beside challengers, simple baselines and rule points.

    `leaving_out` are groups of features that one more challenger does without. Groups of persons are compared where an
    `actor` asks who may train or audit, since the identity vault is read for them. BadInput where there is too little
    to compare on.
    """
    house, lake, declared = open_house(settings), Lake.open(settings.lake), declaration(name)
    values, labels = training_values(settings, name, say)
    places, capacities = _capacities(lake) if declared.subject_kind == "crossing" else (None, {})
    cases = of_declared(
        declared,
        values,
        labels,
        examiners=who_looked(lake, declared),
        places=places,
        capacities=capacities,
        count=count,
    )
    first = contestant(REFERENCE, monotone=declared.monotone)
    everybody = [first, *(contestant(each, monotone=declared.monotone) for each in (*challengers, *BASELINES))]
    if leaving_out:
        everybody.insert(1, _without_groups(first, declared, leaving_out))
    already = [scored("rule points", _rule_points(lake, house.rulebook, declared, values, settings), values, labels)]
    champion = house.champion(name)
    if champion is not None and not set(champion.names) - set(values.column_names):
        already.append(as_it_stands(champion, values, labels))
    edges = (*(least for _, least in declared.bands.least), 1.0)
    return compare(
        name,
        cases,
        everybody,
        already,
        capacity=declared.capacity,
        edges=edges,
        draws=draws,
        audits=_audits(house, declared, champion, actor, say),
        say=say,
    )


def _audits(
    house: House, declared: RiskDeclaration, champion: RiskModel | None, actor: Actor | None, say: Say
) -> Audits | None:
    """How groups are joined for `actor`, if that is given to them."""
    if actor is None or not any(may(actor.roles, each) for each in READ_GROUPS):
        say(
            f"{declared.name}: groups of persons are left out; who may train or audit signs in first: basira login NAME"
        )
        return None
    house.audit_vault_url  # noqa: B018 - refused before everybody has learnt, not after
    model = "" if champion is None else champion.hash
    return partial(audit_views, house, declared, model, attributes=AUDITED, actor=actor)


def compare_table(
    path: Path,
    columns: Columns,
    beside: Beside,
    say: Say,
    *,
    challengers: Sequence[str] = (),
    delay: timedelta = timedelta(0),
    capacity: float = 0.05,
    capacities: Sequence[float],
    count: int = FOLDS,
    draws: int = 100,
) -> Comparison:
    """The shipped profile beside challengers, simple baselines and a column of rule scores, on any table."""
    cases, already = of_table(path, columns, beside, count=count, delay=delay)
    everybody = [contestant(each) for each in (REFERENCE, *challengers, *BASELINES)]
    return compare(path.name, cases, everybody, already, capacity=capacity, capacities=capacities, draws=draws, say=say)


def capacities(path: Path) -> dict[str, float]:
    """The share of its cases that each place can look at, from a YAML file. BadInput where it holds anything else."""
    found = strict_yaml.read(path)
    fits = isinstance(found, dict) and all(isinstance(v, int | float) and 0 <= v <= 1 for v in found.values())
    if not fits:
        raise BadInput(f"'{path}' must name places, each with the share of its cases it can look at: north: 0.04.")
    return {str(place): float(share) for place, share in found.items()}


def log(settings: Settings, comparison: Comparison) -> str:
    """Log a comparison to MLflow: figures and tables of groups, never a row. Returns the run's number."""
    return tracking.log_comparison(
        settings.mlflow_uri,
        settings.home / "mlruns",
        comparison.subject,
        parameters={
            "reference": comparison.reference,
            "contestants": ", ".join(standing.name for standing in comparison.standings),
            "folds": len(comparison.folds),
            "capacity": comparison.capacity,
        },
        metrics=plain_figures(comparison),
        comparison=comparison.as_json(),
    )


def _without_groups(one: Contestant, declared: RiskDeclaration, groups: Sequence[str]) -> Contestant:
    unknown = [group for group in groups if group not in declared.groups]
    if unknown:
        raise BadInput(
            f"Model '{declared.name}' reads no group '{unknown[0]}', so it cannot do without it. "
            f"{nearest(unknown[0], list(declared.groups))}"
        )
    known = features(declared.subject_kind)
    columns = [name for name in declared.inputs() if known[name].group in groups]
    return without(one, columns, "without " + ", ".join(groups))


def _rule_points(
    lake: Lake, rulebook: Rulebook, declared: RiskDeclaration, values: pa.Table, settings: Settings
) -> np.ndarray:
    """Points of the rules in force for each row of `values`, from what was known at its own moment."""
    at = known_until(lake)
    if declared.subject_kind == "crossing":
        spine = crossing_spine(lake, BEGINNING, at, events=values["event"].to_pylist())
    else:
        spine = permit_spine(lake, BEGINNING, at)
    spine = spine.take(pc.index_in(values["event"], value_set=spine["event"].combine_chunks()))
    table = values
    lacking = [name for name in rulebook.feature_names(declared.subject_kind) if name not in values.column_names]
    if lacking:
        found = compute(spine, lacking, lake)
        for name in lacking:
            table = table.append_column(found.schema.field(name), found[name])
    for name in spine.column_names:
        if name not in table.column_names:
            table = table.append_column(spine.schema.field(name), spine[name])
    return rulebook.evaluate(table, declared.subject_kind).total_points.astype(np.float64)


def _capacities(lake: Lake) -> tuple[str, dict[str, float]]:
    """The column that says where a crossing was, and the share of assessable crossings that each post can check: what
    its shifts can do, over what came in the last four weeks."""
    at = known_until(lake)
    rows = lake.as_known("crossings", at, ["kind", "post", "shift", "regime", "under_18", "happened_at"])
    recent = pc.greater_equal(rows["happened_at"], pa.scalar(at - RECENT, pa.timestamp("us", tz="UTC")))
    rows = assessable(rows.filter(pc.and_(pc.equal(rows["kind"], "actual"), recent)))
    came = Counter(rows["post"].to_pylist())
    shifts: dict[str, set[str]] = {}
    for post, shift in zip(rows["post"].to_pylist(), rows["shift"].to_pylist(), strict=True):
        shifts.setdefault(post, set()).add(shift)
    able = {r["post"]: r["checks_per_shift"] or 0 for r in lake.read("posts", ["post", "checks_per_shift"]).to_pylist()}
    shares = {post: min(1.0, able.get(post, 0) * len(shifts[post]) / count) for post, count in came.items() if count}
    return "post_of_crossing", shares

"""Training tables: the subjects whose outcome is known, with their features as of the moment they were, or would have
been, assessed. Kept beside the lake under a name made of everything they depend on."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from features.engine import compute
from features.spine import crossing_spine, permit_spine
from models.risk.catalogue import declaration
from models.risk.declaration import RiskDeclaration
from models.risk.labels import Labels, finding_labels, lapse_labels
from models.risk.peers import ROWS
from pipelines.steps.moments import known_until
from pipelines.steps.sampling import drawn
from pipelines.steps.versions import code_version
from records.lake import Lake
from records.settings import Settings
from risk_rules.rule import ASSESSED_REGIMES

Say = Callable[[str], None]
BEGINNING = datetime(1970, 1, 1, tzinfo=UTC)
SIMILAR_SINCE = timedelta(days=731)


def training_values(settings: Settings, name: str, say: Say) -> tuple[pa.Table, Labels]:
    """Features and labels of the model `name`; the features are computed once per state of lake and catalogue."""
    lake = Lake.open(settings.lake)
    declared = declaration(name)
    at = known_until(lake)
    spine, labels = labelled(lake, declared, at)
    path = settings.home / "features" / f"{name}-{_state(lake, declared, at)}.parquet"
    if path.exists():
        say(f"{name}: features as built before")
        return pq.read_table(path), labels
    say(f"{name}: {len(declared.inputs())} features of {spine.num_rows:,} subjects, each as of its own moment")
    with ThreadPoolExecutor(settings.workers) as workers:
        values = compute(spine, declared.inputs(), lake, executor=workers)
    _replace(path, values, name)
    return values, labels


def similar_values(settings: Settings, name: str, values: pa.Table, say: Say) -> pa.Table:
    """A sample of all who are scored for the model `name`, checked or not, that later cases are compared with.

    Permits are all in the training table `values`; of crossings, those of the last two years are drawn by the hash of
    their number, so that the same lake gives the same sample.
    """
    lake, declared = Lake.open(settings.lake), declaration(name)
    if declared.subject_kind == "permit":
        return drawn(values.append_column("category", values["permit_category"]), ROWS)
    at = known_until(lake)
    spine = drawn(assessable(crossing_spine(lake, at - SIMILAR_SINCE, at)), ROWS)
    say(f"{name}: features of {spine.num_rows:,} crossings that later ones are compared with")
    with ThreadPoolExecutor(settings.workers) as workers:
        found = compute(spine, declared.inputs(), lake, executor=workers)
    return found.append_column("mode", spine["mode"])


def labelled(
    lake: Lake, declared: RiskDeclaration, at: datetime, since: datetime = BEGINNING
) -> tuple[pa.Table, Labels]:
    """The spine of what has an outcome at `at`, or may have one, from the moment `since` on; and all labels known."""
    if declared.subject_kind == "crossing":
        labels = finding_labels(lake.as_known("checks", at), "crossing", at)
        spine = crossing_spine(lake, since, at, events=labels.table["event"].to_pylist())
        return assessable(spine), labels
    spine = permit_spine(lake, since, at)
    permits = lake.as_known("permits", at, ["subject", "state", "happened_at", "known_at"])
    columns = ["subject", "kind", "direction", "post", "happened_at", "known_at"]
    return spine, lapse_labels(spine, permits, lake.as_known("crossings", at, columns), at)


def assessable(crossings: pa.Table) -> pa.Table:
    """Only those who are scored, and may teach: nationals, crews, diplomats and children are not."""
    regime = pc.is_in(crossings["regime"], value_set=pa.array(ASSESSED_REGIMES))
    return crossings.filter(pc.and_(regime, pc.equal(crossings["under_18"], False)))


def _state(lake: Lake, declared: RiskDeclaration, at: datetime) -> str:
    """A name for all a training table depends on: data versions, the moment, the inputs and how they are made."""
    depends = [lake.input_versions(), at.isoformat(), declared.inputs(), code_version(("records", "features"))]
    return hashlib.sha256(json.dumps(depends, sort_keys=True).encode()).hexdigest()[:16]


def _replace(path: Path, values: pa.Table, name: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_suffix(".draft")
    pq.write_table(values, draft)
    draft.replace(path)
    for older in path.parent.glob(f"{name}-*.parquet"):
        if older != path:
            older.unlink()

"""An assessment asked again from its own inputs, with the model and the rules that made it, and nothing of the lake."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import date, datetime
from typing import Any

import pyarrow as pa

from features.catalogue import features
from features.spine import SPINE
from models.risk.model import RiskModel
from risk_rules.protection import Protection
from risk_rules.rulebook import Rulebook
from serving.assess import assess
from serving.assessment import Assessment, Value, identified

_TYPES = {"number": pa.float64(), "boolean": pa.bool_(), "string": pa.string()}


def tables_of(assessment: Assessment) -> tuple[pa.Table, pa.Table]:
    """The spine and the feature values of one row each, as `assess` was given them."""
    kind = assessment.event_kind
    known = features(kind)
    spine = {n: _one(v, SPINE[kind].field(n).type) for n, v in assessment.facts.items() if n in SPINE[kind].names}
    values = {name: spine[name] for name in ("event", "subject", "as_of")}
    for name, value in assessment.inputs.items():
        # A whole number was read from a column of whole numbers, and is written the same way again.
        whole = isinstance(value, int) and not isinstance(value, bool)
        values[name] = _one(value, pa.int64() if whole else _TYPES[known[name].type] if name in known else None)
    return pa.table(spine), pa.table(values)


def assess_again(
    assessment: Assessment, model: RiskModel | None, rulebook: Rulebook, protection: Protection
) -> Assessment:
    """What the model and the rules say now; what became of it in the lanes, and the day of the rules, are taken over.

    Of an event that was not scored no inputs are kept: only its id is made again, which its content must still have.
    """
    if not assessment.assessable:
        return identified(assessment)
    spine, values = tables_of(assessment)
    (again,) = assess(
        spine,
        values,
        purpose=assessment.purpose,
        model=model,
        rulebook=rulebook,
        protection=protection,
        mode=assessment.mode,
        data_versions=assessment.data_versions,
    )
    kept = ("lane", "why", "probability", "outcome", "blind", "rules_on")
    return replace(again, **{name: getattr(assessment, name) for name in kept})


def differences(one: Any, other: Any, way: str = "") -> Iterator[str]:
    """Where two values of JSON differ, as "path: one, other"; nothing where they are the same."""
    if isinstance(one, Mapping) and isinstance(other, Mapping):
        for name in sorted({*one, *other}):
            yield from differences(one.get(name), other.get(name), f"{way}.{name}" if way else str(name))
    elif isinstance(one, list | tuple) and isinstance(other, list | tuple) and len(one) == len(other):
        for n, (first, second) in enumerate(zip(one, other, strict=True)):
            yield from differences(first, second, f"{way}[{n}]")
    elif one != other or type(one) is not type(other):
        yield f"{way}: {one!r}, {other!r}"


def _one(value: Value, kind: pa.DataType | None) -> pa.Array:
    """One cell as a column of its type; text of a time is read back."""
    read: Any = value
    if isinstance(value, str) and kind is not None:
        if pa.types.is_timestamp(kind):
            read = datetime.fromisoformat(value)
        elif pa.types.is_date(kind):
            read = date.fromisoformat(value)
    return pa.array([read], kind)

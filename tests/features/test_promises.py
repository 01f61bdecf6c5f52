"""What holds for every feature there is, and every one to come."""

from __future__ import annotations

from random import Random
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from features.catalogue import features
from features.declaration import SubjectKind
from features.engine import compute
from features.spine import crossing_spine_of
from tests.features.memory import Memory
from tests.features.worlds import Rows, both, crossings_to_assess, laters, pasts, permits_to_assess

INSTANT = pa.timestamp("us", tz="UTC")
KINDS: tuple[SubjectKind, ...] = ("crossing", "permit")
EVENTS = {"crossing": crossings_to_assess(), "permit": permits_to_assess()}

promise = settings(max_examples=8, deadline=None, suppress_health_check=list(HealthCheck))
each_kind = pytest.mark.parametrize("kind", KINDS)


def _spine(kind: SubjectKind, events: list[dict[str, Any]]) -> pa.Table:
    if kind == "crossing":
        return crossing_spine_of(pa.Table.from_pylist(events, schema=_schema("crossings")))
    schema = _schema("permits").append(pa.field("event", pa.string())).append(pa.field("as_of", INSTANT))
    return pa.Table.from_pylist(events, schema=schema)


def _schema(table: str) -> pa.Schema:
    from records.tables import table as declared

    return declared(table).lake_schema


def _values(kind: SubjectKind, spine: pa.Table, world: Rows, buckets: int = 1) -> pa.Table:
    return compute(spine, features(kind), Memory(world, buckets))


def _assert_same(one: pa.Table, other: pa.Table) -> None:
    differing = [n for n in one.column_names if one.column(n).to_pylist() != other.column(n).to_pylist()]
    assert not differing, {n: (one.column(n).to_pylist(), other.column(n).to_pylist()) for n in differing}


@each_kind
@promise
@given(data=st.data(), past=pasts(), later=laters())
def test_later_records_change_nothing(kind: SubjectKind, data: st.DataObject, past: Rows, later: Rows) -> None:
    spine = _spine(kind, data.draw(EVENTS[kind]))
    _assert_same(_values(kind, spine, past), _values(kind, spine, both(past, later)))


@each_kind
@promise
@given(data=st.data(), past=pasts(), order=st.randoms(use_true_random=False))
def test_row_order_changes_nothing(kind: SubjectKind, data: st.DataObject, past: Rows, order: Random) -> None:
    spine = _spine(kind, data.draw(EVENTS[kind]))
    shuffled = {t: order.sample(rows, len(rows)) for t, rows in past.items()}
    _assert_same(_values(kind, spine, past), _values(kind, spine, shuffled))


@each_kind
@promise
@given(data=st.data(), past=pasts())
def test_a_live_row_gets_what_the_batch_gets(kind: SubjectKind, data: st.DataObject, past: Rows) -> None:
    spine = _spine(kind, data.draw(EVENTS[kind]))
    batch = _values(kind, spine, past, buckets=3)
    alone = [_values(kind, spine.slice(k, 1), past) for k in range(spine.num_rows)]
    _assert_same(batch, pa.concat_tables(alone))


@each_kind
@promise
@given(data=st.data())
def test_no_history_is_no_error(kind: SubjectKind, data: st.DataObject) -> None:
    spine = _spine(kind, data.draw(EVENTS[kind]))
    values = _values(kind, spine, {})
    assert values.num_rows == spine.num_rows
    for feature in features(kind).values():
        expected = {"number": pa.float64(), "boolean": pa.bool_(), "string": pa.string()}[feature.type]
        assert values.column(feature.name).type == expected, feature.name


@each_kind
def test_no_rows_to_assess_is_no_error(kind: SubjectKind) -> None:
    values = _values(kind, _spine(kind, []), {})
    assert values.num_rows == 0
    assert set(features(kind)) <= set(values.column_names)


@each_kind
@promise
@given(data=st.data(), past=pasts())
def test_one_row_per_subject_in_the_order_asked(kind: SubjectKind, data: st.DataObject, past: Rows) -> None:
    spine = _spine(kind, data.draw(EVENTS[kind]))
    values = _values(kind, spine, past, buckets=3)
    for column in ("event", "subject", "as_of"):
        assert values.column(column).to_pylist() == spine.column(column).to_pylist()

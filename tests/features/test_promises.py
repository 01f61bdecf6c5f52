"""What holds for every feature there is, and every one to come."""

from __future__ import annotations

from random import Random

import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from features.catalogue import features
from features.declaration import SubjectKind
from features.engine import compute
from tests.features.memory import Memory
from tests.features.worlds import KINDS, Rows, World, spine, worlds

promise = settings(max_examples=8, deadline=None, suppress_health_check=list(HealthCheck))
each_kind = pytest.mark.parametrize("kind", KINDS)


def _values(world: World, rows: Rows, buckets: int = 1) -> pa.Table:
    return compute(world.spine, features(world.kind), Memory(rows, buckets))


def _assert_same(one: pa.Table, other: pa.Table) -> None:
    differing = [n for n in one.column_names if one.column(n).to_pylist() != other.column(n).to_pylist()]
    assert not differing, {n: (one.column(n).to_pylist(), other.column(n).to_pylist()) for n in differing}


@each_kind
@promise
@given(data=st.data())
def test_later_records_change_nothing(kind: SubjectKind, data: st.DataObject) -> None:
    world = data.draw(worlds(kind, later=True))
    _assert_same(_values(world, world.past), _values(world, world.whole))


@each_kind
@promise
@given(data=st.data(), order=st.randoms(use_true_random=False))
def test_row_order_changes_nothing(kind: SubjectKind, data: st.DataObject, order: Random) -> None:
    world = data.draw(worlds(kind))
    shuffled = {t: order.sample(rows, len(rows)) for t, rows in world.past.items()}
    _assert_same(_values(world, world.past), _values(world, shuffled))


@each_kind
@promise
@given(data=st.data())
def test_a_live_row_gets_what_the_batch_gets(kind: SubjectKind, data: st.DataObject) -> None:
    world = data.draw(worlds(kind))
    batch = _values(world, world.past, buckets=3)
    alone = [World(kind, [event], world.past) for event in world.events]
    _assert_same(batch, pa.concat_tables([_values(one, one.past) for one in alone]))


@each_kind
@promise
@given(data=st.data())
def test_no_history_is_no_error(kind: SubjectKind, data: st.DataObject) -> None:
    world = data.draw(worlds(kind))
    values = _values(world, {})
    assert values.num_rows == len(world.events)
    for feature in features(kind).values():
        expected = {"number": pa.float64(), "boolean": pa.bool_(), "string": pa.string()}[feature.type]
        assert values.column(feature.name).type == expected, feature.name


@each_kind
def test_no_rows_to_assess_is_no_error(kind: SubjectKind) -> None:
    for buckets in (1, 3):
        values = compute(spine(kind, []), features(kind), Memory({}, buckets))
        assert values.num_rows == 0
        assert set(features(kind)) <= set(values.column_names)


@each_kind
@promise
@given(data=st.data())
def test_one_row_per_subject_in_the_order_asked(kind: SubjectKind, data: st.DataObject) -> None:
    world = data.draw(worlds(kind))
    values = _values(world, world.past, buckets=3)
    for column in ("event", "subject", "as_of"):
        assert values.column(column).to_pylist() == world.spine.column(column).to_pylist()

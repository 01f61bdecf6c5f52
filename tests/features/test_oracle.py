"""Every feature there is, and every one to come, is what the slow and obvious way says it is."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from features.catalogue import features
from features.declaration import SubjectKind
from features.engine import compute
from tests.features.memory import Memory
from tests.features.oracle import differing
from tests.features.worlds import KINDS, World, worlds


@pytest.mark.parametrize("kind", KINDS)
@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data(), buckets=st.sampled_from((1, 3)))
def test_the_whole_catalogue_says_what_the_oracle_says(kind: SubjectKind, data: st.DataObject, buckets: int) -> None:
    world: World = data.draw(worlds(kind))
    found = compute(world.spine, features(kind), Memory(world.past, buckets))
    assert not differing(found, world.spine, world.past, features(kind))

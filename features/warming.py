"""The kernels made ready before anybody waits for them."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import get_args

import pyarrow as pa

from features.catalogue import features
from features.declaration import SubjectKind
from features.engine import compute
from features.spine import INSTANT, spine_of
from features.state import State
from records.lake import Lake


def warm() -> None:
    """Load every kernel that a batch or a live answer calls, and compile those that are not on disk yet."""
    nobody = pa.table({"subject": ["nobody"], "as_of": pa.array([0], INSTANT)})
    with TemporaryDirectory(prefix="basira-empty-") as folder:
        lake, state = Lake.create(Path(folder) / "lake", buckets=1), State.open(Path(folder) / "state")
        state.catch_up(lake)
        for kind in get_args(SubjectKind):
            for source in (lake, state):
                compute(spine_of(kind, nobody), features(kind), source)
        state.generations.let_go()

"""Features of a spine's rows, each as of its own moment.

    compute(spine, ["entries_last_90_days"], lake)

The same plan and the same kernels serve a training set, read from the lake part by part, and a live request, read from
the state.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterable
from concurrent.futures import Executor
from pathlib import Path

import numpy as np
import pyarrow as pa

from features.asked import Spine, kind_of
from features.building import Parts, each, work
from features.histories import Histories
from features.lineage import Catalogue
from features.parts import bucket_groups, spine_parts
from features.plan import Source, prepare
from features.state import State


def compute(
    spine: pa.Table,
    names: Iterable[str],
    lake: Histories | State | Source,
    *,
    catalogue: Catalogue | None = None,
    executor: Executor | None = None,
) -> pa.Table:
    """event, subject, as_of and one column per name (float64, bool or string, null where undefined), in spine order.

    lake: where rows are read, or a live state that holds them ready. executor: by which parts of a large lake are done
    at once, one after the other by default. BadInput for a name that no file declares, or a
    spine that lacks a column the features read.
    """
    kind = kind_of(spine)
    chosen = list(dict.fromkeys(names))
    plan = prepare(chosen, kind, catalogue)
    if isinstance(lake, State):
        with lake.reading() as snapshot:
            return plan.table(spine, plan.answer(Spine(spine), snapshot))
    if isinstance(lake, Source):
        return plan.table(spine, plan.answer(Spine(spine), lake))
    groups = bucket_groups(lake, plan.columns)
    rows = spine_parts(spine, groups, lake.buckets)
    parts = [spine if len(rows) == 1 else spine.take(pa.array(r)) for r in rows]
    with tempfile.TemporaryDirectory(prefix="basira-heaps-") as folder:
        todo = work(Parts(tuple(parts)), kind, chosen, lake, groups, Path(folder), catalogue)
        todo.prepare(executor)
        answered = pa.concat_tables(each(executor, todo.answer, range(len(parts))))
    return answered if len(rows) == 1 else answered.take(pa.array(np.argsort(np.concatenate(rows), kind="stable")))

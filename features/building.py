"""Features of many subjects, part of the lake by part, in bounded memory.

Three rounds: each part deals out what entities that cut across persons need (`features.shared`); each heap of those is
swept; each part is answered. A round's tasks are functions of one part alone, run in a loop or by any executor with
`map`: threads (the kernels, Arrow and Parquet let go of the interpreter), processes, a cluster.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import pyarrow as pa
import pyarrow.parquet as pq

from features.declaration import SubjectKind
from features.histories import Histories
from features.lineage import Catalogue
from features.parts import Links, Part, links
from features.plan import Plan, Spine, kind_of, prepare
from features.shared import Heaps, answers, deal, sweep

T = TypeVar("T")
R = TypeVar("R")
Say = Callable[[str], None]


@dataclass(frozen=True)
class Work:
    """The features `names` of a spine that comes in parts, one for each group of person buckets."""

    names: tuple[str, ...]
    kind: SubjectKind
    catalogue: Catalogue | None
    lake: Histories
    groups: tuple[tuple[int, ...], ...]
    spine: Callable[[int], pa.Table]
    folder: Path
    links: Links

    @property
    def plan(self) -> Plan:
        return prepare(self.names, self.kind, self.catalogue)

    @property
    def heaps(self) -> Heaps:
        return Heaps(self.folder, len(self.groups))

    def deal(self, part: int) -> None:
        """First round: what a part has to say of entities that cut across persons."""
        plan, spine = self.plan, self.spine(part)
        needed = {slot for step in plan.shared for slot in step.needs}
        asking = self._source(part, plan.columns_of(plan.towards(needed)), self.links)
        # Rows of the linked are dealt out by the part they lie in, and by no other.
        own = self._source(part, plan.columns_of(plan.shared), Links(self.links.known, {}))
        deal(plan, Spine(spine), asking, own, self.heaps, part)

    def sweep(self, task: tuple[int, int]) -> None:
        """Second round: one heap of one stream."""
        sweep(self.plan, self.heaps, *task)

    def answer(self, part: int) -> pa.Table:
        """Third round: the features of one part."""
        plan, spine = self.plan, self.spine(part)
        alone = len(self.groups) == 1
        known = {} if alone else answers(plan, self.heaps, part, spine.num_rows)
        columns = plan.columns_of([s for s in plan.steps if alone or s not in plan.shared])
        return plan.table(spine, plan.answer(Spine(spine), self._source(part, columns, self.links), known))

    def write(self, task: tuple[int, Path]) -> Path:
        """Third round, its table written to a file."""
        part, path = task
        draft = path.with_suffix(".draft")
        pq.write_table(self.answer(part), draft)
        return draft.replace(path)

    def prepare(self, executor: Executor | None, say: Say) -> None:
        """The first two rounds. Nothing to do where all of the lake is one part, or nothing cuts across persons."""
        shared = self.plan.shared
        if len(self.groups) == 1 or not shared:
            return
        for done, _ in enumerate(_each(executor, self.deal, range(len(self.groups))), 1):
            say(f"dealt out part {done} of {len(self.groups)}")
        tasks = [(step, heap) for step in range(len(shared)) for heap in range(len(self.groups))]
        for done, _ in enumerate(_each(executor, self.sweep, tasks), 1):
            say(f"swept heap {done} of {len(tasks)}")

    def _source(self, part: int, columns: Mapping[str, Sequence[str]], linked: Links) -> Part:
        return Part(self.lake, self.groups[part], columns, linked)


def work(
    spine: Callable[[int], pa.Table],
    kind: SubjectKind,
    names: Iterable[str],
    lake: Histories,
    groups: Iterable[tuple[int, ...]],
    folder: Path,
    catalogue: Catalogue | None = None,
) -> Work:
    """The work there is; `folder` is where what cuts across persons waits meanwhile."""
    chosen = tuple(dict.fromkeys(names))
    plan = prepare(chosen, kind, catalogue)
    return Work(chosen, kind, catalogue, lake, tuple(groups), spine, folder, links(lake, plan.columns))


def build(
    spine: Callable[[int], pa.Table],
    names: Iterable[str],
    lake: Histories,
    out: Path,
    *,
    catalogue: Catalogue | None = None,
    executor: Executor | None = None,
    say: Say | None = None,
) -> list[Path]:
    """One Parquet file of features per person bucket, in the folder `out`: event, subject, as_of and `names`.

    spine: the rows of the spine whose subjects lie in a bucket. At most one bucket per worker is in memory.
    """
    out.mkdir(parents=True, exist_ok=True)
    buckets = range(lake.buckets)
    with tempfile.TemporaryDirectory(dir=out, prefix=".heaps-") as folder:
        todo = work(spine, kind_of(spine(0)), names, lake, [(b,) for b in buckets], Path(folder), catalogue)
        todo.prepare(executor, say or _silent)
        paths = []
        for path in _each(executor, todo.write, [(b, out / f"part-{b:05d}.parquet") for b in buckets]):
            paths.append(path)
            (say or _silent)(f"wrote part {len(paths)} of {len(buckets)}")
    return paths


def _each(executor: Executor | None, function: Callable[[T], R], tasks: Iterable[T]) -> Iterator[R]:
    return map(function, tasks) if executor is None else executor.map(function, tasks)


def _silent(_: str) -> None:
    pass

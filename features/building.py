"""Features of many subjects, part of the lake by part, in bounded memory.

Three rounds: each part deals out what entities that cut across persons need (`features.shared`); each heap of those is
swept; each part is answered. A round's tasks are functions of one part alone, run in a loop or by any executor with
`map`: threads (the kernels, Arrow and Parquet let go of the interpreter), processes, a cluster.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Executor
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, TypeVar

import pyarrow as pa
import pyarrow.parquet as pq

from features.asked import Spine, kind_of
from features.columns import Values
from features.declaration import SubjectKind
from features.histories import Histories
from features.lineage import Catalogue
from features.parts import PART_ROWS, Links, Part, links
from features.plan import Plan, prepare
from features.shared import Heaps, answers, deal, sweep
from features.shares import SHARE_ROWS, Shares

T = TypeVar("T")
R = TypeVar("R")
_PLAIN: Final[dict[str, Any]] = {
    "use_dictionary": False,
    "compression": "none",
    "write_statistics": False,
    "write_batch_size": 1 << 16,
    "data_page_size": 1 << 23,
}
"""Of Parquet: dictionaries, compression and small pages would take longer than the features themselves."""
_FEW_HEAPS: Final = 8
"""So many at least, if there are as many parts: so that every worker has something to sweep."""
Say = Callable[[str], None]
SpineOf = Callable[[int, Sequence[str] | None], pa.Table]
"""The rows of a spine that belong to a part; with all their columns, or with some."""


@dataclass(frozen=True)
class Parts:
    """A spine in memory, cut into its parts."""

    held: tuple[pa.Table, ...]

    def __call__(self, part: int, columns: Sequence[str] | None) -> pa.Table:
        held = self.held[part]
        # A column that is not there is told by whoever reads it.
        return held if columns is None else held.select([name for name in columns if name in held.column_names])


@dataclass(frozen=True)
class Work:
    """The features `names` of a spine that comes in parts, one for each group of person buckets."""

    names: tuple[str, ...]
    kind: SubjectKind
    catalogue: Catalogue | None
    lake: Histories
    groups: tuple[tuple[int, ...], ...]
    spine: SpineOf
    heaps: Heaps
    links: Links

    @property
    def plan(self) -> Plan:
        return prepare(self.names, self.kind, self.catalogue)

    def deal(self, part: int) -> None:
        """First round: what a part has to say of entities that cut across persons."""
        plan = self.plan
        needed = {slot for step in plan.shared for slot in step.needs}
        asking = self._source(part, plan.columns_of(plan.towards(needed)), self.links)
        # Rows of the linked are dealt out by the part they lie in, and by no other.
        own = self._source(part, plan.columns_of(plan.shared), Links(self.links.known, {}))
        spine = self.spine(part, plan.asked_columns([*plan.towards(needed), *plan.shared]))
        deal(plan, Spine(spine), asking, own, self.heaps, part)

    def sweep(self, task: tuple[int, int]) -> None:
        """Second round: one heap of one stream."""
        sweep(self.plan, self.heaps, *task)

    def answer(self, part: int) -> pa.Table:
        """Third round: the features of one part."""
        spine, source, known = self._asked(part)
        return self.plan.table(spine, self.plan.answer(Spine(spine), source, known))

    def write(self, task: tuple[int, Path]) -> Path:
        """Third round, written to a file: subject by subject, and each in order of time."""
        part, path = task
        plan, (spine, source, known) = self.plan, self._asked(part)
        # What cuts across persons was swept before, or all of the lake is one part and one share.
        number = 1 if len(self.groups) == 1 else max(1, -(-spine.num_rows // SHARE_ROWS))
        draft = path.with_suffix(".draft")
        with ExitStack() as stack:
            writer = None
            for rows, share in Shares(source, Spine(spine), number):
                asked = spine.take(pa.array(rows))
                held = {slot: v.take(rows) for slot, v in known.items()}
                table = plan.table(asked, plan.answer(Spine(asked), share, held))
                writer = writer or stack.enter_context(pq.ParquetWriter(draft, table.schema, **_PLAIN))
                writer.write_table(table)
        return draft.replace(path)

    def _asked(self, part: int) -> tuple[pa.Table, Part, dict[int, Values]]:
        """The spine of a part, the source of its rows, and what the sweeps found for it."""
        plan, alone = self.plan, len(self.groups) == 1
        steps = [s for s in plan.steps if alone or s not in plan.shared]
        spine = self.spine(part, list(dict.fromkeys(("event", "subject", *plan.asked_columns(steps)))))
        known = {} if alone else answers(plan, self.heaps, part, spine.num_rows)
        return spine, self._source(part, plan.columns_of(steps), self.links), known

    def prepare(self, executor: Executor | None, say: Say | None = None) -> None:
        """The first two rounds. Nothing to do where all of the lake is one part, or nothing cuts across persons."""
        shared, tell = self.plan.shared, say or _silent
        if len(self.groups) == 1 or not shared:
            return
        for done, _ in enumerate(each(executor, self.deal, range(len(self.groups))), 1):
            tell(f"dealt out part {done} of {len(self.groups)}")
        tasks = [(step, heap) for step in range(len(shared)) for heap in range(self.heaps.number)]
        for done, _ in enumerate(each(executor, self.sweep, tasks), 1):
            tell(f"swept heap {done} of {len(tasks)}")

    def _source(self, part: int, columns: Mapping[str, Sequence[str]], linked: Links) -> Part:
        return Part(self.lake, self.groups[part], columns, linked)


def work(
    spine: SpineOf,
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
    parts = tuple(groups)
    # One part has the rows of everybody, linked or not, and deals nothing out.
    alone = len(parts) == 1
    rows = 0 if alone else max((lake.size(table) for table in plan.columns), default=0)
    heaps = Heaps(folder, min(len(parts), max(_FEW_HEAPS, -(-rows // PART_ROWS))))
    return Work(chosen, kind, catalogue, lake, parts, spine, heaps, links(lake, {} if alone else plan.columns))


def build(
    spine: SpineOf,
    names: Iterable[str],
    lake: Histories,
    out: Path,
    *,
    catalogue: Catalogue | None = None,
    executor: Executor | None = None,
    say: Say | None = None,
) -> list[Path]:
    """One Parquet file of features per person bucket, in the folder `out`: event, subject, as_of and `names`, in the
    order of subject and moment: answers about one subject then lie together, as they are made.

    spine: the rows of the spine whose subjects lie in a bucket. At most one bucket per worker is in memory.
    """
    out.mkdir(parents=True, exist_ok=True)
    buckets = range(lake.buckets)
    with tempfile.TemporaryDirectory(dir=out, prefix=".heaps-") as folder:
        todo = work(spine, kind_of(spine(0, None)), names, lake, [(b,) for b in buckets], Path(folder), catalogue)
        todo.prepare(executor, say)
        paths = []
        for path in each(executor, todo.write, [(b, out / f"part-{b:05d}.parquet") for b in buckets]):
            paths.append(path)
            (say or _silent)(f"wrote part {len(paths)} of {len(buckets)}")
    return paths


def each(executor: Executor | None, function: Callable[[T], R], tasks: Iterable[T]) -> Iterator[R]:
    """What a function returns for each task, by an executor or one after the other."""
    return map(function, tasks) if executor is None else executor.map(function, tasks)


def _silent(_: str) -> None:
    pass

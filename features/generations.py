"""An embedded store (LMDB) in generations, so that what is deleted is gone.

A store that frees a page does not clear it: what was deleted from it can still be read in its file. So nothing is
deleted inside a generation. Where rows have to go, the next generation is made without them in a folder of its own; it
is seen once it is whole, and the folders before it are removed. A process that has an older one open lets go of it at
its next look.
"""

from __future__ import annotations

import shutil
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import lmdb
from filelock import FileLock, Timeout

_MOST: Final = 1 << 38  # bytes of address space, not of disk
_DRAFT: Final = "draft"
Say = Callable[[str], None]


class Busy(Exception):
    """Another process, or another thread of this one, is writing to the store."""


@dataclass(frozen=True, eq=False)
class Generation:
    """One generation, open: its environment and the databases in it, by name."""

    name: str
    environment: lmdb.Environment
    stores: Mapping[str, Any]


_opened: dict[Path, Generation] = {}
_opening = threading.Lock()
_settled: dict[Path, int] = {}
"""When the folder of an opened generation last changed, where it was looked through well after that."""
_TICK_NS: Final = 2_000_000_000
"""Longer than any file system takes for two changes at one time."""


@dataclass(frozen=True)
class Generations:
    """The generations in `folder` of one layout: those of another are as if they were not there, until the next."""

    folder: Path
    layout: str

    def newest(self) -> Generation | None:
        """The generation to read, and to bring further rows into; None where none was made yet."""
        found, changed = _opened.get(self.folder), self._changed_ns()
        if found is not None and found.name.endswith(self.layout) and _settled.get(self.folder) == changed:
            return found
        _settled.pop(self.folder, None)
        while name := max(self._names(), default=None):
            found = self._open(name)
            if found is not None:
                if time.time_ns() - changed > _TICK_NS:
                    _settled[self.folder] = changed
                return found
        return None

    def _changed_ns(self) -> int:
        """When a name in the folder last came or went."""
        try:
            return self.folder.stat().st_mtime_ns
        except FileNotFoundError:
            return 0

    @contextmanager
    def writing(self, say: Say | None = None) -> Iterator[None]:
        """Hold the store against other writers. Waits for its turn if there is somebody to say so to, else Busy."""
        self.folder.mkdir(parents=True, exist_ok=True)
        lock = FileLock(self.folder / ".lock")
        try:
            lock.acquire(timeout=0)
        except Timeout:
            if say is None:
                raise Busy from None
            say("another process is writing to the live state; waiting for it")
            lock.acquire()
        try:
            yield
        finally:
            lock.release()

    @contextmanager
    def following(self, names: Iterable[str]) -> Iterator[Generation]:
        """The next generation, with empty databases: the only one once the block ends. The caller is `writing`."""
        draft = self.folder / _DRAFT
        shutil.rmtree(draft, ignore_errors=True)
        older = [path for path in self.folder.iterdir() if path.is_dir()]
        draft.mkdir()
        environment = _environment(draft, sync=False)
        try:
            yield Generation(_DRAFT, environment, {name: environment.open_db(name.encode()) for name in names})
            environment.sync(True)
        finally:
            environment.close()
        # Names rise, and none is ever used again, so that an open one is never taken for another.
        newest = max([time.time_ns(), *(int(path.name.partition("-")[0]) + 1 for path in older)])
        draft.rename(self.folder / f"{newest:020d}-{self.layout}")
        for path in older:
            shutil.rmtree(path)

    def let_go(self) -> None:
        """Hold none of them open any longer."""
        _opened.pop(self.folder, None)
        _settled.pop(self.folder, None)

    def _names(self) -> list[str]:
        try:
            return [p.name for p in self.folder.iterdir() if p.name.endswith(f"-{self.layout}")]
        except FileNotFoundError:
            return []

    def _open(self, name: str) -> Generation | None:
        """The generation of that name; None where it was removed meanwhile. A process may open an environment once."""
        with _opening:
            found = _opened.get(self.folder)
            if found is not None and found.name == name:
                return found
            try:
                environment = _environment(self.folder / name, create=False)
                with environment.begin() as txn:
                    held = [bytes(key) for key in txn.cursor().iternext(values=False)]
                found = Generation(name, environment, {key.decode(): environment.open_db(key) for key in held})
            except lmdb.Error:
                if (self.folder / name).exists():
                    raise
                return None
            _opened[self.folder] = found
            return found


def _environment(folder: Path, **options: bool) -> lmdb.Environment:
    return lmdb.open(str(folder), map_size=_MOST, max_dbs=64, max_readers=512, **options)

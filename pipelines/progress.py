"""Progress on long work, on standard error, so that standard output stays clean for results."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager


@contextmanager
def counting(what: str, unit: str = "rows", total: int | None = None) -> Iterator[Callable[[int], None]]:
    """A bar that is told how many more `unit` are done. Silent where standard error is not a terminal."""
    from tqdm import tqdm

    with tqdm(desc=what, unit=f" {unit}", total=total, unit_scale=True, disable=not sys.stderr.isatty()) as bar:
        yield lambda done: bar.update(done) and None


def say(line: str) -> None:
    """One line about what is being done now."""
    print(line, file=sys.stderr, flush=True)

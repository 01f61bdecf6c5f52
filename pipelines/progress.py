"""Progress on long work, on standard error, so that standard output stays clean for results."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager


@contextmanager
def counting(what: str, unit: str = "rows") -> Iterator[Callable[[int], None]]:
    """A counter that is told how many more `unit` are done. Silent where standard error is not a terminal."""
    from tqdm import tqdm

    with tqdm(desc=what, unit=f" {unit}", unit_scale=True, disable=not sys.stderr.isatty()) as bar:

        def advance(more: int) -> None:
            bar.update(more)

        yield advance


def say(line: str) -> None:
    """One line about what is being done now."""
    print(line, file=sys.stderr, flush=True)

"""Long work in a process of its own, so that other steps go on beside it on another core."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from typing import ParamSpec, TypeVar

Given = ParamSpec("Given")
Answer = TypeVar("Answer")


def apart(function: Callable[Given, Answer], *given: Given.args, **named: Given.kwargs) -> Answer:
    """What `function` answers, or raises, in a new process; its memory is given back when it ends.

    The function must stand at the top of a module, and what it is given and answers must be picklable. A new process
    rather than a copy of this one: a copy would carry locks over that Prefect's threads hold.
    """
    with ProcessPoolExecutor(max_workers=1, mp_context=get_context("spawn")) as process:
        return process.submit(function, *given, **named).result()

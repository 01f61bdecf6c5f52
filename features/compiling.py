"""Compilation of kernels: paid once, kept on disk, and said in words where somebody has to wait for it.

Kernels call each other, and what is kept of one has the others in it: so it is told by what every file of its folder
says, and made anew when one of them changes.
"""

from __future__ import annotations

import hashlib
import inspect
import logging
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any, TypeVar, cast

import numba
import numpy as np
from numba.core import event

F = TypeVar("F", bound=Callable[..., Any])

# Warnings are shown on standard error unless somebody says otherwise: in commands, the server and notebooks alike.
_log = logging.getLogger(__name__)
_kernels: set[object] = set()


def compiled(function: F) -> F:
    """Machine code for `function`, made when it is first called and kept beside the package, or in the user's cache
    where that is read-only. Who has to wait for it is told."""
    if numba.config.DISABLE_JIT:  # whole numbers wrap around, as they do in machine code
        return np.errstate(over="ignore")(function)
    _listen()
    _kernels.add(function)
    options = {"nogil": True, "boundscheck": False}
    try:
        made = numba.njit(function, cache=True, **options)
        made._cache._cache_file._source_stamp = _said_in(Path(inspect.getfile(function)).parent)
    except RuntimeError as unkept:  # no folder that can be written
        _say_unkept(str(unkept))
        made = numba.njit(function, **options)
    return cast(F, made)


@cache
def _said_in(folder: Path) -> bytes:
    """A fingerprint of every module of a folder."""
    return hashlib.sha256(b"\0".join(path.read_bytes() for path in sorted(folder.glob("*.py")))).digest()


class _Listener(event.Listener):  # type: ignore[misc]
    """Hears of each compilation that the cache did not spare."""

    def on_start(self, event: Any) -> None:
        if event.data["dispatcher"].py_func in _kernels:
            _say_compiling()

    def on_end(self, event: Any) -> None:
        pass


@cache
def _listen() -> None:
    event.register("numba:compile", _Listener())


@cache
def _say_compiling() -> None:
    _log.warning("Compiling kernels, once after installation or an update: about half a minute.")


@cache
def _say_unkept(why: str) -> None:
    _log.warning(
        "Compiled kernels cannot be kept (%s), so that each start compiles them anew, for about half a minute. Set "
        "NUMBA_CACHE_DIR to a folder that can be written.",
        why,
    )

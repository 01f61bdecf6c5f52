"""Who has to wait for a kernel is told why, once; and what is warmed up is what is needed."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numba
import pytest
from numba.core.caching import CompileResultCacheImpl
from numba.core.dispatcher import Dispatcher

from features import compiling
from features.catalogue import features
from features.compiling import compiled
from features.engine import compute
from features.kernels import answers, clock, conditions
from features.spine import crossing_spine, permit_spine
from features.state import State
from features.warming import warm
from records.lake import Lake


def twice(number: int) -> int:
    return 2 * number


def thrice(number: int) -> int:
    return 3 * number


KERNEL = """
from features.compiling import compiled
{1}

@compiled
def {0}(number):
    return {2}
"""


@pytest.fixture(autouse=True)
def empty(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A cache without anything in it, and nothing said so far."""
    monkeypatch.setattr(numba.config, "CACHE_DIR", str(tmp_path / "cache"))
    compiling._say_compiling.cache_clear()
    compiling._say_unkept.cache_clear()
    yield
    compiling._kernels.difference_update((twice, thrice))


def test_compilation_is_said_once_and_only_where_it_takes_place(caplog: pytest.LogCaptureFixture) -> None:
    assert (compiled(twice)(4), compiled(thrice)(4)) == (8, 12)
    assert [record.message for record in caplog.records] == [
        "Compiling kernels, once after installation or an update: about half a minute."
    ]
    caplog.clear()
    compiling._say_compiling.cache_clear()
    assert (compiled(twice)(4), compiled(thrice)(4)) == (8, 12)
    assert not caplog.records


def test_what_cannot_be_kept_is_said_and_works(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(CompileResultCacheImpl, "_locator_classes", [])
    assert compiled(twice)(4) == 8
    assert "NUMBA_CACHE_DIR" in caplog.records[0].message


def test_a_kernel_is_compiled_anew_where_another_file_of_its_folder_has_changed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def answer(factor: int) -> int:
        """Of a kernel that calls one of another file, as a process says that starts now."""
        (tmp_path / "inner_kernel.py").write_text(KERNEL.format("inner", "", f"{factor} * number"))
        (tmp_path / "outer_kernel.py").write_text(
            KERNEL.format("outer", "import inner_kernel", "inner_kernel.inner(number)")
        )
        for name in ("inner_kernel", "outer_kernel"):
            sys.modules.pop(name, None)
        importlib.invalidate_caches()
        compiling._said_in.cache_clear()
        found: int = importlib.import_module("outer_kernel").outer(4)
        return found

    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    assert (answer(2), answer(3)) == (8, 12)


def test_what_is_warmed_up_is_what_answers_call(
    small_lake: Lake, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    called: set[str] = set()

    def told(name: str, kernel: Callable[..., Any]) -> Callable[..., Any]:
        def recorded(*arguments: Any) -> Any:
            called.add(name)
            return kernel(*arguments)

        return recorded

    warm()  # what kernels call themselves is compiled: from here on they are called by others alone
    for module in (answers, clock, conditions):
        for name, held in vars(module).items():
            if isinstance(held, Dispatcher) and not name.startswith("_"):
                monkeypatch.setattr(module, name, told(name, held))
    warm()
    warmed = set(called)
    state = State.open(tmp_path / "state")
    state.catch_up(small_lake)
    ever = datetime(1970, 1, 1, tzinfo=UTC), datetime(2200, 1, 1, tzinfo=UTC)
    for spine in (crossing_spine(small_lake, *ever), permit_spine(small_lake, *ever)):
        names = features("crossing" if "direction" in spine.column_names else "permit")
        for source in (small_lake, state):
            compute(spine.slice(0, 200), names, source)
    assert called == warmed
    assert warmed

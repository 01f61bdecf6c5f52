"""What the checks are worth: the kernels with one comparison turned, one at a time, are all found out.

`<` becomes `<=`, `>` becomes `>=`, `min` becomes `max`, each the other way round too, and `+ 1` goes: a row enters one
microsecond after it happened, which is how rows at the very instant of a query stay unseen. Each mutant answers what
the oracle answered.
Run as a program, in a process where nothing is compiled, it prints which mutants were found out.
"""

from __future__ import annotations

import ast
import copy
import inspect
import json
import os
import resource
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
import pytest

from features.engine import compute
from features.kernels import aggregates, answers, conditions, presence, sights
from features.lineage import Catalogue
from tests.features.aggregates import CATALOGUES, history
from tests.features.memory import Memory
from tests.features.oracle import Rows, same, values
from tests.features.worlds import chance, spine

ROOT = Path(__file__).parents[2]
KERNELS = (sights, aggregates, presence, answers, conditions)
EQUIVALENT_TOO = "--equivalent-too"
CASES = 150
"""Histories for each aggregate."""
FEW = 9
"""Rows and queries that are worked out at once, so that even a short history takes several goes."""
SECONDS = 15
"""Of computing, after which a mutant is found out: it comes to no end."""

SEEN = ("_sights", "_stated", "_walk", "_merge_late", "totals")
"""The functions that decide what a query sees; those that read off what it sees, and `_swept`, whose comparisons only
save work, are drilled by `make drill`."""
ANSWERS: Mapping[str, tuple[str, ...]] = {
    "_sights": ("count", "mean"),
    "_walk": ("mean", "lookup and in_force"),
    "_merge_late": ("mean",),
    "sight": ("mean", "lookup and in_force"),
    "_stated": ("lookup and in_force",),
    "_swept": ("mean", "lookup and in_force"),
    "totals": ("count", "mean"),
    "_widest": ("distinct", "min", "max"),
    "distincts": ("distinct",),
    "newest": ("last", "time_since", "lookup and in_force"),
    "oldest": ("mean_gap",),
    "largest": ("min", "max"),
    "_rise": ("min", "max"),
    "_drop": ("min", "max"),
    "trends": ("trend",),
    "presence": ("days_present", "days_in_a_row"),
    "_stayed": ("days_present", "days_in_a_row"),
    "answered": ("count", "mean", "distinct", "lookup and in_force"),
    "taking_part": ("count", "mean", "share"),
    "restrict": ("count", "mean", "share"),
    "_mean_gap": ("mean_gap",),
    "_since": ("time_since",),
    "_value": ("mean", "min", "max"),
    "_take": ("last", "min", "max"),
}
"""Function → the aggregates that are computed with it."""

EQUIVALENT: Mapping[str, str] = {
    "_sights: latest <= width -> latest < width": "takes the longer way to the same order",
    "_sights: moment < newest -> moment <= newest": "puts in order what lies in order",
    "_merge_late: enter[i] <= enter[late[j]] -> enter[i] < enter[late[j]]": "both enter at one instant",
    "_swept: begin + 1 -> begin": "puts in order what lies in order",
    "_swept: moment[k] < moment[k - 1] -> moment[k] <= moment[k - 1]": "puts in order what lies in order",
    "newest: column[tied] > column[chosen] -> column[tied] >= column[chosen]": "of two alike either will do",
    "oldest: e + 1 -> e": "looking upwards from the first row of all finds the same row",
    "oldest: bottom <= top -> bottom < top": "asked only where two rows are seen, so the first is not the last",
    "oldest: bottom <= top -> bottom < top (2)": "asked only where two rows are seen, so the first is not the last",
    "_rise: column[heap[parent]] >= column[row] -> column[heap[parent]] > column[row]": "of two alike either will do",
    "_drop: column[heap[child + 1]] > column[heap[child]] -> column[heap[child + 1]] >= column[heap[child]]": (
        "of two alike either will do"
    ),
    "_drop: column[heap[child]] <= column[moving] -> column[heap[child]] < column[moving]": "it may go either way",
    **dict.fromkeys(
        (
            "_drop: 2 * hole + 1 < size -> 2 * hole + 1 <= size",
            "_drop: 2 * hole + 1 -> 2 * hole",
            "_drop: child + 1 < size -> child + 1 <= size",
            "_drop: child + 1 -> child",
        ),
        "behind the heap lies the row that moves, which does not move below itself",
    ),
    "trends: n > 1 -> n >= 1": "one row has no spread, which is asked as well",
    "presence: bottom <= top -> bottom < top": "a last row that is not seen is passed over later",
    "presence: k + 1 -> k": "a row happened and was known when it did itself",
    "_stayed: end > run_end -> end >= run_end": "adds the difference, which is none",
    "answered: len(at) < out.shape[1] -> len(at) <= out.shape[1]": "every place is written to afterwards",
    **dict.fromkeys(
        (
            "answered: first + 1 -> first",
            "answered: row_start[after] - row_start[first] + ask_start[after] - ask_start[first] < near -> "
            "row_start[after] - row_start[first] + ask_start[after] - ask_start[first] <= near",
        ),
        "as many or one more at once say the same",
    ),
    "restrict: 0 <= value < 64 -> 0 < value < 64": "takes the longer way to the same rows",
}
"""Mutants that answer as the kernels do, and why."""

TURNED: Mapping[type[ast.cmpop], type[ast.cmpop]] = {
    ast.Lt: ast.LtE,
    ast.LtE: ast.Lt,
    ast.Gt: ast.GtE,
    ast.GtE: ast.Gt,
}


class Mutant(NamedTuple):
    name: str
    function: str
    module: ModuleType
    source: str


def mutants(functions: Sequence[str]) -> Iterator[Mutant]:
    """The kernels with one comparison, `min` or `max` of one of the functions turned, or one `+ 1` taken away."""
    for module in KERNELS:
        tree = ast.parse(inspect.getsource(module))
        met: Counter[str] = Counter()
        for number, function in enumerate(tree.body):
            if not isinstance(function, ast.FunctionDef) or function.name not in functions:
                continue
            for place, node in enumerate(ast.walk(function)):
                for turned in _turned(node):
                    changed = copy.deepcopy(tree)
                    _put(list(ast.walk(changed.body[number]))[place], turned)
                    name = f"{function.name}: {ast.unparse(node)} -> {ast.unparse(turned)}"
                    met[name] += 1
                    again = f" ({met[name]})" if met[name] > 1 else ""
                    yield Mutant(name + again, function.name, module, ast.unparse(changed))


def _turned(node: ast.AST) -> Iterator[ast.expr]:
    match node:
        case ast.Compare():
            for k, operator in enumerate(node.ops):
                if type(operator) in TURNED:
                    turned = copy.deepcopy(node)
                    turned.ops[k] = TURNED[type(operator)]()
                    yield turned
        case ast.BinOp(op=ast.Add(), right=ast.Constant(value=1)):
            yield node.left
        case ast.Call(func=ast.Name(id="min" | "max" as name)):
            yield ast.Call(ast.Name("max" if name == "min" else "min"), node.args, [])


def _put(node: Any, other: ast.expr) -> None:
    """Make a node of a tree another one, in place."""
    node.__class__ = other.__class__
    node.__dict__ = dict(other.__dict__)


class Case(NamedTuple):
    events: pa.Table
    rows: Rows
    catalogue: Catalogue
    expected: list[dict[str, Any]]


def case(aggregate: str, seed: int) -> Case:
    """A history, the same each time, and what the oracle says of it."""
    choice = chance(seed)
    asked, rows = history(choice)
    events, declared = spine("crossing", asked), CATALOGUES[aggregate][choice.one(list(CATALOGUES[aggregate]))]
    return Case(events, rows, declared, [values(declared, row, rows, declared) for row in events.to_pylist()])


def right(case: Case) -> bool:
    found = compute(case.events, case.catalogue, Memory(case.rows, 1), catalogue=case.catalogue)
    expected = {name: [row[name] for row in case.expected] for name in case.catalogue}
    return all(all(map(same, found.column(name).to_pylist(), said)) for name, said in expected.items())


def as_compiled() -> None:
    """What differs where nothing is compiled: whole numbers of a module are 64 bits wide, and memory that nothing was
    written to holds nonsense."""
    for module in KERNELS:
        wide = {name: np.int64(held) for name, held in vars(module).items() if type(held) is int}
        vars(module).update(wide, np=SimpleNamespace(**{**vars(np), "empty": _nonsense}))


def _nonsense(shape: Any, kind: Any) -> Any:
    return np.full(shape, 1_000, kind)


def found_out(mutant: Mutant, prepared: Sequence[Case]) -> bool:
    """Whether a mutant, in a process of its own, answers a case wrongly, breaks down, or comes to no end."""
    child = os.fork()
    if child == 0:
        resource.setrlimit(resource.RLIMIT_CPU, (SECONDS, SECONDS))
        exec(compile(mutant.source, "mutant", "exec"), vars(mutant.module))  # noqa: S102 - it takes the kernel's place
        as_compiled()
        try:
            os._exit(0 if all(map(right, prepared)) else 1)
        except BaseException:  # noqa: BLE001 - whatever it is, it is noticed
            os._exit(1)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) != 0


def drill(functions: Sequence[str], *, equivalent_too: bool) -> None:
    """Print the name of each mutant and whether it was found out, one JSON list a line."""
    as_compiled()
    answers.NEAR = FEW
    wanted = dict.fromkeys(aggregate for function in functions for aggregate in ANSWERS[function])
    prepared = {aggregate: [case(aggregate, seed) for seed in range(CASES)] for aggregate in wanted}
    for aggregate, held in prepared.items():
        if not all(map(right, held)):
            raise AssertionError(f"What is not mutated answers {aggregate} wrongly.")
    for mutant in mutants(functions):
        if equivalent_too or mutant.name not in EQUIVALENT:
            held = [case for aggregate in ANSWERS[mutant.function] for case in prepared[aggregate]]
            print(json.dumps([mutant.name, found_out(mutant, held)]), flush=True)  # noqa: T201 - read by the test


def drilled(functions: Sequence[str], *options: str) -> Mapping[str, bool]:
    """Mutant → whether it was found out, by a process where nothing is compiled."""
    where = {**os.environ, "NUMBA_DISABLE_JIT": "1", "PYTHONPATH": str(ROOT)}
    command = [sys.executable, __file__, *options, *functions]
    told = subprocess.run(command, env=where, cwd=ROOT, capture_output=True, text=True, check=False)
    assert told.returncode == 0, told.stderr
    found: dict[str, bool] = dict(map(json.loads, told.stdout.splitlines()))
    assert {name.partition(":")[0] for name in found} == set(functions), "a function has gone, or compares nothing"
    return found


def test_every_turned_comparison_that_decides_what_is_seen_is_found_out() -> None:
    assert not [name for name, noticed in drilled(SEEN).items() if not noticed]


@pytest.mark.drill
@pytest.mark.skipif(os.environ.get("BASIRA_DRILL") != "full", reason="the full drill runs with BASIRA_DRILL=full")
def test_every_turned_comparison_is_found_out_but_those_that_change_nothing() -> None:
    found = drilled(list(ANSWERS), EQUIVALENT_TOO)
    assert {name for name, noticed in found.items() if not noticed} == set(EQUIVALENT)


if __name__ == "__main__":
    wanted = sys.argv[1:]
    with np.errstate(over="ignore"):  # fingerprints wrap around
        drill([w for w in wanted if w != EQUIVALENT_TOO], equivalent_too=EQUIVALENT_TOO in wanted)

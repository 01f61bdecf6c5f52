"""Explaining every row, beside LightGBM's own contributions, shap, fasttreeshap and woodelf, in one run.

    python benchmarks/explain.py [--short] [--peer-python PYTHON]

The model has the shape of the shipped one at its largest: five members of a hundred trees, grown with the shipped
parameters on invented rows with as many inputs of each kind as the model of secondary checks reads. As fasttreeshap and
woodelf cannot read categories, it is grown a second time on numbers alone, and the bars hold for the worse of the two.
PYTHON is an interpreter that has the peers, if this one has not: they are in the extra `bench`.

Prints JSON lines, the bars last. Rows a second are a second of the processor, on one thread each: peers are measured
one after the other, each in a process of its own, and the engine again beside each of them. Rows that a peer is too
slow for are left out, as its time grows with their number; those that prepare themselves per call get more, or all.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from features.catalogue import features
from models.risk.encoding import Matrix
from models.risk.learners import grow
from models.risk.profiles import plain
from models.risk.secondary_check import DECLARATION
from models.risk.training import PROFILE
from models.treeshap import TreeShap

HERE = Path(__file__).resolve().parent
EXACT = 1e-9
ROWS = {True: 10_000, False: 100_000}  # short, full
LEARNT_FROM = {True: 12_000, False: 60_000}
# Of these rows, how many a peer is given in short and in full.
PEERS = {
    "pred_contrib": (1_000, 10_000),
    "shap": (1_000, 10_000),
    "fasttreeshap v1": (1_000, 10_000),
    "fasttreeshap v2": (4_000, 20_000),
    "woodelf": (10_000, 100_000),
}
READ_CATEGORIES = ("pred_contrib", "shap")


def say(**told: Any) -> None:
    print(json.dumps({k: round(v, 4) if isinstance(v, float) and v > 1e-3 else v for k, v in told.items()}), flush=True)


def invented(rows: int, categories: bool) -> tuple[Matrix, np.ndarray]:
    """Rows with the inputs of the model of secondary checks, holes among them, and whether a check found something."""
    random = np.random.default_rng(7)
    known = features(DECLARATION.subject_kind)
    columns, kinds, effect = [], [], np.zeros(rows)
    for name in DECLARATION.inputs():
        kind = known[name].type
        if kind == "string" and categories:
            levels = int(random.integers(3, 20))
            column = random.integers(0, levels, rows).astype(np.float64)
            effect += random.normal(0.0, 0.7, levels)[column.astype(np.int64)]
        else:
            column = random.random(rows) < 0.3 if kind == "boolean" else np.round(random.exponential(3.0, rows), 2)
            column = np.where(random.random(rows) < 0.1, np.nan, column)
            effect += random.normal(0.0, 0.6) * np.tanh(np.nan_to_num(column) - 2)
        columns.append(column)
        kinds.append("category" if kind == "string" and categories else "number")
    for _ in range(30):
        one, other = random.choice(len(columns), 2, replace=False)
        effect += random.normal() * (np.nan_to_num(columns[one]) > 2) * (np.nan_to_num(columns[other]) > 2)
    found = random.random(rows) < 1 / (1 + np.exp(np.median(effect) + 2 - effect))
    return Matrix(np.column_stack(columns), DECLARATION.inputs(), tuple(kinds)), found.astype(np.float64)


def lay_out(folder: Path, short: bool, categories: bool) -> None:
    """The members of a model and the rows to explain, for every engine to read."""
    matrix, labels = invented(LEARNT_FROM[short] + ROWS[short], categories)
    learn = np.arange(len(labels)) < LEARNT_FROM[short]
    trees = grow(
        plain(PROFILE, "native splits and rates"),
        (matrix.rows(learn), labels[learn]),
        None,
        seeds=range(1, PROFILE.members + 1),
        rounds=PROFILE.rounds,
    )
    for n, booster in enumerate(trees.boosters):
        booster.save_model(folder / f"member-{n}.txt")
    np.save(folder / "rows.npy", matrix.rows(~learn).values)


def texts(folder: Path) -> list[str]:
    return [path.read_text(encoding="utf-8") for path in sorted(folder.glob("member-*.txt"))]


def took(work: Callable[[], Any]) -> tuple[float, float]:
    """Seconds by the clock and of the processor."""
    started, spent = time.perf_counter(), time.process_time()
    work()
    return time.perf_counter() - started, time.process_time() - spent


def peer(name: str, python: str, folder: Path, rows: int, threads: int) -> dict[str, Any]:
    variables = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS")
    done = subprocess.run(
        [python, str(HERE / "explaining" / "peers.py"), name, str(folder), str(rows), str(threads)],
        env=os.environ | dict.fromkeys(variables, str(threads)),
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        return {"failed": (done.stderr.strip().splitlines() or ["no word"])[-1]}
    told: dict[str, Any] = json.loads(done.stdout)
    return told


def compared(folder: Path, model: str, python: str, names: list[str], short: bool) -> dict[str, float]:
    """How many times as many rows a second as each peer; peers that failed are left out. AssertionError if inexact."""
    explainer, rows = TreeShap.of(texts(folder)), np.load(folder / "rows.npy")
    ours = explainer.values(rows[:5000])
    speeds, ratios = [], {}
    for name in names:
        mine = len(rows) / took(lambda: explainer.values(rows, threads=1))[1]
        speeds.append(mine)
        given = PEERS[name][0 if short else 1]
        told = peer(name, python if name not in READ_CATEGORIES else sys.executable, folder, given, threads=1)
        if "failed" not in told:
            theirs = np.load(folder / f"{name}.npy")[: len(ours)]
            told |= {"rows_per_second": given / told["cpu_seconds"]}
            told |= {"differs_from_ours": float(np.abs(theirs - ours[: len(theirs)]).max())}
            ratios[name] = mine / told["rows_per_second"]
        say(model=model, engine=name, rows=given, **told)
    say(model=model, engine="basira", rows=len(rows), rows_per_second=median(speeds))
    native = np.load(folder / "pred_contrib.npy")[: len(ours)]
    assert np.abs(native - ours[: len(native)]).max() <= EXACT, "not exact"
    if not short:
        clock = took(lambda: explainer.values(rows, threads=2))[0]
        told = peer("pred_contrib", python, folder, PEERS["pred_contrib"][1], threads=2)
        say(model=model, engine="basira", threads=2, rows_per_second_by_the_clock=len(rows) / clock)
        say(model=model, engine="pred_contrib", threads=2, rows_per_second_by_the_clock=10_000 / told["seconds"])
    return ratios


def one_row(folder: Path, model: str) -> float:
    """Milliseconds for one row: the median over a thousand different rows, each explained by itself."""
    import lightgbm

    explainer, rows = TreeShap.of(texts(folder)), np.load(folder / "rows.npy")[:1000]
    explainer.values(rows[:1])
    mine = median(took(lambda n=n: explainer.values(rows[n : n + 1]))[0] for n in range(len(rows)))
    members = [lightgbm.Booster(model_str=text) for text in texts(folder)]

    def native(n: int) -> None:
        for member in members:
            member.predict(rows[n : n + 1], pred_contrib=True, num_threads=1)

    theirs = median(took(lambda n=n: native(n))[0] for n in range(50))
    pairs = median(took(lambda n=n: explainer.interactions(rows[n]))[0] for n in range(50))
    say(model=model, what="one row", ms=mine * 1e3, pred_contrib_ms=theirs * 1e3, interactions_ms=pairs * 1e3)
    return mine * 1e3


def memory(folder: Path) -> None:
    """In a process of its own: prepare the model, explain all rows, and say what that took over rows and answer."""
    given, rows = texts(folder), np.load(folder / "rows.npy")
    before = resident("VmRSS")
    start = time.perf_counter()
    explainer = TreeShap.of(given)
    prepared = time.perf_counter() - start
    explainer.values(rows[:1])
    first = time.perf_counter() - start
    answer = explainer.values(rows, threads=2)
    taken = resident("VmHWM") - before - answer.nbytes / 1e6
    print(json.dumps({"prepared_seconds": prepared, "first_row_seconds": first, "memory_mb": taken}))


def resident(which: str) -> float:
    """Megabytes of this process, now (VmRSS) or at most so far (VmHWM)."""
    lines = dict(line.split(":", 1) for line in Path("/proc/self/status").read_text().splitlines())
    return int(lines[which].split()[0]) / 1e3


def in_a_process(folder: Path, **variables: str) -> dict[str, float]:
    command = [sys.executable, __file__, "--memory", str(folder)]
    done = subprocess.run(command, env=os.environ | variables, stdout=subprocess.PIPE, text=True, check=True)
    told: dict[str, float] = json.loads(done.stdout)
    return told


BARS: dict[str, tuple[str, Callable[[float], bool]]] = {
    "over_pred_contrib": (">= 25", lambda value: value >= 25),
    "over_fastest_peer": (">= 4", lambda value: value >= 4),
    "one_row_ms": ("<= 0.3", lambda value: value <= 0.3),
    "preparing_seconds": ("<= 2", lambda value: value <= 2),
    "memory_mb": ("<= 200", lambda value: value <= 200),
}


def measured(model: str, categories: bool, python: str, short: bool) -> dict[str, float]:
    """The values of the bars for one model; that over the fastest peer is left out if a peer could not run."""
    names = list(READ_CATEGORIES if categories else PEERS)
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made)
        lay_out(folder, short, categories)
        with tempfile.TemporaryDirectory() as empty:
            anew = in_a_process(folder, NUMBA_CACHE_DIR=empty)
        again = in_a_process(folder)
        say(model=model, what="preparing", **again, first_row_seconds_with_compiling=anew["first_row_seconds"])
        ratios = compared(folder, model, python, names, short)
        found = {
            "over_pred_contrib": ratios["pred_contrib"],
            "one_row_ms": one_row(folder, model),
            "preparing_seconds": again["prepared_seconds"],
            "memory_mb": again["memory_mb"],
        }
    if set(ratios) == set(names):
        found["over_fastest_peer"] = min(ratios.values())
    return found


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--short", action="store_true", help="fewer rows, under three minutes")
    parser.add_argument("--peer-python", default=sys.executable, help="interpreter with the peers; default: this one")
    parser.add_argument("--memory", type=Path, help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.memory:
        memory(asked.memory)
        return 0
    both = [
        measured(model, categories, asked.peer_python, asked.short)
        for model, categories in (("shipped", True), ("numbers alone", False))
    ]
    missed = False
    for name, (must, is_met) in BARS.items():
        if any(name not in found for found in both):
            print("A peer is lacking; name an interpreter that has them all with --peer-python.", file=sys.stderr)
            missed = True
            continue
        worst = (min if must.startswith(">") else max)(found[name] for found in both)
        say(bar=f"explanations_{name}", value=worst, must=must, met=is_met(worst))
        missed |= not is_met(worst)
    return int(missed)


if __name__ == "__main__":
    sys.exit(main())

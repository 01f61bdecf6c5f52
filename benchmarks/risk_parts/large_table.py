"""A million rows of ninety features: five folds of the shipped profile, and scoring, in time and memory.

The table is made: sixty numbers, thirty categories of up to a hundred levels, a tenth of the rows positive. What is
measured is what a comparison does on each fold: choose how to grow, grow, calibrate and score the test rows. It happens
in a process of its own, whose peak of memory is its own. What the test rows say of the scores stands beside, so that
nothing is bought with them.
"""

import resource
import time
from collections.abc import Iterator
from typing import Any

import numpy as np

from benchmarks.risk_parts.bars import bar
from evidence.metrics import pr_auc
from models.risk.calibration import choose
from models.risk.contestants import trees
from models.risk.encoding import Matrix
from models.risk.folds import folds
from models.risk.profiles import PROFILES
from pipelines.apart import apart

ROWS, NUMBERS, CATEGORIES = 1_000_000, 60, 30
MOST_GB = 6.0


def table(rows: int, seed: int = 0) -> tuple[Matrix, np.ndarray, np.ndarray]:
    """Matrix, labels and times (n,) of a made table."""
    random = np.random.default_rng(seed)
    values = np.empty((rows, NUMBERS + CATEGORIES))
    risk = np.full(rows, -3.4)
    for column in range(NUMBERS):
        value = random.normal(0, 1, rows)
        risk += (0.5 / (1 + column)) * np.where(value > 0, value, 0.0)
        value[random.random(rows) < 0.05] = np.nan
        values[:, column] = value
    for column in range(CATEGORIES):
        level = random.integers(0, 10 + 3 * column, rows)
        risk += random.normal(0, 0.8 / (1 + column), 10 + 3 * column)[level]
        values[:, NUMBERS + column] = level + 2
    labels = (random.random(rows) < 1 / (1 + np.exp(-risk))).astype(float)
    names = tuple(f"n{i}" for i in range(NUMBERS)) + tuple(f"c{i}" for i in range(CATEGORIES))
    kinds = ("number",) * NUMBERS + ("category",) * CATEGORIES
    when = np.datetime64("2020-01-01", "us") + np.arange(rows) * np.timedelta64(60, "s")
    return Matrix(values, names, kinds), labels, when


def measured(rows: int) -> dict[str, Any]:
    matrix, labels, when = table(rows)
    started, spent = time.perf_counter(), time.process_time()
    shipped, first, reached = trees(PROFILES["shipped"]), None, []
    for fold in folds(when, count=5):
        learn, stop = ((matrix.rows(part), labels[part]) for part in (fold.train, fold.valid))
        learnt = first.later(learn, stop) if first and first.later else shipped.learn(learn, stop, lambda _: None)
        first = first or learnt
        choose(learnt.raw(stop[0]), stop[1])
        reached.append(pr_auc(labels[fold.test], learnt.raw(matrix.rows(fold.test))) or 0.0)
    told = {"minutes": (time.perf_counter() - started) / 60, "cpu_minutes": (time.process_time() - spent) / 60}
    shown = matrix.rows(slice(0, min(rows, 200_000)))
    started, spent = time.perf_counter(), time.process_time()
    learnt.raw(shown)
    told |= {
        "rows_per_second": len(shown.values) / (time.perf_counter() - started),
        "rows_per_cpu_second": len(shown.values) / (time.process_time() - spent),
        "peak_gb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6,
    }
    return {"rows": rows, "chosen": learnt.said[0], "pr_auc": float(np.mean(reached)), **told}


def lines(*, short: bool) -> Iterator[dict[str, Any]]:
    told = apart(measured, ROWS // 20 if short else ROWS)
    yield {**told, "most_gb": MOST_GB}
    if not short:
        yield bar("risk_million_rows_minutes", told["minutes"] if told["peak_gb"] <= MOST_GB else None)
    yield bar("risk_scoring_rows_per_second", told["rows_per_second"])

"""Whether what comes in still looks like what a model learnt from: histograms, and distances judged by sample size.

A histogram is counts alone: of a number by tenths of the training rows, of a word by name where several rows had it,
and of what is missing or has no name. Two distances compare it with new rows: the population stability index and the
Jensen-Shannon divergence. Either is above zero by chance alone, the more so the fewer the rows, so the limit of each is
what chance reaches with as many rows on either side, drawn by Monte Carlo.

Inputs shift with every season, so a shift is a fact to look at and never an alarm; the alarm is `evidence.sequential`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from scipy.stats import chi2

TENTHS: Final = tuple(n / 10 for n in range(1, 10))
NAMED: Final = 5  # rows with a word, for it to be named; no edge of a number is one row's exact value
DRAWS: Final = 2_000
LARGE: Final = 0.25  # of the population stability index: half of the rows look different
_DIGITS: Final = 4


@dataclass(frozen=True)
class Histogram:
    """Counts by bin, then of values without a name (never of numbers), then of missing ones.

    A number lies in the bin of as many `edges` as it reaches; a word or truth value in that of its name in `levels`.
    """

    edges: tuple[float, ...]
    levels: tuple[str, ...] | None
    counts: tuple[int, ...]

    @classmethod
    def of(cls, column: pa.ChunkedArray) -> Histogram:
        """The histogram of a training column: numbers, truth values or words."""
        edges: tuple[float, ...] = ()
        levels = None
        if _named(column.type):
            counted = pc.value_counts(pc.cast(column.drop_null(), pa.string())).to_pylist()
            levels = tuple(sorted(str(c["values"]) for c in counted if c["counts"] >= NAMED))
        else:
            values = _numbers(column)
            known = values[~np.isnan(values)]
            tenths = np.quantile(known, TENTHS, method="inverted_cdf") if len(known) else ()
            edges = tuple(sorted({float(f"{tenth:.{_DIGITS}g}") for tenth in tenths}))
        empty = cls(edges, levels, ())
        return cls(edges, levels, tuple(int(n) for n in empty.count(column)))

    def count(self, column: pa.ChunkedArray) -> np.ndarray:
        """How many rows of a column lie in each bin: (bins + 2,)."""
        if self.levels is not None:
            named = pc.index_in(pc.cast(column, pa.string()), value_set=pa.array(self.levels, pa.string()))
            at = np.asarray(pc.fill_null(named, len(self.levels)).to_numpy(), dtype=np.int64)
            at = np.where(np.asarray(pc.is_null(column).to_numpy(), dtype=bool), len(self.levels) + 1, at)
            return np.bincount(at, minlength=len(self.levels) + 2)
        values, bins = _numbers(column), len(self.edges) + 1
        at = np.where(np.isnan(values), bins + 1, np.searchsorted(self.edges, values, side="right"))
        return np.bincount(at, minlength=bins + 2)

    def as_json(self) -> dict[str, Any]:
        levels = None if self.levels is None else list(self.levels)
        return {"edges": list(self.edges), "levels": levels, "counts": list(self.counts)}

    @classmethod
    def from_json(cls, written: Mapping[str, Any]) -> Histogram:
        levels = written["levels"]
        return cls(tuple(written["edges"]), None if levels is None else tuple(levels), tuple(written["counts"]))


@dataclass(frozen=True)
class Shift:
    """How far new rows are from the reference, with what chance reaches, and the rates of missing and nameless values.

    `beyond` where a distance is beyond chance; `large` where the population stability index is large besides.
    """

    rows: int
    psi: float
    psi_limit: float
    js: float
    js_limit: float
    missing: float
    missing_before: float
    unseen: float
    unseen_before: float

    @property
    def beyond(self) -> bool:
        return self.psi > self.psi_limit or self.js > self.js_limit

    @property
    def large(self) -> bool:
        return self.beyond and self.psi >= LARGE


def shift(before: Histogram, column: pa.ChunkedArray, *, error: float, seed: int = 1) -> Shift | None:
    """Compare new rows with a reference; None without rows on either side. `error` is the chance of a shift that is
    none: share it among the inputs that are looked at together."""
    then, now = np.asarray(before.counts), before.count(column)
    if not then.sum() or not now.sum():
        return None
    psi_limit, js_limit = limits(then, now, error=error, seed=seed)
    return Shift(
        int(now.sum()),
        psi(then, now),
        psi_limit,
        js(then, now),
        js_limit,
        float(now[-1] / now.sum()),
        float(then[-1] / then.sum()),
        float(now[-2] / now.sum()),
        float(then[-2] / then.sum()),
    )


def psi(then: np.ndarray, now: np.ndarray) -> float:
    """Population stability index of two counts by bin (..., b): 0 where they are alike. Half a row is added to each
    bin that either side knows, so that one without rows does not make it infinite."""
    p, q = _shares(then, now, 0.5)
    return float(_psi(p, q))


def js(then: np.ndarray, now: np.ndarray) -> float:
    """Jensen-Shannon divergence in bits: 0 where two counts by bin are alike, 1 where they share no bin."""
    p, q = _shares(then, now, 0.0)
    return float(_js(p, q))


def limits(then: np.ndarray, now: np.ndarray, *, error: float, seed: int = 1) -> tuple[float, float]:
    """What psi and js reach by chance in a share `error` of cases, with as many rows on either side.

    Both sides are drawn from what they say together. The far end of DRAWS draws is that of a chi-squared of their mean
    and variance, which both distances follow as rows grow.
    """
    pooled = (then + now)[(then + now) > 0].astype(np.float64)
    if len(pooled) < 2:
        return 0.0, 0.0
    random = np.random.default_rng(seed)
    drawn = [random.multinomial(int(side.sum()), pooled / pooled.sum(), size=DRAWS) for side in (then, now)]
    smooth = [(side + 0.5) / (side + 0.5).sum(axis=1, keepdims=True) for side in drawn]
    plain = [side / side.sum(axis=1, keepdims=True) for side in drawn]
    return _far(_psi(*smooth), error), _far(_js(*plain), error)


def _far(values: np.ndarray, error: float) -> float:
    mean, variance = float(values.mean()), float(values.var())
    if mean <= 0 or variance <= 0:
        return 0.0
    return float(variance / (2 * mean) * chi2.isf(error, 2 * mean**2 / variance))


def _shares(then: np.ndarray, now: np.ndarray, added: float) -> tuple[np.ndarray, np.ndarray]:
    some = (then + now) > 0
    p, q = then[some] + added, now[some] + added
    return p / p.sum(), q / q.sum()


def _psi(p: np.ndarray, q: np.ndarray) -> np.ndarray:
    return np.asarray(np.sum((p - q) * np.log(p / q), axis=-1))


def _js(p: np.ndarray, q: np.ndarray) -> np.ndarray:
    middle = np.where(p + q > 0, (p + q) / 2, 1.0)

    def apart(side: np.ndarray) -> np.ndarray:
        return np.asarray(np.sum(side * np.log2(np.where(side > 0, side / middle, 1.0)), axis=-1))

    return np.asarray((apart(p) + apart(q)) / 2)


def _named(kind: pa.DataType) -> bool:
    return bool(pa.types.is_boolean(kind) or pa.types.is_string(kind) or pa.types.is_large_string(kind))


def _numbers(column: pa.ChunkedArray) -> np.ndarray:
    return np.asarray(pc.cast(column, pa.float64()).to_numpy(zero_copy_only=False), dtype=np.float64)

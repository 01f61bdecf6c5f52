"""What is counted of each group: rates with intervals, and every gap to everyone else.

A group below the cell threshold stays in its table, as "insufficient evidence, n = …, detectable gap = …", and shows no
figure; where a single small group of a crossing could be worked out from what stands around it, its smallest neighbour
shows none either.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from scipy.special import ndtri

from evidence import gaps
from evidence.gaps import Gap, Primary
from evidence.intervals import UNDEFINED, Z95, Interval, wilson

CELL = 100  # rows of a group below which nothing about it is shown
POSITIVES = 20  # rows that a rate is about, below which it would tell single findings
FEW = 10  # rows below which even their number is not told
UNKNOWN = "unknown"
TIMES = " × "  # between the attributes, and the groups, of a crossing
LONG = 0.9  # a wait is long that is longer than this share of all waits


@dataclass(frozen=True)
class GroupRow:
    """One group. Shares are undefined where there is too little evidence; of a group that is not `shown` all are, and
    `note` says so. `rows` is 0 where there are fewer than FEW. `detectable` is the gap in the selection rate to all
    others that would have been found four times in five."""

    group: str
    rows: int
    shown: bool = True
    detectable: float | None = None
    base_rate: Interval = UNDEFINED
    selection_rate: Interval = UNDEFINED
    confirmation_rate: Interval = UNDEFINED
    missed_risk_rate: Interval = UNDEFINED
    false_positive_rate: Interval = UNDEFINED
    long_wait_rate: Interval = UNDEFINED
    minutes: Interval = UNDEFINED  # mean wait
    calibration_gap: Interval = UNDEFINED  # mean probability minus observed share
    effective_rows: float = 0.0

    @property
    def note(self) -> str | None:
        if self.shown:
            return None
        few = f"n = {self.rows:,}" if self.rows else f"n < {FEW}"
        gap = "none" if self.detectable is None else f"{100 * self.detectable:.0f} points"
        return f"insufficient evidence, {few}, detectable gap = {gap}"

    @property
    def true_positive_rate(self) -> Interval:
        """What is not missed."""
        missed = self.missed_risk_rate
        if missed.value is None or missed.low is None or missed.high is None:
            return UNDEFINED
        return Interval(1 - missed.value, 1 - missed.high, 1 - missed.low)


@dataclass(frozen=True)
class GroupTable:
    """All groups of one attribute, or of two that are crossed, at one capacity."""

    attribute: str
    capacity: float
    rows: tuple[GroupRow, ...]
    view: str = ""

    @property
    def shown(self) -> tuple[GroupRow, ...]:
        """Groups with figures whose attribute is known."""
        return tuple(r for r in self.rows if r.shown and not _unknown(r.group))

    @property
    def selection_ratio(self) -> Interval:
        """Lowest over highest selection rate of the shown groups, with a log-normal interval that holds for every pair
        of them, since the extreme one was looked for."""
        ordered = sorted(
            (r for r in self.shown if r.selection_rate.value), key=lambda row: row.selection_rate.value or 0.0
        )
        if len(ordered) < 2:
            return Interval(None)
        low, high = ordered[0], ordered[-1]
        a, b = low.selection_rate.value or 0.0, high.selection_rate.value or 0.0
        wide = ndtri(1 - gaps.ALPHA / (len(ordered) * (len(ordered) - 1)))
        spread = wide * np.sqrt((1 - a) / (a * low.effective_rows) + (1 - b) / (b * high.effective_rows))
        return Interval(a / b, float(a / b * np.exp(-spread)), float(a / b * np.exp(spread)))


@dataclass(frozen=True)
class Outcomes:
    """What became of n rows, each (n,): `labels` 0, 1 or NaN where unknown; `chosen` 0, 1 or the part of a row among
    equals that was selected; `probabilities` promised, or NaN; `weights`, how many rows each stands for (one, if left
    out); `minutes` of waiting, or NaN."""

    labels: np.ndarray
    chosen: np.ndarray
    probabilities: np.ndarray
    weights: np.ndarray | None = None
    minutes: np.ndarray | None = None
    rates: tuple[str, ...] | None = None  # those that mean something of these rows; all, if left out


# Rate: of which rows, and what counts among them. Every one is a share, so that all are counted and tested alike.
RATES: Mapping[str, Callable[[Outcomes], tuple[np.ndarray, np.ndarray]]] = {
    "selection": lambda o: (np.ones(len(o.labels)), o.chosen),
    "confirmation": lambda o: (o.chosen * ~np.isnan(o.labels), o.labels),
    "missed_risk": lambda o: (o.labels == 1, 1 - o.chosen),
    "false_positive": lambda o: (o.labels == 0, o.chosen),
    "long_wait": lambda o: _long_waits(o.minutes if o.minutes is not None else np.full(len(o.labels), np.nan)),
    "calibration": lambda o: (~np.isnan(o.labels) & ~np.isnan(o.probabilities), o.labels),
}


def _long_waits(minutes: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    waited = ~np.isnan(minutes)
    if not waited.any():
        return waited, minutes
    return waited, minutes > np.quantile(minutes[waited], LONG)


def _unknown(group: str) -> bool:
    return UNKNOWN in (part.lower() for part in group.split(TIMES))


def coded(groups: pa.Array | pa.ChunkedArray) -> tuple[tuple[str, ...], np.ndarray]:
    """Names of the groups in alphabetical order, and the place of each row's (n,) among them."""
    named = pc.fill_null(pc.cast(groups, pa.string()), UNKNOWN)
    names = sorted(pc.unique(named).to_pylist())
    codes = pc.index_in(named, value_set=pa.array(names, pa.string()))
    return tuple(names), np.asarray(codes.to_numpy(zero_copy_only=False), dtype=np.int64)


@dataclass(frozen=True)
class _Counts:
    """Of one rate, per group (g,): rows it is about, their weight and its squares, and the weight of what counts."""

    rows: np.ndarray
    weight: np.ndarray
    squares: np.ndarray
    positive: np.ndarray

    @cached_property
    def trials(self) -> np.ndarray:
        """As many equally weighted rows know as much."""
        return np.asarray(np.divide(self.weight**2, self.squares, out=np.zeros(len(self.rows)), where=self.squares > 0))

    @cached_property
    def share(self) -> np.ndarray:
        return np.asarray(np.divide(self.positive, self.weight, out=np.zeros(len(self.rows)), where=self.weight > 0))

    @cached_property
    def others(self) -> _Counts:
        """The same of everyone outside each group."""
        return _Counts(*(part.sum() - part for part in (self.rows, self.weight, self.squares, self.positive)))

    def interval(self, group: int) -> Interval:
        trials = float(self.trials[group])
        return wilson(float(self.share[group]) * trials, trials)

    @cached_property
    def enough(self) -> np.ndarray:
        return np.asarray((self.rows >= POSITIVES) & (self.trials >= 1))


@dataclass(frozen=True)
class Cells:
    """The groups of one attribute, or of a crossing, counted once for their table and their gaps."""

    view: str
    attribute: str
    names: tuple[str, ...]
    rows: np.ndarray  # (g,)
    hidden: np.ndarray  # (g,) shows no figure
    counts: Mapping[str, _Counts]
    promised: np.ndarray  # (g,) mean probability of the rows whose label is known
    minutes: tuple[Interval, ...]

    @classmethod
    def of(
        cls,
        view: str,
        attribute: str,
        parts: Sequence[tuple[tuple[str, ...], np.ndarray]],
        outcomes: Outcomes,
        cell: int,
    ) -> Cells:
        shape = tuple(len(names) for names, _ in parts)
        code = np.ravel_multi_index([codes for _, codes in parts], shape)
        size = int(np.prod(shape))
        rows = np.bincount(code, minlength=size)
        hidden = _hidden(rows.reshape(shape), cell).ravel()
        there = np.flatnonzero(rows)
        weights = np.ones(len(code)) if outcomes.weights is None else np.nan_to_num(outcomes.weights)

        def summed(values: np.ndarray) -> np.ndarray:
            return np.bincount(code, weights=values, minlength=size)[there]

        counts = {}
        for rate, of in RATES.items():
            among, what = of(outcomes)
            weight = weights * among * (outcomes.rates is None or rate in outcomes.rates)
            inside = weight > 0
            counts[rate] = _Counts(
                summed(inside), summed(weight), summed(weight**2), summed(np.where(inside, weight * what, 0.0))
            )
        known = RATES["calibration"](outcomes)[0] * weights
        promised = summed(np.where(known > 0, known * outcomes.probabilities, 0.0))
        places = zip(*np.unravel_index(there, shape), strict=True)
        names = [TIMES.join(part[i] for (part, _), i in zip(parts, at, strict=True)) for at in places]
        return cls(
            view,
            attribute,
            tuple(names),
            rows[there],
            hidden[there],
            counts,
            promised / np.maximum(counts["calibration"].weight, 1e-12),
            _means(summed, len(code), outcomes.minutes),
        )

    def table(self, capacity: float, alpha: float = gaps.ALPHA) -> GroupTable:
        return GroupTable(
            self.attribute, capacity, tuple(self._row(n, alpha) for n in range(len(self.names))), self.view
        )

    def _row(self, n: int, alpha: float) -> GroupRow:
        rows = int(self.rows[n])
        others = float(self.counts["selection"].others.trials[n])
        row = GroupRow(self.names[n], _told_of(rows), detectable=self._detectable("selection", n, others, alpha))
        if self.hidden[n]:
            return replace(row, shown=False)
        shares = {rate: c.interval(n) if c.enough[n] else UNDEFINED for rate, c in self.counts.items()}
        return replace(
            row,
            base_rate=shares["calibration"],
            selection_rate=shares["selection"],
            confirmation_rate=shares["confirmation"],
            missed_risk_rate=shares["missed_risk"],
            false_positive_rate=shares["false_positive"],
            long_wait_rate=shares["long_wait"],
            minutes=self.minutes[n] if shares["long_wait"].value is not None else UNDEFINED,
            calibration_gap=_below(float(self.promised[n]), shares["calibration"]),
            effective_rows=float(self.counts["selection"].trials[n]),
        )

    def holds(self, primary: Primary) -> bool:
        """Whether the primary gap is one of these."""
        return (self.view, self.attribute) == (primary.view, primary.attribute) and primary.group in self.names

    def primary(self, primary: Primary) -> Gap:
        counts, n = self.counts[primary.rate], self.names.index(primary.group)
        against, m = counts.others, n
        if primary.against is not None:
            if primary.against not in self.names:
                return replace(self._gap(primary.rate, n, 0.0, gaps.ALPHA), primary=True)
            against, m = counts, self.names.index(primary.against)
        gap = replace(self._gap(primary.rate, n, float(against.trials[m]), gaps.ALPHA), primary=True)
        if self.hidden[[n, m]].any() or not (counts.enough[n] and against.enough[m]):
            return gap
        chance = gaps.alone(counts.share[n], counts.trials[n], against.share[m], against.trials[m])
        return replace(gap, gap=gaps.difference(counts.interval(n), against.interval(m)), chance=chance)

    def looks(self, primary: Primary | None) -> int:
        """How many secondary gaps are tested here."""
        return sum(int(self._tested(rate, primary).sum()) for rate in self.counts)

    def gaps(self, primary: Primary | None, alpha: float) -> Iterator[Gap]:
        """Every secondary gap, with its own p-value where there is enough to test, and what could show at `alpha`."""
        for rate, counts in self.counts.items():
            tested, others = self._tested(rate, primary), counts.others
            if rate == "calibration":
                whole = counts.positive.sum() / max(float(np.sum(counts.weight * self.promised)), 1e-12)
                chances = gaps.kept(counts.share, counts.trials, self.promised * whole)
            else:
                chances = gaps.exact(counts.share, counts.trials, others.share, others.trials)
            for n in np.flatnonzero(self._asked(rate, primary)).tolist():
                gap = self._gap(rate, n, float(others.trials[n]), alpha)
                if tested[n]:
                    apart = (
                        _below(float(self.promised[n]), counts.interval(n))
                        if rate == "calibration"
                        else gaps.difference(counts.interval(n), others.interval(n))
                    )
                    gap = replace(gap, gap=apart, chance=float(chances[n]))
                yield gap

    def _asked(self, rate: str, primary: Primary | None) -> np.ndarray:
        """Groups (g,) whose gap of `rate` is looked at: no unknown one, of two mirrored ones the first, not the primary
        again, and of the hidden ones selection alone, since how many of a few were found would tell of persons."""
        asked = np.array([not _unknown(name) for name in self.names], dtype=bool)
        if len(self.names) == 2 and rate != "calibration":
            asked[1] = False
        if primary is not None and primary.rate == rate and self.holds(primary):
            asked[[self.names.index(primary.group)] if len(self.names) > 2 else slice(None)] = False
        about = self.counts[rate].rows.sum() > 0
        return np.asarray(asked & about & (~self.hidden | (rate == "selection")))

    def _tested(self, rate: str, primary: Primary | None) -> np.ndarray:
        counts = self.counts[rate]
        others = counts.enough if rate == "calibration" else counts.others.enough
        return np.asarray(self._asked(rate, primary) & ~self.hidden & counts.enough & others)

    def _gap(self, rate: str, n: int, against: float, alpha: float) -> Gap:
        """A gap that is named and not yet measured, to be held against so many rows."""
        rows, detectable = int(self.counts[rate].rows[n]), self._detectable(rate, n, against, alpha)
        return Gap(self.view, self.attribute, self.names[n], rate, _told_of(rows), detectable=detectable)

    def _detectable(self, rate: str, n: int, against: float, alpha: float) -> float | None:
        counts = self.counts[rate]
        share = float(counts.positive.sum()) / max(float(counts.weight.sum()), 1e-12)
        return gaps.detectable(float(counts.trials[n]), against, share, alpha=alpha)


def _told_of(rows: int) -> int:
    return rows if rows >= FEW else 0


def _hidden(rows: np.ndarray, cell: int) -> np.ndarray:
    """Which cells (a,) or (a, b) of a table show nothing: the small, and in each line of a crossing as many of the
    next smallest as it takes until the hidden ones together reach `cell`; else the line's sum would give one away."""
    hidden = rows < cell
    if rows.ndim == 1:
        return hidden
    while True:
        before = hidden.sum()
        for cells, out in (*zip(rows, hidden, strict=True), *zip(rows.T, hidden.T, strict=True)):
            while 0 < cells[out].sum() < cell and not out[cells > 0].all():
                out[np.argmin(np.where(out, np.iinfo(cells.dtype).max, cells))] = True
        if hidden.sum() == before:
            return hidden


def _below(promised: float, observed: Interval) -> Interval:
    """How far a promise lies above what was observed."""
    if observed.value is None or observed.low is None or observed.high is None:
        return UNDEFINED
    return Interval(promised - observed.value, promised - observed.high, promised - observed.low)


def _means(summed: Callable[[np.ndarray], np.ndarray], rows: int, minutes: np.ndarray | None) -> tuple[Interval, ...]:
    """Mean minutes of each group that `summed` sums by, over those whose wait is known."""
    waits = np.full(rows, np.nan) if minutes is None else minutes
    known = ~np.isnan(waits)
    count = np.maximum(summed(known.astype(np.float64)), 1.0)
    mean = summed(np.where(known, waits, 0.0)) / count
    variance = np.maximum(summed(np.where(known, waits**2, 0.0)) / count - mean**2, 0.0)
    half = Z95 * np.sqrt(variance / count)
    return tuple(Interval(float(m), float(m - h), float(m + h)) for m, h in zip(mean, half, strict=True))

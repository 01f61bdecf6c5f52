"""Champion, challengers and simple baselines on the very same folds, and whether what sets them apart is noise.

Each contestant learns on every fold anew, stops and calibrates on what follows, and orders the test rows, which come
last. Where there are ways to choose among, the earliest fold tries them all, and later ones, which hold its rows, the
best of them and the plain one. A figure is the mean over folds. Days are redrawn for intervals, the same days for
everybody, so that a difference between two has an interval of its own. Of the last fold it is also told how far flags
and reasons hold when the seed, the rows or the months of training change, and what learning and scoring cost.
"""

from __future__ import annotations

import time as clock
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from itertools import pairwise

import numpy as np
import pyarrow as pa

from evidence.cells import TIMES, Outcomes
from evidence.groups import GroupTable, View, group_table
from evidence.intervals import Interval, bootstrap, redrawn_days, wilson
from evidence.metrics import CAPACITIES, Metric, at_capacities, selected
from models.risk import holding
from models.risk.calibration import choose, log_odds, platt
from models.risk.comparison import Band, Comparison, Cost, Held, Standing, Told
from models.risk.contestants import Contestant, Fitted
from models.risk.encoding import Matrix
from models.risk.folds import Fold
from models.risk.proving import Audits

EDGES = (0.0, 0.05, 0.1, 0.2, 0.3, 0.5, 1.0)  # of the bands calibration is told by, where a model declares none
LEAST = 20  # rows of a fold below which a contestant is not judged on it
PLACES = "places"  # suffix of metrics at each place's own capacity

Say = Callable[[str], None]


@dataclass(frozen=True)
class Already:
    """Scores that are there without learning: `raw` (n,) orders the cases, NaN where it may not be judged (it has seen
    them, or says nothing); `chance` (n,) are its own probabilities, if it promises any."""

    name: str
    raw: np.ndarray
    chance: np.ndarray | None = None


@dataclass(frozen=True)
class Cases:
    """Cases with a known label, in time order, and how each fold may see them.

    `labels` (n,) 0 and 1, `time` (n,) datetime64[us]; `parts` gives the matrices of a fold's training, validation and
    test rows. `audit` are group columns (n,), `value` (n,) what a finding is worth, `places` (n,) where each case was,
    and `capacities` the share of cases that each place can look at. `subjects` (n,) are whom cases are about, where
    their groups are not at hand.
    """

    labels: np.ndarray
    time: np.ndarray
    folds: tuple[Fold, ...]
    parts: Callable[[Fold], tuple[Matrix, Matrix, Matrix]]
    audit: Mapping[str, pa.ChunkedArray] = field(default_factory=dict)
    value: np.ndarray | None = None
    places: np.ndarray | None = None
    capacities: Mapping[str, float] = field(default_factory=dict)
    subjects: pa.ChunkedArray | None = None


def compare(
    subject: str,
    cases: Cases,
    contestants: Sequence[Contestant],
    already: Sequence[Already] = (),
    *,
    capacity: float = 0.05,
    capacities: Sequence[float] = CAPACITIES,
    edges: Sequence[float] = EDGES,
    draws: int = 100,
    audits: Audits | None = None,
    say: Say = lambda _: None,
) -> Comparison:
    """Judge `contestants` (the first is the reference) and what is `already` scored on the folds of `cases`.

    `capacity` is the share of cases that flags, groups and words are about; `capacities` are those of the figures.
    `audits` joins groups to the subjects of `cases` and answers with tables, each under its contestant's name; it is
    asked once. Without it the groups are those at hand.
    """
    rows = np.concatenate([fold.test for fold in cases.folds])
    fold_of = np.repeat(np.arange(len(cases.folds)), [len(fold.test) for fold in cases.folds])
    scores = _Scores.none([c.name for c in contestants] + [a.name for a in already], len(rows))
    fitted: dict[str, list[Fitted]] = {c.name: [] for c in contestants}
    spent: dict[str, list[float]] = {c.name: [] for c in contestants}
    speed: dict[str, float] = {}
    held: dict[str, Held] = {}
    for number, fold in enumerate(cases.folds):
        matrices = cases.parts(fold)
        train, valid = ((m, cases.labels[r]) for m, r in zip(matrices, (fold.train, fold.valid), strict=False))
        inside = fold_of == number
        for each in contestants:
            say(f"fold {number + 1} of {len(cases.folds)}: {each.name}")
            started = clock.process_time()
            later = fitted[each.name][0].later if number else None
            learnt = each.learn(train, valid, lambda _: None) if later is None else later(train, valid)
            spent[each.name].append(clock.process_time() - started)
            started = clock.process_time()
            scores.raw[each.name][inside] = learnt.raw(matrices[2])
            speed[each.name] = inside.sum() / max(clock.process_time() - started, 1e-9)
            calibrator, _ = choose(learnt.raw(valid[0]), valid[1])
            scores.chance[each.name][inside] = calibrator(scores.raw[each.name][inside])
            fitted[each.name].append(learnt)
            if number == len(cases.folds) - 1:
                say(f"{each.name}: do flags and reasons hold")
                held[each.name] = holding.held(learnt, train, valid, matrices[2], cases.time[fold.train], capacity)
        for there in already:
            scores.raw[there.name][inside] = there.raw[fold.test]
            scores.chance[there.name][inside] = _promised(there, cases.labels, fold)
    if cases.value is not None:
        first = contestants[0].name
        name = f"{first}, by expected value"
        scores.raw[name] = np.log(np.maximum(scores.chance[first] * np.nan_to_num(cases.value[rows]), 1e-300))
        scores.chance[name] = np.full(len(rows), np.nan)
    judged = _Judged(cases, rows, fold_of, scores, redrawn_days(cases.time[rows].astype("datetime64[D]"), draws))
    say("judging")
    metrics = _metrics(cases, capacities)
    asked = ("pr_auc", f"precision_{capacity:.4g}", "log_loss", *(["value"] if cases.value is not None else []))
    reference = contestants[0].name
    seen = [name for name in scores.raw if judged.there(name).any()]
    if audits is None:
        groups = {name: judged.groups(name, capacity) for name in seen}
    else:
        groups = _audited(audits, [judged.view(name, capacity) for name in seen])
    nobody = tuple(replace(table, rows=()) for table in groups[reference])
    standings = [
        Standing(
            name,
            {key: judged.figure(metric, name) for key, metric in metrics.items()},
            {} if name == reference else judged.gains(_chosen(metrics, asked, capacity), name, reference),
            judged.slope(name),
            judged.bands(name, edges),
            groups.get(name, nobody),
            held.get(name),
            Cost(max(spent[name]), float(speed[name])) if name in spent else None,
            fitted[name][-1].said if name in fitted else (),
            len(np.unique(fold_of[judged.there(name)])),
        )
        for name in scores.raw
    ]
    told = tuple(
        Told(
            str(fold.moments[0].astype("datetime64[D]")),
            str(fold.moments[1].astype("datetime64[D]")),
            (len(fold.train), len(fold.valid), len(fold.test)),
            int(cases.labels[fold.test].sum()),
        )
        for fold in cases.folds
    )
    titles = {key: (metric.title, metric.better) for key, metric in metrics.items()}
    return Comparison(subject, capacity, titles, told, tuple(standings))


@dataclass(frozen=True)
class _Scores:
    raw: dict[str, np.ndarray]
    chance: dict[str, np.ndarray]

    @classmethod
    def none(cls, names: Sequence[str], size: int) -> _Scores:
        return cls({n: np.full(size, np.nan) for n in names}, {n: np.full(size, np.nan) for n in names})


@dataclass(frozen=True)
class _Look:
    """A metric of test rows: `formula` of row numbers of `judged` and the scores there."""

    title: str
    better: str
    reads: str
    formula: Callable[[np.ndarray, np.ndarray], float | None]


def _metrics(cases: Cases, capacities: Sequence[float]) -> dict[str, _Look]:
    """What is measured: the catalogue, at the capacities asked for, by value, and at each place's own capacity."""
    found = {m.name: _Look(m.title, m.better, m.reads, partial(_plain, cases, m)) for m in at_capacities(capacities)}
    if cases.value is not None:
        for share in capacities:
            title = f"Value found at {100 * share:.4g}%"
            found[f"value_{share:.4g}"] = _Look(title, "higher", "order", partial(_worth, cases, share))
    if cases.places is not None:
        for key, title, formula in (
            (f"precision_{PLACES}", "Precision at each place's capacity", _hit),
            (f"recall_{PLACES}", "Recall at each place's capacity", _got),
        ):
            found[key] = _Look(title, "higher", "order", partial(_at_places, cases, formula))
    return found


def _chosen(metrics: Mapping[str, _Look], asked: Sequence[str], capacity: float) -> dict[str, _Look]:
    named = [f"value_{capacity:.4g}" if name == "value" else name for name in asked]
    return {name: metrics[name] for name in named if name in metrics}


def _plain(cases: Cases, metric: Metric, rows: np.ndarray, scores: np.ndarray) -> float | None:
    return metric(cases.labels[rows], scores)


def _worth(cases: Cases, share: float, rows: np.ndarray, scores: np.ndarray) -> float | None:
    """Share of the value of all findings that lies in the rows selected."""
    worth = cases.labels[rows] * np.nan_to_num(np.asarray(cases.value)[rows])
    return float((worth * selected(scores, share)).sum() / worth.sum()) if worth.sum() > 0 else None


def _at_places(
    cases: Cases,
    formula: Callable[[np.ndarray, np.ndarray], float | None],
    rows: np.ndarray,
    scores: np.ndarray,
) -> float | None:
    return formula(cases.labels[rows], _by_place(cases, rows, scores))


def _hit(labels: np.ndarray, chosen: np.ndarray) -> float | None:
    return float((labels * chosen).sum() / chosen.sum()) if chosen.sum() > 0 else None


def _got(labels: np.ndarray, chosen: np.ndarray) -> float | None:
    return float((labels * chosen).sum() / labels.sum()) if labels.sum() > 0 else None


def _by_place(cases: Cases, rows: np.ndarray, scores: np.ndarray) -> np.ndarray:
    """What is selected when each place looks at its own share of its own cases; a place without a share at none."""
    chosen = np.zeros(len(rows))
    where = np.asarray(cases.places)[rows]
    for place in np.unique(where):
        here, share = where == place, cases.capacities.get(str(place), 0.0)
        if share * here.sum() >= 0.5:
            chosen[here] = selected(scores[here], share)
    return chosen


@dataclass(frozen=True)
class _Judged:
    """Test rows of all folds end to end: `rows` in `cases`, `fold_of` each, scores, and redrawn samples of them."""

    cases: Cases
    rows: np.ndarray
    fold_of: np.ndarray
    scores: _Scores
    draws: list[np.ndarray]

    def there(self, *names: str) -> np.ndarray:
        """Which rows everybody named may be judged on."""
        return np.asarray(np.all([~np.isnan(self.scores.raw[name]) for name in names], axis=0))

    def figure(self, metric: _Look, name: str) -> Interval:
        return bootstrap(self._mean(metric, name, self.there(name)), np.arange(len(self.rows)), self.draws)

    def gains(self, metrics: Mapping[str, _Look], name: str, reference: str) -> dict[str, Interval]:
        """Each metric of `name` minus that of `reference`; of one who promises nothing, metrics of order alone."""
        there = self.there(name, reference)
        silent = bool(np.isnan(self.scores.chance[name]).all())
        metrics = {key: metric for key, metric in metrics.items() if metric.reads == "order" or not silent}

        def gained(metric: _Look) -> Interval:
            mine, theirs = (self._mean(metric, who, there) for who in (name, reference))

            def apart(at: np.ndarray) -> float | None:
                a, b = mine(at), theirs(at)
                return None if a is None or b is None else a - b

            return bootstrap(apart, np.arange(len(self.rows)), self.draws)

        return {key: gained(metric) for key, metric in metrics.items()}

    def slope(self, name: str) -> Interval:
        """Slope of the outcome over the promised log-odds: 1 holds, below 1 promises too much at the ends."""
        known = np.flatnonzero(~np.isnan(self.scores.chance[name]))
        if not len(known):
            return Interval(None)
        promised = log_odds(np.clip(self.scores.chance[name], 1e-9, 1 - 1e-9))

        def fitted(at: np.ndarray) -> float | None:
            at = at[~np.isnan(promised[at])]
            labels = self.cases.labels[self.rows[at]]
            if not 0 < labels.sum() < len(labels):
                return None
            line = platt(promised[at], labels)
            return line.slope if line.kind == "platt" else 0.0  # a falling line

        return bootstrap(fitted, np.arange(len(self.rows)), self.draws)

    def bands(self, name: str, edges: Sequence[float]) -> tuple[Band, ...]:
        chance = self.scores.chance[name]
        found = []
        for least, below in pairwise(edges):
            inside = (chance >= least) & ((chance < below) | (below == 1))
            if inside.sum() >= LEAST:
                hits = float(self.cases.labels[self.rows[inside]].sum())
                share = wilson(hits, int(inside.sum()))
                found.append(Band(least, below, int(inside.sum()), float(chance[inside].mean()), share))
        return tuple(found)

    def groups(self, name: str, capacity: float) -> tuple[GroupTable, ...]:
        """Group tables of all folds together, by the columns at hand."""
        rows, rank, chance = self._ranked(name)
        return tuple(
            group_table(
                attribute,
                column.take(pa.array(rows)),
                labels=self.cases.labels[rows],
                scores=rank,
                probabilities=chance,
                capacity=capacity,
            )
            for attribute, column in self.cases.audit.items()
        )

    def view(self, name: str, capacity: float) -> View:
        """The same rows for somebody who joins groups to their subjects."""
        rows, rank, chance = self._ranked(name)
        assert self.cases.subjects is not None  # noqa: S101 - who asks for an audit names them
        subjects = self.cases.subjects.take(pa.array(rows)).combine_chunks()
        outcomes = Outcomes(self.cases.labels[rows], selected(rank, capacity), chance)
        return View(name, subjects, self.cases.time[rows], outcomes, capacity)

    def _ranked(self, name: str) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """The rows it is judged on, the rank of each in its own fold, whose scores alone compare, and its promise."""
        there = self.there(name)
        rank = np.full(len(self.rows), np.nan)
        for fold in np.unique(self.fold_of[there]):
            inside = there & (self.fold_of == fold)
            below = np.sort(self.scores.raw[name][inside])
            rank[inside] = np.searchsorted(below, self.scores.raw[name][inside], side="left") / inside.sum()
        return self.rows[there], rank[there], self.scores.chance[name][there]

    def _mean(self, metric: _Look, name: str, there: np.ndarray) -> Callable[[np.ndarray], float | None]:
        """Mean over folds of `metric`, of the rows `at` that are `there`."""
        of = (self.scores.raw if metric.reads == "order" else self.scores.chance)[name]
        usable = there & ~np.isnan(of)

        def mean(at: np.ndarray) -> float | None:
            at = at[usable[at]]
            found = []
            for fold in np.unique(self.fold_of[at]):
                inside = at[self.fold_of[at] == fold]
                if len(inside) >= LEAST:
                    found.append(metric.formula(self.rows[inside], of[inside]))
            known = [value for value in found if value is not None]
            return float(np.mean(known)) if known else None

        return mean


def _audited(audits: Audits, views: Sequence[View]) -> dict[str, tuple[GroupTable, ...]]:
    """By contestant, a table of each attribute, in the same order for everybody."""
    tables = [table for table in audits(views).tables if TIMES not in table.attribute]
    return {view.name: tuple(table for table in tables if table.view == view.name) for view in views}


def _promised(there: Already, labels: np.ndarray, fold: Fold) -> np.ndarray:
    """Probabilities of the test rows: its own, or a straight line fitted on validation rows."""
    if there.chance is not None:
        return np.asarray(there.chance[fold.test])
    raw = there.raw[fold.valid]
    known = ~np.isnan(raw)
    found = labels[fold.valid][known]
    if not 0 < found.sum() < len(found) or raw[known].std() == 0:
        return np.full(len(fold.test), np.nan)
    centre, spread = raw[known].mean(), raw[known].std()
    line = platt((raw[known] - centre) / spread, found)
    if line.kind != "platt":  # a falling line promises everybody the same
        return np.full(len(fold.test), found.mean())
    return np.asarray(line((there.raw[fold.test] - centre) / spread))

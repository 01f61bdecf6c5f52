"""A risk model on any table of outcomes, judged on later rows than it learnt from.

Training rows teach, validation rows stop and choose, and test rows are looked at once. Beside the model stand logistic
regression and the base rate, on the same rows.
"""

from __future__ import annotations

import time as clock
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet

from evidence.groups import GroupTable, group_table
from evidence.intervals import Interval
from evidence.metrics import CAPACITIES, Metric, at_capacities
from models.risk import leaks
from models.risk.calibration import choose, log_odds
from models.risk.encoding import TEST, TRAIN, VALID, Matrix, encode, is_number, is_text
from models.risk.examiners import Examined, Examiners, ahead, examined, looked, separate, worth
from models.risk.fallback import fallback
from models.risk.folds import check_cohorts
from models.risk.judging import BASE, FLOOR, MODEL, judge
from models.risk.learners import Logistic, logistic
from models.risk.profiles import PROFILES, Part, Profile, Search, fit
from models.risk.sources import SPLITS, Columns, Examples, Sources, load
from records.errors import BadInput

LEAST_ROWS, LEAST_POSITIVES = 200, 20  # of training; validation needs half
_REMEDY = (
    "Give --delay, the days until an outcome is known, or an earlier --valid-from; if the jump is real, name the label "
    "in --allow."
)


@dataclass(frozen=True)
class Options:
    """What a backtest needs to know besides its columns. `capacity` are shares of the test rows."""

    columns: Columns
    valid_from: datetime | None = None
    test_from: datetime | None = None
    capacity: tuple[float, ...] = CAPACITIES
    draws: int = 200
    profile: Profile = PROFILES["shipped"]
    delay: timedelta = timedelta(0)  # from a row's time until its outcome window closes


@dataclass(frozen=True)
class Looking:
    """Who looked at each row, what that adds to a finding, the logistic regression that was estimated beside it, and
    how many average findings each row's finding is worth."""

    who: np.ndarray
    examiners: Examiners
    floor: Logistic
    worth: np.ndarray


@dataclass(frozen=True)
class Prepared:
    """Checked examples, the matrix of all their rows, and what was left out or is worth a warning."""

    examples: Examples
    matrix: Matrix
    left_out: Mapping[str, str]
    warnings: tuple[str, ...]
    looking: Looking | None = None

    def part(self, split: int) -> Part:
        """The labelled rows of a split: matrix and labels."""
        rows = self.examples.part(split)
        return self.matrix.rows(rows), self.examples.labels[rows]


@dataclass(frozen=True)
class SplitCount:
    """What became of a split's rows."""

    split: str
    rows: int
    labelled: int
    positives: int


@dataclass(frozen=True)
class Report:
    """Everything a backtest has to say; `models.risk.report.text` renders it. Figures are of the test rows."""

    counts: tuple[SplitCount, ...]
    features: Mapping[str, int]  # kind to number of columns
    left_out: Mapping[str, str]  # column to why
    warnings: tuple[str, ...]
    tried: Mapping[str, float]  # candidate to validation log loss
    chosen: str
    calibrators: Mapping[str, str]
    calibration_losses: Mapping[str, float]  # of the model's candidates, cross-validated
    metrics: tuple[Metric, ...]
    figures: Mapping[str, Mapping[str, Interval]]  # model to metric name to figure; empty where the test has no label
    gain: Interval  # PR-AUC of the model minus that of logistic regression, redrawn together
    groups: tuple[GroupTable, ...]
    seconds: float
    examined: Examined | None = None
    fallback: str | None = None  # who scores places with few labelled rows of their own
    search: Search | None = field(default=None, repr=False)  # the trees themselves


def backtest(
    sources: Sources,
    options: Options,
    *,
    out: Path | None = None,
    progress: Callable[[str], None] = lambda _: None,
    now: datetime | None = None,
) -> Report:
    """Train, calibrate, score and judge. Writes `out` (row_id, split, raw, score per validation and test row).

    BadInput where the table cannot support it, with what to do.
    """
    started = clock.perf_counter()
    ready = prepare(sources, options, progress=progress, now=now)
    examples, matrix = ready.examples, ready.matrix
    valid, test = (examples.part(split) for split in (VALID, TEST))
    learn, stop = ready.part(TRAIN), ready.part(VALID)
    found = fit(learn, stop, options.profile, progress=progress)
    progress("fitting logistic regression")
    floor = logistic(learn) if ready.looking is None else ready.looking.floor
    scorer, chosen = found.trees.raw, found.chosen
    if stop[0].offset is not None and not ahead(scorer(stop[0]), floor.raw(stop[0]), stop[1], stop[0].offset):
        scorer, chosen = floor.raw, f"{FLOOR}, since trees ({chosen}) were not ahead of it by more than noise"
    base = float(learn[1].mean())
    raw = {
        MODEL: _scored(scorer, matrix, examples),
        FLOOR: _scored(floor.raw, matrix, examples),
        BASE: np.full(len(examples.split), log_odds(np.array(base))),
    }
    stands_in = None
    if options.columns.post is not None:
        places = np.asarray(pc.cast(examples.table.column(options.columns.post), pa.string()), dtype=object)
        stands_in = fallback(places, examples.part(TRAIN), valid, examples.labels, raw[MODEL], raw[FLOOR])
        if stands_in.used:
            raw[MODEL] = np.where(stands_in.thin, raw[FLOOR], raw[MODEL])
    calibrated, calibrators, losses = dict(raw), {}, {}
    for name, score in raw.items():
        calibrator, tried = choose(score[valid], examples.labels[valid])
        calibrated[name], calibrators[name] = calibrator(score), calibrator.kind
        losses[name] = tried
    if out is not None:
        _write(out, examples, raw[MODEL], calibrated[MODEL])
    progress("judging")
    figures, gain = judge(
        examples.labels[test],
        examples.time[test],
        {name: score[test] for name, score in raw.items()},
        {name: score[test] for name, score in calibrated.items()},
        metrics=at_capacities(options.capacity),
        draws=options.draws,
    )
    return Report(
        tuple(_count(examples, split) for split in (TRAIN, VALID, TEST)),
        {kind: matrix.kinds.count(kind) for kind in dict.fromkeys(matrix.kinds)},
        ready.left_out,
        ready.warnings,
        found.losses,
        chosen,
        calibrators,
        losses[MODEL],
        at_capacities(options.capacity),
        figures,
        gain,
        _groups(examples, test, raw[MODEL], calibrated[MODEL], options),
        clock.perf_counter() - started,
        None if ready.looking is None else _examined(ready, ready.looking, raw[MODEL], options),
        None if stands_in is None else str(stands_in),
        found,
    )


def _examined(ready: Prepared, looking: Looking, raw: np.ndarray, options: Options) -> Examined:
    """What who looked explains, on test rows, or on validation rows where the test has no label."""
    split = TEST if ready.examples.part(TEST).any() else VALID
    train, later = ready.examples.part(TRAIN), ready.examples.part(split)
    return examined(
        str(options.columns.examiner),
        looking.examiners,
        ready.part(TRAIN),
        ready.part(split),
        (looking.who[train], looking.who[later]),
        raw[later],
        ready.examples.time[later].astype("datetime64[D]"),
    )


def prepare(
    sources: Sources,
    options: Options,
    *,
    progress: Callable[[str], None] = lambda _: None,
    now: datetime | None = None,
) -> Prepared:
    """Read, check and encode. BadInput where the table cannot support a model, with what to do."""
    if not options.capacity or not all(0 < c <= 1 for c in options.capacity):
        raise BadInput("A capacity is a share of the rows, above 0 and at most 1, for instance 0.05.")
    progress("reading")
    columns = options.columns
    cuts = {"valid_from": options.valid_from, "test_from": options.test_from}
    return encoded(load(sources, columns, **cuts, delay=options.delay, now=now), columns, progress=progress)


def encoded(examples: Examples, columns: Columns, *, progress: Callable[[str], None] = lambda _: None) -> Prepared:
    """Check examples and encode them. BadInput where they cannot support a model, with what to do."""
    train, valid = (examples.part(split) for split in (TRAIN, VALID))
    _check_labels(examples, columns.label)
    features, left_out = _features(examples, columns)
    leaks.refuse_identity(list(features), columns.allow)
    if columns.label not in columns.allow:
        check_cohorts(examples.labels[train], examples.time[train], _REMEDY)
    warnings = leaks.find(features, train, valid, examples.labels, columns.allow)
    warnings += leaks.unseen(features, examples.split == TRAIN, examples.split == TEST)
    progress(f"encoding {len(features)} columns")
    if columns.examiner is None:
        matrix = encode(features, examples.time, examples.split, examples.labels, examples.known)
        return Prepared(examples, matrix, left_out, tuple(warnings))
    matrix, looking = _averaged(examples, features, columns.examiner)
    return Prepared(examples, matrix, left_out, tuple(warnings), looking)


def _averaged(examples: Examples, features: Mapping[str, pa.ChunkedArray], examiner: str) -> tuple[Matrix, Looking]:
    """The matrix whose offset is who looked, and whose rates count findings against what who looked usually finds."""
    who, names = looked(examples.table.column(examiner))
    train = examples.part(TRAIN)
    day, known = (at.astype("datetime64[D]").astype(np.int64) for at in (examples.time, examples.known))
    weight = worth(who, day, examples.labels, float(examples.labels[train].mean()), known)
    matrix = encode(features, examples.time, examples.split, examples.labels, examples.known, weight)
    examiners, floor = separate(who[train], names, (matrix.rows(train), examples.labels[train]))
    return replace(matrix, offset=examiners.offset(who)), Looking(who, examiners, floor, weight)


def _scored(raw: Callable[[Matrix], np.ndarray], matrix: Matrix, examples: Examples) -> np.ndarray:
    """Scores of validation and test rows; training rows, which the model has seen, get none."""
    later = examples.split != TRAIN
    scores = np.full(len(later), np.nan)
    scores[later] = raw(matrix.rows(later))
    return scores


def _count(examples: Examples, split: int) -> SplitCount:
    inside = examples.part(split)
    return SplitCount(
        SPLITS[split], int((examples.split == split).sum()), int(inside.sum()), int(examples.labels[inside].sum())
    )


def _check_labels(examples: Examples, label: str) -> None:
    for split, share in ((TRAIN, 1.0), (VALID, 0.5)):
        count = _count(examples, split)
        negatives = count.labelled - count.positives
        if count.labelled and min(count.positives, negatives) == 0:
            raise BadInput(
                f"The label '{label}' is always {int(count.positives > 0)} in the {count.split} rows, so there is "
                "nothing to learn. Move the dates of the cuts, or check how the label was made."
            )
        if count.labelled < LEAST_ROWS * share or min(count.positives, negatives) < LEAST_POSITIVES * share:
            raise BadInput(
                f"The {count.split} part has {count.labelled} rows with a label, {count.positives} of them positive. "
                f"At least {LEAST_ROWS * share:.0f} rows with {LEAST_POSITIVES * share:.0f} of each kind are needed: "
                "give more rows or move the dates of the cuts."
            )


def _features(examples: Examples, columns: Columns) -> tuple[dict[str, pa.ChunkedArray], dict[str, str]]:
    """The columns a model may learn from, and why each other one is not among them."""
    named = {columns.label, columns.time, columns.row_id, columns.known_at, columns.examiner}
    named |= {*columns.exclude, *columns.audit}
    training = pa.array(examples.part(TRAIN))
    features: dict[str, pa.ChunkedArray] = {}
    left_out: dict[str, str] = {}
    for name in (n for n in examples.table.column_names if n not in named):
        column = examples.table.column(name)
        if not (is_number(column.type) or is_text(column.type) or pa.types.is_null(column.type)):
            left_out[name] = f"holds {column.type}; derive a number from it"
            continue
        seen = column.filter(training)
        if seen.null_count == len(seen):
            left_out[name] = "null in every training row"
        elif pc.count_distinct(seen, mode="all").as_py() == 1:
            left_out[name] = "the same value in every training row"
        else:
            features[name] = column
    if not features:
        reasons = "; ".join(f"{name}: {why}" for name, why in left_out.items())
        raise BadInput(
            f"No column is left to learn from ({reasons or 'all are excluded'}). Exclude fewer, or add some."
        )
    return features, left_out


def _write(out: Path, examples: Examples, raw: np.ndarray, score: np.ndarray) -> None:
    later = examples.split != TRAIN
    table = pa.table(
        {
            "row_id": examples.row_id.filter(pa.array(later)),
            "split": pa.array([SPLITS[s] for s in examples.split[later]]),
            "raw": raw[later],
            "score": score[later],
        }
    )
    out.parent.mkdir(parents=True, exist_ok=True)
    pyarrow.parquet.write_table(table, out)


def _groups(
    examples: Examples, test: np.ndarray, raw: np.ndarray, score: np.ndarray, options: Options
) -> tuple[GroupTable, ...]:
    """One table per audit column, at the greatest capacity asked for."""
    if not test.any():
        return ()
    inside = pa.array(test)
    return tuple(
        group_table(
            name,
            examples.table.column(name).filter(inside),
            labels=examples.labels[test],
            scores=raw[test],
            probabilities=score[test],
            capacity=max(options.capacity),
        )
        for name in options.columns.audit
    )

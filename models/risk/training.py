"""Train a declared risk model on what checks found, and judge it on the latest findings beside two simpler answers.

Findings exist only where someone looked. The model learns from the checked rows as they are, with features frozen at
the moment of decision and plain log loss: weighing rows by one over their probability of being checked costs more
ranking than it mends bias. The figures below are therefore of checked rows; `among_all` holds what the random control
and certain checks say about all rows.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from evidence.intervals import Interval
from evidence.metrics import catalogue
from evidence.selection import Estimate, declared
from features.catalogue import features
from models.risk.among_all import AmongAll, among_all
from models.risk.calibration import Calibrator, anchored, choose, log_odds
from models.risk.declaration import RiskDeclaration
from models.risk.encoding import CATEGORY_ROWS, Matrix, is_text, levels
from models.risk.examiners import looked, separate
from models.risk.fallback import SecondOpinion, counted
from models.risk.folds import check_cohorts
from models.risk.judging import BASE, FLOOR, MODEL, judge
from models.risk.labels import Labels
from models.risk.learners import Logistic, grow, logistic
from models.risk.less_discriminatory import Even, Frontier, fitted, search, windows_of
from models.risk.model import Input, RiskModel, read_input
from models.risk.peers import peers
from models.risk.profiles import PROFILES, Part, Profile, Search, fit
from models.risk.reference import reference
from models.risk.stability import REFITS, stability

PROFILE = PROFILES["shipped"]
VALID_FROM, TEST_FROM = 0.6, 0.8  # shares of the labelled rows, in order of as_of
LEAST_FINDINGS, LEAST_POSITIVES = 500, 60
LEAST_PART = 10  # positives and negatives in each of train, validation and test
_REMEDY = "Wait until these outcomes are closed, or lengthen the horizon that the model's file declares."


@dataclass(frozen=True)
class TooFewFindings:
    """No model: how many findings there are and how many are needed. Rules and the random control go on without it."""

    name: str
    findings: int
    positives: int
    needed_findings: int = LEAST_FINDINGS
    needed_positives: int = LEAST_POSITIVES
    unknown: Mapping[str, int] | None = None

    def __str__(self) -> str:
        return (
            f"No model '{self.name}': {self.findings} findings ({self.positives} confirmed) could be used, and at "
            f"least {self.needed_findings} ({self.needed_positives} confirmed) over enough time are needed. Until then "
            "score is null and rules, facts and the random control work."
        )


@dataclass(frozen=True)
class TrainedModel:
    """A model with its figures on test rows: model, logistic regression and base rate by metric name.

    `counts`: rows, positives and rows dropped by reason. `among_all`: what it would find and miss among all rows at the
    declared capacity, from those whose probability of being checked is known. `baseline` is the logistic regression
    over `model.matrix`.
    """

    model: RiskModel
    baseline: Logistic
    figures: Mapping[str, Mapping[str, Interval]]
    gain: Interval
    among_all: AmongAll
    counts: Mapping[str, int]
    parameters: Mapping[str, Any]
    frontier: Frontier | None = None  # where the less discriminatory equal was searched for
    unsearched: str | None = None  # else why not: "unasked", or "too_small" groups

    @property
    def control(self) -> Estimate:
        """Precision at the declared capacity among all rows."""
        return self.among_all.precision


def train(
    declaration: RiskDeclaration,
    values: pa.Table,
    labels: Labels,
    *,
    similar: pa.Table | None = None,
    examiners: pa.Table | None = None,
    even: Even | None = None,
    versions: Mapping[str, Any] | None = None,
    profile: Profile = PROFILE,
    draws: int = 100,
    progress: Callable[[str], None] = lambda _: None,
) -> TrainedModel | TooFewFindings:
    """Train `declaration` on `values` (event, subject, as_of and a column per input) joined to `labels` by event.

    `similar` is a sample of all who are scored, checked or not (as_of, inputs, and what `peers` tells them apart by):
    what later cases are compared with. Without it nothing is compared. `examiners` (event, examiner) says who looked:
    their effect is known while learning and left out of scores, as if the average examiner looked.
    `even` lets the less discriminatory equal be searched for on windows of the training rows, and be taken.
    `versions` (of the lake's tables) are kept with the model. Rows are split by as_of; a row whose label was not yet
    known when the next part begins is dropped and counted.
    """
    rows = joined(values, labels)
    label = np.asarray(rows.column("label").to_numpy(zero_copy_only=False), dtype=np.float64)
    as_of, known_at = (moments(rows.column(c)) for c in ("as_of", "known_at"))
    none = TooFewFindings(declaration.name, len(label), int(label.sum()), unknown=labels.unknown)
    if len(label) < LEAST_FINDINGS or min(label.sum(), len(label) - label.sum()) < LEAST_POSITIVES:
        return none
    valid_from, test_from = (as_of[int(len(as_of) * share)] for share in (VALID_FROM, TEST_FROM))
    before_valid, before_test = as_of < valid_from, as_of < test_from
    # A row teaches once its window is closed, even if its outcome was known before: what is known early is not like
    # what is known late.
    closed = np.maximum(known_at, as_of + np.timedelta64(declaration.horizon))
    in_train = before_valid & (closed < valid_from)
    in_valid = ~before_valid & before_test & (closed < test_from)
    in_test = ~before_test
    parts = {"train": in_train, "validation": in_valid, "test": in_test}
    if any(min(label[p].sum(), (1 - label[p]).sum()) < LEAST_PART for p in parts.values()):
        return none
    matrix, inputs = declared_matrix(declaration, rows, in_train)
    floor = None
    if examiners is not None:
        who, known = looked(whose(rows, examiners))
        effect, floor = separate(who[in_train], known, (matrix.rows(in_train), label[in_train]))
        matrix = replace(matrix, offset=effect.offset(who))
    learn, stop = ((matrix.rows(part), label[part]) for part in (in_train, in_valid))
    check_cohorts(label[in_train], as_of[in_train], _REMEDY)
    read = {name: way for name, way in declaration.monotone.items() if name in matrix.names}
    found = fit(learn, stop, profile, monotone=read, progress=progress)
    trees = found.trees
    growing = partial(
        grow,
        found.candidate,
        valid=stop,
        seeds=range(1, profile.members + 1),
        rounds=profile.rounds,
        monotone=found.monotone,
    )
    teaching = (rows.column("subject").filter(pa.array(in_train)), as_of[in_train], closed[in_train])
    frontier = (
        None if even is None else _frontier(found, learn, even, *teaching, declaration.capacity, profile, progress)
    )
    if frontier is not None:
        growing = partial(fitted, frontier.chosen, valid=stop, rounds=profile.rounds, monotone=found.monotone)
        trees = growing(learn)
    progress(f"growing {REFITS} more times on resampled subjects, to see which reasons hold")
    subjects = pc.coalesce(rows.column("subject"), rows.column("event")).to_numpy(zero_copy_only=False)
    held = stability(
        trees.boosters,
        lambda drawn: growing((learn[0].rows(drawn), learn[1][drawn])).boosters,
        subjects[in_train],
        matrix.rows(in_test),
        [i.group for i in inputs],
    )
    floor = floor or logistic(learn)
    counts = {f"{name} rows": int(part.sum()) for name, part in parts.items()}
    counts |= {f"{name} positives": int(label[part].sum()) for name, part in parts.items()}
    counts |= {"label not known in time": int((~in_train & ~in_valid & ~in_test).sum())}
    counts |= {f"unknown: {reason}": count for reason, count in labels.unknown.items()}
    raw = {
        MODEL: trees.raw(matrix),
        FLOOR: floor.raw(matrix),
        BASE: np.full(len(label), log_odds(np.array(label[in_train].mean()))),
    }
    drawn = control_chances(rows)
    anchor = in_valid & ~np.isnan(drawn)
    calibrators = {
        name: anchored(choose(score[in_valid], label[in_valid])[0], score[anchor], label[anchor], drawn[anchor])
        for name, score in raw.items()
    }
    model = RiskModel(
        declaration.name,
        declaration.purpose,
        declaration.subject_kind,
        inputs,
        tuple(b.model_to_string(num_iteration=b.best_iteration) for b in trees.boosters),
        calibrators[MODEL],
        declaration.bands,
        {
            "versions": dict(versions or {}),
            "counts": counts,
            "train": [str(as_of[in_train].min()), str(as_of[in_train].max())],
            "validation": [str(valid_from), str(test_from)],
            "test": [str(test_from), str(as_of.max())],
        },
        None if similar is None else peers(declaration.subject_kind, similar, [i.name for i in inputs]),
        held,
    )
    model = replace(model, second=_second(declaration, rows, in_train, floor, calibrators[FLOOR]))
    if similar is not None:
        model = replace(model, reference=reference(model, similar, rows, test_from, declaration.horizon))
    progress(f"judging {declaration.name}")
    chance = {name: calibrators[name](score) for name, score in raw.items()}
    figures, gain = judge(
        label[in_test],
        as_of[in_test],
        {name: score[in_test] for name, score in raw.items()},
        {name: score[in_test] for name, score in chance.items()},
        metrics=tuple(catalogue().values()),
        draws=draws,
    )
    return TrainedModel(
        model,
        floor,
        figures,
        gain,
        among_all(label[in_test], drawn[in_test], raw[MODEL][in_test], declaration.capacity),
        counts,
        _parameters(found, profile) | _chosen(frontier),
        frontier,
        "unasked" if even is None else "too_small" if frontier is None else None,
    )


def _frontier(
    found: Search,
    learn: Part,
    even: Even,
    subjects: pa.ChunkedArray,
    as_of: np.ndarray,
    closed: np.ndarray,
    capacity: float,
    profile: Profile,
    progress: Callable[[str], None],
) -> Frontier | None:
    """The search around what was tuned, on windows of the rows to learn from; None where groups are too small."""
    windows, judged = windows_of(learn, as_of, closed)
    worst_off = even(subjects.take(pa.array(judged)), as_of[judged])
    if worst_off is None:
        return None
    return search(
        windows,
        found.candidate,
        worst_off,
        capacity=capacity,
        rounds=profile.rounds,
        monotone=found.monotone,
        progress=progress,
    )


def _chosen(frontier: Frontier | None) -> dict[str, Any]:
    """What the search for the less discriminatory equal took, beside what is best by PR-AUC, on windows of training."""
    if frontier is None:
        return {}
    told = {"chosen": frontier.chosen, "best": frontier.best}
    return {
        f"less discriminatory equal, {key}": f"{e.name}; worst-off {e.parity:.3f}, PR-AUC {e.level:.4f} of the best"
        for key, e in told.items()
    }


def joined(values: pa.Table, labels: Labels) -> pa.Table:
    """Rows of `values` that have a label, in order of as_of and event."""
    at = pc.index_in(values.column("event"), value_set=labels.table.column("event").combine_chunks())
    kept = pc.is_valid(at)
    rows = values.filter(kept)
    found = labels.table.take(at.filter(kept))
    for name in ("label", "known_at", "selected_by", "probability"):
        rows = rows.append_column(name, found.column(name))
    return rows.sort_by([("as_of", "ascending"), ("event", "ascending")])


def whose(rows: pa.Table, examiners: pa.Table) -> pa.ChunkedArray:
    """The examiner of each row, null where nobody is on record."""
    at = pc.index_in(rows.column("event"), value_set=examiners.column("event").combine_chunks())
    return examiners.column("examiner").take(at)


def moments(column: pa.ChunkedArray) -> np.ndarray:
    """Moments in UTC as datetime64[us]."""
    return np.asarray(pc.cast(column, pa.timestamp("us")).to_numpy(zero_copy_only=False), dtype="datetime64[us]")


def declared_matrix(
    declaration: RiskDeclaration, rows: pa.Table, in_train: np.ndarray
) -> tuple[Matrix, tuple[Input, ...]]:
    """The declared inputs of `rows`, as the rows `in_train` (n,) know them."""
    inputs = _inputs(declaration, declaration.inputs(), rows.filter(pa.array(in_train)))
    matrix = Matrix(
        np.column_stack([read_input(i, rows.column(i.name)) for i in inputs]),
        tuple(i.name for i in inputs),
        tuple("category" if i.type == "string" else "number" for i in inputs),
    )
    return matrix, inputs


def _inputs(declaration: RiskDeclaration, names: tuple[str, ...], training: pa.Table) -> tuple[Input, ...]:
    """The declared inputs that say something in training, with the dictionaries of the strings."""
    known = features(declaration.subject_kind)
    inputs = []
    for name in names:
        column = training.column(name)
        if pc.count_distinct(column, mode="all").as_py() < 2:
            continue  # one value, or none: nothing to learn, and nothing to explain
        dictionary = levels(column, CATEGORY_ROWS) if is_text(column.type) else ()
        inputs.append(Input(name, known[name].type, known[name].group, dictionary))
    return tuple(inputs)


def _second(
    declaration: RiskDeclaration, rows: pa.Table, in_train: np.ndarray, line: Logistic, calibrator: Calibrator
) -> SecondOpinion:
    """The line beside the trees, and how many training rows each place had."""
    if declaration.place is None:
        return SecondOpinion(line, calibrator, None, {})
    places = pc.cast(rows.column(declaration.place), pa.string())
    named = np.asarray(places.to_numpy(zero_copy_only=False), dtype=object)
    learnt = in_train & np.asarray(pc.is_valid(places))
    return SecondOpinion(line, calibrator, declaration.place, counted(named, learnt))


def control_chances(rows: pa.Table) -> np.ndarray:
    """The probability with which each row was checked, NaN for rows that officers chose."""
    selected_by = np.asarray(rows.column("selected_by").to_numpy(zero_copy_only=False), dtype=object)
    chances = pc.cast(rows.column("probability"), pa.float64()).to_numpy(zero_copy_only=False)
    return declared(selected_by, np.asarray(chances, dtype=np.float64))


def _parameters(found: Search, profile: Profile) -> dict[str, Any]:
    return {
        **found.candidate.parameters,
        "read as": found.chosen,
        "members": profile.members,
        "rounds": profile.rounds,
        "monotone": ",".join(sorted(found.monotone)),
    }

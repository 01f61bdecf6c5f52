"""Make the proof of a candidate: from its training, and from the test rows once more, beside the champion of the day.

Rows come in and only counts, figures and tables of groups go out. Test rows are those that the model's own training
kept for the test; a champion that learnt from some of them is compared on the others alone.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from evidence.cells import CELL, Outcomes
from evidence.groups import Audit, View
from evidence.intervals import Z95, Interval, bootstrap, mean_of, redrawn_days, wilson
from evidence.metrics import calibration_error, losses, pr_auc, selected
from evidence.selection import hajek
from features.declaration import SubjectKind
from models.risk.calibration import log_odds, probability
from models.risk.declaration import RiskDeclaration
from models.risk.examiners import examined, looked, separate
from models.risk.fallback import LEAST as THIN
from models.risk.judging import FLOOR
from models.risk.labels import Labels
from models.risk.model import RiskModel, Scores
from models.risk.proof import EVERYONE, Calibrated, Findings, Gained, Looked, Promised, Proof, WhereFew, WhoLooked
from models.risk.training import LEAST_FINDINGS, LEAST_POSITIVES, TrainedModel, control_chances, joined, moments, whose

PLACE: Final[dict[SubjectKind, str]] = {"crossing": "post_of_crossing", "permit": "office_of_file"}
CHANCE_DRAWS: Final = 1_000
CHANCE_LEVEL: Final = 99.0  # percentile: of a hundred candidates in good order, one is refused for nothing

Audits = Callable[[Sequence[View]], Audit]


@dataclass(frozen=True)
class Judged:
    """Rows whose outcome is known: `rows` with event, subject, as_of and inputs; the others are (n,)."""

    rows: pa.Table
    labels: np.ndarray
    selected_by: np.ndarray  # text, EVERYONE where nobody chose
    chances: np.ndarray  # of the random control's rows the probability of selection, else NaN
    as_of: np.ndarray
    examiners: np.ndarray  # who looked, text; None where nobody is on record

    def part(self, inside: np.ndarray) -> Judged:
        arrays = (self.labels, self.selected_by, self.chances, self.as_of, self.examiners)
        return Judged(self.rows.filter(pa.array(inside)), *(array[inside] for array in arrays))


def prove(
    declaration: RiskDeclaration,
    trained: TrainedModel,
    values: pa.Table,
    labels: Labels,
    *,
    learnt_from: str,
    made_on: date,
    audits: Audits | None = None,
    champion: RiskModel | None = None,
    examiners: pa.Table | None = None,
    draws: int = 200,
) -> Proof:
    """The proof of `trained`, made of the `values` and `labels` it was trained on.

    `audits` joins groups to rows and answers with tables (`evidence.groups.audit_vault`); without it no group is
    audited, and the gate of groups refuses. `examiners` (event, examiner) says who looked; without it the share of the
    signal that is who looked stays empty on the card.
    """
    model, judged = trained.model, judged_rows(values, labels, examiners)
    since = {name: np.datetime64(moment[0]) for name, moment in _periods(trained).items()}
    test = judged.part(judged.as_of >= since["test"])
    learnt = judged.part(judged.as_of < since["validation"])
    scores = model.score(test.rows)
    floor = trained.figures.get(FLOOR, {})
    rival, gained = None, None
    if champion is not None and champion.hash != model.hash:
        rival, gained = champion.hash, over(champion, test, scores, draws)
    place = PLACE[declaration.subject_kind]
    second = model.second
    counted = second.rows if second is not None and second.post is not None else _counted(learnt.rows.column(place))
    control = trained.control
    return Proof(
        name=declaration.name,
        model=model.hash,
        learnt_from=learnt_from,
        made_on=made_on,
        periods=_periods(trained),
        versions=dict(model.trained_from["versions"]),
        counts=dict(trained.counts),
        parameters=dict(trained.parameters),
        profile=str(trained.parameters.get("profile", "shipped")),
        findings=Findings(len(judged.labels), int(judged.labels.sum()), LEAST_FINDINGS, LEAST_POSITIVES),
        looked=_looked(judged),
        examined=None if examiners is None else who_looked(model, learnt, test, scores),
        figures=trained.figures,
        over_floor=Gained(FLOOR, trained.gain if floor else Interval(), len(test.labels)),
        over_champion=gained,
        champion=rival,
        control=control.interval,
        control_rows=control.rows,
        control_refused=control.refused,
        calibrated=calibration_of(model, test, scores, test.rows.column(place), draws),
        audit=None if audits is None else audits(_views(model, test, scores, declaration.capacity)),
        stability=model.stability,
        thin_places={name: n for name, n in counted.items() if n < THIN},
        unseen_places={n: k for n, k in _counted(test.rows.column(place)).items() if n not in counted},
        where_few=where_few(model, test, scores, draws),
        frontier=trained.frontier,
        unsearched=trained.unsearched,
    )


def judged_rows(values: pa.Table, labels: Labels, examiners: pa.Table | None = None) -> Judged:
    """Rows of `values` whose outcome is known, in order of as_of and event."""
    rows = joined(values, labels)
    by = pa.nulls(rows.num_rows, pa.string()) if examiners is None else whose(rows, examiners)
    return Judged(
        rows,
        np.asarray(rows.column("label").to_numpy(zero_copy_only=False), dtype=np.float64),
        np.asarray(pc.fill_null(rows.column("selected_by"), EVERYONE).to_numpy(zero_copy_only=False), dtype=object),
        control_chances(rows),
        moments(rows.column("as_of")),
        np.asarray(by.to_numpy(zero_copy_only=False), dtype=object),
    )


def who_looked(model: RiskModel, learnt: Judged, test: Judged, scores: Scores) -> WhoLooked:
    """The part of what can be predicted on test rows that is only who looked, estimated on the rows learnt from."""
    who, names = looked(pa.array(np.concatenate([learnt.examiners, test.examiners]), pa.string()))
    cut = len(learnt.labels)
    train = (model.matrix(learnt.rows), learnt.labels)
    found, _ = separate(who[:cut], names, train)
    later = (model.matrix(test.rows), test.labels)
    days = test.as_of.astype("datetime64[D]")
    told = examined("examiner", found, train, later, (who[:cut], who[cut:]), scores.raw, days)
    return WhoLooked(told.share, told.examiners)


def over(champion: RiskModel, test: Judged, scores: Scores, draws: int) -> Gained:
    """PR-AUC gained over the `champion` on those test rows that it did not learn from; undefined where it cannot score
    them."""
    unseen = test.as_of >= np.datetime64(champion.trained_from["test"][0])
    rows = test.part(unseen)
    if not len(rows.labels) or any(name not in rows.rows.column_names for name in champion.names):
        return Gained(champion.hash, Interval(), 0)
    mine, theirs = scores.raw[unseen], champion.score(rows.rows).raw

    def gain(at: np.ndarray) -> float | None:
        a, b = pr_auc(rows.labels[at], mine[at]), pr_auc(rows.labels[at], theirs[at])
        return None if a is None or b is None else a - b

    days = redrawn_days(rows.as_of.astype("datetime64[D]"), draws)
    return Gained(champion.hash, bootstrap(gain, np.arange(len(rows.labels)), days), len(rows.labels))


def where_few(model: RiskModel, test: Judged, scores: Scores, draws: int) -> WhereFew | None:
    """Trees and line on the test rows at places where the line leads, by what each promises of checked rows; None
    without a second opinion."""
    if model.second is None:
        return None
    leads = model.line_leads(test.rows)
    rows = test.part(leads)
    line = model.second.calibrator.of_checked(model.second.line.raw(model.matrix(rows.rows)))
    trees, lines = (losses(rows.labels, chance) for chance in (model.calibrator.of_checked(scores.raw)[leads], line))
    days = redrawn_days(rows.as_of.astype("datetime64[D]"), draws) if len(rows.labels) else []
    return WhereFew(len(rows.labels), mean_of(trees, days), mean_of(lines, days), mean_of(lines - trees, days))


def calibration_of(model: RiskModel, test: Judged, scores: Scores, places: pa.ChunkedArray, draws: int) -> Calibrated:
    """What was promised beside what came true: of checked rows as a whole, by band and by place; of the control."""
    random = np.random.default_rng(11)
    chance, labels = model.calibrator.of_checked(scores.raw), test.labels
    shown = [
        calibration_error((random.random(len(chance)) < chance).astype(np.float64), chance) or 0.0
        for _ in range(CHANCE_DRAWS)
    ]
    band, where = model.band(chance), np.asarray(places.to_numpy(zero_copy_only=False), dtype=object)
    names = sorted({name for name in where if name})
    return Calibrated(
        bootstrap(
            lambda at: calibration_error(labels[at], chance[at]),
            np.arange(len(labels)),
            redrawn_days(test.as_of.astype("datetime64[D]"), draws),
        ),
        float(np.mean(shown)),
        float(np.percentile(shown, CHANCE_LEVEL)),
        CHANCE_DRAWS,
        slope(labels, chance),
        tuple(_promised(name, labels, chance, band == name, 1) for name, _ in model.bands.least),
        tuple(_promised(str(name), labels, chance, where == name, CELL) for name in names),
        _of_control(test, scores),
    )


def _of_control(test: Judged, scores: Scores) -> Promised:
    """What is shown to people, held against the random control: both weighed by how many each drawn row stands for."""
    drawn = test.chances > 0
    if not drawn.any():
        return Promised("random", 0, 0, None, Interval(), "none")
    weights = 1 / test.chances[drawn]
    promised = float(np.average(scores.probability[drawn], weights=weights))
    found = hajek(test.labels[drawn], test.chances[drawn])
    return Promised("random", int(drawn.sum()), int(test.labels[drawn].sum()), promised, found.interval)


def slope(labels: np.ndarray, chance: np.ndarray) -> Interval:
    """Slope of the outcome's log-odds over the promised ones; undefined where all outcomes are alike."""
    if len(set(labels.tolist())) < 2 or np.ptp(chance) == 0:
        return Interval()
    design = np.column_stack([np.ones(len(labels)), log_odds(chance)])
    weights = np.array([0.0, 1.0])
    for _ in range(50):
        told = probability(design @ weights)
        information = design.T @ (design * np.maximum(told * (1 - told), 1e-12)[:, None])
        step = np.clip(np.linalg.solve(information, design.T @ (labels - told)), -2.0, 2.0)
        weights = weights + step
        if np.abs(step).max() < 1e-9:
            break
    spread = Z95 * float(np.sqrt(np.linalg.inv(information)[1, 1]))
    return Interval(float(weights[1]), float(weights[1]) - spread, float(weights[1]) + spread)


def _promised(name: str, labels: np.ndarray, chance: np.ndarray, inside: np.ndarray, least: int) -> Promised:
    rows, positives = int(inside.sum()), int(labels[inside].sum())
    if rows < least:
        return Promised(name, rows, 0, None, Interval(), "few")
    return Promised(name, rows, positives, float(chance[inside].mean()), wilson(positives, rows))


def _views(model: RiskModel, test: Judged, scores: Scores, capacity: float) -> list[View]:
    """Test rows as they were checked, or known where nobody chose whom to check; and those of the random control, each
    standing for as many as it was drawn of."""
    subjects, chosen = test.rows.column("subject").combine_chunks(), selected(scores.raw, capacity)
    name = "known" if (test.selected_by == EVERYONE).all() else "checked"
    found = [
        View(
            name, subjects, test.as_of, Outcomes(test.labels, chosen, model.calibrator.of_checked(scores.raw)), capacity
        )
    ]
    drawn = test.chances > 0
    if drawn.any():
        outcomes = Outcomes(test.labels[drawn], chosen[drawn], scores.probability[drawn], 1 / test.chances[drawn])
        found.append(View("random", subjects.filter(pa.array(drawn)), test.as_of[drawn], outcomes, capacity))
    return found


def _looked(judged: Judged) -> tuple[Looked, ...]:
    return tuple(
        Looked(
            str(how),
            int(inside.sum()),
            int(judged.labels[inside].sum()),
            int((judged.chances[inside] > 0).sum()),
        )
        for how in sorted(set(judged.selected_by))
        for inside in [judged.selected_by == how]
    )


def _counted(column: pa.ChunkedArray) -> dict[str, int]:
    return {c["values"]: c["counts"] for c in pc.value_counts(column.drop_null()).to_pylist()}


def _periods(trained: TrainedModel) -> dict[str, tuple[str, ...]]:
    return {name: tuple(trained.model.trained_from[name]) for name in ("train", "validation", "test")}

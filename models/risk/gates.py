"""The gates a candidate passes before it may speak for a purpose. Each answers passed or refused, with its figure.

A gate is a function of what is on record about the candidate; it asks nobody and changes nothing. What it answers is a
name, a verdict and values: the sentence, and what would mend a refusal, stand in the texts under `gate.NAME.WHY`. The
bounds are declared here, each with its reason. Those on flags, on reasons and on promises to the control were last set
with the sample world's figures in sight: an authority reviews them before it relies on them.

"Beyond noise" means that a 95% interval lies wholly on one side. A gate that cannot be measured is refused: what nobody
looked at is not in order.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Final

import numpy as np

from evidence.cells import TIMES
from evidence.gaps import Gap
from evidence.intervals import Interval, wilson
from features.lineage import ProhibitedInput, check_inputs
from models.risk.judging import BASE, MODEL
from models.risk.model import RiskModel
from models.risk.proof import Gained, Proof
from models.risk.stability import CAPACITY

Value = str | int | float | bool | None | Sequence[Mapping[str, str | float]]


@dataclass(frozen=True)
class Bounds:
    """What is asked of a candidate.

    excess        calibration error beyond what chance explains: a probability is shown to people as "so many in 100"
    ratio         least over greatest selection rate of the groups of one attribute, the four-fifths convention
    gap           between a group's rate and everyone else's, found beyond chance among all that were looked at
    promise       between what was promised to a group, or to the random control, and what came true
    flags         share of flagged cases that a bootstrap replaces, beyond noise: on four public sets the mean of five
                  models replaced 13 to 39 of a hundred; where it is more than half, flags are a lottery
    reasons       share of cases whose first reason a bootstrap replaces, beyond noise; reasons that hardly differ in
                  weight change places easily and are shown as less certain, but two thirds are no reasons
    milliseconds  processor time to explain one row; five hundred trees of depth six take a hundredth of it, so that a
                  slow machine passes and a model far beyond that size does not
    """

    excess: float = 0.02
    ratio: float = 0.8
    gap: float = 0.10
    promise: float = 0.05
    flags: float = 0.5
    reasons: float = 0.67
    milliseconds: float = 5.0


BOUNDS: Final = Bounds()
WAIVED: Final = frozenset({"large"})
"""Profiles that were declared beyond the budget of trees: their explanations may take longer."""
TIMED_ROWS: Final = 256
RATIO: Final = "ratio"
_BETWEEN: Final = " / "


@dataclass(frozen=True)
class Gate:
    """One gate's answer. `why` names the sentence that says it, `values` fill it in."""

    name: str
    passed: bool
    why: str
    values: Mapping[str, Value]

    def as_json(self) -> dict[str, Any]:
        return asdict(self)


@dataclass(frozen=True)
class SignedOff:
    """A gap that oversight accepts for one candidate, with its reason."""

    gap: str
    by: str
    reason: str


@dataclass(frozen=True)
class Hands:
    """Whose hands a candidate goes through: who trained it, who would promote it, and all who can sign in here.

    `demonstration` is true where the engine itself promotes what it trained, in mode demo alone.
    """

    trainer: str
    promoter: str
    persons: Collection[str]
    demonstration: bool = False


def better(proof: Proof, champion: str | None) -> Gate:
    """Better or equal beyond noise: above the base rate, not below logistic regression, not below the champion."""
    mine, base = (proof.figures.get(who, {}).get("pr_auc", Interval()) for who in (MODEL, BASE))
    if mine.value is None or base.value is None:
        return _refused("better", "unknown", {})
    found: dict[str, Value] = {"mine": mine.value, "base": base.value}
    if mine.value <= base.value:
        return _refused("better", "base", found)
    rivals: list[tuple[str, Gained | None]] = [("floor", proof.over_floor)]
    if champion is not None and champion != proof.model:
        if proof.over_champion is None or proof.over_champion.over != champion:
            return _refused("better", "stale", found | {"champion": champion[:12]})
        rivals.append(("champion", proof.over_champion))
    for why, rival in rivals:
        if rival is None or rival.gain.value is None:
            return _refused("better", "unknown", found)
        found |= {"gain": rival.gain.value, "low": rival.gain.low, "high": rival.gain.high, "rows": rival.rows}
        if rival.gain.high is None or rival.gain.high < 0:
            return _refused("better", why, found)
    return Gate("better", True, "champion_held" if len(rivals) > 1 else "floor_held", found)


def calibrated(proof: Proof, bounds: Bounds = BOUNDS) -> Gate:
    """Probabilities hold: the error is hardly more than chance explains, and the random control finds as promised."""
    c = proof.calibrated
    if c.error.value is None or c.excess is None:
        return _refused("calibrated", "unknown", {})
    found: dict[str, Value] = {
        "error": c.error.value,
        "chance": c.by_chance,
        "at_most": c.at_most,
        "excess": c.excess,
        "bound": bounds.excess,
    }
    control = c.control
    if control.promised is not None and control.found.low is not None and control.found.high is not None:
        found |= {"promised": control.promised, "low": control.found.low, "high": control.found.high}
        if not control.found.low - bounds.promise <= control.promised <= control.found.high + bounds.promise:
            return _refused("calibrated", "control", found)
    beyond = c.error.value > c.at_most and c.excess > bounds.excess
    return Gate("calibrated", not beyond, "off" if beyond else "held", found)


def groups(proof: Proof, signed: Sequence[SignedOff] = (), bounds: Bounds = BOUNDS) -> Gate:
    """Gaps between groups are inside the bounds, or oversight signed each of the others off with a reason."""
    if proof.audit is None or not proof.audit.tables:
        return _refused("groups", "unknown", {})
    wide = wide_gaps(proof, bounds)
    accepted = {s.gap: s for s in signed if s.reason.strip()}
    standing = {name: value for name, value in wide.items() if name not in accepted}
    found: dict[str, Value] = {
        "looked": len(proof.audit.gaps),
        "tested": sum(gap.tested for gap in proof.audit.gaps),
        "wide": len(wide),
        "standing": len(standing),
    }
    if standing:
        return _refused("groups", "wide", found | {"gaps": _listed(standing)})
    if wide:
        signers: list[dict[str, str | float]] = [
            {"gap": name, "value": value, "by": accepted[name].by, "reason": accepted[name].reason}
            for name, value in wide.items()
        ]
        return Gate("groups", True, "signed", found | {"gaps": signers})
    return Gate("groups", True, "inside", found)


def wide_gaps(proof: Proof, bounds: Bounds = BOUNDS) -> dict[str, float]:
    """Every gap beyond its bound, beyond noise, by its name: what oversight would have to sign off."""
    if proof.audit is None:
        return {}
    found = {
        _joined(table.view, table.attribute, RATIO): table.selection_ratio.value or 0.0
        for table in proof.audit.tables
        if TIMES not in table.attribute  # of many small cells the extremes are always far apart; their gaps are tested
        and table.selection_ratio.high is not None
        and table.selection_ratio.high < bounds.ratio
    }
    for gap in proof.audit.gaps:
        bound = bounds.promise if gap.rate == "calibration" else bounds.gap
        if gap.found and gap.gap.value is not None and abs(gap.gap.value) > bound:
            found[gap_name(gap)] = gap.gap.value
    return found


def gap_name(gap: Gap) -> str:
    """What a gap is called where it is signed off."""
    return _joined(gap.view, gap.attribute, gap.group, gap.rate)


def gap_parts(name: str) -> tuple[str, str, str, str]:
    """View, attribute, group and rate of a gap called so; a ratio over all groups is of "" and RATIO."""
    view, attribute, *group, rate = name.split(_BETWEEN)
    return view, attribute, _BETWEEN.join(group), rate


def stable(proof: Proof, bounds: Bounds = BOUNDS) -> Gate:
    """What should not change a flag or a reason changes few of them."""
    held = proof.stability
    if held is None or held.flags is None:
        return _refused("stable", "unknown", {})
    found: dict[str, Value] = {
        "flags_share": held.flags,
        "reasons_share": held.refit,
        "cases": held.cases,
        "flags_bound_share": bounds.flags,
        "reasons_bound_share": bounds.reasons,
    }
    flagged = max(1.0, CAPACITY * held.cases)
    for why, changed, cases, bound in (
        ("flags", held.flags, flagged, bounds.flags),
        ("reasons", held.refit, held.cases, bounds.reasons),
    ):
        if (wilson(changed * cases, cases).low or 0.0) > bound:
            return _refused("stable", why, found)
    return Gate("stable", True, "held", found)


def lineage(model: RiskModel, proven: str) -> Gate:
    """The model is the one that was proven (by hash), and reads nothing it may not read."""
    if model.hash != proven:
        return _refused("lineage", "other", {"model": model.hash[:12], "proven": proven[:12]})
    try:
        check_inputs(list(model.names), model.subject_kind, "model")
    except ProhibitedInput as error:
        return _refused("lineage", "prohibited", {"chain": str(error)})
    return Gate("lineage", True, "free", {"inputs": len(model.inputs)})


def explainable(model: RiskModel, profile: str, bounds: Bounds = BOUNDS) -> Gate:
    """A score is explained inside the budget of time, measured here and now on sample rows."""
    spent = milliseconds_to_explain(model)
    found: dict[str, Value] = {
        "milliseconds": spent,
        "bound": bounds.milliseconds,
        "trees": sum(text.count("\nTree=") for text in model.trees),
        "profile": profile,
    }
    if profile in WAIVED:
        return Gate("explainable", True, "waived", found)
    slow = spent > bounds.milliseconds
    return Gate("explainable", not slow, "slow" if slow else "held", found)


def complete(lacking: Sequence[str]) -> Gate:
    """The card has no empty field; `lacking` are those it has."""
    if lacking:
        return _refused("complete", "empty", {"fields": ", ".join(lacking)})
    return Gate("complete", True, "full", {})


def four_eyes(hands: Hands) -> Gate:
    """Not promoted by its trainer, and there is somebody else at all."""
    found: dict[str, Value] = {
        "trainer": hands.trainer,
        "promoter": hands.promoter,
        "persons": len(set(hands.persons)),
    }
    if hands.demonstration:
        return Gate("four_eyes", True, "demonstration", found)
    if len(set(hands.persons)) < 2:
        return _refused("four_eyes", "alone", found)
    if hands.promoter not in hands.persons:
        return _refused("four_eyes", "nobody", found)
    if hands.promoter == hands.trainer:
        return _refused("four_eyes", "trainer", found)
    return Gate("four_eyes", True, "held", found)


def real(learnt_from: str, in_production: bool) -> Gate:
    """Nothing invented goes live: in production a champion learnt from the authority's own records."""
    found: dict[str, Value] = {"learnt_from": learnt_from}
    if in_production and learnt_from != "records":
        return _refused("real", "invented", found)
    return Gate("real", True, "records" if learnt_from == "records" else "not_live", found)


GATES: Final = ("better", "calibrated", "groups", "stable", "lineage", "explainable", "complete", "four_eyes", "real")
AGAIN: Final = ("lineage", "explainable", "real")
"""Gates that a former champion passes again when it is rolled back to: it passed the others when it was promoted."""


def milliseconds_to_explain(model: RiskModel, clock: Callable[[], float] = time.thread_time) -> float:
    """Processor time to explain one row, best of three, on rows drawn around what is usual.

    Time of this thread alone is counted, so that what else the machine does is not.
    """
    rows = sample_rows(model)
    model.explainer.values(rows[:1], threads=1)  # compiled, where it never was
    spent = []
    for _ in range(3):
        started = clock()
        model.explainer.values(rows, threads=1)
        spent.append(clock() - started)
    return 1000 * min(spent) / len(rows)


def sample_rows(model: RiskModel, rows: int = TIMED_ROWS, seed: int = 1) -> np.ndarray:
    """Rows (rows, p) drawn from what is usual for each input, where the model knows it, a tenth of it missing."""
    random = np.random.default_rng(seed)
    usual = {} if model.peers is None or () not in model.peers.cells else model.peers.cells[()].quantiles
    drawn = np.empty((rows, len(model.inputs)))
    for k, one in enumerate(model.inputs):
        known = [q for q in usual.get(one.name, ()) if q is not None]
        if one.type == "string":
            drawn[:, k] = random.integers(0, len(one.levels) + 2, rows)
        else:
            drawn[:, k] = random.choice(known, rows) if known else random.integers(0, 2, rows)
    drawn[random.random(drawn.shape) < 0.1] = np.nan
    return drawn


def _refused(name: str, why: str, values: Mapping[str, Value]) -> Gate:
    return Gate(name, False, why, values)


def _joined(*parts: str) -> str:
    return _BETWEEN.join(part for part in parts if part)


def _listed(values: Mapping[str, float]) -> list[dict[str, str | float]]:
    return [{"gap": name, "value": value} for name, value in values.items()]

"""The one function that assesses events, for a batch of a day and for one live request alike.

It is pure: it reads no store, no clock and no settings. Each event is assessed from its own row alone, so that a batch
answers what its events would have answered one at a time. Who of them is checked, when checks are few, is the second
step (`serving/selection.py`), which does look at the others.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from models.risk.model import RiskModel
from models.risk.peers import NOWHERE, Cell
from records.errors import BadInput
from risk_rules.columns import SubjectKind
from risk_rules.propose import propose_all
from risk_rules.protection import Protection
from risk_rules.rule import ASSESSED_REGIMES, PURPOSES, Result
from risk_rules.rulebook import Findings, Rulebook
from serving.assessment import Assessment, Finding, Observed, Reason, Similar, Value, identified, plain

DIGITS = 9  # of raw scores and contributions: far more than they mean, fewer than rounding errors reach
PLACE = {"crossing": "post", "permit": "office"}


def needed_features(
    purpose: str, model: RiskModel | None, rulebook: Rulebook, protection: Protection | None
) -> list[str]:
    """The features to compute before `assess`: what the model, the rules in force and the signs read, each once."""
    kind = PURPOSES[purpose]
    signs = protection.feature_names if protection and kind == "crossing" else ()
    return list(dict.fromkeys([*(model.names if model else ()), *rulebook.feature_names(kind), *signs]))


def assess(
    spine: pa.Table,
    values: pa.Table,
    *,
    purpose: str,
    model: RiskModel | None,
    rulebook: Rulebook,
    protection: Protection | None = None,
    open_referrals: frozenset[str] = frozenset(),
    mode: str,
    data_versions: Mapping[str, int],
) -> list[Assessment]:
    """One assessment per row of `spine`, in its order.

    `spine` comes from `features.spine`; `values` from `features.engine.compute` over it, with at least
    `needed_features`. `open_referrals` are subjects under protection, who are not scored. Without a model there is no
    score and the rules speak alone. BadInput if the two tables are not about the same events, or the model was made for
    another purpose.
    """
    if purpose not in PURPOSES:
        raise BadInput(f"There is no purpose '{purpose}'. Purposes are: {', '.join(PURPOSES)}.")
    if model is not None and model.name != purpose:
        raise BadInput(f"The model was made for {model.name}. A score is read for its own purpose only; not {purpose}.")
    if spine["event"].to_pylist() != values["event"].to_pylist():
        raise BadInput(
            "Spine and values are not about the same events in the same order. Compute values from this spine."
        )
    kind = PURPOSES[purpose]
    why_not = _why_not(spine, open_referrals)
    chosen = np.flatnonzero([reason is None for reason in why_not])
    together = _beside(spine, values)
    scored = together.take(pa.array(chosen))
    scores = _scores(scored, model)
    bands = [s.band for s in scores] if model else None
    findings = rulebook.evaluate(scored, kind)
    hits = [_hits(scored, k, findings, rulebook, kind) for k in range(len(chosen))]
    proposals = propose_all(findings, bands, np.zeros(len(chosen), dtype=bool), purpose=purpose, ladder=rulebook.ladder)
    referrals = _referrals(together, protection if kind == "crossing" else None)
    facts = [{k: plain(v) for k, v in row.items()} for row in spine.to_pylist()]
    feature_names = [name for name in values.column_names if name not in ("event", "subject", "as_of")]
    inputs = [{k: plain(v) for k, v in row.items()} for row in values.select(feature_names).to_pylist()]
    nth = {int(row): k for k, row in enumerate(chosen)}
    events, subjects = spine["event"].to_pylist(), spine["subject"].to_pylist()
    as_of: list[datetime] = spine["as_of"].to_pylist()
    happened = spine["happened_at"].to_pylist() if "happened_at" in spine.column_names else as_of
    assessed = []
    for i, event in enumerate(events):
        k = nth.get(i)
        score = scores[k] if k is not None else NO_SCORE
        proposal = proposals[k] if k is not None else None
        mitigation = rulebook.ladder.mitigations[proposal.mitigation] if proposal and proposal.mitigation else None
        assessed.append(
            identified(
                Assessment(
                    id="",
                    event_kind=kind,
                    event=event,
                    subject=subjects[i],
                    as_of=as_of[i],
                    happened_at=happened[i],
                    place=_text(facts[i].get(PLACE[kind])),
                    purpose=purpose,
                    assessable=k is not None,
                    why_not=why_not[i],
                    raw=score.raw,
                    score=score.probability,
                    band=score.band or None,
                    reasons=score.reasons,
                    findings=hits[k] if k is not None else (),
                    undecided=tuple(r.id for r in findings.undecided(k)) if k is not None else (),
                    mitigation=mitigation.id if mitigation else None,
                    cause=proposal.cause if proposal and mitigation else None,
                    referrals=referrals[i],
                    inputs=inputs[i] if k is not None else {},
                    facts=facts[i],
                    model=model.hash if model and k is not None else None,
                    rulebook=rulebook.hash,
                    mode=mode,
                    data_versions=dict(data_versions),
                    lane=mitigation.lane if mitigation else None,
                    base=score.base,
                    usual=score.usual,
                    similar=score.similar,
                    rules_on=rulebook.on.isoformat(),
                )
            )
        )
    return assessed


def _why_not(spine: pa.Table, open_referrals: frozenset[str]) -> list[str | None]:
    """Per event, why it is counted and not scored; None where it is scored. A gate not established is no permission."""
    n = spine.num_rows
    # A permit exists under the law on foreigners only: its spine carries no gates.
    gated = "regime" in spine.column_names
    regimes = spine["regime"].to_pylist() if gated else [ASSESSED_REGIMES[0]] * n
    children = spine["under_18"].to_pylist() if gated else [False] * n
    reasons: list[str | None] = []
    for subject, regime, child in zip(spine["subject"].to_pylist(), regimes, children, strict=True):
        if subject in open_referrals:
            reasons.append("open_referral")
        elif child:
            reasons.append("child")
        elif regime is None:
            reasons.append("unknown_regime")
        elif regime not in ASSESSED_REGIMES:
            reasons.append(regime)
        else:
            reasons.append("unknown_age" if child is None else None)
    return reasons


def _beside(spine: pa.Table, values: pa.Table) -> pa.Table:
    """Spine columns and features in one table, each name once; a feature stands before a column of the same name."""
    for name in spine.column_names:
        if name not in values.column_names:
            values = values.append_column(spine.schema.field(name), spine[name])
    return values


@dataclass(frozen=True)
class Scored:
    """What the model says of one event: nothing, without a model."""

    raw: float | None = None
    probability: float | None = None
    band: str = ""
    reasons: tuple[Reason, ...] = ()
    base: float | None = None
    usual: float | None = None
    similar: Similar | None = None


NO_SCORE = Scored()


def _scores(rows: pa.Table, model: RiskModel | None) -> list[Scored]:
    if model is None or rows.num_rows == 0:
        return [NO_SCORE] * rows.num_rows
    scores = model.score(rows)
    parts = model.contributions(rows, scores.raw)
    base = round(parts.base, DIGITS)
    usual = round(float(model.calibrator(np.array([parts.base]))[0]), DIGITS)
    cells = model.peers.of(rows) if model.peers else [None] * rows.num_rows
    observed = [[plain(v) for v in rows[name].to_pylist()] for name in parts.names]
    raw, probability, pushes = (_rounded(part) for part in (scores.raw, scores.probability, parts.values))
    return [
        Scored(
            raw[i],
            probability[i],
            str(scores.band[i]),
            _reasons(model, [column[i] for column in observed], pushes[i], cell),
            base,
            usual,
            Similar(cell.key, cell.rows) if cell else None,
        )
        for i, cell in enumerate(cells)
    ]


def _reasons(
    model: RiskModel, observed: Sequence[Value], pushes: Sequence[float], cell: Cell | None
) -> tuple[Reason, ...]:
    """Contributions gathered by group, the group that moved the score most first; those that moved nothing left out."""
    gathered: dict[str, list[Observed]] = {}
    for read, value, push in zip(model.inputs, observed, pushes, strict=True):
        if push != 0:
            at = (cell.place(read.name, value) if cell else None) or NOWHERE
            gathered.setdefault(read.group, []).append(Observed(read.name, value, push, at.lower, at.higher, at.same))
    totals = {group: sum(o.contribution for o in each) for group, each in gathered.items()}
    moved = sum(abs(t) for t in totals.values())
    reasons = []
    for group in sorted(totals, key=lambda g: (-abs(totals[g]), g)):
        if totals[group] == 0:
            continue
        sign = 1 if totals[group] > 0 else -1
        # Features that pull the group's way come first: they are what the reason says.
        each = sorted(gathered[group], key=lambda o: (-sign * o.contribution, o.feature))
        share = round(abs(totals[group]) / moved, 6)
        certain = model.stability is None or model.stability.certain(group, totals[group])
        reasons.append(Reason(group, share, "raises" if sign > 0 else "lowers", tuple(each), certain))
    return tuple(reasons)


def _referrals(rows: pa.Table, protection: Protection | None) -> list[tuple[str, ...]]:
    if protection is None:
        return [()] * rows.num_rows
    seen = protection.evaluate(rows)
    return [tuple(s.id for s, r in zip(protection.signs, column, strict=True) if r > 0) for column in seen.T]


def _hits(rows: pa.Table, k: int, findings: Findings, rulebook: Rulebook, kind: SubjectKind) -> tuple[Finding, ...]:
    """The rules that hit row `k`, each with what its sentence may name: values it read, thresholds of the day."""
    if not findings.hits(k):
        return ()
    row = rows.slice(k, 1).to_pylist()[0]
    return tuple(
        Finding(f.rule.id, {name: _said(v) for name, v in {**f.limits, **f.observed}.items()})
        for f in rulebook.evaluate_one(row, kind)
        if f.result is Result.HIT
    )


def _said(value: Any) -> Value:
    return ", ".join(str(v) for v in value) if isinstance(value, list | tuple) else plain(value)


def _rounded(numbers: NDArray[np.float64]) -> Any:
    """The same numbers in lists, rounded."""
    return np.round(numbers, DIGITS).tolist()


def _text(value: Value) -> str | None:
    return None if value is None else str(value)

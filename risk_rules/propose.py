"""From findings and a band to one proposed mitigation: the least intrusive that answers all that was found.

Only here do findings and a model's band meet. A proposal is never more than a proposal: an officer decides.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from records.errors import BadInput
from risk_rules.columns import nearest
from risk_rules.mitigations import Ladder, Mitigation
from risk_rules.rule import PURPOSES, Rule
from risk_rules.rulebook import Findings

Cause: TypeAlias = Literal["random", "rule", "model", "none"]


@dataclass(frozen=True)
class Considered:
    """One rung looked at: `proposed`, `too_little` for what was found, or `not_warranted` by what stands behind it."""

    mitigation: str
    rung: int
    verdict: Literal["proposed", "too_little", "not_warranted"]


@dataclass(frozen=True)
class Proposal:
    """What is proposed and what caused it. `rule` is the rule that asks for the rung, where one does.

    A drawn subject is proposed the same as any other drawn one, whatever was found; `afterwards` is what the findings
    ask for, to be shown once the check's own finding is recorded.
    """

    mitigation: str | None
    cause: Cause
    rule: str | None
    considered: tuple[Considered, ...]
    afterwards: Proposal | None = None


def propose(hits: Sequence[Rule], band: str | None, *, drawn: bool, purpose: str, ladder: Ladder) -> Proposal:
    """The least intrusive sufficient mitigation for one subject.

    `hits` are the rules that hit, `band` the label of the model's score for the same purpose (None without a model).
    BadInput for an unknown purpose or band, or a rule of another purpose.
    """
    if purpose not in PURPOSES:
        raise BadInput(f"There is no purpose '{purpose}'. {nearest(purpose, PURPOSES)}")
    strangers = [rule.id for rule in hits if rule.purpose != purpose]
    if strangers:
        raise BadInput(
            f"Rule '{strangers[0]}' is not for {purpose}. A finding is read for its own purpose alone. "
            "Propose once per purpose."
        )
    found = _found(hits, band, purpose, ladder)
    if not drawn or purpose not in ladder.random:
        return found
    rung = ladder.mitigations[ladder.random[purpose]]
    return Proposal(rung.id, "random", None, _considered(rung, purpose, ladder, hits), found)


def _found(hits: Sequence[Rule], band: str | None, purpose: str, ladder: Ladder) -> Proposal:
    asked: list[tuple[Mitigation, Cause, str | None]] = []
    for rule in hits:
        asked.append((ladder.mitigations[rule.mitigation], "rule", rule.id))
    by_band = _band_alone(band, purpose, ladder)
    if by_band is not None:
        asked.append((by_band, "model", None))
    if not asked:
        return Proposal(None, "none", None, ())
    # Less than the highest rung asked for would leave that finding unanswered; a rule explains more than a band.
    mitigation, cause, rule_id = max(asked, key=lambda a: (a[0].rung, a[1] == "rule"))
    return Proposal(mitigation.id, cause, rule_id, _considered(mitigation, purpose, ladder, hits))


def _band_alone(band: str | None, purpose: str, ladder: Ladder) -> Mitigation | None:
    if band is None:
        return None
    by_band = ladder.bands.get(purpose, {})
    if band not in by_band:
        raise BadInput(f"mitigations.yaml does not say what the band '{band}' leads to for {purpose}. Add it there.")
    name = by_band[band]
    return None if name is None else ladder.mitigations[name]


def _considered(chosen: Mitigation, purpose: str, ladder: Ladder, hits: Sequence[Rule]) -> tuple[Considered, ...]:
    looked = []
    for rung in ladder.for_purpose(purpose):
        if rung.id == chosen.id:
            looked.append(Considered(rung.id, rung.rung, "proposed"))
        elif rung.rung < chosen.rung:
            looked.append(Considered(rung.id, rung.rung, "too_little"))
        elif not warranted(rung, hits):
            looked.append(Considered(rung.id, rung.rung, "not_warranted"))
    return tuple(looked)


def warranted(mitigation: Mitigation, hits: Sequence[Rule]) -> bool:
    """Whether what stands behind a mitigation suffices: an officer who raises a proposal meets the same bound."""
    return {
        "any_hit": True,
        "rule_hit": bool(hits),
        "fact_hit": any(rule.evidence == "fact" for rule in hits),
    }[mitigation.needs]


def propose_all(
    findings: Findings,
    bands: Sequence[str | None] | None,
    drawn: NDArray[np.bool_],
    *,
    purpose: str,
    ladder: Ladder,
) -> list[Proposal]:
    """`propose` for every row of a table, in its order; rows alike in findings, band and draw share one proposal."""
    made: dict[tuple[bytes, str | None, bool], Proposal] = {}
    proposals = []
    hit = findings.results == 1
    for row in range(findings.results.shape[1]):
        band = None if bands is None else bands[row]
        key = (hit[:, row].tobytes(), band, bool(drawn[row]))
        if key not in made:
            made[key] = propose(findings.hits(row), band, drawn=bool(drawn[row]), purpose=purpose, ladder=ladder)
        proposals.append(made[key])
    return proposals

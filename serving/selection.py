"""Who of the assessed is checked when checks are few, per post and shift: control, exploration, then by rank.

The draw itself, the order and the blinding are `risk_rules/lanes.py`; here assessments are gathered by shift and get
what became of them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal

import numpy as np

from risk_rules.lanes import DRAWN, EXPLORED_AT_MOST, Draw, draw, explore, fill
from risk_rules.mitigations import Ladder
from serving.assessment import Assessment

ShiftKey = tuple[str, str]  # post, shift


@dataclass(frozen=True)
class Shift:
    """How one post draws and fills in one shift: its secret, the probability it fixed before, the checks it can do."""

    post: str
    shift: str
    capacity: int
    p: float
    secret: bytes = field(repr=False)


def shift_of(assessment: Assessment) -> ShiftKey | None:
    """Post and shift that handle an event; None for one that no shift handles, such as a permit."""
    post, shift = assessment.facts.get("post"), assessment.facts.get("shift")
    return (str(post), str(shift)) if post is not None and shift is not None else None


def select(
    assessed: Sequence[Assessment],
    shifts: Mapping[ShiftKey, Shift],
    ladder: Ladder,
    explored: Mapping[str, int] | None = None,
) -> list[Assessment]:
    """The same assessments, in order, with lane, why, probability, outcome and blind.

    All assessable events of a shift must be handed over together, since they compete for its checks. Events of a shift
    that was not planned keep what they had: nothing is selected without a probability fixed beforehand. `explored` says
    how often each subject was explored in the last year; without it nobody is.
    """
    selected = list(assessed)
    by_shift: dict[ShiftKey, list[int]] = {}
    for i, assessment in enumerate(assessed):
        key = shift_of(assessment)
        if assessment.assessable and key is not None and key in shifts:
            by_shift.setdefault(key, []).append(i)
    for key, rows in by_shift.items():
        for i, found in zip(rows, _filled([assessed[i] for i in rows], shifts[key], ladder, explored), strict=True):
            selected[i] = found
    return selected


def drawn(assessment: Assessment, shifts: Mapping[ShiftKey, Shift]) -> bool:
    """Whether random control draws this event, whatever its score and findings."""
    shift = shifts.get(shift_of(assessment) or ("", ""))
    if not assessment.assessable or shift is None:
        return False
    return bool(draw([assessment.subject or assessment.event], [assessment.as_of], shift.secret, shift.p).drawn[0])


def interest(assessment: Assessment) -> float:
    """How much there is to learn from checking an event, 0 to 1: the larger of how *uncertain* and how *new* it is.

    Uncertain is the share of what moved its score that often goes when the model is grown again; new is the share of
    the model's inputs that are unknown of it. Without a score nothing is known to be uncertain, and all are equal: 0.
    """
    if assessment.raw is None:
        return 0.0
    uncertain = sum(reason.share for reason in assessment.reasons if not reason.certain)
    known = list(assessment.inputs.values())
    return min(1.0, max(uncertain, sum(value is None for value in known) / len(known) if known else 0.0))


def _explored(numbers: Draw, events: Sequence[Assessment], before: Mapping[str, int]) -> Draw:
    counts, seen = [], set()
    for event in events:
        # Of several events of one traveller in a shift, the first may be explored; nobody without a subject is.
        first = event.subject is not None and event.subject not in seen
        counts.append(before.get(event.subject or "", 0) if first else EXPLORED_AT_MOST)
        seen.add(event.subject)
    return explore(numbers, np.array([interest(e) for e in events]), np.array(counts, dtype=np.int64))


def _filled(
    events: Sequence[Assessment], shift: Shift, ladder: Ladder, explored: Mapping[str, int] | None
) -> list[Assessment]:
    # An event without a subject still takes part in the draw, under its own number.
    numbers = draw([a.subject or a.event for a in events], [a.as_of for a in events], shift.secret, shift.p)
    if explored is not None:
        numbers = _explored(numbers, events, explored)
    rungs = [ladder.mitigations[a.mitigation] if a.mitigation else None for a in events]
    causes = [_cause(a.cause) if rung and rung.takes_capacity else None for a, rung in zip(events, rungs, strict=True)]
    rank = np.array(
        [
            [rung.rung if rung else 0.0, a.raw if a.raw is not None else np.nan]
            for a, rung in zip(events, rungs, strict=True)
        ]
    )
    became = fill(numbers, causes, rank, shift.capacity)
    result = []
    for i, assessment in enumerate(events):
        why = became.why[i]
        lane = ladder.mitigations[ladder.random[assessment.purpose]].lane if why in DRAWN else assessment.lane
        result.append(
            replace(
                assessment,
                lane=lane,
                why=why,
                probability=float(became.probability[i]),
                outcome=became.outcome[i],
                blind=bool(became.blind[i]),
            )
        )
    return result


def _cause(cause: str | None) -> Literal["rule", "model"] | None:
    return "rule" if cause == "rule" else "model" if cause == "model" else None

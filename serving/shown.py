"""What of an assessment a visitor is shown: less while it is blind, and gates and referrals to hardly anyone."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from serving.assessment import Assessment, Value
from serving.store import Count

# Facts of an event that a page names, in the order it names them.
FACTS = {
    "crossing": (
        "direction",
        "mode",
        "service",
        "document_type",
        "party_size",
        "declared_stay_days",
        "address_governorate",
    ),
    "permit": ("category", "valid_to"),
}
_BLIND = (
    "raw",
    "base",
    "usual",
    "score",
    "band",
    "reasons",
    "findings",
    "undecided",
    "mitigation",
    "cause",
    "inputs",
    "lane",
    "why",
    "probability",
    "outcome",
)
_GATES = ("regime", "under_18")


def facts(assessment: Assessment) -> dict[str, Value]:
    """The facts a page names, where they are known."""
    wanted = FACTS[assessment.event_kind]
    return {name: assessment.facts[name] for name in wanted if assessment.facts.get(name) is not None}


def why_not(reason: str, sees_protection: bool) -> str:
    """Why an event is not scored, as this visitor may know it: an open referral is known to few."""
    return "other" if reason == "open_referral" and not sees_protection else reason


def as_json(assessment: Assessment, sees_protection: bool) -> dict[str, Any]:
    """The assessment as the API sends it."""
    written = assessment.as_json()
    written["facts"] = {k: v for k, v in written["facts"].items() if k not in _GATES}
    if assessment.why_not is not None:
        written["why_not"] = why_not(assessment.why_not, sees_protection)
    if not sees_protection:
        del written["referrals"]
    if assessment.blind:
        for name in _BLIND:
            del written[name]
    return written


def counts(counted: Sequence[Count], sees_protection: bool) -> dict[str, int]:
    """Events counted and not scored, per reason as this visitor may know it."""
    told: dict[str, int] = {}
    for count in counted:
        reason = why_not(count.why_not, sees_protection)
        told[reason] = told.get(reason, 0) + count.events
    return told

"""One rule: the sentence that is true when it fires, with its dates, its basis, and cases anyone can read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from enum import IntEnum
from typing import Any, Literal

from risk_rules.columns import SubjectKind
from risk_rules.conditions import Condition, Node, joined
from risk_rules.texts import Texts

ASSESSED_REGIMES = ("visa_exempt", "visa", "resident")
"""Only persons under the law on foreigners are assessed: nationals, diplomats and crews never."""

PURPOSES: Mapping[str, SubjectKind] = {"secondary_check": "crossing", "permit_lapse": "permit"}
"""What a rule or a mitigation may be for, and whom it is then about. A score for one is never read for another."""


class Result(IntEnum):
    """What a rule says of one event. Missing is not false: `UNDECIDED` is neither hit nor no."""

    HIT = 1
    NO = 0
    UNDECIDED = -1


@dataclass(frozen=True)
class AppliesTo:
    """Whom a rule is about. Gates stand here and nowhere else; a rule never applies to a child."""

    subject_kind: SubjectKind
    direction: str | None = None
    regimes: tuple[str, ...] = ()

    @property
    def node(self) -> Node | None:
        """The same as a condition, so that an unknown gate leaves the rule undecided; None where it applies to all."""
        if self.subject_kind == "permit":
            return None
        parts: list[Node] = [Condition("under_18", "eq", False), Condition("regime", "in", self.regimes)]
        if self.direction is not None:
            parts.insert(0, Condition("direction", "eq", self.direction))
        return joined(parts)

    def within(self, other: AppliesTo) -> bool:
        """Whether everyone this applies to is among those `other` applies to."""
        return (
            self.subject_kind == other.subject_kind
            and other.direction in (None, self.direction)
            and set(self.regimes) <= set(other.regimes)
        )


@dataclass(frozen=True)
class Points:
    """Rule points of a hit: `steps` are (from, points) on column `on`; a value below the first, or missing, gives 0."""

    on: str | None
    steps: tuple[tuple[float, int], ...]


@dataclass(frozen=True)
class Case:
    """One worked example: `given` these values as known on day `as_of`, the rule says `expect`."""

    given: Mapping[str, Any]
    as_of: date
    expect: Result


@dataclass(frozen=True)
class Rule:
    """One rule as written, checked. `when` still names thresholds as "@name"; a rulebook puts in one day's values.

    `evidence` is `fact` where an authority stated what the rule says, else `indication`. `valid_until` is excluded.
    """

    id: str
    file: str
    title: Texts
    reason: Texts
    basis: str
    purpose: str
    owner: str
    evidence: Literal["fact", "indication"]
    valid_from: date
    valid_until: date
    applies_to: AppliesTo
    when: Mapping[str, Any]
    on_missing: Literal["undecided", "no_hit"]
    points: Points
    mitigation: str
    cases: tuple[Case, ...]

    @property
    def example(self) -> bool:
        """Whether the basis is invented: such a rule never goes live."""
        return self.basis.startswith("example")

    def in_force(self, day: date) -> bool:
        return self.valid_from <= day < self.valid_until


def threshold_names(raw: Any) -> tuple[str, ...]:
    """The thresholds a raw `when` names, each once."""
    match raw:
        case Mapping():
            found = [n for part in raw.values() for n in threshold_names(part)]
        case list():
            found = [n for part in raw for n in threshold_names(part)]
        case str() if raw.startswith("@"):
            found = [raw[1:]]
        case _:
            found = []
    return tuple(dict.fromkeys(found))

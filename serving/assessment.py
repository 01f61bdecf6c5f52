"""What one assessment is: everything that was used, everything that came out, frozen, so that it can be replayed.

An assessment is plain data: it is stored and sent as JSON and read back the same. Its id is a hash of its content, the
outcome of the capacity lanes left out: the same knowledge, model and rules give the same id on any day and any machine,
whether the event was assessed alone or in a batch.
"""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, date, datetime
from typing import Any

from features.declaration import SubjectKind

Value = str | float | int | bool | None


@dataclass(frozen=True)
class Observed:
    """One feature as observed, and what it added to the raw score (log-odds).

    Among similar subjects of whom it is known, at least the share `lower` has a lower value and at least `higher` a
    higher one; of what is no number, `same` has the same. None where nothing can be compared.
    """

    feature: str
    value: Value
    contribution: float
    lower: float | None = None
    higher: float | None = None
    same: float | None = None


@dataclass(frozen=True)
class Reason:
    """One idea that moved the score: the features of one reason group together.

    `share` is the part of all that moved the score, in either direction (0..1); `direction` is raises or lowers. One
    that is not `certain` is so small, for its group, that it often went when the model was grown again.
    """

    group: str
    share: float
    direction: str
    observed: tuple[Observed, ...]
    certain: bool = True

    @property
    def push(self) -> float:
        """What the idea added to the raw score, in log-odds."""
        return sum(o.contribution for o in self.observed)


@dataclass(frozen=True)
class Similar:
    """Whom the observed values were compared with: `subjects` alike in `key`, such as mode and season; () is all."""

    key: tuple[str, ...]
    subjects: int


@dataclass(frozen=True)
class Finding:
    """A rule that hit, with the values it read."""

    rule: str
    values: Mapping[str, Value]


@dataclass(frozen=True)
class Assessment:
    """One event, assessed for one purpose.

    `assessable` false means counted and not scored, with `why_not`. `score` is a calibrated probability, null where no
    model is champion or the event is not assessable; `raw` (log-odds) ranks. It is `base`, where every score of the
    model starts, plus the contributions of the reasons; `usual` is the probability of `base`, and `similar` says whom
    the observed values were compared with. `mitigation` is what is proposed, `cause` what the proposal rests on (rule
    or model). `inputs` is the feature vector, `facts` the event as known at `as_of`. `lane`, `why`, `probability`,
    `outcome` say whether and how it was selected for a check; `blind` that score, reasons and cause stay hidden until
    its finding is recorded. `rulebook` is applied as it stands on the day `rules_on`. `referrals` are protection
    referrals: a lane of their own, shown only to those who act on them.
    """

    id: str
    event_kind: SubjectKind
    event: str
    subject: str | None
    as_of: datetime
    happened_at: datetime
    place: str | None
    purpose: str
    assessable: bool
    why_not: str | None
    raw: float | None
    score: float | None
    band: str | None
    reasons: tuple[Reason, ...]
    findings: tuple[Finding, ...]
    undecided: tuple[str, ...]
    mitigation: str | None
    cause: str | None
    referrals: tuple[str, ...]
    inputs: Mapping[str, Value]
    facts: Mapping[str, Value]
    model: str | None
    rulebook: str
    mode: str
    data_versions: Mapping[str, int] = field(default_factory=dict)
    lane: str | None = None
    why: str | None = None
    probability: float | None = None
    outcome: str | None = None
    blind: bool = False
    base: float | None = None
    usual: float | None = None
    similar: Similar | None = None
    rules_on: str | None = None

    def as_json(self) -> dict[str, Any]:
        """The assessment as JSON values; `from_json` reads it back the same."""
        written = asdict(self)
        written["as_of"] = self.as_of.isoformat()
        written["happened_at"] = self.happened_at.isoformat()
        return written


# What the id leaves out: itself; where the knowledge was read from (as_of already says what was known); the day whose
# rules were used (the findings say what they said); and the outcome of the lanes, which depends on how many others
# compete for the same capacity.
_NOT_CONTENT = ("id", "data_versions", "rules_on", "lane", "why", "probability", "outcome", "blind")


def identified(assessment: Assessment) -> Assessment:
    """The same assessment with its id: 32 hexadecimal digits of the SHA-256 of its content."""
    content = {k: v for k, v in assessment.as_json().items() if k not in _NOT_CONTENT}
    written = json.dumps(content, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    return replace(assessment, id=hashlib.sha256(written.encode()).hexdigest()[:32])


def from_json(written: Mapping[str, Any]) -> Assessment:
    """The assessment that `as_json` wrote."""
    values = dict(written)
    values["as_of"] = datetime.fromisoformat(values["as_of"])
    values["happened_at"] = datetime.fromisoformat(values["happened_at"])
    values["reasons"] = tuple(
        Reason(**{**r, "observed": tuple(Observed(**o) for o in r["observed"])}) for r in values["reasons"]
    )
    if similar := values.get("similar"):
        values["similar"] = Similar(tuple(similar["key"]), similar["subjects"])
    values["findings"] = tuple(Finding(**f) for f in values["findings"])
    values["undecided"] = tuple(values["undecided"])
    values["referrals"] = tuple(values["referrals"])
    return Assessment(**values)


def plain(value: Any) -> Value:
    """A cell of a table as a JSON value: NaN and null become null, times become ISO 8601 in UTC."""
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return None
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat()
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, bool | int | float | str):
        return value
    raise TypeError(f"A cell holds {type(value).__name__}; assessments hold text, numbers, truth values and times.")

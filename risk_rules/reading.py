"""The shape of a rule as written: which parts it has and what each may hold. The loader checks what it means."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta
from typing import Any

from records.errors import BadInput
from risk_rules.columns import SUBJECT_KINDS, SubjectKind, nearest
from risk_rules.rule import ASSESSED_REGIMES, PURPOSES, AppliesTo, Case, Points, Result, Rule
from risk_rules.texts import texts

LONGEST = timedelta(days=366)
"""A rule ends by itself and is renewed on purpose. One with an invented basis never goes live and may last longer."""

EXPECTATIONS = {"hit": Result.HIT, "no": Result.NO, "undecided": Result.UNDECIDED}
REQUIRED = {
    "id",
    "title",
    "reason",
    "basis",
    "purpose",
    "owner",
    "evidence",
    "valid",
    "applies_to",
    "when",
    "on_missing",
    "mitigation",
    "cases",
}
OPTIONAL = {"points", "bands"}


def read_rule(raw: Any, file: str) -> Rule:
    """One rule as written, its shape checked. BadInput without file and rule, which the caller adds."""
    if not isinstance(raw, Mapping):
        raise BadInput("this entry is no rule. Begin it with `- id:` and give it its parts.")
    unknown = sorted(str(k) for k in set(raw) - REQUIRED - OPTIONAL)
    if unknown:
        raise BadInput(f"'{unknown[0]}' is no part of a rule. {nearest(unknown[0], REQUIRED | OPTIONAL)}")
    missing = sorted(REQUIRED - set(raw))
    if missing:
        raise BadInput(f"{', '.join(missing)} missing. A rule without it cannot be judged by others; add it.")
    for key in ("id", "basis", "owner", "mitigation"):
        if not isinstance(raw[key], str) or not raw[key].strip():
            raise BadInput(f"{key} is empty. Write it as text.")
    _one_of(raw, "purpose", tuple(PURPOSES))
    _one_of(raw, "evidence", ("fact", "indication"))
    _one_of(raw, "on_missing", ("undecided", "no_hit"))
    valid_from, valid_until = _valid(raw["valid"], raw["basis"])
    return Rule(
        id=raw["id"],
        file=file,
        title=texts(raw["title"], "title"),
        reason=texts(raw["reason"], "reason"),
        basis=raw["basis"],
        purpose=raw["purpose"],
        owner=raw["owner"],
        evidence=raw["evidence"],
        valid_from=valid_from,
        valid_until=valid_until,
        applies_to=read_applies_to(raw["applies_to"]),
        when=raw["when"],
        on_missing=raw["on_missing"],
        points=_points(raw),
        mitigation=raw["mitigation"],
        cases=read_cases(raw["cases"]),
    )


def _one_of(raw: Mapping[str, Any], key: str, allowed: tuple[str, ...]) -> None:
    if raw[key] not in allowed:
        raise BadInput(f"{key} is '{raw[key]}'. It is one of: {', '.join(allowed)}.")


def _valid(raw: Any, basis: str) -> tuple[date, date]:
    if not isinstance(raw, Mapping) or set(raw) != {"from", "until"}:
        raise BadInput("valid needs exactly from and until: a rule that never ends is never looked at again.")
    start, end = raw["from"], raw["until"]
    if type(start) is not date or type(end) is not date or start >= end:
        raise BadInput(f"valid from {start} until {end} is no span of days. Write YYYY-MM-DD, until after from.")
    if end - start > LONGEST and not basis.startswith("example"):
        raise BadInput(
            f"valid for {(end - start).days} days. A rule holds at most 12 months, then its report renews it. "
            "Bring until nearer."
        )
    return start, end


def read_applies_to(raw: Any) -> AppliesTo:
    """Whom a rule is about. BadInput for children, for regimes that are never assessed, and for unknown words."""
    if not isinstance(raw, Mapping) or raw.get("subject_kind") not in SUBJECT_KINDS:
        raise BadInput("applies_to needs a subject_kind: crossing or permit.")
    kind: SubjectKind = raw["subject_kind"]
    if kind == "permit":
        if set(raw) != {"subject_kind"}:
            raise BadInput("applies_to of a permit rule has subject_kind alone: gates are known at crossings.")
        return AppliesTo(kind)
    if not {"subject_kind", "regimes"} <= set(raw) <= {"subject_kind", "direction", "regimes"}:
        raise BadInput(
            "applies_to of a crossing rule has subject_kind, regimes and perhaps direction. Children are left out "
            "always: signs about a child belong in protection.yaml."
        )
    if raw.get("direction") not in (None, "entry", "exit"):
        raise BadInput(f"applies_to has the direction '{raw['direction']}'. It is entry or exit.")
    regimes = raw["regimes"]
    if not isinstance(regimes, list) or not regimes or not set(regimes) <= set(ASSESSED_REGIMES):
        raise BadInput(
            f"applies_to has the regimes {regimes!r}. Only persons under the law on foreigners are assessed: choose "
            f"among {', '.join(ASSESSED_REGIMES)}."
        )
    return AppliesTo(kind, raw.get("direction"), tuple(regimes))


def _points(raw: Mapping[str, Any]) -> Points:
    if "points" in raw and "bands" in raw:
        raise BadInput("it has points and bands. Keep one: fixed points, or points by the value of a column.")
    if "bands" not in raw:
        return Points(None, ((0.0, _whole(raw.get("points", 0))),))
    bands = raw["bands"]
    if not isinstance(bands, Mapping) or set(bands) != {"on", "steps"} or not isinstance(bands["steps"], list):
        raise BadInput("bands need exactly on (a column of `when`) and steps (a list of {from, points}).")
    steps = []
    for step in bands["steps"]:
        if not isinstance(step, Mapping) or set(step) != {"from", "points"} or type(step["from"]) not in (int, float):
            raise BadInput(f"bands have the step {step!r}. Each step is {{from: number, points: whole number}}.")
        steps.append((float(step["from"]), _whole(step["points"])))
    if not steps or [s for s, _ in steps] != sorted({s for s, _ in steps}):
        raise BadInput("bands have no steps, or steps out of order. List them with `from` rising.")
    return Points(str(bands["on"]), tuple(steps))


def _whole(value: Any) -> int:
    if type(value) is not int or not 0 <= value <= 100:
        raise BadInput(f"points are {value!r}. Write a whole number from 0 to 100.")
    return value


def read_cases(raw: Any) -> tuple[Case, ...]:
    """Worked examples. BadInput if one is not given, as_of and expect."""
    if not isinstance(raw, list):
        raise BadInput("cases must be a list of {given, as_of, expect}.")
    cases = []
    for case in raw:
        if not isinstance(case, Mapping) or set(case) != {"given", "as_of", "expect"}:
            raise BadInput(f"the case {case!r} needs exactly given, as_of and expect.")
        if not isinstance(case["given"], Mapping) or type(case["as_of"]) is not date:
            raise BadInput(f"the case {dict(case)!r} needs given as column: value, and as_of as YYYY-MM-DD.")
        if case["expect"] not in EXPECTATIONS:
            raise BadInput(f"a case expects '{case['expect']}'. It is one of: {', '.join(EXPECTATIONS)}.")
        cases.append(Case(case["given"], case["as_of"], EXPECTATIONS[case["expect"]]))
    return tuple(cases)

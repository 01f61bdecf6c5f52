"""The dossier of one score: everything that went into it and came out of it, and how each reader is told.

It is made from the assessment's own inputs, the model and the rules that assessed it, and from nothing else, so that
making it again gives the same bytes. What happens later (who looked, what was decided) stands beside it and never in
it: see `serving/dossiers.py`.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

import numpy as np

from models.risk.counterfactual import what_would_change
from models.risk.model import RiskModel
from risk_rules.rulebook import Finding, Rulebook
from serving.assessment import Assessment, from_json, plain
from serving.dossier_officer import officer
from serving.dossier_oversight import oversight
from serving.dossier_parts import Document
from serving.dossier_person import person
from serving.languages import LANGUAGES, language
from serving.replay import tables_of

AUDIENCES = ("officer", "oversight", "person")
FORMAT = 1
ADDS_UP = 1e-7  # what base and contributions, as written, may miss the raw score by: each is rounded to _DIGITS
CALIBRATOR = ("kind", "slope", "against", "offset", "shift")  # what is told of it
_DIGITS = 9


def made(assessment: Assessment, model: RiskModel | None, rulebook: Rulebook) -> bytes:
    """The dossier as bytes: its values, and one document per language and audience. `read` reads it back.

    `model` and `rulebook` are those the assessment names. ArithmeticError should contributions not add up.
    """
    found = values(assessment, model, rulebook)
    documents = {
        code: {audience: told.as_json() for audience, told in _documents(assessment, found, rulebook, code).items()}
        for code in LANGUAGES
    }
    content = {"format": FORMAT, "assessment": _content(assessment), "values": found, "documents": documents}
    return json.dumps(content, sort_keys=True, ensure_ascii=False, separators=(",", ":")).encode("utf-8")


def read(dossier: bytes) -> dict[str, Any]:
    content: dict[str, Any] = json.loads(dossier)
    return content


def document(dossier: Mapping[str, Any], audience: str, code: str) -> Document:
    """The document for one audience in one language."""
    return Document.from_json(dossier["documents"][code][audience])


def assessed(dossier: Mapping[str, Any]) -> Assessment:
    """The assessment as frozen: what its picture is drawn from."""
    return from_json({**dossier["assessment"], "referrals": ()})


def values(assessment: Assessment, model: RiskModel | None, rulebook: Rulebook) -> dict[str, Any]:
    """The figures oversight asks for, as JSON: the score and its parts, what would have changed the band, the rules."""
    found: dict[str, Any] = {"score": None, "contributions": [], "what_if": [], "rules": [], "undecided": []}
    if not assessment.assessable:
        return found
    spine, row = tables_of(assessment)
    if model is not None and assessment.raw is not None:
        parts = model.contributions(row)
        base, pushes = round(parts.base, _DIGITS), np.round(parts.values[0], _DIGITS).tolist()
        found["contributions"] = [
            {"feature": i.name, "group": i.group, "value": plain(row[i.name][0].as_py()), "contribution": push}
            for i, push in sorted(zip(model.inputs, pushes, strict=True), key=lambda p: (-abs(p[1]), p[0].name))
        ]
        _refuse_apart(assessment, base, sum(pushes))
        found["score"] = {
            "raw": assessment.raw,
            "base": base,
            "probability": assessment.score,
            "band": assessment.band,
            "bands": [list(band) for band in model.bands.least],
            "models": len(model.trees),
            "calibrator": {name: getattr(model.calibrator, name) for name in CALIBRATOR},
        }
        found["what_if"] = [asdict(what_if) for what_if in what_would_change(model, row)]
        found["model"] = {
            "hash": model.hash,
            "name": model.name,
            "purpose": model.purpose,
            "trained_from": dict(model.trained_from),
        }
    said = rulebook.evaluate_one({**spine.to_pylist()[0], **row.to_pylist()[0]}, assessment.event_kind)
    by_id = {finding.rule.id: finding for finding in said}
    found["rules"] = [_rule(by_id[f.rule]) for f in assessment.findings]
    found["undecided"] = [_rule(by_id[id]) for id in assessment.undecided]
    return found


def _rule(finding: Finding) -> dict[str, Any]:
    rule = finding.rule
    return {
        "rule": rule.id,
        "basis": rule.basis,
        "evidence": rule.evidence,
        "mitigation": rule.mitigation,
        "observed": {name: plain(value) for name, value in finding.observed.items()},
        "limits": {name: _limit(value) for name, value in finding.limits.items()},
        "missing": list(finding.missing),
    }


def _limit(value: Any) -> Any:
    return [plain(v) for v in value] if isinstance(value, list | tuple) else plain(value)


def _refuse_apart(assessment: Assessment, base: float, pushes: float) -> None:
    apart = abs(base + pushes - (assessment.raw or 0.0))
    if apart > ADDS_UP:
        raise ArithmeticError(
            f"The contributions of assessment {assessment.id} miss its score by {apart:.2g}; do not show them. The "
            "model is not the one that assessed it, or its inputs were changed."
        )


def _content(assessment: Assessment) -> dict[str, Any]:
    """What was assessed, without protection referrals and gates: those are for few, and change nothing here."""
    written = assessment.as_json()
    del written["referrals"]
    written["facts"] = {k: v for k, v in written["facts"].items() if k not in ("regime", "under_18")}
    return written


def _documents(assessment: Assessment, found: Mapping[str, Any], rulebook: Rulebook, code: str) -> dict[str, Document]:
    reader = language(code)
    return {
        "officer": officer(assessment, rulebook, reader),
        "oversight": oversight(assessment, found, rulebook, reader),
        "person": person(assessment, rulebook, reader),
    }

"""The numbers rules use, each in its own dated file: from a day on, this value, resting on this."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from itertools import pairwise
from pathlib import Path
from typing import Any

from records.errors import BadInput
from risk_rules.strict_yaml import read


@dataclass(frozen=True)
class Step:
    """`value` holds from `since` until the next step; `basis` says what it rests on."""

    since: date
    value: Any
    basis: str

    @property
    def example(self) -> bool:
        return self.basis.startswith("example")


@dataclass(frozen=True)
class Threshold:
    name: str
    steps: tuple[Step, ...]

    def at(self, day: date) -> Step | None:
        """The step in force on `day`; None before the first."""
        return next((step for step in reversed(self.steps) if step.since <= day), None)


def load(folder: Path) -> Mapping[str, Threshold]:
    """Name → threshold of every file in `folder`. BadInput names file, day, and what to mend."""
    return {path.stem: _threshold(path) for path in sorted(folder.glob("*.yaml"))}


def _threshold(path: Path) -> Threshold:
    where = f"thresholds/{path.name}"
    raw = read(path)
    if not isinstance(raw, Mapping) or not raw:
        raise BadInput(f"{where} holds no dated values. Write lines such as 2026-01-01: {{value: 3, basis: ...}}.")
    steps = []
    for since, entry in raw.items():
        if type(since) is not date:
            raise BadInput(f"{where}: '{since}' is no day. A value starts on a day, written YYYY-MM-DD.")
        if not isinstance(entry, Mapping) or set(entry) != {"value", "basis"}:
            raise BadInput(f"{where}, {since}: needs exactly value and basis, so that the number's source can be read.")
        if not isinstance(entry["basis"], str) or not entry["basis"].strip():
            raise BadInput(f"{where}, {since}: basis is empty. Cite the article, or write 'example: ...'.")
        steps.append(Step(since, entry["value"], entry["basis"]))
    if any(later.since <= earlier.since for earlier, later in pairwise(steps)):
        raise BadInput(f"{where}: the days are not in order. Sort them, earliest first.")
    return Threshold(path.stem, tuple(steps))


def values_at(thresholds: Mapping[str, Threshold], day: date) -> dict[str, Any]:
    """Name → value of every threshold that is defined on `day`."""
    steps = {name: threshold.at(day) for name, threshold in thresholds.items()}
    return {name: step.value for name, step in steps.items() if step is not None}

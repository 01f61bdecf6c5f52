"""What a comparison has to say: how each contestant did on the same folds, and in words whether that is noise."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from evidence.groups import GroupTable
from evidence.intervals import Interval


@dataclass(frozen=True)
class Told:
    """A fold: when validation and test begin, how many rows each part has, and positives of the test."""

    valid_from: str
    test_from: str
    rows: tuple[int, int, int]
    positives: int


@dataclass(frozen=True)
class Band:
    """Cases promised a probability in [`least`, `below`): mean promise and share found."""

    least: float
    below: float
    rows: int
    promised: float
    found: Interval


@dataclass(frozen=True)
class Held:
    """Shares of flagged cases that become others under another seed, a bootstrap of days and one more month of data,
    and the share of the first three reasons of flagged cases that a bootstrap keeps. None where it cannot be tried."""

    seed: float | None
    bootstrap: float | None
    month: float | None
    reasons: float | None


@dataclass(frozen=True)
class Cost:
    """CPU seconds to learn the fold that took longest, and rows scored in one CPU second."""

    seconds: float
    rows_per_second: float


@dataclass(frozen=True)
class Standing:
    """How one contestant did. `gains` are its figures minus those of the reference, on the same redrawn days."""

    name: str
    figures: Mapping[str, Interval]
    gains: Mapping[str, Interval]
    slope: Interval
    bands: tuple[Band, ...]
    groups: tuple[GroupTable, ...]
    held: Held | None
    cost: Cost | None
    said: tuple[str, ...]
    folds: int


@dataclass(frozen=True)
class Comparison:
    """Everybody beside everybody. `metrics` are titles and which way is better by name; the `reference` comes first."""

    subject: str
    capacity: float
    metrics: Mapping[str, tuple[str, str]]
    folds: tuple[Told, ...]
    standings: tuple[Standing, ...]

    @property
    def reference(self) -> str:
        return self.standings[0].name

    def as_json(self) -> dict[str, Any]:
        """Plain values for a page or a file: aggregates only."""
        whole: dict[str, Any] = _plain(asdict(self))
        for written, standing in zip(whole["standings"], self.standings, strict=True):
            written["verdicts"] = [verdict(standing, self.reference, name, self.metrics) for name in standing.gains]
            for table, of in zip(written["groups"], standing.groups, strict=True):
                table["selection_ratio"] = _plain(asdict(of.selection_ratio))
        return whole


def verdict(standing: Standing, reference: str, name: str, metrics: Mapping[str, tuple[str, str]]) -> str:
    """In words, whether `standing` differs from the reference in the metric `name` by more than noise."""
    title, better = metrics[name]
    gain = standing.gains[name]
    if gain.value is None or gain.low is None or gain.high is None:
        return f"{title}: nothing can be said about {standing.name} and {reference}, there are too few rows."
    span = f"{gain.value:+.3f} [{gain.low:+.3f}, {gain.high:+.3f}]"
    if gain.low <= 0 <= gain.high:
        return f"{title}: {standing.name} and {reference} differ by no more than noise, {span}."
    ahead = (gain.value > 0) == (better == "higher")
    return f"{title}: {standing.name} is {'better' if ahead else 'worse'} than {reference} by more than noise, {span}."


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {str(key): _plain(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(inner) for inner in value]
    if isinstance(value, np.generic):
        value = value.item()
    return None if isinstance(value, float) and not np.isfinite(value) else value

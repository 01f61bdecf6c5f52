"""Places with few findings of their own: there logistic regression stands in for trees, or is shown beside them.

At a place that training hardly saw, tuned trees are scarcely above the base rate; a straight line, whose every weight
can be read, holds better. In a backtest it takes the trees' place there, unless validation shows the trees ahead by
more than noise. In the engine's own models every score stays one model's, so that all contributions add up alike: the
line is kept with the model as a second opinion that says for which places it is the one to lean on.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from evidence.intervals import beyond_noise
from evidence.metrics import losses
from models.risk.calibration import Calibrator, platt
from models.risk.encoding import Matrix
from models.risk.learners import Logistic

LEAST = 1000  # labelled training rows of a place
EVIDENCE = 100  # validation rows at thin places, below which they decide nothing


@dataclass(frozen=True)
class Fallback:
    """`thin` (n,) marks rows at places with fewer than LEAST labelled training rows, `places` counts these places.
    `used`: logistic regression scores them."""

    thin: np.ndarray
    places: int
    used: bool

    def __str__(self) -> str:
        whose = "logistic regression" if self.used else "trees, which were ahead there by more than noise on validation"
        return f"{self.places} places have fewer than {LEAST:,} labelled rows of their own: scored by {whose}."


def counted(places: np.ndarray, train: np.ndarray) -> dict[str, int]:
    """Labelled training rows of each place: `places` (n,) text, `train` (n,) booleans."""
    names, counts = np.unique(places[train].astype(str), return_counts=True)
    return {str(name): int(count) for name, count in zip(names, counts, strict=True)}


def is_thin(places: np.ndarray, rows: Mapping[str, int]) -> np.ndarray:
    """Whether each place had fewer than LEAST rows."""
    enough = [name for name, count in rows.items() if count >= LEAST]
    return ~np.isin(places.astype(str), enough)


def fallback(
    places: np.ndarray,
    train: np.ndarray,
    valid: np.ndarray,
    labels: np.ndarray,
    trees: np.ndarray,
    floor: np.ndarray,
) -> Fallback:
    """Which rows are at thin places, and whether logistic regression is to score them.

    `places` (n,) text, `train` and `valid` (n,) booleans of labelled rows, `labels` (n,), and the raw scores (n,) of
    trees and of logistic regression.
    """
    thin = is_thin(places, counted(places, train))
    shown = valid & thin
    used = True
    if shown.sum() >= EVIDENCE:
        mine, line = (losses(labels[shown], _calibrated(raw, labels, valid)[shown]) for raw in (trees, floor))
        used = not beyond_noise(line - mine)
    return Fallback(thin, len(set(places[thin].astype(str))), used)


def _calibrated(raw: np.ndarray, labels: np.ndarray, valid: np.ndarray) -> np.ndarray:
    return platt(raw[valid], labels[valid])(raw)


@dataclass(frozen=True)
class SecondOpinion:
    """Logistic regression over a model's own inputs. `post` is the input that says where, `rows` its labelled rows."""

    line: Logistic
    calibrator: Calibrator
    post: str | None
    rows: Mapping[str, int]

    def probability(self, matrix: Matrix) -> np.ndarray:
        """What the line says of each row."""
        return self.calibrator(self.line.raw(matrix))

    def leads(self, places: np.ndarray) -> np.ndarray:
        """Whether each place had so few labelled rows that this opinion is the one to lean on."""
        return is_thin(places, self.rows) if self.post is not None else np.zeros(len(places), dtype=bool)

    def as_json(self) -> dict[str, Any]:
        return {
            "line": asdict(self.line),
            "calibrator": self.calibrator.as_json(),
            "post": self.post,
            "rows": dict(self.rows),
        }

    @classmethod
    def from_json(cls, content: Mapping[str, Any]) -> SecondOpinion:
        line: dict[str, Any] = {k: tuple(v) if isinstance(v, list) else v for k, v in content["line"].items()}
        return cls(Logistic(**line), Calibrator.from_json(content["calibrator"]), content["post"], content["rows"])

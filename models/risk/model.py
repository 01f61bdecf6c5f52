"""A trained risk model: scores, bands and exact contributions, kept as text and JSON, never as a pickle.

A saved model knows its inputs. It reads exactly those, refuses a table that lacks one or holds another type, and on
loading checks that its folder is what its name says and that it still may read what it reads.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from features.declaration import SubjectKind
from features.lineage import check_inputs
from models import folder
from models.risk.calibration import Calibrator
from models.risk.declaration import Bands
from models.risk.encoding import Matrix, codes, is_number, is_text
from models.risk.expressions import numbers
from models.risk.fallback import SecondOpinion
from models.risk.learners import MANY
from models.risk.peers import Peers
from models.risk.reference import Reference
from models.risk.stability import Stability
from records.errors import BadInput

if TYPE_CHECKING:
    from models.treescore import TreeScore
    from models.treeshap import TreeShap

FORMAT = 1
# Beside model.json, if it has them.
PEERS, STABILITY, REFERENCE, SECOND = "peers.json", "stability.json", "reference.json", "second.json"
THREADS = 2
ADDS_UP = 1e-9  # contributions and base differ from the raw score by less than this, in log-odds


@dataclass(frozen=True)
class Input:
    """One feature the model was trained on; `type` number, boolean or string, `levels` of a string in code order."""

    name: str
    type: str
    group: str
    levels: tuple[str, ...] = ()


@dataclass(frozen=True)
class Scores:
    """Per row: `raw` log-odds to rank by, `probability` (calibrated), its `band`, and `low` and `high`, the ends of the
    95% interval that the rows the calibrator was fitted on leave the probability."""

    raw: np.ndarray
    probability: np.ndarray
    band: np.ndarray
    low: np.ndarray
    high: np.ndarray


@dataclass(frozen=True)
class Contributions:
    """Shapley values in log-odds: `values` (n, p) in the order of `names`, and `base`, the same for every row.

    `values.sum(axis=1) + base` is the raw score.
    """

    names: tuple[str, ...]
    values: np.ndarray
    base: float


@dataclass(frozen=True)
class RiskModel:
    """Native LightGBM texts `trees`, and all that is needed to use them. The raw score is the mean of the trees'.

    `peers` say what is usual among similar subjects, `stability` which reasons can be leant on, `reference` what later
    cases must look like for the model to hold, `second` what a straight line says of the same inputs; None says
    nothing.
    """

    name: str
    purpose: str
    subject_kind: SubjectKind
    inputs: tuple[Input, ...]
    trees: tuple[str, ...] = field(repr=False)
    calibrator: Calibrator
    bands: Bands
    trained_from: Mapping[str, Any]  # data versions, periods, counts: what the card needs and no row
    peers: Peers | None = field(default=None, repr=False)
    stability: Stability | None = None
    reference: Reference | None = field(default=None, repr=False)
    second: SecondOpinion | None = field(default=None, repr=False)

    @property
    def names(self) -> tuple[str, ...]:
        """The features to compute before scoring."""
        return tuple(i.name for i in self.inputs)

    @cached_property
    def hash(self) -> str:
        """The content hash its folder is named by."""
        return folder.content_hash(self._files())

    def score(self, values: pa.Table) -> Scores:
        """Scores of the rows of `values`, which has one column per input (others are not read)."""
        raw = self._raw(self.matrix(values).values)
        probability = self.calibrator(raw)
        return Scores(raw, probability, self.band(probability), *self.calibrator.interval(raw))

    def second_opinion(self, values: pa.Table) -> tuple[np.ndarray, np.ndarray]:
        """What logistic regression says of each row, and whether the row's place had so few findings of its own that
        this is the answer to lean on. BadInput where the model has none."""
        if self.second is None:
            raise BadInput(f"Model '{self.name}' was trained without a second opinion. Train it again.")
        return self.second.probability(self.matrix(values)), self.line_leads(values)

    def line_leads(self, values: pa.Table) -> np.ndarray:
        """Whether each row's place had so few findings of its own that logistic regression is to be leant on there;
        nowhere without a second opinion."""
        if self.second is None or self.second.post is None:
            return np.zeros(values.num_rows, dtype=bool)
        where = pc.cast(values.column(self.second.post), pa.string())
        return self.second.leads(np.asarray(where.to_numpy(zero_copy_only=False), dtype=object))

    def band(self, probability: np.ndarray) -> np.ndarray:
        """The band of each probability."""
        names = np.array([name for name, _ in self.bands.least], dtype=object)
        starts = np.array([least for _, least in self.bands.least])
        return np.asarray(names[np.searchsorted(starts, probability, side="right") - 1])

    def contributions(self, values: pa.Table, raw: np.ndarray | None = None) -> Contributions:
        """Exact Shapley values of every score. ArithmeticError should they ever fail to add up.

        `raw` are the raw scores they must add up to, for a caller who has scored these rows already.
        """
        parts = self.explainer.values(self.matrix(values).values, threads=THREADS)
        base = float(self.explainer.base)
        raw = self.score(values).raw if raw is None else raw
        apart = float(np.abs(parts.sum(axis=1) + base - raw).max(initial=0.0))
        if apart > ADDS_UP:
            raise ArithmeticError(
                f"Contributions of model '{self.name}' miss the score by {apart:.2g}; do not show them."
            )
        return Contributions(self.names, parts, base)

    @cached_property
    def explainer(self) -> TreeShap:
        """Explains rows of `matrix`; prepared once, and kept with the model."""
        from models.treeshap import TreeShap

        return TreeShap.of(self.trees)

    def ready(self) -> None:
        """Prepare what scores and explains, so that no row has to wait for it."""
        nothing_known = np.full((1, len(self.inputs)), np.nan)
        self.explainer.values(nothing_known)
        for booster in self._boosters:
            booster.predict(nothing_known, num_threads=1)

    def matrix(self, values: pa.Table) -> Matrix:
        """The inputs of the rows as the trees read them. BadInput where one is lacking or of another type."""
        lacking = [i.name for i in self.inputs if i.name not in values.column_names]
        if lacking:
            raise BadInput(
                f"Model '{self.name}' was trained on {', '.join(lacking)}, "
                f"which {'is' if len(lacking) == 1 else 'are'} not here. Compute the "
                "model's own inputs (`model.names`); a model reads no other features."
            )
        columns = [read_input(i, values.column(i.name)) for i in self.inputs]
        kinds = tuple("category" if i.type == "string" else "number" for i in self.inputs)
        return Matrix(np.column_stack(columns) if columns else np.zeros((values.num_rows, 0)), self.names, kinds)

    def save(self, root: Path) -> Path:
        """Write the model below `root`, in a folder named by its content hash, and return that folder."""
        return folder.write(root, self._files())

    @classmethod
    def load(cls, path: Path) -> RiskModel:
        """The model of a folder. BadInput where it was changed, is of another format, or may no longer read its
        inputs (a ProhibitedInput then, with the chain of columns)."""
        files = folder.read(path)
        content = json.loads(files["model.json"])
        if content["format"] != FORMAT:
            raise BadInput(
                f"'{path}' has model format {content['format']}; this version reads {FORMAT}. Train it again."
            )
        check_inputs([i["name"] for i in content["inputs"]], content["subject_kind"], "model")
        model = cls(
            content["name"],
            content["purpose"],
            content["subject_kind"],
            tuple(Input(i["name"], i["type"], i["group"], tuple(i["levels"])) for i in content["inputs"]),
            tuple(files[name].decode("utf-8") for name in content["trees"]),
            Calibrator.from_json(content["calibrator"]),
            Bands(
                date.fromisoformat(content["bands"]["from_day"]),
                tuple((name, float(least)) for name, least in content["bands"]["least"]),
            ),
            content["trained_from"],
            Peers.from_json(json.loads(files[PEERS])) if PEERS in files else None,
            Stability.from_json(json.loads(files[STABILITY])) if STABILITY in files else None,
            Reference.from_json(json.loads(files[REFERENCE])) if REFERENCE in files else None,
            SecondOpinion.from_json(json.loads(files[SECOND])) if SECOND in files else None,
        )
        # Its name is that of what was written then, even where this version would write more.
        vars(model)["hash"] = path.name
        return model

    def _raw(self, matrix: np.ndarray) -> np.ndarray:
        if len(matrix) >= MANY:
            return self._scorer.raw(matrix, THREADS)
        if not len(matrix):
            return np.zeros(0)
        threads = 1 if len(matrix) < 1000 else THREADS
        return np.asarray(
            np.mean([b.predict(matrix, raw_score=True, num_threads=threads) for b in self._boosters], axis=0)
        )

    @cached_property
    def _scorer(self) -> TreeScore:
        from models.treescore import TreeScore

        return TreeScore.of(self.trees)

    @cached_property
    def _boosters(self) -> tuple[Any, ...]:
        import lightgbm

        return tuple(lightgbm.Booster(model_str=text) for text in self.trees)

    def _files(self) -> dict[str, bytes]:
        names = [f"trees-{n}.txt" for n in range(1, len(self.trees) + 1)]
        content = {
            "format": FORMAT,
            "name": self.name,
            "purpose": self.purpose,
            "subject_kind": self.subject_kind,
            "inputs": [
                {"name": i.name, "type": i.type, "group": i.group, "levels": list(i.levels)} for i in self.inputs
            ],
            "trees": names,
            "calibrator": self.calibrator.as_json(),
            "bands": {"from_day": self.bands.from_day.isoformat(), "least": [list(part) for part in self.bands.least]},
            "trained_from": dict(self.trained_from),
        }
        beside = {PEERS: self.peers, STABILITY: self.stability, REFERENCE: self.reference, SECOND: self.second}
        return {
            "model.json": _json(content, indent=1),
            **{name: tree.encode("utf-8") for name, tree in zip(names, self.trees, strict=True)},
            **{name: _json(part.as_json()) for name, part in beside.items() if part is not None},
        }


def _json(content: Mapping[str, Any], indent: int | None = None) -> bytes:
    return json.dumps(content, ensure_ascii=False, indent=indent, sort_keys=True).encode("utf-8")


def read_input(wanted: Input, column: pa.ChunkedArray) -> np.ndarray:
    """One input as float64: NaN for null, codes of its own dictionary for a string (an unseen one has its own)."""
    fits = is_text(column.type) if wanted.type == "string" else is_number(column.type)
    if not (fits or pa.types.is_null(column.type)):
        raise BadInput(f"Input '{wanted.name}' must be a {wanted.type}, but holds {column.type}.")
    if wanted.type == "string":
        return codes(column, wanted.levels).astype(np.float64)
    return numbers(column)

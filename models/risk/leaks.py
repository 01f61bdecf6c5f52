"""Columns that give the outcome away: alone they predict what nothing honest predicts.

A column is judged by itself, across time: its levels (or 32 slices of its numbers, and its nulls) get the rate they had
in training, and that rate must not order the validation rows almost perfectly. A level that always means the outcome is
a softer sign, reported as a warning.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from evidence.metrics import roc_auc
from models.risk import history
from models.risk.encoding import is_number
from models.risk.expressions import numbers
from records.errors import BadInput
from records.schema import NEVER_HELD

TOO_GOOD = 0.98  # ROC-AUC of one column alone
SLICES = 32
CERTAIN_ROWS = 30  # a level this frequent that always, and only it, means the outcome is worth a warning

_WHO = frozenset({"sex", "gender", "nationality", "citizenship", "birthplace", "birthdate", "language"}) | NEVER_HELD


def refuse_identity(names: list[str], allow: tuple[str, ...]) -> None:
    """BadInput where a feature's name says that it tells who someone is."""
    found = [n for n in names if n not in allow and (_WHO & set(n.lower().split("_")) or n.lower().startswith("prot_"))]
    if found:
        listed = ", ".join(found)
        raise BadInput(
            f"{listed}: who someone is never scores a person. Name the column in --audit to report by group without "
            "using it, or in --exclude."
        )


def find(
    columns: Mapping[str, pa.ChunkedArray],
    train: np.ndarray,
    valid: np.ndarray,
    labels: np.ndarray,
    allow: tuple[str, ...],
) -> list[str]:
    """Warnings about columns with a level that always means the outcome; BadInput for a column that gives it away.

    `train` and `valid` (n,) booleans are the labelled rows of each split.
    """
    warnings = []
    prior = float(labels[train].mean())
    for name, column in columns.items():
        if name in allow:
            continue
        code = _codes(column, train)
        positives, found = history.frozen(code[train], labels[train], np.arange(code.max(initial=0) + 1))
        alone = roc_auc(labels[valid], history.rate(positives, found, prior)[code[valid]])
        if alone is not None and alone > TOO_GOOD:
            raise BadInput(
                f"Column '{name}' alone tells positives from negatives almost perfectly (ROC-AUC {alone:.3f} on later "
                "rows). It is most likely written down after the outcome. Name it in --exclude; if it is truly known "
                "beforehand, name it in --allow."
            )
        certain = (found >= CERTAIN_ROWS) & (positives == found)
        if certain.any() and prior < 0.5:
            warnings.append(
                f"Column '{name}' has a value that always meant the outcome ({int(found[certain].sum())} rows). "
                "If it is written down after the outcome, name it in --exclude."
            )
    return warnings


def _codes(column: pa.ChunkedArray, train: np.ndarray) -> np.ndarray:
    """Level of each row: the text itself, the number itself where there are few, or its slice; null is a level."""
    if is_number(column.type):
        values = numbers(column)
        distinct = np.unique(values[train & ~np.isnan(values)])
        if len(distinct) > SLICES:
            distinct = np.unique(np.quantile(distinct, np.linspace(0, 1, SLICES + 1)[1:-1]))
        return np.where(np.isnan(values), 0, 1 + np.searchsorted(distinct, values, side="left"))
    encoded = pc.dictionary_encode(pc.cast(column, pa.string()).combine_chunks(), null_encoding="encode")
    return np.asarray(encoded.indices.to_numpy(zero_copy_only=False), dtype=np.int64)

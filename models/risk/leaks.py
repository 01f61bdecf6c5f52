"""Columns that give the outcome away: alone they predict what nothing honest predicts.

A column is judged by itself, across time: its levels (or 32 slices of its numbers, and its nulls) get the rate they had
before, and that rate must not order later rows almost perfectly: neither validation by training, nor, for columns that
are filled in long after the outcome and still empty in the latest rows, the later half of training by the earlier.
Softer signs are reported as warnings: a level that always means the outcome, a column that is filled in only where
somebody looked, and levels that training never saw.
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
LOOKED_ROWS = 100  # rows nobody looked at, above which a column they all lack is worth a warning
RARELY, OFTEN = 0.01, 0.20  # shares of rows that hold a value: hardly any, and many
UNSEEN = 0.10  # share of later rows with a level that training never saw

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
    """Warnings about columns that may give the outcome away; BadInput for one that does.

    `train` and `valid` (n,) booleans are the labelled rows of each split, in time order.
    """
    warnings = []
    half = train & (np.cumsum(train) <= train.sum() // 2)
    for name, column in columns.items():
        if name in allow:
            continue
        code = _codes(column, train)
        alone = max(_alone(code, labels, *parts) for parts in ((train, valid), (half, train & ~half)))
        if alone > TOO_GOOD:
            raise BadInput(
                f"Column '{name}' alone tells positives from negatives almost perfectly (ROC-AUC {alone:.3f} on later "
                "rows). It is most likely written down after the outcome. Name it in --exclude; if it is truly known "
                "beforehand, name it in --allow."
            )
        positives, found = history.frozen(code[train], labels[train], np.arange(code.max(initial=0) + 1))
        certain = (found >= CERTAIN_ROWS) & (positives == found)
        if certain.any() and labels[train].mean() < 0.5:
            warnings.append(
                f"Column '{name}' has a value that always meant the outcome ({int(found[certain].sum())} rows). "
                "If it is written down after the outcome, name it in --exclude."
            )
        if _where_looked(column, labels):
            warnings.append(
                f"Column '{name}' holds a value hardly anywhere but in rows with a label. If it is written down by "
                "whoever looked, it is not known beforehand: name it in --exclude."
            )
    return warnings


def unseen(columns: Mapping[str, pa.ChunkedArray], train: np.ndarray, later: np.ndarray) -> list[str]:
    """Warnings about text whose levels in the rows `later` (n,) training never saw, where they are many."""
    warnings = []
    for name, column in columns.items():
        if is_number(column.type) or not later.any():
            continue
        text = pc.drop_null(pc.cast(column.filter(pa.array(later)), pa.string()))
        known = pc.is_in(text, value_set=pc.unique(pc.cast(column.filter(pa.array(train)), pa.string())))
        new = len(text) - (pc.sum(known).as_py() or 0)
        if new > UNSEEN * later.sum():
            warnings.append(
                f"Column '{name}' holds a value that training never saw in {new} of {int(later.sum())} test rows. They "
                "are scored by their other columns; train on later rows, or name it in --exclude if its values are "
                "always new."
            )
    return warnings


def _alone(code: np.ndarray, labels: np.ndarray, before: np.ndarray, after: np.ndarray) -> float:
    """ROC-AUC on the rows `after` of the rates that levels had in the rows `before`; a half where undefined."""
    positives, found = history.frozen(code[before], labels[before], np.arange(code.max(initial=0) + 1))
    rates = history.rate(positives, found, float(labels[before].mean()))
    auc = roc_auc(labels[after], rates[code[after]])
    return 0.5 if auc is None else auc


def _where_looked(column: pa.ChunkedArray, labels: np.ndarray) -> bool:
    """Whether the column holds a value in many rows with a label and in hardly any without."""
    looked = ~np.isnan(labels)
    if column.null_count == 0 or (~looked).sum() < LOOKED_ROWS:
        return False
    holds = np.asarray(pc.is_valid(column).to_numpy(zero_copy_only=False), dtype=bool)
    return bool(holds[~looked].mean() <= RARELY and holds[looked].mean() >= OFTEN)


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

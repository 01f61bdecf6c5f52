"""Columns of any table as one matrix that trees and logistic regression can read.

Numbers and booleans stay as they are (null is NaN). Text becomes integer codes: 0 for levels that training hardly or
never saw, 1 for null, then the levels by name. Text also becomes two history columns, the smoothed rate of findings at
that level and how many there were (see `models.risk.history`). Text with many levels, such as the identity of a
declarant, is an *actor*; text with few is a *category*.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from models.risk import history
from models.risk.expressions import numbers

TRAIN, VALID, TEST = 0, 1, 2

CATEGORY_LEVELS = 128  # text with more levels in training is an actor
CATEGORY_ROWS, ACTOR_ROWS = 20, 5  # a level with fewer training rows shares the code of the unseen
UNSEEN, MISSING, FIRST_LEVEL = 0, 1, 2


@dataclass(frozen=True)
class Matrix:
    """`values` (n, p) float64; `names` and `kinds` (number, category, actor, rate, count) say what each column is.

    `offset` (n,) are log-odds of each row that are known while learning and left out of every score, or None.
    """

    values: np.ndarray
    names: tuple[str, ...]
    kinds: tuple[str, ...]
    offset: np.ndarray | None = None

    def of(self, kinds: Sequence[str]) -> Matrix:
        """The columns of these kinds."""
        if set(self.kinds) <= set(kinds):
            return self  # a million rows are not copied for nothing
        chosen = [i for i, kind in enumerate(self.kinds) if kind in kinds]
        return Matrix(
            np.ascontiguousarray(self.values[:, chosen]),
            tuple(self.names[i] for i in chosen),
            tuple(self.kinds[i] for i in chosen),
            self.offset,
        )

    def rows(self, chosen: np.ndarray | slice) -> Matrix:
        offset = None if self.offset is None else self.offset[chosen]
        return Matrix(self.values[chosen], self.names, self.kinds, offset)

    @property
    def categorical(self) -> list[int]:
        return [i for i, kind in enumerate(self.kinds) if kind in ("category", "actor")]


def is_number(kind: pa.DataType) -> bool:
    return bool(
        pa.types.is_integer(kind)
        or pa.types.is_floating(kind)
        or pa.types.is_boolean(kind)
        or pa.types.is_decimal(kind)
    )


def is_text(kind: pa.DataType) -> bool:
    kind = kind.value_type if pa.types.is_dictionary(kind) else kind
    return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_string_view(kind))


def codes(column: pa.Array | pa.ChunkedArray, levels: Sequence[str]) -> np.ndarray:
    """Integer codes of a text column in a dictionary of `levels`; see the module for 0 and 1."""
    text = pc.cast(column, pa.string())
    found = pc.index_in(text, value_set=pa.array(levels, pa.string()))
    code = pc.fill_null(pc.add(pc.cast(found, pa.int32()), FIRST_LEVEL), UNSEEN)
    return np.asarray(pc.if_else(pc.is_null(text), MISSING, code).to_numpy(zero_copy_only=False), dtype=np.int32)


def levels(column: pa.Array | pa.ChunkedArray, rows: int) -> tuple[str, ...]:
    """The levels of a text column with at least `rows` rows, by name, so that the order of rows changes nothing."""
    counted = pc.value_counts(pc.drop_null(pc.cast(column, pa.string())))
    return tuple(sorted(str(level["values"]) for level in counted.to_pylist() if level["counts"] >= rows))


def of_the_clock(time: np.ndarray) -> dict[str, np.ndarray]:
    """Weekday (Monday is 0) and, where times differ within days, hour of `time` (n,) datetime64[us]."""
    day = time.astype("datetime64[D]")
    seconds = (time - day).astype("timedelta64[s]").astype(np.int64)
    clock = {"weekday": ((day.astype(np.int64) + 3) % 7).astype(np.float64)}
    if (seconds % 86400 != seconds[0] % 86400).any():
        clock["hour"] = seconds / 3600.0
    return clock


def encode(
    columns: Mapping[str, pa.ChunkedArray],
    time: np.ndarray,
    split: np.ndarray,
    labels: np.ndarray,
    known: np.ndarray | None = None,
    worth: np.ndarray | None = None,
) -> Matrix:
    """The matrix of all rows, each seeing only what its split may see.

    `columns` (name to n values), `time` (n,) datetime64[us], `split` (n,) TRAIN, VALID or TEST, `labels` (n,) float64
    with NaN where unknown, `known` (n,) datetime64[us] when each label was (at once if None), `worth` (n,) how many
    average findings each is to count as in a rate (one if None; see `models.risk.examiners`). The one constant that
    training rows share with later ones is the base rate of training.
    """
    training = split == TRAIN
    known = time if known is None else known
    prior = float(np.nanmean(labels[training]))
    parts: dict[tuple[str, str], np.ndarray] = {}
    for name, value in of_the_clock(time).items():
        parts[f"{name} of time", "number"] = value
    in_training = pa.array(training)
    for name, column in columns.items():
        if is_number(column.type):
            parts[name, "number"] = numbers(column)
            continue
        text = pc.cast(column, pa.string())
        seen = text.filter(in_training)
        actor = pc.count_distinct(seen).as_py() > CATEGORY_LEVELS
        levels_known = levels(seen, ACTOR_ROWS if actor else CATEGORY_ROWS)
        parts[name, "actor" if actor else "category"] = codes(text, levels_known).astype(np.float64)
        positives, found = _history(text, time, known, split, labels)
        looked = (
            found if worth is None else _history(text, time, known, split, np.where(np.isnan(labels), labels, worth))[0]
        )
        parts[f"{name} rate", "rate"] = history.rate(positives, looked, prior)
        parts[f"{name} count", "count"] = np.log1p(found)
    names, kinds = zip(*parts, strict=True)
    return Matrix(np.column_stack(list(parts.values())), names, kinds)


def _history(
    text: pa.ChunkedArray, time: np.ndarray, known: np.ndarray, split: np.ndarray, labels: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Positives and findings per row: expanding in training, frozen at the start of validation and of the test."""
    encoded = pc.dictionary_encode(text.combine_chunks(), null_encoding="encode")
    code = np.asarray(encoded.indices.to_numpy(zero_copy_only=False), dtype=np.int64)
    day, known_day = (moment.astype("datetime64[D]").astype(np.int64) for moment in (time, known))
    result = np.zeros((2, len(code)))
    training = split == TRAIN
    result[:, training] = history.expanding(code[training], day[training], labels[training], known_day[training])
    for asked in (VALID, TEST):
        now = split == asked
        if now.any():
            past = (split < asked) & (known <= time[now].min())
            result[:, now] = history.frozen(code[past], labels[past], code[now])
    return result[0], result[1]

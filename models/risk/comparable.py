"""Cases to compare models on: of any table, and of a declared model's own training values."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from models.risk.backtest import encoded
from models.risk.comparing import Already, Cases
from models.risk.declaration import RiskDeclaration
from models.risk.encoding import TEST, TRAIN, VALID, Matrix, is_number
from models.risk.examiners import looked, separate
from models.risk.expressions import numbers
from models.risk.folds import Fold, folds
from models.risk.labels import Labels
from models.risk.model import RiskModel
from models.risk.sources import Columns, Examples, read, whole
from models.risk.training import declared_matrix, joined, moments, whose
from records.errors import BadInput

FOLDS = 3


@dataclass(frozen=True)
class Beside:
    """Columns of a table that are not for learning: what a finding is worth, points of rules, and where a case was,
    with the share of cases that each place can look at."""

    value: str | None = None
    rules: str | None = None
    place: str | None = None
    capacities: Mapping[str, float] | None = None


def of_table(
    path: Path,
    columns: Columns,
    beside: Beside = Beside(),
    *,
    count: int = FOLDS,
    delay: timedelta = timedelta(0),
    now: datetime | None = None,
) -> tuple[Cases, list[Already]]:
    """The labelled rows of a table, and the points of its rules if it has any. BadInput where it does not fit."""
    examples = _labelled(whole(read(path), columns, delay=delay, now=now))
    named = {"--value": beside.value, "--rule-score": beside.rules, "--post": beside.place}
    lacking = [f"{option} names '{name}'" for option, name in named.items() if name and name not in _names(examples)]
    if lacking:
        raise BadInput(
            f"{' and '.join(lacking)}, which the table does not have. Columns: {', '.join(_names(examples))}."
        )
    columns = replace(columns, exclude=(*columns.exclude, *([beside.rules] if beside.rules else [])))

    def parts(fold: Fold) -> tuple[Matrix, Matrix, Matrix]:
        ready = encoded(_of(examples, fold), columns)
        return ready.part(TRAIN)[0], ready.part(VALID)[0], ready.part(TEST)[0]

    cases = Cases(
        examples.labels,
        examples.time,
        tuple(folds(examples.time, examples.known, count=count)),
        parts,
        {name: examples.table.column(name) for name in columns.audit},
        _numbers(examples, "--value", beside.value),
        None if beside.place is None else _text(examples.table.column(beside.place)),
        beside.capacities or {},
    )
    points = _numbers(examples, "--rule-score", beside.rules)
    # Rules that are undecided ask for nothing: such a case stands below all that have points.
    return cases, [] if points is None else [Already("rule score", np.nan_to_num(points, nan=np.nanmin(points) - 1))]


def of_declared(
    declaration: RiskDeclaration,
    values: pa.Table,
    labels: Labels,
    *,
    examiners: pa.Table | None = None,
    places: str | None = None,
    capacities: Mapping[str, float] | None = None,
    count: int = FOLDS,
) -> Cases:
    """The rows of `values` whose outcome is known, as `models.risk.training.train` reads them."""
    rows = joined(values, labels)
    label = np.asarray(rows.column("label").to_numpy(zero_copy_only=False), dtype=np.float64)
    as_of, known_at = (moments(rows.column(name)) for name in ("as_of", "known_at"))
    who, names = (None, ()) if examiners is None else looked(whose(rows, examiners))

    def parts(fold: Fold) -> tuple[Matrix, Matrix, Matrix]:
        learnt = np.zeros(len(label), dtype=bool)
        learnt[fold.train] = True
        matrix = declared_matrix(declaration, rows, learnt)[0]
        if who is not None:
            effect, _ = separate(who[fold.train], names, (matrix.rows(fold.train), label[fold.train]))
            matrix = replace(matrix, offset=effect.offset(who))
        return matrix.rows(fold.train), matrix.rows(fold.valid), matrix.rows(fold.test)

    return Cases(
        label,
        as_of,
        tuple(folds(as_of, known_at, count=count, window=declaration.horizon)),
        parts,
        places=None if places is None else _text(rows.column(places)),
        capacities=capacities or {},
        subjects=rows.column("subject"),
    )


def as_it_stands(champion: RiskModel, values: pa.Table, labels: Labels) -> Already:
    """The champion's own scores of the rows that `of_declared` makes; of those it learnt from there are none."""
    rows = joined(values, labels)
    scores = champion.score(rows)
    unseen = moments(rows.column("as_of")) >= np.datetime64(champion.trained_from["test"][0])
    raw, chance = (np.where(unseen, each, np.nan) for each in (scores.raw, scores.probability))
    return Already(f"champion {champion.hash[:8]} as it stands", raw, chance)


def scored(name: str, points: np.ndarray, values: pa.Table, labels: Labels) -> Already:
    """Scores (n,) of the rows of `values`, in the order that `of_declared` makes."""
    rows = joined(values.append_column("_points", pa.array(points)), labels)
    return Already(name, np.asarray(rows.column("_points").to_numpy(zero_copy_only=False)))


def _names(examples: Examples) -> Sequence[str]:
    names: list[str] = examples.table.column_names
    return names


def _labelled(examples: Examples) -> Examples:
    return _taken(examples, np.flatnonzero(examples.labelled))


def _of(examples: Examples, fold: Fold) -> Examples:
    """The rows of a fold, each in its part."""
    rows = np.concatenate([fold.train, fold.valid, fold.test])
    split = np.repeat([TRAIN, VALID, TEST], [len(fold.train), len(fold.valid), len(fold.test)])
    return replace(_taken(examples, rows), split=split)


def _taken(examples: Examples, rows: np.ndarray) -> Examples:
    at = pa.array(rows)
    arrays = {name: getattr(examples, name)[rows] for name in ("time", "split", "labels", "known")}
    return replace(examples, table=examples.table.take(at), row_id=examples.row_id.take(at), **arrays)


def _numbers(examples: Examples, option: str, name: str | None) -> np.ndarray | None:
    if name is None:
        return None
    column = examples.table.column(name)
    if not is_number(column.type):
        raise BadInput(f"{option} names '{name}', which holds {column.type}. Name a column of numbers.")
    return numbers(column)


def _text(column: pa.ChunkedArray) -> np.ndarray:
    return np.asarray(pc.fill_null(pc.cast(column, pa.string()), "").to_numpy(zero_copy_only=False), dtype=object)

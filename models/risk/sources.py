"""One table, or three, as examples split by time: read, checked, and nothing in them that the moment could not know."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv
import pyarrow.parquet

from models.risk.encoding import TEST, TRAIN, VALID, is_number, is_text
from models.risk.expressions import derive, nearest, numbers, read_derivations
from records.errors import BadInput

SPLITS = ("train", "valid", "test")


@dataclass(frozen=True)
class Sources:
    """Either one `table` to be cut by time, or three files `train`, `valid` and `test` (which may have no label)."""

    table: Path | None = None
    train: Path | None = None
    valid: Path | None = None
    test: Path | None = None


@dataclass(frozen=True)
class Columns:
    """Which column is what. `exclude` and `audit` are never features; `allow` lets named columns pass every warning."""

    label: str
    time: str
    row_id: str | None = None
    exclude: tuple[str, ...] = ()
    audit: tuple[str, ...] = ()
    allow: tuple[str, ...] = ()
    derive: Path | None = None


@dataclass(frozen=True)
class Examples:
    """Rows in time order. `labels` (n,) 0, 1 or NaN; `time` (n,) datetime64[us]; `split` (n,) TRAIN, VALID or TEST."""

    table: pa.Table
    row_id: pa.ChunkedArray
    time: np.ndarray
    split: np.ndarray
    labels: np.ndarray

    @property
    def labelled(self) -> np.ndarray:
        return np.asarray(~np.isnan(self.labels))

    def part(self, split: int) -> np.ndarray:
        """Which rows of a split have a label."""
        return np.asarray((self.split == split) & self.labelled)


def read(path: Path) -> pa.Table:
    """A table from Parquet or CSV."""
    if not path.exists():
        raise BadInput(f"There is no file '{path}'.")
    try:
        if path.suffix.lower() in (".parquet", ".pq"):
            return pyarrow.parquet.read_table(path)
        if path.suffix.lower() in (".csv", ".tsv", ".txt"):
            parse = pyarrow.csv.ParseOptions(delimiter="\t" if path.suffix.lower() == ".tsv" else ",")
            # An empty field of text is a null too, as it is for numbers.
            convert = pyarrow.csv.ConvertOptions(
                strings_can_be_null=True, null_values=["", "NULL", "null", "NaN", "nan"]
            )
            return pyarrow.csv.read_csv(path, parse_options=parse, convert_options=convert)
    except (pa.ArrowInvalid, OSError) as problem:
        raise BadInput(f"'{path}' cannot be read as a table: {problem}") from problem
    raise BadInput(f"'{path}' is neither Parquet (.parquet) nor CSV (.csv, .tsv). Convert it to one of them.")


def load(
    sources: Sources,
    columns: Columns,
    *,
    valid_from: datetime | None = None,
    test_from: datetime | None = None,
    now: datetime | None = None,
) -> Examples:
    """Examples in time order. BadInput, with what to do, where the sources or the columns do not fit."""
    three = [path for path in (sources.train, sources.valid, sources.test) if path is not None]
    if sources.table is not None and not three:
        examples = _cut(read(sources.table), columns, valid_from, test_from)
    elif sources.table is None and len(three) == 3:
        if valid_from is not None or test_from is not None:
            raise BadInput("Three files are split already. Leave --valid-from and --test-from out, or give one file.")
        examples = _joined([read(path) for path in three], columns)
    else:
        raise BadInput("Give either one table, or all three of --train, --valid and --test.")
    _check_order(examples)
    _check_future(examples, now or datetime.now(UTC))
    return examples


def _cut(table: pa.Table, columns: Columns, valid_from: datetime | None, test_from: datetime | None) -> Examples:
    if valid_from is None or test_from is None:
        raise BadInput("One table is cut by time. Give --valid-from and --test-from, for instance 2024-01-01.")
    first, second = _moment(valid_from), _moment(test_from)
    if second <= first:
        raise BadInput(
            f"The test starts at {test_from} and validation at {valid_from}: the test must come last. "
            "Give a later --test-from."
        )
    table = _prepared(table, columns)
    time = _times(table, columns.time)
    return _sorted(table, _row_ids(table, columns), time, (time >= first).astype(int) + (time >= second), columns)


def _joined(tables: Sequence[pa.Table], columns: Columns) -> Examples:
    train, valid, test = tables
    if columns.label in train.column_names and columns.label not in test.column_names:
        test = test.append_column(columns.label, pa.nulls(test.num_rows, train.schema.field(columns.label).type))
    prepared = [_prepared(table, columns) for table in (train, valid, test)]
    wanted = prepared[0].column_names
    for name, table in zip(SPLITS[1:], prepared[1:], strict=True):
        lacking = [c for c in wanted if c not in table.column_names and c not in columns.exclude]
        if lacking:
            raise BadInput(
                f"The {name} file lacks {', '.join(lacking)}, which the train file has. "
                "Add the columns or --exclude them."
            )
        for column in (c for c in wanted if c in table.column_names):
            a, b = prepared[0].schema.field(column).type, table.schema.field(column).type
            if is_number(a) != is_number(b) and not pa.types.is_null(a) and not pa.types.is_null(b):
                raise BadInput(
                    f"Column '{column}' holds {a} in the train file and {b} in the {name} file. Make them alike."
                )
    kept = [c for c in wanted if all(c in table.column_names for table in prepared)]
    joined = pa.concat_tables([table.select(kept) for table in prepared], promote_options="permissive")
    split = np.repeat([TRAIN, VALID, TEST], [table.num_rows for table in prepared])
    row_id = pa.chunked_array([c for table in prepared for c in _row_ids(table, columns).chunks])
    return _sorted(joined, row_id, _times(joined, columns.time), split, columns)


def _prepared(table: pa.Table, columns: Columns) -> pa.Table:
    """`table` with its derived columns, once every column the caller named is known to exist."""
    if columns.derive is not None:
        table = derive(table, read_derivations(columns.derive))
    named = {
        "--label": [columns.label],
        "--time": [columns.time],
        "--row-id": [columns.row_id] if columns.row_id else [],
        "--audit": list(columns.audit),
        "--exclude": list(columns.exclude),
        "--allow": list(columns.allow),
    }
    for option, names in named.items():
        for name in names:
            if name not in table.column_names:
                raise BadInput(
                    f"{option} names '{name}', which the table does not have. {nearest(name, table.column_names)}"
                )
    return table


def _row_ids(table: pa.Table, columns: Columns) -> pa.ChunkedArray:
    if columns.row_id is None:
        return pa.chunked_array([pa.array(np.arange(table.num_rows))])
    ids = table.column(columns.row_id)
    if ids.null_count or pc.count_distinct(ids).as_py() != table.num_rows:
        raise BadInput(
            f"--row-id names '{columns.row_id}', whose values are not unique. Name a unique column or leave it out."
        )
    return ids


def _times(table: pa.Table, name: str) -> np.ndarray:
    column = table.column(name)
    if is_text(column.type):
        try:
            column = pc.cast(pc.cast(column, pa.string()), pa.timestamp("us"))
        except pa.ArrowInvalid as problem:
            raise BadInput(
                f"Column '{name}' is no time: {problem}. Write times as 2024-01-31 or 2024-01-31 14:05:00."
            ) from problem
    if not (pa.types.is_timestamp(column.type) or pa.types.is_date(column.type)):
        raise BadInput(f"--time names '{name}', which holds {column.type}. Name a column of times or days.")
    if column.null_count:
        raise BadInput(
            f"{column.null_count} rows have no '{name}', so they belong to no split. "
            "Fill the times in or leave the rows out."
        )
    if pa.types.is_timestamp(column.type) and column.type.tz is not None:
        column = pc.cast(column, pa.timestamp("us", tz="UTC"))
    return np.asarray(pc.cast(column, pa.timestamp("us")).to_numpy(zero_copy_only=False), dtype="datetime64[us]")


def _moment(at: datetime) -> np.datetime64:
    return np.datetime64(at.astimezone(UTC).replace(tzinfo=None) if at.tzinfo else at, "us")


def _labels(table: pa.Table, name: str) -> np.ndarray:
    column = table.column(name)
    if pa.types.is_null(column.type):
        return np.full(table.num_rows, np.nan)
    if not is_number(column.type):
        raise BadInput(
            f"The label '{name}' holds {column.type}. It must be 0 and 1, or false and true; null is unknown."
        )
    labels = numbers(column)
    others = sorted(set(labels[~np.isnan(labels)].tolist()) - {0.0, 1.0})
    if others:
        shown = ", ".join(f"{v:g}" for v in others[:5])
        raise BadInput(f"The label '{name}' must be 0 or 1, or null where unknown, but it also holds {shown}.")
    return labels


def _sorted(
    table: pa.Table, row_id: pa.ChunkedArray, time: np.ndarray, split: np.ndarray, columns: Columns
) -> Examples:
    # Rows of the same moment stand in order of their ids, so that the order of a file changes nothing.
    order = np.lexsort((pc.rank(row_id, tiebreaker="dense").to_numpy(), time, split))
    rows = pa.array(order)
    return Examples(
        table.take(rows), row_id.take(rows), time[order], split[order], _labels(table, columns.label)[order]
    )


def _check_order(examples: Examples) -> None:
    for split, name in enumerate(SPLITS):
        if not (examples.split == split).any():
            raise BadInput(
                f"No row falls into the {name} part. Move the dates of the cuts, or give a {name} file with rows."
            )
    for earlier, later in ((TRAIN, VALID), (VALID, TEST)):
        last, first = examples.time[examples.split == earlier].max(), examples.time[examples.split == later].min()
        if last > first:
            raise BadInput(
                f"The {SPLITS[earlier]} rows reach {last}, after the first {SPLITS[later]} row at {first}. A model "
                "may only be tested on what came after it: split by time."
            )


def _check_future(examples: Examples, now: datetime) -> None:
    ahead = int(((examples.time > _moment(now)) & examples.labelled).sum())
    if ahead:
        raise BadInput(
            f"{ahead} rows have a label although their time lies in the future. A finding cannot be known before its "
            "event: check the time column, or leave those labels null."
        )

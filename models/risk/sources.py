"""One table, or three, as examples split by time: read, checked, and nothing in them that the moment could not know."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
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
    """Which column is what. `exclude` and `audit` are never features; `allow` lets named columns pass every warning.

    `known_at` is when a row's label was known; without it, at its time plus the delay that `load` is given. `examiner`
    is who looked: no feature, but averaged out. `post` is where: with few labelled rows there, logistic regression
    scores.
    """

    label: str
    time: str
    row_id: str | None = None
    exclude: tuple[str, ...] = ()
    audit: tuple[str, ...] = ()
    allow: tuple[str, ...] = ()
    derive: Path | None = None
    known_at: str | None = None
    examiner: str | None = None
    post: str | None = None


@dataclass(frozen=True)
class Examples:
    """Rows in time order. `labels` (n,) 0, 1 or NaN; `time` and `known` (n,) datetime64[us], `known` when each label
    was; `split` (n,) TRAIN, VALID or TEST.

    A label that was not known when the next part began is NaN: `open_rows` of them wait for their outcome.
    """

    table: pa.Table
    row_id: pa.ChunkedArray
    time: np.ndarray
    split: np.ndarray
    labels: np.ndarray
    known: np.ndarray
    open_rows: int = 0

    @property
    def labelled(self) -> np.ndarray:
        return np.asarray(~np.isnan(self.labels))

    def part(self, split: int) -> np.ndarray:
        """Which rows of a split have a label."""
        return np.asarray((self.split == split) & self.labelled)


def read(path: Path) -> pa.Table:
    """A table from Parquet or CSV, its text as plain text however the file encodes it."""
    if not path.exists():
        raise BadInput(f"There is no file '{path}'.")
    try:
        if path.suffix.lower() in (".parquet", ".pq"):
            return plain(pyarrow.parquet.read_table(path))
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


def plain(table: pa.Table) -> pa.Table:
    """Categories as their values and every text type as one, so that a CSV file fits a Parquet file."""
    for place, field in enumerate(table.schema):
        kind = field.type.value_type if pa.types.is_dictionary(field.type) else field.type
        kind = pa.string() if is_text(kind) else kind
        if kind != field.type:
            table = table.set_column(place, field.name, pc.cast(table.column(place), kind))
    return table


def load(
    sources: Sources,
    columns: Columns,
    *,
    valid_from: datetime | None = None,
    test_from: datetime | None = None,
    delay: timedelta = timedelta(0),
    now: datetime | None = None,
) -> Examples:
    """Examples in time order. BadInput, with what to do, where the sources or the columns do not fit.

    `delay` is how long after its time a row's outcome window closes.
    """
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
    return _closed(replace(examples, known=np.maximum(examples.known, examples.time + np.timedelta64(delay))))


def whole(
    table: pa.Table, columns: Columns, *, delay: timedelta = timedelta(0), now: datetime | None = None
) -> Examples:
    """All rows of one table in time order, in one part: whoever cuts them minds what was known when."""
    table = _prepared(table, columns)
    time = _times(table, columns.time)
    examples = _sorted(table, _row_ids(table, columns), time, np.full(len(time), TRAIN), columns)
    _check_future(examples, now or datetime.now(UTC))
    return replace(examples, known=np.maximum(examples.known, examples.time + np.timedelta64(delay)))


def _closed(examples: Examples) -> Examples:
    """`examples` without the labels that were not known when the next part began.

    A row whose window was still open must not teach even if its outcome happens to be known: what is known early is not
    like what is known late.
    """
    late = np.zeros(len(examples.time), dtype=bool)
    for part in (TRAIN, VALID):
        inside, later = examples.split == part, examples.split > part
        late |= inside & (examples.known > examples.time[later].min()) & examples.labelled
    return replace(examples, labels=np.where(late, np.nan, examples.labels), open_rows=int(late.sum()))


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
    for name in (columns.label, columns.known_at):
        if name in train.column_names and name not in test.column_names:
            test = test.append_column(name, pa.nulls(test.num_rows, train.schema.field(name).type))
    for name, table in zip(SPLITS, tables, strict=True):
        if not table.num_rows:
            raise BadInput(f"The {name} file has no rows. Give one with rows.")
    # Other outcomes, which are excluded, may be unknown yet in the later files.
    prepared = [_prepared(table, columns, excluded=train.column_names) for table in (train, valid, test)]
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
    needed = {columns.label, columns.time, columns.known_at, columns.examiner, *columns.audit}
    kept = [
        c
        for c in wanted
        if all(c in table.column_names for table in prepared) and (c in needed or c not in columns.exclude)
    ]
    joined = _concatenated([table.select(kept) for table in prepared])
    split = np.repeat([TRAIN, VALID, TEST], [table.num_rows for table in prepared])
    ids = [_row_ids(table, columns) for table in prepared]
    if len({column.type for column in ids}) > 1:
        ids = [pc.cast(column, pa.string()) for column in ids]
    row_id = pa.chunked_array([chunk for column in ids for chunk in column.chunks], ids[0].type)
    return _sorted(joined, row_id, _times(joined, columns.time), split, columns)


def _concatenated(tables: Sequence[pa.Table]) -> pa.Table:
    """One table of all rows; a column that holds different kinds of numbers becomes float64."""
    for name in tables[0].column_names:
        kinds = {table.schema.field(name).type for table in tables} - {pa.null()}
        if len(kinds) > 1 and all(is_number(kind) for kind in kinds):
            place = tables[0].column_names.index(name)
            tables = [table.set_column(place, name, pc.cast(table.column(name), pa.float64())) for table in tables]
    try:
        return pa.concat_tables(tables, promote_options="permissive")
    except (pa.ArrowInvalid, pa.ArrowTypeError) as problem:
        raise BadInput(
            f"The three files do not fit together: {problem}. Make the column alike in them or --exclude it."
        ) from problem


def _prepared(table: pa.Table, columns: Columns, excluded: Sequence[str] = ()) -> pa.Table:
    """`table` with its derived columns and plain times, once every column the caller named is known to exist.

    What is excluded need only exist here or among the names `excluded`.
    """
    if columns.derive is not None:
        table = derive(table, read_derivations(columns.derive))
    named = {
        "--label": [columns.label],
        "--time": [columns.time],
        "--row-id": [columns.row_id] if columns.row_id else [],
        "--known-at": [columns.known_at] if columns.known_at else [],
        "--examiner": [columns.examiner] if columns.examiner else [],
        "--post": [columns.post] if columns.post else [],
        "--audit": list(columns.audit),
        "--exclude": list(columns.exclude),
        "--allow": list(columns.allow),
    }
    for option, names in named.items():
        for name in names:
            if name not in table.column_names and not (option == "--exclude" and name in excluded):
                raise BadInput(
                    f"{option} names '{name}', which the table does not have. {nearest(name, table.column_names)}"
                )
    time = pa.chunked_array([_times(table, columns.time)])
    return table.set_column(table.column_names.index(columns.time), columns.time, time)


def _row_ids(table: pa.Table, columns: Columns) -> pa.ChunkedArray:
    if columns.row_id is None:
        return pa.chunked_array([pa.array(np.arange(table.num_rows))])
    ids = table.column(columns.row_id)
    if ids.null_count or pc.count_distinct(ids).as_py() != table.num_rows:
        raise BadInput(
            f"--row-id names '{columns.row_id}', whose values are not unique. Name a unique column or leave it out."
        )
    return ids


def _times(table: pa.Table, name: str, *, known_at: bool = False) -> np.ndarray:
    """A column of times (n,) datetime64[us]; NaT only in the one that says when labels were known."""
    column = table.column(name)
    if known_at and pa.types.is_null(column.type):
        column = pc.cast(column, pa.timestamp("us"))
    if is_text(column.type):
        text = pc.cast(column, pa.string())
        # 2024-01-31T14:05:00Z and 2024-01-31T14:05:00+01:00 name their zone.
        zoned = pc.any(pc.match_substring_regex(text, r":\d.*(Z|[+-]\d\d:?\d\d)$")).as_py()
        try:
            column = pc.cast(text, pa.timestamp("us", tz="UTC" if zoned else None))
        except pa.ArrowInvalid as problem:
            raise BadInput(
                f"Column '{name}' is no time: {problem}. Write times as 2024-01-31 or 2024-01-31 14:05:00."
            ) from problem
    if not (pa.types.is_timestamp(column.type) or pa.types.is_date(column.type)):
        option = "--known-at" if known_at else "--time"
        raise BadInput(f"{option} names '{name}', which holds {column.type}. Name a column of times or days.")
    if column.null_count and not known_at:
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
    known = time if columns.known_at is None else _times(table, columns.known_at, known_at=True)
    labels = np.where(np.isnat(known), np.nan, _labels(table, columns.label))
    known = np.where(np.isnat(known), time, known)
    _check_known(time, known, labels)
    return Examples(table.take(rows), row_id.take(rows), time[order], split[order], labels[order], known[order])


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


def _check_known(time: np.ndarray, known: np.ndarray, labels: np.ndarray) -> None:
    early = int(((known < time) & ~np.isnan(labels)).sum())
    if early:
        raise BadInput(
            f"{early} rows have a label that was known before their own time. A finding cannot be known before its "
            "event: check that --time and --known-at name the right columns."
        )


def _check_future(examples: Examples, now: datetime) -> None:
    ahead = int(((np.maximum(examples.time, examples.known) > _moment(now)) & examples.labelled).sum())
    if ahead:
        raise BadInput(
            f"{ahead} rows have a label although the moment it is known lies in the future. A finding cannot be known "
            "before its event, nor used before it is known: check the times, or leave those labels null."
        )

"""Files of subjects and moments that a person hands in: read as the door reads a supply, answered with features."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv
import pyarrow.parquet as pq

from features.catalogue import features
from features.declaration import Own, SubjectKind
from features.engine import compute
from features.histories import Histories
from features.lineage import HOME, check_inputs
from features.spine import SPINE, spine_of
from models.risk.catalogue import declarations
from records.errors import BadInput
from records.mapping import SupplyMapping, nearest
from records.pseudonyms import bucket_of
from records.readers import examine, read_chunks
from records.schema import Column, Table, Tier, Type
from records.tables import tables
from records.validation import CODES, Problem, check

Say = Callable[[str], None]


@dataclass(frozen=True)
class Subjects:
    """What was handed in, and the spine it makes: row by row the same subjects and moments."""

    rows: pa.Table
    spine: pa.Table


def read_subjects(path: Path, kind: SubjectKind, as_of: str) -> Subjects:
    """The rows of a file (Parquet, CSV or JSON lines) with a column `subject`, the moment in column `as_of`, and any
    column of a spine. Other columns are handed through.

    BadInput for a file without these two, or a value that cannot be read: what, in how many rows, and how to mend it.
    """
    rows = _rows(path)
    for name in ("subject", as_of):
        if name not in rows.column_names:
            raise BadInput(
                f"{path.name} has no column '{name}'. It needs `subject`, the pseudonym that the lake knows a person "
                f"by, and a moment in the column that --as-of names. {nearest(name, rows.column_names)}"
            )
    declared = Table("subjects", "Subjects and moments handed in", ("subject",), tuple(_columns(kind, rows)))
    checked = check(declared, SupplyMapping(columns={"as_of": as_of}), rows)
    for problem in checked.problems:
        if problem.column in checked.columns:
            raise BadInput(_refusal(path, as_of if problem.column == "as_of" else problem.column, problem))
    moments = rows.set_column(rows.column_names.index(as_of), as_of, checked.columns["as_of"])
    return Subjects(moments, spine_of(kind, pa.table(checked.columns)))


def _rows(path: Path) -> pa.Table:
    chunks = list(read_chunks(examine(path, None)))
    broken = [malformed for chunk in chunks for malformed in chunk.malformed]
    if broken:
        first = broken[0]
        raise BadInput(f"Row {first.number:,} of {path.name} cannot be taken apart: {CODES[first.code]}. Mend it.")
    if not chunks:
        raise BadInput(f"{path.name} is empty. It needs a header and one row for each subject and moment.")
    return pa.concat_tables([chunk.rows for chunk in chunks], promote_options="default").combine_chunks()


def _columns(kind: SubjectKind, rows: pa.Table) -> Iterator[Column]:
    """How the columns of a spine that the file has are read: as the door reads the table they come from."""
    home = {c.name: c for c in tables()[HOME[kind]].columns}
    for name in SPINE[kind].names:
        if name in ("subject", "as_of"):
            yield Column(name, Type.STRING if name == "subject" else Type.INSTANT, "", required=True)
        elif name in rows.column_names:
            type_ = Type.INSTANT if name in ("expected_at", "decided_at") else Type.STRING
            yield replace(home.get(name) or Column(name, type_, ""), required=False, pseudonym=None, gate=None)


def _refusal(path: Path, column: str, problem: Problem) -> str:
    places = np.flatnonzero(problem.rows)
    where = f"{path.name}, column '{column}' (rows concerned: {len(places):,}, the first {places[0] + 1:,})"
    if problem.code == "no_zone":
        return (
            f"{where}: a time without a zone is no instant. 09:00 in Tunis is 08:00 UTC, and what was known by then "
            "may differ. Write the offset, such as 2025-06-01T09:00:00+01:00, or Z for UTC. In Parquet, use "
            "timestamp[us, UTC]."
        )
    return f"{where}: {CODES[problem.code][0].lower()}{CODES[problem.code][1:]}. Correct them, or leave them out."


def chosen(kind: SubjectKind, asked: Sequence[str]) -> tuple[str, ...]:
    """The features that names of features, reason groups or models stand for, in the order of the catalogue; everything
    a model may read where nothing is named.

    BadInput for a name that is none of them; ProhibitedInput for a gate, which decides which rule applies and no more.
    """
    known = features(kind)
    models = {name: d.inputs() for name, d in declarations().items() if d.subject_kind == kind}
    wanted: set[str] = set()
    for name in asked:
        grouped = [n for n, f in known.items() if f.group == name and f.tier is Tier.FREE]
        stands_for = [name] if name in known else [*models.get(name, ()), *grouped]
        if not stands_for:
            there = [*known, *dict.fromkeys(f.group for f in known.values()), *models]
            raise BadInput(f"'{name}' is no {kind} feature, reason group or model. {nearest(name, there)}")
        wanted.update(stands_for)
    if not asked:
        wanted = {n for n, f in known.items() if f.role == "model" and f.tier is Tier.FREE}
    check_inputs(wanted, kind, "rule")
    return tuple(name for name in known if name in wanted)


def answered(subjects: Subjects, kind: SubjectKind, names: Sequence[str], lake: Histories, say: Say) -> pa.Table:
    """The rows as they were handed in, the moment as an instant, and a column for each feature.

    BadInput where a column of the file has the name of a feature that is something else.
    """
    held = subjects.rows.column_names
    doubled = [n for n in names if n in held and features(kind)[n].expression != Own(n)]
    if doubled:
        raise BadInput(
            f"The file has a column '{doubled[0]}', and so is a feature called that would stand beside it. Rename the "
            "column, or name the features you want with --features."
        )
    say(f"{len(names)} features of {subjects.spine.num_rows:,} rows, each as of its own moment")
    values = compute(subjects.spine, names, lake)
    rows = subjects.rows
    for name in names:
        if name not in held:
            rows = rows.append_column(name, values.column(name))
    empty = sum(values.column(name).null_count == values.num_rows for name in names)
    if empty and values.num_rows:
        lacking = [name for name in SPINE[kind].names if subjects.spine.column(name).null_count == values.num_rows]
        say(f"null in every row: {empty} of them" + (f"; FILE says nothing of {', '.join(lacking)}" if lacking else ""))
    strangers, asked = _strangers(lake, pc.unique(subjects.spine.column("subject")))
    if strangers:
        say(
            f"{strangers:,} of {asked:,} subjects have no crossing and no permit on record, so their counts are 0 and "
            "the rest is null. The lake knows persons by their pseudonym alone."
        )
    return rows


def _strangers(lake: Histories, asked: pa.Array) -> tuple[int, int]:
    """How many of the subjects nothing is on record of, and how many there are."""
    unheard = asked
    for table in ("crossings", "permits"):
        for bucket in np.unique(bucket_of(unheard, lake.buckets)).tolist():
            heard = lake.history(table, ["subject"], buckets=[bucket]).column("subject")
            unheard = unheard.filter(pc.invert(pc.is_in(unheard, value_set=pc.unique(heard))))
    return len(unheard), len(asked)


def write(rows: pa.Table, path: Path) -> None:
    """As Parquet, or as CSV where the file is called so."""
    if path.suffix.lower() == ".csv":
        pyarrow.csv.write_csv(rows, path)
    else:
        pq.write_table(rows, path)

"""Spines: one row per subject to assess, with the moment whose knowledge counts and the event as it was known then.

A crossing announced in advance is assessed when its announcement was first known, by what the announcement says; any
other when it happens, by its record's first version. A permit is assessed sixty days before it ends.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from features.columns import Ints, codes, instants, values, whole
from features.declaration import SubjectKind
from features.histories import Histories
from features.lineage import HOME
from features.localtime import midnight_us
from records.errors import BadInput
from records.tables import tables

INSTANT: Final = pa.timestamp("us", tz="UTC")
PERMIT_NOTICE_DAYS: Final = 60

CROSSING_COLUMNS: Final = (
    "post",
    "direction",
    "mode",
    "service",
    "document",
    "document_type",
    "document_issued_on",
    "document_expires_on",
    "party",
    "party_size",
    "declared_guardian",
    "permit_file",
    "visa_reference",
    "declared_stay_days",
    "address_governorate",
    "regime",
    "under_18",
)
"""Columns of the event, as known at as_of. `shift` stands beside them: it says who handles it and is no input."""

PERMIT_COLUMNS: Final = (
    "file",
    "state",
    "office",
    "category",
    "valid_from",
    "valid_to",
    "sponsor",
    "documents_complete",
    "processing_days",
)

_ADDED: Final = {"event": pa.string(), **dict.fromkeys(("as_of", "expected_at", "decided_at"), INSTANT)}
"""Columns of a spine that its table does not have."""


def _schema(kind: SubjectKind, *names: str) -> pa.Schema:
    declared = tables()[HOME[kind]]
    return pa.schema([(name, _ADDED.get(name) or declared.column(name).type.arrow) for name in names])


SPINE: Final[Mapping[SubjectKind, pa.Schema]] = {
    "crossing": _schema(
        "crossing", "event", "subject", "as_of", "happened_at", "expected_at", *CROSSING_COLUMNS, "shift"
    ),
    "permit": _schema("permit", "event", "subject", "as_of", *PERMIT_COLUMNS, "decided_at"),
}
"""Kind of subject → the columns of its spine, in their order."""


def spine_of(kind: SubjectKind, rows: pa.Table) -> pa.Table:
    """The spine of moments that somebody chose, one row each in their order, whoever they are about.

    rows: subject, as_of, and whichever columns of SPINE are known of an event; the others are null, and so is what is
    computed from them. BadInput where a subject or a moment is missing, where a moment has no time zone, or where a
    column is of another type.
    """
    for name in ("subject", "as_of"):
        if name not in rows.column_names or rows.column(name).null_count:
            raise BadInput(
                f"A row has no {name}. What is computed is about one subject as of one moment: give both in each row."
            )
    return pa.table([_as_declared(rows, field) for field in SPINE[kind]], schema=SPINE[kind])


def _as_declared(rows: pa.Table, field: pa.Field) -> pa.Array:
    if field.name not in rows.column_names or pa.types.is_null(rows.schema.field(field.name).type):
        return pa.nulls(rows.num_rows, field.type)
    held = whole(rows.column(field.name))
    if pa.types.is_timestamp(field.type) and not (pa.types.is_timestamp(held.type) and held.type.tz):
        raise BadInput(
            f"Column '{field.name}' is {held.type}, which has no time zone and is no instant: 09:00 in Tunis is 08:00 "
            "UTC, and what was known by then may differ. Make it timestamp[us, UTC]."
        )
    try:
        if pa.types.is_string(held.type) != pa.types.is_string(field.type):
            raise pa.ArrowInvalid("text and what is no text do not stand for each other")
        return held.cast(field.type)
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError) as problem:
        raise BadInput(
            f"Column '{field.name}' is {held.type}, but an event's is {field.type}: {problem}. Convert it."
        ) from problem


def crossing_spine(lake: Histories, start: datetime, end: datetime, *, events: Sequence[str] | None = None) -> pa.Table:
    """One row per actual crossing that happened in [start, end), or per crossing or announcement named in `events`.

    Columns: event, subject, as_of, happened_at, expected_at (what was expected at as_of), CROSSING_COLUMNS, shift; in
    the order of happened_at and event. With `events`, the interval holds for them too.
    """
    rows = _first_versions(
        lake.history(
            "crossings",
            [
                "crossing_id",
                "subject",
                "kind",
                "linked_crossing",
                *CROSSING_COLUMNS,
                "shift",
                "happened_at",
                "known_at",
            ],
        ),
        "crossing_id",
    )
    happened = instants(rows.column("happened_at"))
    wanted = _within(happened, start, end)
    actual = np.asarray(pc.equal(rows.column("kind"), "actual").to_numpy())
    if events is None:
        wanted &= actual
    else:
        wanted &= np.asarray(pc.is_in(rows.column("crossing_id"), value_set=pa.array(events, pa.string())).to_numpy())
    event = np.flatnonzero(wanted)
    return _spine(rows, event, _announcement(rows, actual)[event])


def crossing_spine_of(rows: pa.Table) -> pa.Table:
    """The spine of crossings handed in and not (or not yet) in the lake, in their order: one row each.

    rows: columns of the table `crossings` in the lake's form; those that may be missing there may be left out. BadInput
    where a required one is not there.
    """
    schema = tables()["crossings"].lake_schema
    lacking = [c.name for c in tables()["crossings"].lake_columns if c.required and c.name not in rows.column_names]
    if lacking:
        raise BadInput(f"A crossing to assess needs {', '.join(lacking)}. Add {'it' if len(lacking) == 1 else 'them'}.")
    filled = pa.table(
        {
            f.name: rows.column(f.name).cast(f.type) if f.name in rows.column_names else pa.nulls(rows.num_rows, f.type)
            for f in schema
        }
    )
    advance = np.asarray(pc.equal(filled.column("kind"), "advance").to_numpy())
    event = np.arange(rows.num_rows)
    return _spine(filled, event, np.where(advance, event, -1), ordered=False)


def _spine(rows: pa.Table, event: Ints, announced: Ints, *, ordered: bool = True) -> pa.Table:
    """`event` and `announced` are row numbers; -1 where nothing was announced before it happened."""
    happened, known = instants(rows.column("happened_at")), instants(rows.column("known_at"))
    early = (announced >= 0) & (known[announced] <= happened[event])
    said = pa.array(np.where(early, announced, event))
    as_of = np.where(early, known[announced], happened[event])
    table = pa.table(
        {
            "event": whole(rows.column("crossing_id").take(pa.array(event))),
            "subject": whole(rows.column("subject").take(pa.array(event))),
            "as_of": pa.array(as_of).cast(INSTANT),
            "happened_at": pa.array(happened[event]).cast(INSTANT),
            "expected_at": rows.column("happened_at").take(said),
            **{c: rows.column(c).take(said) for c in CROSSING_COLUMNS},
            "shift": rows.column("shift").take(pa.array(event)),
        }
    )
    return table.sort_by([("happened_at", "ascending"), ("event", "ascending")]) if ordered else table


def _announcement(rows: pa.Table, actual: npt.NDArray[np.bool_]) -> Ints:
    """Row number of each row's announcement (its own for an announcement), -1 without; either may name the other."""
    names, linked = whole(rows.column("crossing_id")), whole(rows.column("linked_crossing"))
    named = pc.fill_null(pc.index_in(linked, value_set=names, skip_nulls=True), -1).to_numpy().astype(np.int64)
    own = np.arange(len(actual))
    found = np.where(actual, named, own)
    back = np.flatnonzero(~actual & (named >= 0))
    lacking = found[named[back]] < 0
    found[named[back[lacking]]] = back[lacking]
    mistaken = actual & (found >= 0) & actual[found]
    return np.where(mistaken, -1, found)


def permit_spine(lake: Histories, start: datetime, end: datetime) -> pa.Table:
    """One row per permit granted or renewed whose last day less sixty lies in [start, end), if it then stood.

    Columns: event (`file|valid_to`), subject, as_of (the local midnight sixty days before valid_to), PERMIT_COLUMNS,
    decided_at. A permit is left out where, as known at as_of, its file had moved on (renewed early, withdrawn), or it
    was not yet granted. In the order of as_of and event.
    """
    rows = lake.history("permits", ["subject", *PERMIT_COLUMNS, "happened_at", "known_at"])
    standing = pc.is_in(rows.column("state"), value_set=pa.array(["granted", "renewed"]))
    ends = values(rows.column("valid_to"))
    assert isinstance(ends, np.ndarray)  # noqa: S101 - a day, so numbers
    given = np.asarray(standing.to_numpy()) & ~np.isnan(ends)
    as_of = np.zeros(len(ends), np.int64)
    as_of[given] = midnight_us(ends[given].astype(np.int64) - PERMIT_NOTICE_DAYS)
    told = _Told(*(instants(rows.column(c)) for c in ("happened_at", "known_at", "superseded_at")))
    chosen = np.flatnonzero(given & _within(as_of, start, end))
    chosen = chosen[_newest_of_file(rows, told, chosen, as_of[chosen])]
    taken = rows.take(pa.array(chosen))
    last_day = pc.cast(taken.column("valid_to"), pa.string())
    table = pa.table(
        {
            "event": whole(pc.binary_join_element_wise(taken.column("file"), last_day, "|")),
            "subject": whole(taken.column("subject")),
            "as_of": pa.array(as_of[chosen]).cast(INSTANT),
            **{c: taken.column(c) for c in PERMIT_COLUMNS},
            "decided_at": taken.column("happened_at"),
        }
    )
    return table.sort_by([("as_of", "ascending"), ("event", "ascending")])


class _Told(NamedTuple):
    happened: Ints
    known: Ints
    superseded: Ints

    def at(self, moment: int, rows: Ints) -> npt.NDArray[np.bool_]:
        """Which of the rows had happened and were known at the moment."""
        had = (self.happened[rows] < moment) & (self.known[rows] <= moment)
        return np.asarray(had & (moment < self.superseded[rows]))


def _newest_of_file(rows: pa.Table, told: _Told, chosen: Ints, as_of: Ints) -> npt.NDArray[np.bool_]:
    """Which of the chosen rows are the newest state of their file, as known at their as_of."""
    file, _ = codes(values(rows.column("file")))
    by_file = np.lexsort((told.known, told.happened, file))
    first = np.searchsorted(file[by_file], file[chosen])
    after = np.searchsorted(file[by_file], file[chosen], side="right")
    newest = np.zeros(len(chosen), np.bool_)
    for k, row in enumerate(chosen.tolist()):
        of_file = by_file[first[k] : after[k]]
        visible = of_file[told.at(int(as_of[k]), of_file)]
        newest[k] = len(visible) > 0 and visible[-1] == row
    return newest


def _within(instant: Ints, start: datetime, end: datetime) -> npt.NDArray[np.bool_]:
    for moment in (start, end):
        if moment.tzinfo is None:
            raise BadInput(f"{moment} has no time zone, so it is no instant. Give one, for instance UTC.")
    first, last = (pa.scalar(m, INSTANT).value for m in (start, end))
    return np.asarray((first <= instant) & (instant < last))


def _first_versions(rows: pa.Table, key: str) -> pa.Table:
    """The version of each key that was known first."""
    number, _ = codes(values(rows.column(key)))
    order = np.lexsort((instants(rows.column("known_at")), number))
    ordered = number[order]
    first = np.ones(len(order), np.bool_)
    first[1:] = ordered[1:] != ordered[:-1]
    return rows.take(pa.array(order[first]))

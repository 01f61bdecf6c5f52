"""The lake: versions of facts as known at any moment, idempotent appends, time travel, widening, many writers."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from records.errors import BadInput
from records.lake import Lake
from records.schema import HAPPENED_AT, KNOWN_AT, Column, Table, Type
from records.versions import Versions, last_versions, new_versions, superseded_at

Crossing = Callable[..., dict[str, Any]]
START = datetime(2024, 1, 1, tzinfo=UTC)
NOTES = Table(
    name="notes",
    meaning="A note about someone",
    key=("note",),
    subject="subject",
    retention_days=100,
    columns=(
        Column("note", Type.STRING, "Number", required=True),
        Column("subject", Type.STRING, "Person", required=True),
        Column("text", Type.STRING, "Text"),
        HAPPENED_AT,
        KNOWN_AT,
    ),
)


def notes(*rows: tuple[str, str, str | None, int]) -> pa.Table:
    """Rows of (note, subject, text, hour it was known)."""
    columns = list(zip(*rows, strict=True))
    known = [START + timedelta(hours=hour) for hour in columns[3]]
    instant = pa.timestamp("us", tz="UTC")
    return pa.table(
        {
            "note": columns[0],
            "subject": columns[1],
            "text": pa.array(columns[2], pa.string()),
            "happened_at": pa.array([START] * len(rows), instant),
            "known_at": pa.array(known, instant),
        }
    )


@pytest.fixture
def lake(tmp_path: Path) -> Lake:
    return Lake.create(tmp_path / "lake", buckets=3, declarations={"notes": NOTES})


def test_a_lake_must_be_there_to_be_opened(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="basira ingest"):
        Lake.open(tmp_path)
    Lake.create(tmp_path / "a", buckets=3)
    with pytest.raises(BadInput, match="3 person buckets, not 4"):
        Lake.create(tmp_path / "a", buckets=4)


def test_an_empty_table_has_its_schema(lake: Lake) -> None:
    assert lake.read("notes").schema.names == ["note", "subject", "text", "happened_at", "known_at"]
    assert lake.history("notes", ["note"]).schema.names == ["note", "superseded_at"]
    assert lake.as_known("notes", START, ["text", "note"]).schema.names == ["text", "note"]
    assert lake.version("notes") == -1
    assert lake.versions() == {}
    assert lake.ledger().num_rows == 0


def test_unknown_names_are_refused_with_the_nearest(lake: Lake) -> None:
    with pytest.raises(BadInput, match="Nearest: notes"):
        lake.read("note")
    with pytest.raises(BadInput, match="Nearest: text"):
        lake.read("notes", ["test"])


def test_an_append_is_idempotent_and_in_the_ledger(lake: Lake) -> None:
    rows = notes(("1", "a", "x", 0), ("2", "b", "y", 0), ("2", "b", "y", 5))
    first, again = lake.append("notes", rows, batch="decision/1"), lake.append("notes", rows, batch="decision/1")
    assert (first.accepted, first.duplicates, first.already) == (2, 1, False)
    assert again.already
    assert lake.read("notes").num_rows == 2
    assert lake.ledger()["accepted"].to_pylist() == [2]


def test_a_log_that_was_never_begun_is_no_table_yet(lake: Lake) -> None:
    for name in ("notes", "_quarantine", "_ledger"):
        (lake.folder(name) / "_delta_log").mkdir(parents=True)
    assert lake.version("notes") == -1
    assert lake.read("notes").num_rows == 0
    assert lake.append("notes", notes(("1", "a", "x", 0)), batch="1").accepted == 1
    assert lake.read("notes")["note"].to_pylist() == ["1"]


def test_the_ledger_stays_in_few_files(lake: Lake) -> None:
    batches = [f"b{number:02}" for number in range(20)]
    for batch in batches:
        lake.append("notes", notes((batch, "k1.a", "x", 0)), batch=batch)
    assert sorted(lake.ledger()["batch"].to_pylist()) == batches
    ledger = lake.delta("_ledger")
    assert ledger is not None
    assert len(ledger.file_uris()) <= 16
    assert lake.at({"notes": 10, "_ledger": 10}).read("notes").num_rows == 10
    receipt = lake.receipt("notes", "b00")
    assert receipt is not None
    assert (receipt.already, receipt.accepted) == (True, 1)
    assert lake.receipt("notes", "b20") is None


def test_rows_that_do_not_fit_are_refused_whole(lake: Lake) -> None:
    with pytest.raises(BadInput, match="not declared"):
        lake.append("notes", notes(("1", "a", "x", 0)).append_column("colour", pa.array(["red"])), batch="1")
    with pytest.raises(BadInput, match="'subject' in every row"):
        lake.append("notes", notes(("1", "a", "x", 0)).drop_columns(["subject"]), batch="1")
    assert lake.versions() == {}


def test_versions_follow_each_other_by_known_at_then_arrival(lake: Lake) -> None:
    lake.append("notes", notes(("1", "a", "second", 2), ("1", "a", "tie", 2)), batch="later")
    lake.append("notes", notes(("1", "a", "first", 1)), batch="earlier")
    history = sorted(lake.history("notes", ["text", "superseded_at"][:1]).to_pylist(), key=lambda r: r["text"])
    two = START + timedelta(hours=2)
    assert [(r["text"], r["superseded_at"]) for r in history] == [("first", two), ("second", two), ("tie", None)]
    texts = [lake.as_known("notes", START + timedelta(hours=h), ["text"])["text"].to_pylist() for h in (0, 1, 2)]
    assert texts == [[], ["first"], ["tie"]]


def test_buckets_partition_the_people(lake: Lake) -> None:
    rows = notes(*((str(n), f"s{n % 10}", None, 0) for n in range(50)))
    lake.append("notes", rows, batch="1")
    parts = [lake.read("notes", ["note", "subject"], buckets=[b]) for b in range(3)]
    assert sum(part.num_rows for part in parts) == 50
    people = [set(part["subject"].to_pylist()) for part in parts]
    assert sum(map(len, people)) == len(set.union(*people))
    for part in parts:
        assert part["subject"].to_pylist() == sorted(part["subject"].to_pylist())


def test_time_travel_returns_to_the_rows_of_then(lake: Lake) -> None:
    lake.append("notes", notes(("1", "a", "x", 0)), batch="1")
    then = lake.versions()
    lake.append("notes", notes(("2", "b", "y", 0)), batch="2")
    lake.compact()
    assert lake.at(then).read("notes")["note"].to_pylist() == ["1"]
    assert lake.at(then).versions() == then
    assert lake.read("notes").num_rows == 2
    with pytest.raises(BadInput, match="can only be read"):
        lake.at(then).append("notes", notes(("3", "b", "y", 0)), batch="3")


def test_compaction_changes_files_but_no_rows(lake: Lake) -> None:
    for batch in range(5):
        lake.append("notes", notes(*((str(n), f"s{n}", str(batch), batch) for n in range(9))), batch=str(batch))
    before = lake.history("notes").sort_by("note").to_pylist()
    fewer = lake.compact()
    assert fewer["notes"] == 5 * 3 - 3
    assert sorted(map(str, lake.history("notes").to_pylist())) == sorted(map(str, before))
    assert lake.append("notes", notes(("1", "s1", "4", 9)), batch="again").duplicates == 1
    assert lake.append("notes", notes(("1", "s1", "0", 0)), batch="0").already


def test_a_new_column_widens_an_existing_lake(lake: Lake) -> None:
    lake.append("notes", notes(("1", "a", "x", 0)), batch="1")
    wider = replace(NOTES, columns=(*NOTES.columns, Column("pages", Type.INTEGER, "Pages")))
    upgraded = Lake.open(lake.root, declarations={"notes": wider})
    assert upgraded.read("notes", ["note", "pages"]).to_pylist() == [{"note": "1", "pages": None}]
    more = notes(("1", "a", "x", 3), ("2", "a", "x", 0)).append_column("pages", pa.array([None, 4], pa.int64()))
    receipt = upgraded.append("notes", more, batch="2")
    assert (receipt.accepted, receipt.duplicates) == (1, 1)  # an unfilled new column is no correction
    assert sorted(upgraded.read("notes")["pages"].to_pylist(), key=str) == [4, None]


WRITER = """
import sys
from pathlib import Path
from datetime import UTC, datetime
import pyarrow as pa
from records.lake import Lake
lake = Lake.open(Path(sys.argv[1]))
at = pa.array([datetime(2024, 1, 1, tzinfo=UTC)] * 20, pa.timestamp("us", tz="UTC"))
for batch in range(4):
    rows = pa.table({
        "check_id": [f"{sys.argv[2]}-{batch}-{n}" if n else f"shared-{batch}" for n in range(20)],
        "subject": [f"k1.{n}" for n in range(20)], "event_kind": ["crossing"] * 20, "event": ["e"] * 20,
        "selected_by": ["officer"] * 20, "finding": ["refuted"] * 20, "happened_at": at, "known_at": at,
    })
    lake.append("checks", rows, batch=f"{sys.argv[2]}-{batch}")
"""


def test_writers_at_once_lose_no_rows(tmp_path: Path) -> None:
    lake = Lake.create(tmp_path / "lake", buckets=4)
    arguments = [sys.executable, "-c", WRITER, str(lake.root)]
    root = Path(__file__).parents[2]
    writers = [subprocess.Popen([*arguments, str(number)], cwd=root) for number in range(3)]
    assert [writer.wait(timeout=120) for writer in writers] == [0, 0, 0]
    checks = lake.read("checks", ["check_id"])["check_id"].to_pylist()
    assert len(checks) == 3 * 4 * 19 + 4
    assert len(set(checks)) == len(checks)
    ledger = lake.ledger()
    assert ledger.num_rows == 12
    assert sum(ledger["accepted"].to_pylist()) == len(checks)
    assert sum(ledger["duplicates"].to_pylist()) == 8


ROWS = st.lists(st.tuples(st.integers(0, 4), st.integers(0, 5), st.integers(0, 2)), max_size=30)


def versions_of(rows: list[tuple[int, int, int]]) -> Versions:
    array = np.array(rows, dtype=np.int64).reshape(-1, 3)
    return Versions(array[:, 0], array[:, 1], np.ones(len(rows), np.int64), np.arange(len(rows)))


@given(ROWS)
def test_superseded_at_agrees_with_a_slow_oracle(rows: list[tuple[int, int, int]]) -> None:
    def oracle(place: int) -> int | None:
        key, known, _ = rows[place]
        later = [(k, p) for p, (other, k, _) in enumerate(rows) if other == key and (k, p) > (known, place)]
        return min(later)[0] if later else None

    ended = superseded_at(versions_of(rows)).cast(pa.int64()).to_pylist()
    assert ended == [oracle(place) for place in range(len(rows))]
    assert last_versions(versions_of(rows)).tolist() == [end is None for end in ended]


@given(ROWS, st.integers(0, 30))
def test_taking_out_duplicates_changes_nothing_that_was_known(rows: list[tuple[int, int, int]], split: int) -> None:
    """What is known of each key at each moment is the same with all rows and with the new ones alone."""
    incoming = np.arange(len(rows)) >= split
    content = np.array([row[2] for row in rows], dtype=np.int64)
    new = new_versions(versions_of(rows), content, incoming)
    kept = [place for place in range(len(rows)) if new[place] or not incoming[place]]

    def known(places: list[int], key: int, at: int) -> int | None:
        there = [(rows[p][1], p) for p in places if rows[p][0] == key and rows[p][1] <= at]
        return rows[max(there)[1]][2] if there else None

    ties = {
        (key, at) for p, (key, at, said) in enumerate(rows) for k, a, s in rows[:p] if (k, a) == (key, at) and s != said
    }
    for key in range(5):
        for at in range(6):
            # Statements that contradict each other about one moment have no order but arrival; a repeat adds none.
            if not any(k == key and a <= at for k, a in ties):
                assert known(kept, key, at) == known(list(range(len(rows))), key, at)
    assert not (new & ~incoming).any()

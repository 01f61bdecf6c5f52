"""What becomes of a supplied file: every row accounted for, every reason named, nothing half-done."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from records.errors import BadInput
from records.quarantine import open_rows

Row = dict[str, Any]
Crossing = Callable[..., Row]


def lines(path: Path, rows: list[Row], encoding: str = "utf-8") -> Path:
    path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), encoding=encoding)
    return path


def reasons(place: Any) -> dict[int, set[tuple[str | None, str]]]:
    found: dict[int, set[tuple[str | None, str]]] = {}
    for row in place.lake.quarantine().to_pylist():
        found.setdefault(row["row"], set()).add((row["column"], row["code"]))
    return found


def test_the_same_file_twice_changes_nothing_and_says_so(place: Any, crossing: Crossing) -> None:
    path = place.supply([crossing(1), crossing(2)])
    first = place.ingest(path)
    versions = place.lake.versions()
    again = place.ingest(path)
    assert (first.rows, first.accepted, first.already) == (2, 2, False)
    assert again.already
    assert (again.batch, again.rows, again.accepted) == (first.batch, 2, 2)
    assert place.lake.versions() == versions


def test_pseudonyms_and_gates_are_made_and_identifiers_never_reach_the_lake(place: Any, crossing: Crossing) -> None:
    planted = "ZZ9PLANTED7"
    rows = [crossing(1, document_number=planted), crossing(2, document_number=planted, direction=planted)]
    rows.append(crossing(3, document_number=planted, post=None, shift=planted.lower()))
    receipt = place.ingest(place.supply(rows))
    assert (receipt.accepted, receipt.quarantined) == (1, 2)
    row = place.lake.read("crossings").to_pylist()[0]
    assert row["subject"].startswith("k1.")
    assert row["document"].startswith("k1.")
    assert row["regime"] is not None
    assert "document_number" not in row
    for file in place.lake.root.rglob("*"):
        if file.is_file():
            content = file.read_bytes()
            assert planted.encode() not in content, file
            assert planted.lower().encode() not in content, file
    for file in (f for f in place.lake.root.rglob("*.parquet") if f.is_file()):
        assert planted not in str(pq.read_table(file).to_pydict())


def test_every_reason_of_a_row_is_named_with_the_kind_seen(place: Any, crossing: Crossing) -> None:
    bad = crossing(1, direction="sideways", declared_stay_days="99999", happened_at="soon", mode=None)
    bad |= {"document_number": None}
    receipt = place.ingest(lines(place.folder / "a.jsonl", [bad, crossing(2)]))
    assert (receipt.rows, receipt.accepted, receipt.quarantined) == (2, 1, 1)
    assert reasons(place)[1] == {
        ("direction", "not_in_list"),
        ("declared_stay_days", "above_maximum"),
        ("happened_at", "not_an_instant"),
        ("mode", "missing"),
        ("subject", "no_identifier"),
    }
    seen = {row["column"]: row["seen"] for row in place.lake.quarantine().to_pylist()}
    assert seen["direction"] == "aaaaaaaa"
    assert seen["declared_stay_days"] == "99999"
    assert receipt.reasons["mode: missing"] == 1


def test_windows_1256_and_other_names_are_read_by_a_mapping(place: Any) -> None:
    mapping = place.folder / "mapping.yaml"
    mapping.write_text(
        """
table: crossings
columns: {crossing_id: "رقم العبور", direction: "الاتجاه", document_number: "رقم الجواز", document_issuer: "البلد",
          happened_at: "التاريخ", post: "المعبر", declared_stay_days: "المدة"}
constants: {kind: actual, mode: land, document_type: passport}
values: {direction: {"دخول": entry, "خروج": exit}}
known_at: {lag: PT2H}
zone: Africa/Tunis
delimiter: ";"
ignore: ["ملاحظات"]
""",
        encoding="utf-8",
    )
    text = (
        "رقم العبور;الاتجاه;رقم الجواز;البلد;التاريخ;المعبر;المدة;ملاحظات\n"
        "A1;دخول;X1;DZA;01/03/2024 11:00;ras_jedir;٧;\n"
        "A2;خروج;X2;LBY;02/03/2024 11:00;ras_jedir;;شكرا\n"
        "A3;عبور;X3;LBY;02/03/2024 11:00;ras_jedir;;\n"
        "A4;دخول;X4\n"
    ).translate({0x0660 + d: str(d) for d in range(10)})  # Windows-1256 has no Arabic-Indic digits
    path = place.folder / "supply.csv"
    path.write_bytes(text.encode("cp1256"))
    receipt = place.ingest(path, mapping=mapping)
    assert (receipt.rows, receipt.accepted, receipt.quarantined) == (4, 2, 2)
    assert reasons(place) == {3: {("direction", "not_in_list")}, 4: {(None, "wrong_number_of_fields")}}
    first = next(r for r in place.lake.read("crossings").to_pylist() if r["crossing_id"] == "A1")
    assert first["happened_at"] == datetime(2024, 3, 1, 10, tzinfo=UTC)
    assert first["known_at"] == datetime(2024, 3, 1, 12, tzinfo=UTC)
    assert (first["direction"], first["declared_stay_days"]) == ("entry", 7)


def test_without_zone_or_rule_for_known_at_rows_are_quarantined(place: Any, crossing: Crossing) -> None:
    naive = crossing(1, happened_at="2024-03-01 10:00")
    place.ingest(lines(place.folder / "a.jsonl", [naive]))
    assert reasons(place) == {1: {("happened_at", "no_zone")}}
    without = crossing(7)
    del without["known_at"]
    receipt = place.ingest(lines(place.folder / "b.jsonl", [without]))
    assert receipt.reasons == {"known_at: no_known_at_rule": 1}


def test_unknown_columns_are_refused_with_the_nearest_names(place: Any, crossing: Crossing) -> None:
    path = place.supply([crossing(1) | {"directoin": "entry"}])
    with pytest.raises(BadInput, match=r"directoin.*Nearest: direction"):
        place.ingest(path)
    assert place.ingest(path, mapping={"ignore": ["directoin"]}).accepted == 1


def test_missing_required_columns_are_named(place: Any, crossing: Crossing) -> None:
    rows = [{k: v for k, v in crossing(1).items() if k not in {"post", "document_number", "unified_number"}}]
    with pytest.raises(BadInput, match=r"post; unified_number or else document_issuer with document_number"):
        place.ingest(place.supply(rows))


@pytest.mark.parametrize("name", ["empty.csv", "empty.jsonl"])
def test_an_empty_file_is_fine_and_says_zero(place: Any, name: str) -> None:
    path = place.folder / name
    path.write_bytes(b"")
    receipt = place.ingest(path)
    assert (receipt.rows, receipt.already) == (0, False)
    assert place.ingest(path).already


def test_a_header_alone_is_a_file_of_no_rows(place: Any, crossing: Crossing) -> None:
    path = place.folder / "header.csv"
    path.write_text(",".join(crossing()) + "\n", encoding="utf-8")
    assert place.ingest(path).rows == 0


def broken_files(folder: Path, rows: list[Row]) -> dict[str, Path]:
    whole = folder / "whole.parquet"
    pq.write_table(pa.Table.from_pylist(rows), whole, row_group_size=200)
    content = whole.read_bytes()
    truncated = folder / "truncated.parquet"
    truncated.write_bytes(content[: len(content) // 2])
    damaged = folder / "damaged.parquet"
    damaged.write_bytes(content[:20_000] + bytes(3000) + content[23_000:])
    text = "".join(json.dumps(row) + "\n" for row in rows)
    cut = folder / "cut.jsonl"
    cut.write_text(text[: len(text) // 2 - 10].rstrip("}\n"), encoding="utf-8")
    undecodable = folder / "undecodable.jsonl"
    undecodable.write_bytes(text[: len(text) // 2].encode() + b"\xff\xfe" + text[len(text) // 2 :].encode())
    csv = folder / "undecodable.csv"
    csv.write_bytes(b"crossing_id,post\nC1,\xd8\xa8\nC2,\xff\n")
    return {"truncated": truncated, "damaged": damaged, "cut": cut, "undecodable": undecodable, "csv": csv}


@pytest.mark.parametrize("kind", ["truncated", "damaged", "cut", "undecodable", "csv"])
def test_a_file_that_breaks_half_way_leaves_nothing(place: Any, crossing: Crossing, kind: str) -> None:
    rows = [crossing(n, service=f"TU {n * 7919 % 100_003}") for n in range(2000)]
    path = broken_files(place.folder, rows)[kind]
    with pytest.raises(BadInput):
        place.ingest(path)
    assert place.lake.versions() == {}
    assert not list((place.lake.root / "_staging").glob("*"))
    assert place.vault.rejected_batches().num_rows == 0


def test_malformed_lines_are_quarantined_with_their_number(place: Any, crossing: Crossing) -> None:
    good = [json.dumps(crossing(n)) for n in range(3)]
    path = place.folder / "a.jsonl"
    path.write_text(
        "\ufeff" + "\n".join([good[0], '{"crossing_id": ', good[1], "[1]", good[2]]) + "\n", encoding="utf-8"
    )
    receipt = place.ingest(path)
    assert (receipt.rows, receipt.accepted, receipt.quarantined) == (5, 3, 2)
    assert reasons(place) == {2: {(None, "not_json")}, 4: {(None, "not_a_flat_object")}}


def test_duplicates_and_corrections_within_and_across_files(place: Any, crossing: Crossing) -> None:
    corrected = crossing(1, declared_stay_days=30, known_at="2024-03-02T00:00:00Z")
    later_copy = crossing(1, known_at="2024-03-01T12:00:00Z")
    first = place.ingest(place.supply([crossing(1), crossing(1), corrected, crossing(2)]))
    assert (first.accepted, first.duplicates) == (3, 1)
    second = place.ingest(place.supply([later_copy, corrected, crossing(3)]))
    assert (second.accepted, second.duplicates) == (1, 2)
    taken_back = crossing(1, known_at="2024-03-03T00:00:00Z")
    assert place.ingest(place.supply([taken_back])).accepted == 1
    stays = [
        place.lake.as_known("crossings", datetime(2024, 3, day, 12, tzinfo=UTC), ["crossing_id", "declared_stay_days"])
        for day in (1, 2, 3)
    ]
    assert [dict(zip(*t.to_pydict().values(), strict=True))["C000001"] for t in stays] == [7, 30, 7]


def test_a_correction_of_the_person_ends_the_version_in_the_other_bucket(place: Any, crossing: Crossing) -> None:
    first = [crossing(n) for n in range(40)]
    moved = [crossing(n, document_number=f"XX{n:05d}", known_at="2024-03-02T00:00:00Z") for n in range(40)]
    back = [crossing(n, known_at="2024-03-03T00:00:00Z") for n in range(40)]
    for rows in (moved, back, first):  # in any order of arrival
        assert place.ingest(place.supply(rows)).accepted == 40
    for day in (1, 2, 3):
        known = place.lake.as_known("crossings", datetime(2024, 3, day, 12, tzinfo=UTC))
        assert Counter(known["crossing_id"].to_pylist()) == Counter(r["crossing_id"] for r in first)
    history = place.lake.history("crossings", ["crossing_id", "known_at"])
    assert history.num_rows == 120
    assert history["superseded_at"].null_count == 40
    assert place.lake.read("crossings").num_rows == 120
    place.lake.compact()
    assert place.lake.history("crossings")["superseded_at"].null_count == 40


def test_a_supply_of_travellers_fills_the_vault(place: Any) -> None:
    person = {
        "unified_number": "00012345678",
        "key_kind": "unified_number",
        "full_name": "Selma Example",
        "birth_date": "01/02/1990",
        "sex": "F",
        "nationality": "DZA",
        "happened_at": "2020-01-01T00:00:00Z",
        "known_at": "2020-01-01T00:00:00Z",
    }
    assert place.ingest(lines(place.folder / "p.jsonl", [person]), "travellers").accepted == 1
    subject = place.lake.read("travellers")["subject"].combine_chunks()
    assert place.vault.attributes(subject, ["full_name"])["full_name"].to_pylist() == ["Selma Example"]
    assert b"Selma" not in b"".join(f.read_bytes() for f in place.lake.root.rglob("*") if f.is_file())


def test_progress_counts_the_rows_read(place: Any, crossing: Crossing) -> None:
    seen: list[int] = []
    place.ingest(place.supply([crossing(n) for n in range(10)]), progress=seen.append)
    assert seen[-1] == 10


ODD = st.sampled_from(["ok", "bad_direction", "no_person", "naive", "malformed"])


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    files=st.lists(st.lists(st.tuples(st.integers(0, 6), st.integers(0, 2), ODD), max_size=12), min_size=1, max_size=3)
)
def test_the_ledger_balances_whatever_is_supplied(make_place: Any, crossing: Crossing, files: list[Any]) -> None:
    place = make_place(f"p{datetime.now(UTC).timestamp()}")
    for number, rows in enumerate(files):
        written = [_odd(crossing(key, declared_stay_days=stay), kind) for key, stay, kind in rows]
        path = place.folder / f"{number}.jsonl"
        path.write_text("".join(line + "\n" for line in [json.dumps(crossing(99, service=str(number))), *written]))
        receipt = place.ingest(path)
        assert receipt.rows == len(rows) + 1
        assert receipt.quarantined == sum(kind != "ok" for _, _, kind in rows)
    ledger = place.lake.ledger().to_pydict()
    balance = zip(ledger["rows"], ledger["accepted"], ledger["quarantined"], ledger["duplicates"], strict=True)
    assert all(rows == sum(parts) for rows, *parts in balance)
    assert sum(ledger["accepted"]) == place.lake.read("crossings").num_rows
    open_now = open_rows(place.lake).select(["batch", "row"]).to_pylist()
    assert len({(r["batch"], r["row"]) for r in open_now}) == sum(ledger["quarantined"])


def _odd(row: Row, kind: str) -> str:
    match kind:
        case "bad_direction":
            row["direction"] = "up"
        case "no_person":
            row["document_number"] = None
        case "naive":
            row["happened_at"] = "2024-03-01T10:00"
        case "malformed":
            return json.dumps(row)[:-5]
    return json.dumps(row)

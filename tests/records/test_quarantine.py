"""Quarantined rows: listed with their reasons, tried again, and closed once they are in."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from records.errors import BadInput
from records.quarantine import open_rows, retry

Crossing = Callable[..., dict[str, Any]]


def test_a_retry_with_a_better_mapping_closes_the_rows_it_takes(place: Any, crossing: Crossing) -> None:
    rows = [crossing(1), crossing(2, direction="دخول"), crossing(3, direction="دخول", mode="camel")]
    path = place.folder / "a.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows) + "{\n" + json.dumps(crossing(4)) + "\n")
    first = place.ingest(path)
    assert (first.accepted, first.quarantined) == (2, 3)
    assert len(set(open_rows(place.lake, "crossings")["row"].to_pylist())) == 3
    assert open_rows(place.lake, "permits").num_rows == 0

    house = {"lake": place.lake, "vault": place.vault, "keys": place.keys}
    better = {"values": {"direction": {"دخول": "entry"}}}
    second = retry(first.batch, mapping=better, **house)
    assert (second.rows, second.accepted, second.quarantined) == (3, 1, 2)
    assert second.retry_of == first.batch
    still = open_rows(place.lake).to_pylist()
    assert {(r["batch"], r["row"], r["column"], r["code"]) for r in still} == {
        (second.batch, 3, "mode", "not_in_list"),
        (second.batch, 4, None, "not_json"),
    }
    assert retry(first.batch, mapping=better, **house).already
    with pytest.raises(BadInput, match=second.batch):
        retry(first.batch, mapping={"values": {"direction": {"دخول": "exit"}}}, **house)
    assert sorted(place.lake.read("crossings")["crossing_id"].to_pylist()) == ["C000001", "C000002", "C000004"]
    ledger = place.lake.ledger().to_pydict()
    assert ledger["rows"] == [
        sum(parts) for parts in zip(ledger["accepted"], ledger["quarantined"], ledger["duplicates"], strict=True)
    ]


def test_typed_values_of_parquet_survive_the_way_through_quarantine(place: Any, crossing: Crossing) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    rows = pa.Table.from_pylist([crossing(1, direction="E", booth_wait_minutes=2.5, document_issued_on=None)])
    for name in ("happened_at", "known_at"):
        place_of = rows.schema.get_field_index(name)
        rows = rows.set_column(place_of, name, rows[name].cast(pa.timestamp("ns", tz="Africa/Tunis")))
    path = place.folder / "typed.parquet"
    pq.write_table(rows, path)
    first = place.ingest(path)
    again = retry(
        first.batch,
        lake=place.lake,
        vault=place.vault,
        keys=place.keys,
        mapping={"values": {"direction": {"E": "entry"}}},
    )
    assert again.accepted == 1
    row = place.lake.read("crossings").to_pylist()[0]
    assert (row["happened_at"].isoformat(), row["booth_wait_minutes"]) == ("2024-03-01T10:00:00+00:00", 2.5)


def test_what_cannot_be_tried_again_is_said(place: Any, crossing: Crossing) -> None:
    house = {"lake": place.lake, "vault": place.vault, "keys": place.keys}
    with pytest.raises(BadInput, match="no batch 'x'"):
        retry("x", **house)
    sound = place.ingest(place.supply([crossing(1)]))
    with pytest.raises(BadInput, match="nothing to try again"):
        retry(sound.batch, **house)
    bad = place.ingest(place.supply([crossing(2, mode="camel")]))
    place.vault.delete_rejected(bad.batch)
    with pytest.raises(BadInput, match="90 days"):
        retry(bad.batch, **house)

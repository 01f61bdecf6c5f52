"""The sample world keeps what it promises: its bytes, its planted counts, its patterns, its bias, its silence."""

from __future__ import annotations

import hashlib
import json
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.dataset as ds
import pyarrow.parquet as pq
import pytest

from records.errors import BadInput
from records.hijri import ramadan
from records.mapping import read_mapping
from records.sample import PARAMETERS, World, make_world, open_world, world_summary
from records.tables import table, tables


@pytest.fixture(scope="module")
def larger_world(tmp_path_factory: pytest.TempPathFactory) -> World:
    """Large enough to measure the policy: about 60,000 crossings."""
    return make_world(tmp_path_factory.mktemp("larger") / "world", scale=0.2)


def rows(world: World, name: str) -> pa.Table:
    return ds.dataset(world.folder / "supplies" / name, format="parquet").to_table()


def sound_checks(world: World) -> list[dict[str, object]]:
    lines = [
        line
        for path in sorted((world.folder / "supplies" / "checks").iterdir())
        for line in path.read_text(encoding="utf-8").splitlines()
    ]
    return [json.loads(line) for line in lines if "BAD" not in line and line.endswith("}")]


def digests(folder: Path) -> dict[str, str]:
    files = [path for path in folder.rglob("*") if path.is_file()]
    return {str(p.relative_to(folder)): hashlib.sha256(p.read_bytes()).hexdigest() for p in files}


def test_the_same_seed_gives_the_same_bytes(small_world: World, tmp_path: Path) -> None:
    make_world(tmp_path / "again", scale=0.05)
    assert digests(tmp_path / "again") == digests(small_world.folder)


def test_another_seed_gives_another_world(small_world: World, tmp_path: Path) -> None:
    other = make_world(tmp_path / "other", scale=0.05, seed=8)
    assert digests(other.folder)["truth/entries.parquet"] != digests(small_world.folder)["truth/entries.parquet"]


def test_every_file_is_listed_and_reads_as_its_table(small_world: World) -> None:
    listed = {supply.path for supply in small_world.supplies}
    there = {
        str(p.relative_to(small_world.folder)) for p in (small_world.folder / "supplies").rglob("*") if p.is_file()
    }
    assert listed == there
    for supply in small_world.supplies:
        declared = table(supply.table)
        mapping = read_mapping(small_world.folder / supply.mapping if supply.mapping else None, declared)
        if supply.path.endswith(".parquet"):
            names = set(pq.read_schema(small_world.folder / supply.path).names)
            assert names <= {mapping.theirs(column.name) for column in declared.supplied_columns}, supply.path
    assert {s.table for s in small_world.supplies} == {
        name for name, declared in tables().items() if not declared.engine_made
    }


def test_world_json_counts_what_is_there(small_world: World) -> None:
    facts = small_world.facts
    assert facts["parameters"] == PARAMETERS.hash
    for name in ("crossings", "travellers", "links", "alerts", "services"):
        assert rows(small_world, name).num_rows == facts["rows"][name], name


def test_planted_rows_are_there_in_the_planted_numbers(small_world: World) -> None:
    crossings = rows(small_world, "crossings")
    planted = small_world.facts["bad_rows"]["crossings"]
    assert crossings["post"].null_count == planted["missing"]
    assert pc.sum(pc.equal(crossings["direction"], "transit")).as_py() == planted["not_in_list"]
    assert pc.sum(pc.less(crossings["party_size"], 1)).as_py() == planted["below_minimum"]
    assert pc.sum(pc.greater(crossings["declared_stay_days"], 3_650)).as_py() == planted["above_maximum"]
    assert crossings["document_number"].null_count == planted["no_identifier"]
    per_key = crossings.group_by(["crossing_id"]).aggregate([([], "count_all")])["count_all"]
    again = crossings.num_rows - len(per_key)
    assert again == small_world.facts["duplicates"] + small_world.facts["corrections"]
    distinct = crossings.group_by(crossings.column_names).aggregate([]).num_rows
    assert crossings.num_rows - distinct == small_world.facts["duplicates"]
    south = (small_world.folder / "supplies/permits-south/south.csv").read_bytes().decode("cp1256")
    assert south.count("32/13/2025") == small_world.facts["bad_rows"]["permits"]["not_a_day"]


def test_nothing_is_known_before_its_time_or_after_the_last_day(small_world: World) -> None:
    end = datetime(2026, 8, 31, 23, tzinfo=UTC)
    crossings = rows(small_world, "crossings")
    assert pc.max(crossings["known_at"]).as_py() < end
    actual = crossings.filter(pc.equal(crossings["kind"], "actual"))
    assert pc.all(pc.greater(actual["known_at"], actual["happened_at"])).as_py()
    advance = crossings.filter(pc.equal(crossings["kind"], "advance"))
    assert pc.all(pc.less(advance["known_at"], advance["happened_at"])).as_py()
    # Tomorrow is announced, and only announced.
    assert pc.max(advance["happened_at"]).as_py() > end > pc.max(actual["happened_at"]).as_py()


def test_the_first_year_has_no_findings(small_world: World) -> None:
    assert min(str(check["fait_le"]) for check in sound_checks(small_world)) >= "2024-08-31"


def test_random_control_logs_its_probability(larger_world: World) -> None:
    checks = [c for c in sound_checks(larger_world) if c["objet"] == "crossing"]
    drawn = [c for c in checks if c["selection"] == "random"]
    assert all(0 < float(str(c["probabilite"])) <= 0.2 and c["a_l_aveugle"] for c in drawn)
    assert all(c["probabilite"] is None for c in checks if c["selection"] == "officer")
    assert 0.05 < len(drawn) / len(checks) < 0.20


def test_findings_exist_only_where_someone_looked(larger_world: World) -> None:
    for check in sound_checks(larger_world):
        assert (check["constat"] == "confirme") == (check["nature"] is not None)
        assert (check["constat"] == "non_fait") == (check["motif"] is not None)


def test_the_policy_over_checks_groups_that_are_no_more_irregular(larger_world: World) -> None:
    entries = pq.read_table(larger_world.folder / "truth" / "entries.parquet")
    irregular, checked = np.asarray(entries["irregular"]), np.asarray(entries["checked"])
    later = np.asarray(entries["day"].cast(pa.int32())) >= np.datetime64("2024-08-31").astype(int)
    kind = np.asarray(entries["traveller_kind"].cast(pa.string()))
    for group in ("marked", "young_man"):
        member = np.asarray(entries[group])
        assert checked[later & member].mean() > 1.5 * checked[later & ~member].mean(), group
        # Within a kind of traveller, membership tells nothing about irregularity: four standard errors at most.
        tourist = kind == "tourist"
        inside, outside = irregular[tourist & member], irregular[tourist & ~member]
        error = np.sqrt(irregular[tourist].var() * (1 / len(inside) + 1 / len(outside)))
        assert abs(inside.mean() - outside.mean()) < 4 * error, group
    assert 0.03 < irregular.mean() < 0.06


def test_some_exits_go_missing_and_more_at_some_posts(larger_world: World) -> None:
    missing = pq.read_table(larger_world.folder / "truth" / "missing_exits.parquet")
    recorded = rows(larger_world, "crossings")["crossing_id"]
    assert missing.num_rows > 300
    assert not pc.any(pc.is_in(missing["crossing_id"], value_set=recorded.combine_chunks())).as_py()
    counts = sorted(c.as_py() for c in pc.value_counts(missing["post"].cast(pa.string())).field("counts"))
    assert counts[-1] > 3 * counts[len(counts) // 2]


def test_the_week_the_summer_and_ramadan_can_be_seen(larger_world: World) -> None:
    crossings = rows(larger_world, "crossings")
    actual = crossings.filter(pc.equal(crossings["kind"], "actual"))
    day = np.asarray(actual["happened_at"].cast(pa.timestamp("s"))).astype("datetime64[D]")
    month = day.astype("datetime64[M]").astype(int) % 12
    assert (month == 7).sum() > 1.8 * (month == 1).sum()
    by_land = np.asarray(pc.equal(actual["mode"], "land"))
    days, counts = np.unique(day[by_land], return_counts=True)
    fasting = ramadan(days)
    around = (np.convolve(fasting, np.ones(61), "same") > 0) & ~fasting
    assert counts[fasting].mean() < 0.9 * counts[around].mean()
    weekday = (days.astype(int) + 3) % 7
    assert counts[weekday == 6].mean() < 0.9 * counts[weekday == 1].mean()


def test_permits_lapse_for_reasons(larger_world: World) -> None:
    permits = pq.read_table(larger_world.folder / "truth" / "permits.parquet")
    known = permits.filter(pc.not_equal(permits["outcome"].cast(pa.string()), "open"))
    lapsed = np.asarray(pc.equal(known["outcome"].cast(pa.string()), "lapsed"))
    risk = np.asarray(known["lapse_risk"])
    assert lapsed.sum() > 100
    assert lapsed[risk > 0.15].mean() > 3 * lapsed[risk <= 0.05].mean()


def test_who_someone_is_stands_only_in_its_own_columns(small_world: World) -> None:
    travellers = rows(small_world, "travellers")
    nationalities = set(travellers["nationalite"].to_pylist()) - {None}
    for name in ("crossings", "links", "alerts"):
        supplied = rows(small_world, name)
        for column in supplied.column_names:
            if "issuer" not in column and pa.types.is_string(supplied.schema.field(column).type):
                assert not nationalities & set(supplied[column].to_pylist()), (name, column)


def test_the_damaged_file_is_damaged(small_world: World) -> None:
    (refused,) = small_world.facts["refused"]
    with pytest.raises(UnicodeDecodeError):
        (small_world.folder / refused["path"]).read_text(encoding="utf-8")


def test_a_folder_in_use_and_a_world_out_of_range_are_refused(small_world: World, tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="not empty"):
        make_world(small_world.folder)
    with pytest.raises(BadInput, match="scale"):
        make_world(tmp_path / "new", scale=0)
    with pytest.raises(BadInput, match="no sample world"):
        open_world(tmp_path)


def test_a_world_opens_again_and_sums_itself_up(small_world: World) -> None:
    assert open_world(small_world.folder).supplies == small_world.supplies
    assert "crossings" in world_summary(small_world)

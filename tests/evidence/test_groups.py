from datetime import UTC, datetime

import numpy as np
import pyarrow as pa
import pytest

from evidence.groups import audit, audit_vault, group_table
from records.keys import keys
from records.vault import Vault


def _rows(sizes: dict[str | None, int], seed: int = 0) -> dict[str, object]:
    random = np.random.default_rng(seed)
    groups = [name for name, size in sizes.items() for _ in range(size)]
    scores = random.random(len(groups))
    labels = (random.random(len(groups)) < scores).astype(float)
    return {
        "groups": pa.array(groups, pa.string()),
        "labels": labels,
        "scores": scores,
        "probabilities": scores,
        "capacity": 0.1,
    }


def test_a_small_group_stays_visible_and_shows_no_figure():
    table = group_table("region", **_rows({"north": 400, "south": 500, "isle": 12}))
    isle = next(row for row in table.rows if row.group == "isle")
    assert isle.note == "insufficient evidence, n = 12"
    assert isle.selection_rate.value is None
    assert sum(row.rows for row in table.rows) == 912


def test_null_is_a_group_of_its_own_and_no_extreme():
    rows = _rows({"north": 400, "south": 500, None: 300})
    rows["scores"] = np.where(np.arange(1200) >= 900, 0.0, rows["scores"])  # nobody unknown is selected
    table = group_table("region", **rows)
    assert {row.group for row in table.rows} == {"north", "south", "unknown"}
    assert table.selection_ratio.value > 0.5


def test_equal_groups_have_a_ratio_near_one_and_unequal_ones_do_not():
    rows = _rows({"north": 3000, "south": 3000})
    even = group_table("region", **rows).selection_ratio
    assert even.low < 1 <= even.high + 0.2
    rows["scores"] = rows["scores"] + np.where(np.arange(6000) < 3000, 0.04, 0.0)
    assert group_table("region", **rows).selection_ratio.value < even.value


def test_rates_are_of_the_selected_and_of_those_who_were_right_or_wrong():
    rows = _rows({"all": 1000})
    (row,) = group_table("region", **rows).rows
    assert row.selection_rate.value == pytest.approx(0.1)
    top = np.argsort(-rows["scores"])[:100]
    assert row.confirmation_rate.value == pytest.approx(rows["labels"][top].mean())
    assert row.true_positive_rate.value == pytest.approx(rows["labels"][top].sum() / rows["labels"].sum())


def test_only_tables_leave_an_audit():
    class Vault:
        def attributes(self, subjects, names):
            return pa.table({"subject": subjects, "sex": pa.array(["f", "m"] * (len(subjects) // 2))})

    rows = _rows({"x": 400})
    del rows["groups"]
    tables = audit(Vault(), pa.array([f"k1.{n}" for n in range(400)]), ["sex"], **rows)
    assert [row.group for row in tables["sex"].rows] == ["f", "m"]
    assert "k1." not in repr(tables)


def test_the_identity_vault_is_asked_and_only_tables_come_back(tmp_path):
    url, secret = f"sqlite:///{tmp_path / 'vault.db'}", keys(tmp_path / "keys", {})
    subjects = pa.array([f"k1.{n}" for n in range(400)])
    told = pa.table(
        {
            "subject": subjects,
            "known_at": pa.array([datetime(2026, 1, 1, tzinfo=UTC)] * 400, pa.timestamp("us", tz="UTC")),
            "sex": pa.array(["F", "M"] * 200),
        }
    )
    with Vault.open(url, secret) as vault:
        vault.put_identities(told)
    rows = _rows({"x": 400})
    del rows["groups"]
    tables = audit_vault(url, secret, subjects, ["sex"], **rows)
    assert {row.group: row.rows for row in tables["sex"].rows} == {"F": 200, "M": 200}
    assert "k1." not in repr(tables)

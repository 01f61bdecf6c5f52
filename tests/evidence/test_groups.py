import json
from dataclasses import replace
from datetime import UTC, date, datetime

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from evidence.gaps import Primary
from evidence.groups import Audit, Outcomes, View, audit, audit_vault, compare, group_table
from evidence.metrics import selected
from records.errors import BadInput
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
    assert isle.note == "insufficient evidence, n = 12, detectable gap = 24 points"
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


def _view(count: int, **outcomes: object) -> View:
    rows = _rows({"x": count})
    chosen = selected(rows["scores"], 0.1)
    return View(
        "model",
        pa.array([f"k1.{n}" for n in range(count)]),
        np.full(count, np.datetime64("2026-03-01")),
        Outcomes(rows["labels"], chosen, rows["probabilities"], **outcomes),
        0.1,
    )


class InMemory:
    """A vault of women and men born in 1950 and 2000, who come in turn."""

    def attributes(self, subjects, names):
        n = len(subjects)
        told = {
            "sex": pa.array([("F", "M")[i % 2] for i in range(n)]),
            "birth_date": pa.array([(date(1950, 1, 1), date(2000, 1, 1), None)[i % 3] for i in range(n)]),
        }
        return pa.table({"subject": subjects, **{name: told[name] for name in names}})


def test_only_tables_leave_an_audit():
    found = audit(InMemory(), [_view(900)], ["sex", "age"])
    assert [table.attribute for table in found.tables] == ["sex", "age", "sex × age"]
    assert [row.group for row in found.tables[1].rows] == ["18–29", "60+", "unknown"]
    assert "k1." not in repr(found)
    assert "1950" not in repr(found)
    assert Audit.from_json(json.loads(json.dumps(found.as_json()))) == found


def test_what_would_tell_persons_is_refused():
    for name in ("full_name", "birth_date", "document_issuer"):
        with pytest.raises(BadInput, match="cannot be audited"):
            audit(InMemory(), [_view(400)], [name])


def test_the_identity_vault_is_asked_and_only_tables_come_back(tmp_path):
    url, secret = f"sqlite:///{tmp_path / 'vault.db'}", keys(tmp_path / "keys", {})
    view = _view(400)
    told = pa.table(
        {
            "subject": view.subjects,
            "known_at": pa.array([datetime(2026, 1, 1, tzinfo=UTC)] * 400, pa.timestamp("us", tz="UTC")),
            "sex": pa.array(["F", "M"] * 200),
        }
    )
    with pytest.raises(BadInput, match="nothing to read"):
        audit_vault(url, secret, [view], ["sex"])
    with Vault.open(url, secret) as vault:
        vault.put_identities(told)
    found = audit_vault(url, secret, [view], ["sex"])
    assert {row.group: row.rows for row in found.tables[0].rows} == {"F": 200, "M": 200}
    assert "k1." not in repr(found)


def test_a_single_small_cell_of_a_crossing_cannot_be_worked_out_from_its_neighbours():
    groups = {"a": ["p"] * 395 + ["q"] * 600, "b": ["u"] * 300 + ["v"] * 95 + ["u"] * 300 + ["v"] * 300}
    attributes = {name: pa.array(values) for name, values in groups.items()}
    rows = _rows({"x": 995})
    outcomes = Outcomes(rows["labels"], selected(rows["scores"], 0.1), rows["scores"])
    crossing = compare({"": (attributes, outcomes, 0.1)}).tables[2]
    # The 95 are below the threshold; without company their figures would follow from those of p and of v.
    assert {row.group for row in crossing.rows if row.shown} == {"q × u"}
    assert [row.rows for row in crossing.rows] == [300, 95, 300, 300]


def test_of_a_handful_not_even_the_number_is_told():
    table = group_table("region", **_rows({"north": 400, "isle": 4}))
    isle = next(row for row in table.rows if row.group == "isle")
    assert (isle.rows, isle.shown) == (0, False)
    assert isle.note.startswith("insufficient evidence, n < 10, detectable gap = ")


def test_weights_say_whom_a_row_stands_for():
    rows = _rows({"x": 2000})
    chosen, weights = selected(rows["scores"], 0.2), np.where(np.arange(2000) % 2, 3.0, 1.0)
    group = pa.array(["all"] * 2000)
    (row,) = (
        compare({"": ({"g": group}, Outcomes(rows["labels"], chosen, rows["scores"], weights), 0.2)}).tables[0].rows
    )
    positive = rows["labels"] == 1
    missed = np.sum(weights * positive * (1 - chosen)) / np.sum(weights * positive)
    assert row.missed_risk_rate.value == pytest.approx(missed)
    assert row.true_positive_rate.value == pytest.approx(1 - missed)
    assert row.effective_rows == pytest.approx(4000**2 / (1000 * 9 + 1000))


def test_who_waits_longer_is_told_in_minutes_and_in_shares():
    rows = _rows({"x": 2000})
    minutes = np.random.default_rng(1).exponential(10, 2000) + np.where(np.arange(2000) < 1000, 8.0, 0.0)
    minutes[::7] = np.nan
    outcomes = Outcomes(rows["labels"], selected(rows["scores"], 0.1), rows["scores"], minutes=minutes)
    found = compare({"": ({"g": pa.array(["p"] * 1000 + ["q"] * 1000)}, outcomes, 0.1)})
    p, q = found.tables[0].rows
    assert p.minutes.low > q.minutes.high
    assert p.long_wait_rate.value > q.long_wait_rate.value
    assert [(gap.rate, gap.group) for gap in found.found] == [("long_wait", "p")]


@given(st.integers(0, 10_000))
@settings(max_examples=25)
def test_the_order_of_rows_changes_nothing(seed):
    random = np.random.default_rng(seed)
    rows = _rows({"north": 150, "south": 200, None: 20}, seed)
    order = random.permutation(370)
    shuffled = {name: value if name == "capacity" else value.take(order) for name, value in rows.items()}
    first, second = group_table("g", **rows), group_table("g", **shuffled)
    for a, b in zip(first.rows, second.rows, strict=True):
        assert (a.group, a.rows, a.shown) == (b.group, b.rows, b.shown)
        assert a.selection_rate.value == pytest.approx(b.selection_rate.value, nan_ok=True)


def test_the_gap_fixed_beforehand_is_tested_alone_and_never_twice():
    rows = _rows({"x": 4000})
    sex = pa.array(["F", "M"] * 2000)
    age = pa.array(["young", "middle", "old", None] * 1000)
    outcomes = Outcomes(rows["labels"], selected(rows["scores"], 0.3), rows["scores"])
    primary = Primary("sex", "missed_risk", "F", "M")
    found = compare({"": ({"sex": sex, "age": age}, outcomes, 0.3)}, primary=primary)
    assert found.primary is not None
    assert found.gaps[0] == found.primary
    assert found.primary.tested
    again = [g for g in found.gaps[1:] if (g.attribute, g.rate) == ("sex", "missed_risk")]
    assert again == []
    assert not any("unknown" in gap.group for gap in found.gaps)
    # Of two mirrored groups one is looked at; calibration says of each whether it is kept.
    assert [g.group for g in found.gaps if (g.attribute, g.rate) == ("sex", "selection")] == ["F"]
    assert [g.group for g in found.gaps if (g.attribute, g.rate) == ("sex", "calibration")] == ["F", "M"]
    with pytest.raises(BadInput, match="no rate"):
        compare({"": ({"sex": sex}, outcomes, 0.3)}, primary=replace(primary, rate="luck"))

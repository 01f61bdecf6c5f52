"""Where a value stands among similar subjects is never overstated, and small groups are never compared with."""

from datetime import UTC, datetime

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.risk.peers import BEYOND, LEAST, Peers, peers, season

WINTER, SUMMER = datetime(2026, 1, 10, tzinfo=UTC), datetime(2026, 7, 10, tzinfo=UTC)
NAMES = ("entries", "new", "state")


def subjects(modes, moments, **columns) -> pa.Table:
    n = len(modes)
    given = {
        "entries": pa.array(range(n), pa.float64()),
        "new": pa.array([k % 4 == 0 for k in range(n)]),
        "state": pa.array(["granted"] * (n - 2) + ["refused"] * 2),
    } | columns
    return pa.table({"as_of": pa.array(moments, pa.timestamp("us", tz="UTC")), "mode": modes, **given})


@given(
    values=st.lists(st.one_of(st.none(), st.integers(-5, 5), st.floats(-1e4, 1e4)), min_size=LEAST, max_size=300),
    asked=st.floats(-1e4, 1e4),
)
def test_what_is_said_of_a_number_is_true_of_the_subjects(values, asked):
    rows = subjects(["air"] * len(values), [WINTER] * len(values), entries=pa.array(values, pa.float64()))
    found = peers("crossing", rows, NAMES).of(rows.slice(0, 1))[0].place("entries", asked)
    known = np.array([v for v in values if v is not None])
    if len(known) < LEAST:
        assert found is None
        return
    near = 1e-3 * max(abs(asked), abs(known).max())  # quantiles are kept to four digits
    assert found.lower <= (known < asked + near).mean()
    assert found.higher <= (known > asked - near).mean() + 1e-9
    assert found.lower + found.higher <= 1


def test_a_value_is_compared_with_its_own_mode_and_season_where_they_are_enough():
    modes = ["air"] * 300 + ["land"] * 150 + ["land"] * 150
    rows = subjects(modes, [WINTER] * 450 + [SUMMER] * 150)
    made = peers("crossing", rows, NAMES)
    cells = made.of(subjects(["air", "air", "land", "sea"], [WINTER, SUMMER, SUMMER, WINTER]))
    assert [cell.key for cell in cells] == [("air", "winter"), ("air",), ("land",), ()]
    assert [cell.rows for cell in cells] == [300, 300, 300, 600]
    assert Peers.from_json(made.as_json()) == made


def test_of_too_few_nothing_is_said():
    made = peers("crossing", subjects(["air"] * 150, [WINTER] * 150), NAMES)
    assert made.of(subjects(["air"], [WINTER], state=pa.array(["granted"]))) == [None]
    few_known = pa.array([1.0] * 150 + [None] * 150)
    cell = peers("crossing", subjects(["air"] * 300, [WINTER] * 300, entries=few_known), NAMES).cells[()]
    assert cell.place("entries", 1.0) is None
    assert cell.place("new", None) is None


def test_truth_values_and_words_are_told_by_how_many_have_the_same():
    cell = peers("crossing", subjects(["air"] * 300, [WINTER] * 300), NAMES).cells[()]
    assert cell.place("new", True).same == pytest.approx(0.25)
    assert cell.place("state", "granted").same == pytest.approx(298 / 300, abs=1e-3)
    assert cell.shares["state"].keys() == {"granted"}  # two are fewer than BEYOND: the word is not kept
    assert cell.place("state", "refused").same == 0.0
    assert BEYOND > 2


def test_seasons_are_whole_months():
    assert [season(datetime(2026, m, 1, tzinfo=UTC)) for m in (12, 3, 6, 9)] == ["winter", "spring", "summer", "autumn"]

"""The running day: what has come is certain, what is to come keeps its range, and both ends are right."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.volumes.early_warning.nowcast import nowcast
from records.errors import BadInput


def days(seed=2, count=200, level=500.0):
    """Days that differ in size by a fifth, and that go on as they began."""
    random = np.random.default_rng(seed)
    shape = np.exp(-((np.arange(24) - 13) ** 2) / 30)
    size = np.exp(0.2 * random.standard_normal(count))
    return random.poisson(level * size[:, None] * shape / shape.sum()).astype(float)


def test_the_range_holds_what_it_promises_and_narrows_over_the_day():
    table = days()
    widths, inside = [], []
    for hours in (6, 12, 18):
        answers = [nowcast(table[i - 60 : i], table[i, :hours]) for i in range(60, 200)]
        total = table[60:].sum(axis=1)
        low, high = (np.array([a.quantiles[place] for a in answers]) for place in (3, 11))
        inside.append(((total >= low) & (total <= high)).mean())
        widths.append((high - low).mean())
    assert widths[0] > widths[1] > widths[2]
    assert all(0.7 < share < 0.9 for share in inside)


def test_a_day_that_began_well_is_carried_on_and_an_expected_feast_is_believed():
    table = days()
    usual = nowcast(table[:100], table[:100, :12].mean(axis=0))
    assert nowcast(table[:100], 1.3 * table[:100, :12].mean(axis=0)).median > 1.2 * usual.median
    assert nowcast(table[:100], np.empty(0), expected=1000.0).median > 1.7 * usual.median
    assert usual.share == pytest.approx(table[:100, :12].sum() / table[:100].sum())


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 24), st.integers(0, 3), st.integers(0, 400))
def test_quantiles_never_cross_and_never_fall_below_what_came(hours, seed, each):
    answer = nowcast(days(seed, 30, 5.0), np.full(hours, float(each)))
    assert (np.diff(answer.quantiles) >= 0).all()
    assert answer.quantiles[0] >= answer.so_far == hours * each


def test_at_the_end_of_the_day_nothing_is_open():
    table = days()
    answer = nowcast(table[:50], table[60])
    assert (answer.quantiles == table[60].sum()).all()


def test_a_day_with_a_hole_is_left_out():
    table = days()
    holed = table.copy()
    holed[::2, 5] = np.nan
    assert (
        nowcast(holed[:60], table[60, :8]).quantiles.tolist()
        == nowcast(table[1:60:2], table[60, :8]).quantiles.tolist()
    )


def test_too_few_days_and_hours_that_do_not_fit_are_bad_input():
    with pytest.raises(BadInput, match="Only 3 whole days"):
        nowcast(days()[:3], np.ones(2))
    with pytest.raises(BadInput, match="25 hours have come"):
        nowcast(days(), np.ones(25))
    with pytest.raises(BadInput, match="Wait for its records"):
        nowcast(days(), np.array([1.0, np.nan]))

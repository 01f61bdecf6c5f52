"""History rates see strictly the past: against a slow, obvious oracle, and against changes to the future."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from models.risk.history import expanding, frozen

rows = st.lists(
    st.tuples(st.integers(0, 3), st.integers(0, 6), st.sampled_from([0.0, 1.0, float("nan")])), min_size=1, max_size=40
).map(lambda r: tuple(np.array(part) for part in zip(*r, strict=True)))


@given(rows)
def test_expanding_agrees_with_the_obvious_loop(table):
    codes, days, labels = table
    positives, found = expanding(codes, days, labels)
    for i in range(len(codes)):
        before = (codes == codes[i]) & (days < days[i]) & ~np.isnan(labels)
        assert found[i] == before.sum()
        assert positives[i] == labels[before].sum()


@given(rows, st.lists(st.integers(0, 3), min_size=1, max_size=5))
def test_a_finding_counts_from_the_day_it_was_known(table, delays):
    codes, days, labels = table
    known = days + np.resize(delays, len(days))
    positives, found = expanding(codes, days, labels, known)
    for i in range(len(codes)):
        before = (codes == codes[i]) & (known < days[i]) & ~np.isnan(labels)
        assert found[i] == before.sum()
        assert positives[i] == labels[before].sum()


@given(rows, st.integers(0, 6))
def test_what_was_found_on_a_day_or_later_changes_nothing_up_to_it(table, day):
    codes, days, labels = table
    other = np.where(days >= day, 1.0, labels)
    kept = days <= day
    for a, b in zip(expanding(codes, days, labels), expanding(codes, days, other), strict=True):
        assert (a[kept] == b[kept]).all()


@given(rows)
def test_frozen_counts_the_whole_history_and_nobody_has_none(table):
    codes, _, labels = table
    positives, found = frozen(codes, labels, np.array([0, 1, 2, 3, 9, -1]))
    for code in range(4):
        assert found[code] == ((codes == code) & ~np.isnan(labels)).sum()
        assert positives[code] == np.nansum(labels[codes == code])
    assert found[4:].tolist() == [0, 0]
    assert positives[4:].tolist() == [0, 0]

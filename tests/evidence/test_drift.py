"""Histograms of counts, and distances whose limits are those of chance."""

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from evidence.drift import Histogram, js, limits, psi, shift

COUNTS = st.lists(st.integers(0, 500), min_size=2, max_size=8).map(np.array).filter(lambda c: c.sum() > 0)


def _column(values: list) -> pa.ChunkedArray:
    return pa.chunked_array([pa.array(values, from_pandas=True)])


def test_numbers_are_counted_by_tenths_and_missing_ones_apart():
    histogram = Histogram.of(_column([*(float(n) for n in range(100)), None, float("nan")]))
    assert len(histogram.edges) == 9
    assert histogram.counts[-1] == 2
    assert sum(histogram.counts) == 102
    assert histogram.count(_column([-5.0, 500.0])).tolist() == [1, *[0] * 8, 1, 0, 0]


def test_words_that_few_rows_had_are_not_named_and_neither_are_new_ones():
    histogram = Histogram.of(_column(["air"] * 6 + ["sea"] * 5 + ["camel"] * 2 + [None]))
    assert histogram.levels == ("air", "sea")
    assert histogram.counts == (6, 5, 2, 1)
    assert histogram.count(_column(["sea", "rocket", None, None])).tolist() == [0, 1, 1, 2]


def test_truth_values_and_columns_of_nothing_are_counted():
    assert Histogram.of(_column([True] * 7 + [False] * 6 + [None])).counts == (6, 7, 0, 1)
    assert Histogram.of(pa.chunked_array([pa.nulls(4, pa.float64())])).counts == (0, 0, 4)


def test_a_histogram_is_written_and_read():
    for column in (_column([1.0, 2.0, None]), _column(["a"] * 5)):
        histogram = Histogram.of(column)
        assert Histogram.from_json(histogram.as_json()) == histogram


@given(COUNTS, st.integers(1, 30))
def test_the_same_shares_are_no_distance_apart(counts, many):
    assert js(counts, counts * many) == pytest.approx(0, abs=1e-12)
    assert psi(counts, counts) == pytest.approx(0, abs=1e-12)


@given(COUNTS, st.data())
def test_distances_look_both_ways_alike_and_stay_in_their_bounds(then, data):
    now = data.draw(st.lists(st.integers(0, 500), min_size=len(then), max_size=len(then)).map(np.array))
    if not now.sum():
        return
    assert psi(then, now) == pytest.approx(psi(now, then))
    assert 0 <= js(then, now) <= 1 + 1e-12
    assert js(then, now) == pytest.approx(js(now, then))


def test_distances_are_those_of_the_textbook():
    then, now = np.array([100_000, 100_000]), np.array([150_000, 50_000])
    assert psi(then, now) == pytest.approx(0.25 * np.log(1.5) - 0.25 * np.log(0.5), abs=1e-4)
    assert js(np.array([10, 0]), np.array([0, 10])) == pytest.approx(1.0)


@pytest.mark.parametrize(("rows", "later"), [(20_000, 4_000), (20_000, 80), (400, 60)])
def test_limits_are_what_chance_reaches_with_as_many_rows(rows, later):
    random = np.random.default_rng(1)
    share = random.dirichlet(np.ones(10))
    beyond = np.zeros(2)
    tries = 120
    for _ in range(tries):
        then, now = random.multinomial(rows, share), random.multinomial(later, share)
        at = limits(then, now, error=0.05)
        beyond += (psi(then, now) > at[0], js(then, now) > at[1])
    assert (beyond <= 0.05 * tries + 3 * (0.05 * 0.95 * tries) ** 0.5).all()
    assert (beyond >= 0.05 * tries - 3 * (0.05 * 0.95 * tries) ** 0.5).all()


def test_fewer_rows_need_a_greater_distance():
    many, few = (limits(np.full(8, 2_000), np.full(8, n), error=0.01)[0] for n in (1_000, 20))
    assert few > 10 * many


def test_a_shift_says_what_is_missing_and_unseen_beside_what_was():
    then = Histogram.of(_column(["air"] * 500 + ["sea"] * 490 + [None] * 10))
    same = shift(then, _column(["air"] * 100 + ["sea"] * 98 + [None] * 2), error=0.01)
    other = shift(then, _column(["air"] * 50 + ["hovercraft"] * 100 + [None] * 50), error=0.01)
    assert not same.beyond
    assert (other.missing, other.missing_before) == (0.25, 0.01)
    assert (other.unseen, other.unseen_before) == (0.5, 0.0)
    assert other.large
    assert shift(then, _column([]).cast(pa.string()), error=0.01) is None


def test_a_small_shift_of_many_rows_is_beyond_chance_and_not_large():
    then = Histogram.of(_column(["a"] * 50_000 + ["b"] * 50_000))
    found = shift(then, _column(["a"] * 26_000 + ["b"] * 24_000), error=0.01)
    assert found.beyond
    assert not found.large

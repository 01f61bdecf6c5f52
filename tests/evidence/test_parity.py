import numpy as np
import pyarrow as pa
import pytest

from evidence.intervals import redrawn_days
from evidence.parity import more_even, worst_off
from records.errors import BadInput


def test_the_worst_off_group_of_the_worst_attribute_counts_and_small_or_unknown_ones_do_not():
    attributes = {
        "sex": pa.array(["F", "M"] * 500),
        "region": pa.array((["north"] * 495) + (["south"] * 495) + ["isle"] * 6 + [None] * 4),
    }
    even = np.ones(1000)
    north = (np.arange(1000) < 495).astype(float)
    women = 1 - np.arange(1000) % 2 * 0.5
    assert worst_off(attributes)(iter([even, north, women, np.zeros(1000)])) == [1.0, 0.0, 0.5, 1.0]


def test_with_one_group_there_is_nobody_to_hold_it_against():
    with pytest.raises(BadInput, match="two groups"):
        worst_off({"sex": pa.array(["F"] * 400 + ["M"] * 20)})


def test_a_score_that_adds_points_to_a_group_is_less_even_than_one_that_does_not():
    random = np.random.default_rng(3)
    groups = random.choice(["a", "b"], 4_000)
    plain = random.normal(size=4_000)
    biased = plain + 0.5 * (groups == "a")
    draws = redrawn_days(np.repeat(np.arange(40), 100), 200)
    even, other, gain = more_even(pa.array(groups), plain, biased, draws, capacity=0.1)
    assert even.value > 0.8 > other.value
    assert gain.value == pytest.approx(even.value - other.value)
    assert gain.low > 0

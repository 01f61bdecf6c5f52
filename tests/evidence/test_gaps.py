import numpy as np
import pytest
from scipy.stats import binomtest, fisher_exact

from evidence import gaps
from evidence.intervals import UNDEFINED, wilson


def test_newcombe_s_interval_against_his_published_example():
    found = gaps.difference(wilson(56, 70), wilson(48, 80))  # Newcombe 1998, table II, method 10
    assert (found.value, found.low, found.high) == pytest.approx((0.2, 0.0524, 0.3339), abs=5e-5)
    assert gaps.difference(wilson(1, 2), UNDEFINED) == UNDEFINED


def test_the_exact_test_is_twice_the_smaller_tail_of_fisher():
    counts = [(3, 40, 90, 400), (0, 25, 30, 100), (12, 20, 10, 500), (5, 50, 5, 50)]
    share, n, other, m = (np.array(part, dtype=float) for part in zip(*counts, strict=True))
    for found, (a, n1, b, n2) in zip(gaps.exact(share / n, n, other / m, m), counts, strict=True):
        table = [[a, n1 - a], [b, n2 - b]]
        tails = [fisher_exact(table, alternative=way).pvalue for way in ("less", "greater")]
        assert found == pytest.approx(min(1.0, 2 * min(tails)))


def test_what_was_promised_is_held_against_the_binomial():
    found = gaps.kept(np.array([0.5, 0.1]), np.array([40.0, 200.0]), np.array([0.3, 0.1]))
    tails = [binomtest(20, 40, 0.3, alternative=way).pvalue for way in ("less", "greater")]
    assert found[0] == pytest.approx(2 * min(tails))
    assert found[1] == 1.0


def test_holm_multiplies_the_smallest_most_and_keeps_the_order():
    assert gaps.holm([0.04, 0.01, 0.03]) == pytest.approx([0.06, 0.03, 0.06])
    assert gaps.holm([]) == []


def test_four_hundred_in_each_group_show_ten_points_and_less_evidence_shows_less():
    assert gaps.detectable(400, 400, 0.5) == pytest.approx(0.099, abs=1e-3)
    assert gaps.detectable(400, 400, 0.5, alpha=0.001) > gaps.detectable(400, 400, 0.5)
    assert gaps.detectable(3, 4000, 0.05) is None or gaps.detectable(3, 4000, 0.05) > 0.3
    assert gaps.detectable(0, 100, 0.5) is None
    assert gaps.detectable(2, 2, 0.5) is None


def test_a_gap_fixed_beforehand_needs_no_more_than_chance_allows():
    assert gaps.alone(0.5, 400, 0.6, 400) < 0.01
    assert gaps.alone(0.5, 40, 0.6, 40) > 0.2
    assert gaps.alone(0.0, 40, 0.0, 40) == 1.0

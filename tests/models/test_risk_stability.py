"""Reasons that hold are told from those that go: planted ones stay, noise does not."""

import lightgbm
import numpy as np
import pytest

from models.risk.encoding import Matrix
from models.risk.stability import Stability, stability

OPTIONS = {"objective": "binary", "num_leaves": 8, "verbosity": -1, "num_threads": 1, "deterministic": True, "seed": 1}


@pytest.fixture(scope="module")
def held() -> Stability:
    """Two groups: one column that decides, three that say nothing."""
    random = np.random.default_rng(4)
    rows = random.normal(size=(1200, 4))
    label = (rows[:, 0] + random.normal(0, 0.3, 1200) > 0).astype(int)

    def grow(drawn):
        return [lightgbm.train(OPTIONS, lightgbm.Dataset(rows[drawn], label[drawn]), 20)]

    subjects = np.array([f"k{n // 2}" for n in range(1200)])
    cases = Matrix(rows[:300], tuple("abcd"), ("number",) * 4)
    groups = ["papers", "stay", "stay", "stay"]
    return stability(grow(np.arange(1200)), grow, subjects, cases, groups, capacity=0.4)


def test_a_first_reason_that_decides_seldom_changes(held):
    assert held.refit < 0.1
    assert held.noise < held.refit + 0.02
    assert held.cases == 300
    assert held.grown > 1000


def test_flags_that_rest_on_what_decides_are_seldom_replaced(held):
    assert 0 < held.flags < 0.2


def test_a_strong_push_is_certain_and_a_weak_one_of_noise_is_not(held):
    assert held.certain("papers", 1.5)
    assert held.certain("papers", -1.5)
    assert not held.certain("stay", 0.01)
    assert not held.certain("a group nobody tried", 9.0)
    assert Stability.from_json(held.as_json()) == held

"""The probes find a broken promise, and the trees keep theirs."""

import numpy as np
import pytest

from models.risk.encoding import Matrix
from models.risk.monotone import probe
from models.risk.profiles import Profile, fit

QUICK = Profile("quick", 2, 40, 31, 6, tries=2, tried_rounds=20, rate=0.15, rates=(0.1, 0.3))


def make_part(rows: int, seed: int) -> tuple[Matrix, np.ndarray]:
    """`history rate` mostly lowers the outcome here, so that an unbound learner would let it lower the score."""
    random = np.random.default_rng(seed)
    rate, other = random.random(rows), random.normal(0, 1, rows)
    labels = (random.random(rows) < 1 / (1 + np.exp(1 + 2 * rate * (other > 0) - other))).astype(float)
    values = np.column_stack([np.where(random.random(rows) < 0.05, np.nan, rate), other])
    return Matrix(values, ("history rate", "other"), ("rate", "number")), labels


def test_history_may_only_raise_a_score():
    learn, stop = make_part(3000, 0), make_part(1000, 1)
    found = fit(learn, stop, QUICK)
    assert found.monotone == {"history rate": 1}
    told = probe(found.trees.raw, stop[0], found.monotone, probes=20000)
    assert (told.probes, told.found, told.worst) == (20000, 0, 0.0)


def test_policy_may_give_any_column_a_direction():
    learn, stop = make_part(3000, 0), make_part(1000, 1)
    found = fit(learn, stop, QUICK, monotone={"other": -1})
    assert probe(found.trees.raw, stop[0], found.monotone, probes=20000).found == 0


@pytest.mark.parametrize(("way", "falls"), [(1, True), (-1, False)])
def test_a_score_that_falls_is_caught(way, falls):
    rows, _ = make_part(500, 2)
    told = probe(lambda matrix: -np.nan_to_num(matrix.values[:, 1]), rows, {"other": way}, probes=1000)
    assert (told.found > 900) == falls
    assert (told.worst > 0) == falls


def test_without_a_direction_nothing_is_probed():
    rows, _ = make_part(10, 3)
    assert probe(lambda matrix: matrix.values[:, 1], rows, {}).probes == 0

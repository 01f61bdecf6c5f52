"""Budgets hold, the same data gives the same model, and noise does not choose."""

import json

import numpy as np
import pytest

from models.risk.encoding import Matrix
from models.risk.learners import grow
from models.risk.profiles import PROFILES, Profile, fit, plain

QUICK = Profile("quick", 2, 30, 7, 3, tries=6, tried_rounds=15, rate=0.15, rates=(0.1, 0.3))
NAMES, KINDS = ("weight", "kind", "kind rate", "kind count"), ("number", "category", "rate", "count")


def make_part(rows: int, seed: int) -> tuple[Matrix, np.ndarray]:
    random = np.random.default_rng(seed)
    weight, kind = random.normal(0, 1, rows), random.integers(0, 6, rows)
    labels = (random.random(rows) < 1 / (1 + np.exp(1.5 - weight - (kind == 3)))).astype(float)
    values = np.column_stack([weight, kind, 0.2 + 0.2 * (kind == 3), np.log1p(kind)])
    return Matrix(values.astype(float), NAMES, KINDS), labels


def test_the_shipped_profile_can_be_explained():
    shipped = PROFILES["shipped"]
    assert shipped.members == 5
    assert shipped.trees <= 500
    assert shipped.leaves <= 31
    assert shipped.depth <= 6
    assert PROFILES["large"].trees > 500


def test_the_same_data_gives_the_same_model_inside_its_budget():
    learn, stop = make_part(2000, 0), make_part(800, 1)
    said: list[str] = []
    first, again = fit(learn, stop, QUICK, progress=said.append), fit(learn, stop, QUICK)
    assert [b.model_to_string() for b in first.trees.boosters] == [b.model_to_string() for b in again.trees.boosters]
    assert first.losses == again.losses
    assert len(first.losses) == QUICK.tries
    assert len(first.trees.boosters) == QUICK.members
    for booster in first.trees.boosters:
        trees = booster.dump_model()["tree_info"]
        assert len(trees) <= QUICK.rounds
        assert max(tree["num_leaves"] for tree in trees) <= QUICK.leaves
        assert max(depth(tree["tree_structure"]) for tree in trees) <= QUICK.depth
    assert said[-1].startswith("growing 2 models")
    json.dumps(dict(first.losses))


def test_models_grow_side_by_side_on_the_same_rows_as_they_would_alone():
    learn, stop = make_part(1000, 7), make_part(400, 8)
    candidate = plain(QUICK, "native splits of everything")
    together = grow(candidate, learn, stop, seeds=range(12), rounds=10).boosters
    alone = [grow(candidate, learn, stop, seeds=[seed], rounds=10).boosters[0] for seed in range(12)]
    assert [b.model_to_string() for b in together] == [b.model_to_string() for b in alone]
    assert len({b.model_to_string() for b in alone}) == 12


def test_finalists_are_all_that_is_tried_and_win_as_they_did():
    learn, stop = make_part(2000, 0), make_part(800, 1)
    found = fit(learn, stop, QUICK)
    again = fit(learn, stop, QUICK, finalists=found.finalists)
    assert [f.name for f in found.finalists] == list(again.losses)
    assert len(found.finalists) == 2
    assert again.losses == {name: found.losses[name] for name in again.losses}
    assert again.chosen == found.chosen
    assert again.trees.raw(stop[0]) == pytest.approx(found.trees.raw(stop[0]), abs=0)


def depth(node: dict) -> int:
    return 1 + max(depth(node["left_child"]), depth(node["right_child"])) if "left_child" in node else 0


@pytest.mark.parametrize("seed", [3, 4])
def test_where_nothing_can_be_learnt_the_plain_candidate_stays(seed):
    random = np.random.default_rng(seed)
    parts = [(make_part(n, seed)[0], (random.random(n) < 0.3).astype(float)) for n in (1500, 600)]
    found = fit(*parts, QUICK)
    assert found.chosen == next(iter(found.losses))


def test_numbers_alone_are_read_in_one_way():
    learn, stop = make_part(1000, 5), make_part(400, 6)
    found = fit((learn[0].of(("number",)), learn[1]), (stop[0].of(("number",)), stop[1]), QUICK, seeds=1)
    assert sum("suggestion" not in name for name in found.losses) == 1
    assert len(found.trees.boosters) == 1
    assert np.isfinite(found.trees.raw(stop[0].of(("number",)))).all()

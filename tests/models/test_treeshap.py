"""Contributions against every subset of features written out, LightGBM's own, and shap's, on models of every kind."""

import ast
import sys
from functools import cache
from itertools import combinations
from math import comb
from pathlib import Path

import lightgbm
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from models import treeshap
from models.treeshap import POINTS, TreeShap
from tests.models.odd_rows import ODD, odd_rows

# What shap does with matplotlib while it is imported.
pytestmark = pytest.mark.filterwarnings("ignore:.* function will be deprecated:PendingDeprecationWarning")

EXACT = 1e-9
QUIET = {"verbosity": -1, "num_threads": 1, "deterministic": True, "force_row_wise": True, "seed": 1}
KINDS = ("number", "rounded", "holes", "zeros", "constant", "category", "many categories")


def column(kind: str, rows: int, random: np.random.Generator) -> np.ndarray:
    if kind == "category":
        return random.integers(0, 5, rows).astype(float)
    if kind == "many categories":
        return random.integers(0, 70, rows).astype(float)
    values = np.round(random.normal(0.0, 2.0, rows), 3)
    if kind == "rounded":
        return np.round(values)
    if kind == "constant":
        return np.full(rows, 2.0)
    if kind in ("holes", "zeros"):
        values[random.random(rows) < 0.3] = np.nan if kind == "holes" else 0.0
    return values


def grow(kinds, rows, seed, rounds=4, **parameters):
    """A model over columns of these kinds, and the rows it learnt from."""
    random = np.random.default_rng(seed)
    table = np.column_stack([column(kind, rows, random) for kind in kinds])
    signal = np.nan_to_num(table).sum(axis=1) + 2 * random.normal(size=rows)
    parameters = {"objective": "regression", "min_data_in_leaf": 1, "min_data_in_bin": 1} | QUIET | parameters
    if parameters["objective"] == "binary":
        signal = (signal > np.median(signal)).astype(float)
    elif parameters["objective"] == "multiclass":
        signal = np.arange(rows) % parameters["num_class"]
    categories = [n for n, kind in enumerate(kinds) if "categor" in kind]
    data = lightgbm.Dataset(table, signal, categorical_feature=categories, params={"verbosity": -1})
    return lightgbm.train(parameters, data, rounds), table


def native(booster, rows):
    """LightGBM's contributions and base as (n, p + 1) or (n, p + 1, K)."""
    found = booster.predict(rows, pred_contrib=True, num_threads=1)
    classes = booster.num_model_per_iteration()
    return found if classes == 1 else np.moveaxis(found.reshape(len(rows), classes, -1), 1, 2)


def agree(explainer, booster, rows):
    values, theirs = explainer.values(rows), native(booster, rows)
    np.testing.assert_allclose(values, theirs[:, :-1], rtol=0, atol=EXACT)
    np.testing.assert_array_equal(explainer.values(rows[:1]), values[:1])  # one row takes a way of its own
    np.testing.assert_allclose(explainer.base, theirs[0, -1], rtol=0, atol=EXACT)
    raw = booster.predict(rows, raw_score=True, num_threads=1)
    np.testing.assert_allclose(values.sum(axis=1) + explainer.base, raw, rtol=0, atol=EXACT)


# --- the slow oracle: the game itself ---------------------------------------------------------------------------------


def goes_left(node, value):
    if node["decision_type"] == "==":
        return not np.isnan(value) and int(value) >= 0 and str(int(value)) in node["threshold"].split("||")
    if np.isnan(value) and node["missing_type"] != "NaN":
        value = 0.0
    if np.isnan(value) or (node["missing_type"] == "Zero" and abs(value) <= 1e-35):
        return node["default_left"]
    return value <= node["threshold"]


def rows_of(node):
    return node.get("internal_count", node.get("leaf_count"))


def worth(node, row, members):
    """What a tree says of a row of which only `members` are known."""
    if "leaf_value" in node:
        return node["leaf_value"]
    left, right = node["left_child"], node["right_child"]
    if node["split_feature"] in members:
        return worth(left if goes_left(node, row[node["split_feature"]]) else right, row, members)
    share = rows_of(left) / rows_of(node)
    return share * worth(left, row, members) + (1 - share) * worth(right, row, members)


def by_enumeration(booster, row):
    """Shapley values (p,), interactions (p, p) as shap lays them out, and the base, over all 2^p coalitions."""
    trees = [tree["tree_structure"] for tree in booster.dump_model()["tree_info"]]
    p = len(row)

    @cache
    def game(members):
        return sum(worth(tree, row, members) for tree in trees)

    def coalitions(without):
        rest = [n for n in range(p) if n not in without]
        return (frozenset(c) for size in range(len(rest) + 1) for c in combinations(rest, size))

    values, pairs = np.zeros(p), np.zeros((p, p))
    for i in range(p):
        for c in coalitions({i}):
            values[i] += (game(c | {i}) - game(c)) / (p * comb(p - 1, len(c)))
        for j in range(i):
            for c in coalitions({i, j}):
                both = game(c | {i, j}) - game(c | {i}) - game(c | {j}) + game(c)
                pairs[i, j] += both / (2 * (p - 1) * comb(p - 2, len(c)))
            pairs[j, i] = pairs[i, j]
    pairs[np.arange(p), np.arange(p)] = values - pairs.sum(axis=1)
    return values, pairs, game(frozenset())


@pytest.mark.parametrize(
    ("kinds", "parameters"),
    [
        (("number", "holes", "category", "zeros"), {"num_leaves": 15}),
        (("number", "holes", "category", "zeros"), {"num_leaves": 15, "zero_as_missing": True}),
        (("number", "holes", "many categories", "rounded"), {"num_leaves": 31, "use_missing": False}),
        (("number", "rounded"), {"num_leaves": 40}),  # every feature is tested several times on a path
        (("category", "many categories", "category"), {"num_leaves": 20, "max_cat_to_onehot": 1, "cat_smooth": 0}),
        (("holes", "number", "number", "number", "zeros", "rounded", "number", "holes"), {"num_leaves": 60}),
    ],
)
def test_values_and_interactions_are_those_of_the_game(kinds, parameters):
    booster, table = grow(kinds, 300, seed=3, rounds=3, **parameters)
    explainer = TreeShap.of(booster)
    for row in odd_rows(table, 4):
        values, pairs, base = by_enumeration(booster, row)
        np.testing.assert_allclose(explainer.values(row[None])[0], values, rtol=0, atol=EXACT)
        np.testing.assert_allclose(explainer.interactions(row), pairs, rtol=0, atol=EXACT)
        assert explainer.base == pytest.approx(base, abs=EXACT)


# --- LightGBM and shap ------------------------------------------------------------------------------------------------


@settings(max_examples=150, suppress_health_check=[HealthCheck.too_slow])
@given(
    kinds=st.lists(st.sampled_from(KINDS), min_size=1, max_size=9),
    rows=st.integers(3, 300),
    seed=st.integers(0, 10_000),
    rounds=st.integers(1, 6),
    leaves=st.integers(2, 50),
    depth=st.sampled_from([-1, 1, 2, 3, 6]),
    fit=st.sampled_from(
        [
            {"objective": "regression"},
            {"objective": "binary"},
            {"objective": "multiclass", "num_class": 3},
            {"objective": "binary", "boosting": "rf", "bagging_fraction": 0.6, "bagging_freq": 1},
            {"objective": "regression", "boosting": "dart"},
            {"objective": "regression", "extra_trees": True},
            {"objective": "regression_l1"},
        ]
    ),
    missing=st.sampled_from([{}, {"zero_as_missing": True}, {"use_missing": False}]),
    categories=st.sampled_from([{}, {"max_cat_to_onehot": 1, "cat_smooth": 0, "min_data_per_group": 1, "cat_l2": 0}]),
)
def test_values_are_those_of_lightgbm(kinds, rows, seed, rounds, leaves, depth, fit, missing, categories):
    booster, table = grow(kinds, rows, seed, rounds, num_leaves=leaves, max_depth=depth, **fit, **missing, **categories)
    agree(TreeShap.of(booster), booster, odd_rows(table, 40, seed))


def test_whether_a_value_is_known_may_be_the_only_question():
    """LightGBM asks it with an infinite threshold."""
    booster, table = grow(("holes",), 100, 10, rounds=1, num_leaves=2, max_bin=2, min_data_in_bin=60)
    booster = lightgbm.Booster(model_str=booster.model_to_string())
    explainer = TreeShap.of(booster)
    agree(explainer, booster, np.concatenate([table, ODD[:, None]]))
    assert np.isinf([split["threshold"] for forest in explainer.forests for split in forest.splits]).any()


def test_deep_trees_are_explained_the_same_way():
    booster, table = grow(("number", "holes", "zeros", "rounded") * 10, 3000, 5, rounds=2, num_leaves=400)
    explainer = TreeShap.of(booster)
    assert max(len(forest.points) for forest in explainer.forests) > 2 * POINTS
    agree(explainer, booster, odd_rows(table, 40))


def test_a_model_that_learnt_nothing_has_only_a_base():
    booster, table = grow(("constant", "number"), 30, 1, rounds=3, min_data_in_leaf=1000)
    explainer = TreeShap.of(booster)
    assert not explainer.values(table).any()
    assert not explainer.interactions(table[0]).any()
    agree(explainer, booster, table)


def test_members_are_explained_as_their_mean():
    kinds = ("number", "holes", "category", "zeros", "rounded")
    members = [grow(kinds, 400, seed, rounds=10, objective="binary", num_leaves=31)[0] for seed in range(3)]
    rows = odd_rows(grow(kinds, 400, 0)[1], 100)
    mean = np.mean([native(member, rows) for member in members], axis=0)
    for given_as in (members, tuple(member.model_to_string() for member in members)):
        explainer = TreeShap.of(given_as)
        np.testing.assert_allclose(explainer.values(rows), mean[:, :-1], rtol=0, atol=EXACT)
        assert explainer.base == pytest.approx(mean[0, -1], abs=EXACT)


def test_members_may_read_a_column_differently():
    """As a category here and as a number there, with and without missing values."""
    members = [
        grow(kinds, 300, 2, rounds=5, **more)[0]
        for kinds, more in (
            (("category", "zeros", "holes"), {}),
            (("rounded", "number", "number"), {}),
            (("rounded", "zeros", "holes"), {"zero_as_missing": True}),
        )
    ]
    rows = odd_rows(grow(("category", "zeros", "holes"), 300, 2)[1], 100)
    mean = np.mean([native(member, rows)[:, :-1] for member in members], axis=0)
    np.testing.assert_allclose(TreeShap.of(members).values(rows), mean, rtol=0, atol=EXACT)


def test_interactions_and_explanation_are_those_of_shap():
    import shap

    booster, table = grow(("number", "holes", "rounded", "number", "zeros"), 500, 4, rounds=8, num_leaves=31)
    explainer, theirs = TreeShap.of(booster), shap.TreeExplainer(booster)
    rows = table[:3]
    pairs = np.array([explainer.interactions(row) for row in rows])
    np.testing.assert_allclose(pairs, theirs.shap_interaction_values(rows), rtol=0, atol=EXACT)
    ours, other = explainer.explanation(rows), theirs(rows)
    np.testing.assert_allclose(ours.values, other.values, rtol=0, atol=EXACT)
    np.testing.assert_allclose(ours.base_values, other.base_values, rtol=0, atol=EXACT)
    np.testing.assert_array_equal(ours.data, rows)
    assert ours.feature_names == booster.feature_name()


def test_thresholds_are_those_of_the_splits():
    """As the game reads them, of numbers alone."""
    booster, _ = grow(("number", "holes", "category", "constant", "zeros"), 400, 11, rounds=5, num_leaves=31)

    def tested(node):
        if "leaf_value" in node:
            return set()
        own = {(node["split_feature"], node["threshold"])} if node["decision_type"] == "<=" else set()
        return own | tested(node["left_child"]) | tested(node["right_child"])

    pairs = set().union(*(tested(tree["tree_structure"]) for tree in booster.dump_model()["tree_info"]))
    found = TreeShap.of(booster).thresholds()
    for feature in range(5):
        np.testing.assert_allclose(found[feature], sorted(at for of, at in pairs if of == feature), rtol=1e-12)
    assert len(found[0]) > 1
    assert len(found[2]) == len(found[3]) == 0


def test_classes_are_explained_side_by_side():
    booster, table = grow(("number", "holes", "category"), 200, 6, rounds=3, objective="multiclass", num_class=4)
    explainer = TreeShap.of(booster)
    assert explainer.base.shape == (4,)
    pairs = explainer.interactions(table[0])
    np.testing.assert_allclose(pairs.sum(axis=1), explainer.values(table[:1])[0], rtol=0, atol=EXACT)
    np.testing.assert_array_equal(pairs, pairs.swapaxes(0, 1))
    assert explainer.explanation(table[:2]).base_values.shape == (2, 4)


# --- promises ---------------------------------------------------------------------------------------------------------


def test_a_row_gets_the_same_bits_alone_and_among_others_on_one_thread_and_on_two():
    booster, table = grow(("number", "holes", "category", "zeros"), 500, 7, rounds=10, num_leaves=31)
    explainer = TreeShap.of(booster)
    rows = odd_rows(table, 3001)
    together = explainer.values(rows, threads=1)
    np.testing.assert_array_equal(explainer.values(rows, threads=2), together)
    np.testing.assert_array_equal(explainer.values(rows[::-1]), together[::-1])
    for n in (0, 7, 8, 3000):
        np.testing.assert_array_equal(explainer.values(rows[n : n + 1])[0], together[n])
    assert explainer.values(rows[:0]).shape == (0, 4)


def test_rows_of_any_layout_and_number_type_are_read():
    booster, table = grow(("rounded", "category", "zeros"), 200, 8, rounds=4)
    explainer = TreeShap.of(booster)
    expected = explainer.values(table)
    np.testing.assert_array_equal(explainer.values(np.asfortranarray(table)), expected)
    np.testing.assert_array_equal(explainer.values(table.tolist()), expected)
    single = table.astype(np.float32)
    np.testing.assert_array_equal(explainer.values(single), explainer.values(single.astype(np.float64)))


def test_what_cannot_be_explained_is_refused_and_says_why():
    booster, table = grow(("number", "number"), 100, 9)
    linear, _ = grow(("number", "number"), 100, 9, linear_tree=True)
    with pytest.raises(ValueError, match="linear_tree"):
        TreeShap.of(linear)
    with pytest.raises(ValueError, match="not the text of a LightGBM model"):
        TreeShap.of("a pickle")
    with pytest.raises(ValueError, match="different features"):
        TreeShap.of([booster, grow(("number", "number", "number"), 100, 9)[0]])
    with pytest.raises(ValueError, match="reads 2 features"):
        TreeShap.of(booster).values(table[:, :1])


def test_it_stands_alone():
    """In one file, which needs nothing of the rest of the project."""
    others = set()
    for node in ast.walk(ast.parse(Path(treeshap.__file__).read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            others |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            others.add("." * node.level + (node.module or "").partition(".")[0])
    assert others - set(sys.stdlib_module_names) == {"numpy", "numba", "llvmlite", "shap"}

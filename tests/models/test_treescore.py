"""Scores are LightGBM's own, bit by bit, whatever the trees ask and however odd the rows are."""

import lightgbm
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from models.treescore import BLOCK, CHUNK, TreeScore
from tests.models.odd_rows import odd_rows

CHANGES = ({}, {"zero_as_missing": True}, {"use_missing": False}, {"max_depth": 3}, {"min_data_in_leaf": 900})


def grown(seed, rows=400, rounds=6, categories=(2, 3), **parameters):
    """A model over numbers, numbers with holes, few and many categories, and zeros; and the rows it learnt from."""
    random = np.random.default_rng(seed)
    table = np.round(random.normal(0, 2, (rows, 5)), 2)
    table[random.random(rows) < 0.3, 1] = np.nan
    table[:, 2], table[:, 3] = random.integers(0, 5, rows), random.integers(0, 90, rows)
    table[random.random(rows) < 0.4, 4] = 0.0
    label = (np.nan_to_num(table).sum(axis=1) + 3 * random.normal(size=rows) > 20).astype(float)
    quiet = {"objective": "binary", "verbosity": -1, "num_threads": 1, "seed": seed, "min_data_in_leaf": 2}
    quiet |= {"min_data_per_group": 5, "cat_smooth": 1} | parameters
    data = lightgbm.Dataset(table, label, categorical_feature=list(categories), params={"verbosity": -1} | parameters)
    return lightgbm.train(quiet, data, rounds), table


def by_lightgbm(boosters, rows):
    return np.mean([b.predict(rows, raw_score=True, num_threads=1) for b in boosters], axis=0)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    st.integers(0, 1_000),
    st.integers(2, 60),
    st.sampled_from(CHANGES),
    st.sampled_from([(), (2,), (2, 3)]),
)
def test_scores_are_those_of_lightgbm(seed, leaves, more, categories):
    booster, table = grown(seed, categories=categories, num_leaves=leaves, **more)
    rows = odd_rows(table, 3 * BLOCK + 1, seed)
    scorer = TreeScore.of([booster.model_to_string()])
    np.testing.assert_array_equal(scorer.raw(rows), by_lightgbm([booster], rows))


def test_members_are_averaged_on_any_number_of_threads_and_rows():
    boosters = [grown(seed, rounds=20, num_leaves=31)[0] for seed in range(5)]
    rows = odd_rows(grown(0)[1], CHUNK + BLOCK + 3)
    scorer = TreeScore.of([b.model_to_string() for b in boosters])
    scores = scorer.raw(rows, 2)
    np.testing.assert_array_equal(scores, by_lightgbm(boosters, rows))
    np.testing.assert_array_equal(scorer.raw(rows[::-1]), scores[::-1])
    for n in (0, 1, BLOCK):
        np.testing.assert_array_equal(scorer.raw(rows[:n]), scores[:n])


def test_rows_of_another_width_are_refused():
    booster, table = grown(2)
    with pytest.raises(ValueError, match="read 5 features"):
        TreeScore.of([booster.model_to_string()]).raw(table[:, :4])


def test_several_classes_are_refused():
    booster, _ = grown(1, objective="multiclass", num_class=2)
    with pytest.raises(ValueError, match="several classes"):
        TreeScore.of([booster.model_to_string()])

"""Doors for notebooks: shap's own form, exact pairs of inputs, and models that are not trees."""

import numpy as np
import pyarrow as pa
import pytest

from models.risk.encoding import Matrix
from models.risk.explaining import explained_otherwise, explanation, interactions
from models.risk.learners import logistic
from records.errors import BadInput
from tests.serving.small_model import small_model

pytestmark = pytest.mark.filterwarnings("ignore:.* function will be deprecated:PendingDeprecationWarning")


@pytest.fixture(scope="module")
def model():
    return small_model()


@pytest.fixture(scope="module")
def values() -> pa.Table:
    random = np.random.default_rng(2)
    return pa.table(
        {
            "entries_last_90_days": pa.array(random.integers(0, 30, 50).astype(float)),
            "document_age_days": pa.array(np.where(random.random(50) < 0.2, np.nan, 900.0), from_pandas=True),
            "permit_state": pa.array(["granted", None, "refused", "renewed", "new"] * 10),
            "origin_new_for_traveller": pa.array([True, False] * 25),
        }
    )


def test_pairs_add_up_to_the_contributions(model, values):
    one = values.slice(7, 1)
    pairs, parts = interactions(model, one), model.contributions(one)
    np.testing.assert_allclose(pairs.values.sum(axis=1), parts.values[0], rtol=0, atol=1e-9)
    np.testing.assert_array_equal(pairs.values, pairs.values.T)
    assert pairs.values.sum() + pairs.base == pytest.approx(model.score(one).raw[0], abs=1e-9)
    first, second, together = pairs.strongest(1)[0]
    assert together == 2 * pairs.values[model.names.index(first), model.names.index(second)]
    with pytest.raises(BadInput, match="those of one row"):
        interactions(model, values)


def test_an_explanation_in_shaps_form_adds_up_and_shows_words(model, values):
    told = explanation(model, values)
    np.testing.assert_allclose(told.values.sum(axis=1) + told.base_values, model.score(values).raw, rtol=0, atol=1e-9)
    assert told[0].data[2] == "granted"
    assert told.feature_names == list(model.names)


def test_shaps_own_pictures_take_it(model, values):
    import matplotlib as mpl

    mpl.use("Agg")
    import shap

    shap.plots.waterfall(explanation(model, values)[0], show=False)
    shap.plots.beeswarm(explanation(model, values.select(list(model.names)))[:, [0, 1]], show=False)


def test_a_model_that_is_not_trees_is_explained_by_shap():
    random = np.random.default_rng(3)
    rows = Matrix(random.normal(size=(300, 3)), ("a", "b", "c"), ("number",) * 3)
    floor = logistic((rows, (rows.values[:, 0] - rows.values[:, 2] > 0).astype(float)))
    few = rows.rows(np.arange(20))
    told = explained_otherwise(floor.raw, rows.rows(np.arange(100, 200)), few)
    np.testing.assert_allclose(told.values.sum(axis=1) + told.base_values, floor.raw(few), rtol=0, atol=1e-6)
    assert np.abs(told.values).mean(axis=0)[1] < np.abs(told.values).mean(axis=0)[0]

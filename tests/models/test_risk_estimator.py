"""The estimator keeps scikit-learn's manners and the engine's: point in time, in any order, Arrow as pandas."""

import numpy as np
import pyarrow as pa
import pytest
from sklearn.base import clone
from sklearn.exceptions import NotFittedError

from evidence.metrics import roc_auc
from models.risk import estimator
from models.risk.estimator import RiskClassifier
from models.risk.profiles import Profile
from records.errors import BadInput

QUICK = Profile("quick", 2, 30, 15, 4, tries=2, tried_rounds=15, rate=0.15, rates=(0.1, 0.3))
ROWS = 2_000


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    monkeypatch.setattr(estimator, "PROFILES", {"shipped": QUICK})


def world(seed=1):
    random = np.random.default_rng(seed)
    actor, weight = random.integers(0, 60, ROWS), random.normal(size=ROWS)
    found = (random.random(ROWS) < 1 / (1 + np.exp(2 - weight - 2.0 * (actor < 10)))).astype(np.float64)
    when = np.datetime64("2021-01-01", "us") + np.sort(random.integers(0, 365 * 24, ROWS)) * np.timedelta64(1, "h")
    cases = {"when": when, "actor": [f"a{n}" for n in actor], "weight": weight, "officer": [f"o{n % 2}" for n in actor]}
    return pa.table(cases), found


@pytest.fixture(scope="module")
def learnt():
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(estimator, "PROFILES", {"shipped": QUICK})
        cases, found = world()
        return RiskClassifier("when", exclude=("officer",)).fit(cases.slice(0, 1_500), found[:1_500])


def test_it_orders_later_cases_with_calibrated_probabilities(learnt):
    cases, found = world()
    chance = learnt.predict_proba(cases.slice(1_500))
    assert chance.shape == (500, 2)
    assert chance.sum(axis=1) == pytest.approx(1.0)
    assert roc_auc(found[1_500:], chance[:, 1]) > 0.7
    assert chance[:, 1].mean() == pytest.approx(found[1_500:].mean(), abs=0.08)
    assert set(learnt.predict(cases.slice(1_500))) <= {0, 1}
    assert learnt.classes_.tolist() == [0, 1]
    assert learnt.feature_names_in_.tolist() == ["when", "actor", "weight"]


def test_parameters_are_told_set_and_cloned():
    one = RiskClassifier("when", seeds=3, monotone={"weight": 1})
    assert one.get_params()["monotone"] == {"weight": 1}
    other = clone(one).set_params(seeds=1)
    assert (one.seeds, other.seeds) == (3, 1)
    assert other.get_params() == one.get_params() | {"seeds": 1}
    with pytest.raises(NotFittedError, match="Call fit"):
        other.predict_proba(world()[0])


def test_arrow_and_pandas_in_any_order_are_the_same(learnt):
    cases, found = world()
    order = np.random.default_rng(3).permutation(1_500)
    shuffled = cases.slice(0, 1_500).take(pa.array(order)).to_pandas()
    again = clone(learnt).fit(shuffled, found[:1_500][order])
    later = cases.slice(1_500)
    assert again.decision_function(later.to_pandas()) == pytest.approx(learnt.decision_function(later), abs=1e-12)


def test_a_case_scores_the_same_alone_and_among_others(learnt):
    later = world()[0].slice(1_500)
    together = learnt.decision_function(later)
    assert learnt.decision_function(later.slice(7, 1))[0] == together[7]
    earlier = learnt.decision_function(world()[0].slice(100))
    assert earlier[1_400:] == pytest.approx(together, abs=1e-12)


def test_directions_are_kept():
    cases, found = world()
    grown = RiskClassifier("when", monotone={"weight": -1}, exclude=("officer",)).fit(cases, found)
    some = cases.slice(0, 200)
    more = some.set_column(2, "weight", pa.array(some["weight"].to_numpy() + 1))
    assert (grown.decision_function(more) <= grown.decision_function(some) + 1e-12).all()


def test_who_looks_is_averaged_out():
    cases, _ = world()
    random = np.random.default_rng(5)
    strict = np.asarray(cases["officer"].to_pandas() == "o1")
    found = (random.random(ROWS) < np.where(strict, 0.6, 0.1)).astype(np.float64)
    grown = RiskClassifier("when", examiner="officer").fit(cases, found)
    assert "officer" not in grown.feature_names_in_
    swapped = cases.set_column(3, "officer", pa.array(["o1"] * ROWS))
    assert np.array_equal(grown.decision_function(cases), grown.decision_function(swapped))
    assert grown.predict_proba(cases.drop_columns(["officer"]))[:, 1].mean() == pytest.approx(found.mean(), abs=0.06)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"profile": "huge"}, "no profile 'huge'"),
        ({"latest": 1.5}, "share of rows"),
        ({"time": "then"}, "--time names 'then'"),
    ],
)
def test_what_cannot_be_is_said(changes, words):
    with pytest.raises(BadInput, match=words):
        RiskClassifier(**({"time": "when"} | changes)).fit(*world())


def test_cases_that_do_not_fit_are_refused(learnt):
    cases, found = world()
    with pytest.raises(BadInput, match="lack weight"):
        learnt.predict_proba(cases.drop_columns(["weight"]))
    with pytest.raises(BadInput, match="one for each case"):
        RiskClassifier("when").fit(cases, found[:5])
    with pytest.raises(BadInput, match="named columns"):
        RiskClassifier("when").fit(np.zeros((3, 2)), np.zeros(3))

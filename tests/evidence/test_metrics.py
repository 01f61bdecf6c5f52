"""Promises over the whole catalogue of metrics, and each formula against a slow, obvious one."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import average_precision_score, brier_score_loss, roc_auc_score
from sklearn.metrics import log_loss as sklearn_log_loss

from evidence.metrics import catalogue, pr_auc, precision, recall, selected

METRICS = pytest.mark.parametrize("metric", catalogue().values(), ids=lambda m: m.name)

examples = st.lists(
    st.tuples(st.sampled_from([0.0, 1.0]), st.sampled_from([0.0, 0.1, 0.1, 0.5, 0.9, 1.0])), min_size=1, max_size=60
).map(lambda rows: (np.array([y for y, _ in rows]), np.array([s for _, s in rows])))


def _close(a: float | None, b: float | None) -> bool:
    return a == b if a is None or b is None else a == pytest.approx(b, abs=1e-12)


@METRICS
@given(examples, st.randoms(use_true_random=False))
def test_order_of_rows_changes_nothing(metric, rows, random):
    labels, scores = rows
    shuffled = list(range(len(labels)))
    random.shuffle(shuffled)
    assert _close(metric(labels, scores), metric(labels[shuffled], scores[shuffled]))


@METRICS
@given(examples)
def test_nothing_beats_the_outcome_itself(metric, rows):
    labels, scores = rows
    best, found = metric(labels, labels), metric(labels, scores)
    if best is None or found is None:
        assert best is found
    elif metric.better == "higher":
        assert best >= found - 1e-12
    else:
        assert best <= found + 1e-12


@METRICS
@pytest.mark.parametrize("label", [0.0, 1.0])
@pytest.mark.parametrize("score", [0.0, 0.3, 1.0])
def test_constant_input_is_no_error(metric, label, score):
    value = metric(np.full(40, label), np.full(40, score))
    assert value is None or np.isfinite(value)


@METRICS
def test_no_rows_is_undefined(metric):
    assert metric(np.zeros(0), np.zeros(0)) is None


@METRICS
def test_order_metrics_read_order_alone(metric):
    random = np.random.default_rng(1)
    labels, scores = (random.random(300) < 0.2).astype(float), random.random(300)
    if metric.reads == "order":
        assert metric(labels, scores) == pytest.approx(metric(labels, np.exp(3 * scores) - 7))


def test_no_positive_leaves_ranking_undefined():
    for name in ("pr_auc", "roc_auc", "recall_0.05"):
        assert catalogue()[name](np.zeros(50), np.linspace(0, 1, 50)) is None


@given(examples)
def test_formulas_agree_with_scikit_learn(rows):
    labels, scores = rows
    known = catalogue()
    if labels.any():
        assert known["pr_auc"](labels, scores) == pytest.approx(average_precision_score(labels, scores))
    if 0 < labels.sum() < len(labels):
        assert known["roc_auc"](labels, scores) == pytest.approx(roc_auc_score(labels, scores))
        inside = np.clip(scores, 1e-9, 1 - 1e-9)
        assert known["log_loss"](labels, inside) == pytest.approx(sklearn_log_loss(labels, inside))
        assert known["brier"](labels, scores) == pytest.approx(brier_score_loss(labels, scores))


def test_equal_scores_share_the_last_place():
    chosen = selected(np.array([0.9, 0.5, 0.5, 0.1]), 0.5)
    assert chosen.tolist() == [1.0, 0.5, 0.5, 0.0]
    assert precision(np.array([1.0, 1.0, 0.0, 0.0]), np.array([0.9, 0.5, 0.5, 0.1]), 0.5) == 0.75
    assert recall(np.array([1.0, 1.0, 0.0, 0.0]), np.array([0.9, 0.5, 0.5, 0.1]), 0.5) == 0.75


def test_a_known_average_precision():
    assert pr_auc(np.array([1.0, 0.0, 1.0]), np.array([0.9, 0.8, 0.7])) == pytest.approx((1 + 2 / 3) / 2)


def test_calibration_error_of_a_score_that_promises_too_much():
    labels = np.tile([0.0, 0.0, 0.0, 1.0], 100)
    assert catalogue()["calibration_error"](labels, np.full(400, 0.35)) == pytest.approx(0.10)

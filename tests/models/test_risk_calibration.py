import json

import numpy as np
import pytest

from evidence.metrics import calibration_error, log_loss
from models.risk.calibration import (
    Calibrator,
    anchored,
    beta,
    choose,
    expected_error,
    isotonic,
    log_odds,
    platt,
    probability,
)


def _overconfident(count: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    random = np.random.default_rng(seed)
    raw = random.normal(-1.5, 1.0, count)
    return 2.5 * raw + 1.0, (random.random(count) < probability(raw)).astype(float)


def test_platt_finds_the_line():
    raw, labels = _overconfident(20000)
    line = platt(raw, labels)
    assert line.slope == pytest.approx(1 / 2.5, abs=0.03)
    assert line.offset == pytest.approx(-1 / 2.5, abs=0.05)


def test_the_choice_mends_an_overconfident_score():
    raw, labels = _overconfident(4000)
    calibrator, losses = choose(raw, labels)
    assert calibrator.kind != "raw"
    assert losses[calibrator.kind] == min(losses.values())
    later, found = _overconfident(4000, seed=1)
    assert log_loss(found, calibrator(later)) < log_loss(found, probability(later))
    assert calibration_error(found, calibrator(later)) < 0.03


def test_isotonic_is_no_candidate_below_a_thousand_positives():
    raw, labels = _overconfident(2000)
    assert "isotonic" not in choose(raw, labels)[1]
    raw, labels = _overconfident(9000)
    assert "isotonic" in choose(raw, labels)[1]


@pytest.mark.parametrize("fit", [platt, beta, isotonic, lambda raw, labels: Calibrator()])
def test_no_calibrator_turns_the_order_round(fit):
    raw, labels = _overconfident(3000)
    grid = np.linspace(-20, 20, 500)
    assert (np.diff(fit(raw, labels)(grid)) >= 0).all()
    assert ((fit(raw, labels)(grid) >= 0) & (fit(raw, labels)(grid) <= 1)).all()


def test_a_score_that_points_the_wrong_way_is_left_raw():
    raw, labels = _overconfident(3000)
    assert platt(-raw, labels).kind == "raw"


def test_perfectly_separated_labels_have_a_finite_line():
    raw = np.linspace(-3, 3, 200)
    line = platt(raw, (raw > 0).astype(float))
    assert np.isfinite([line.slope, line.offset]).all()


def test_a_calibrator_survives_json():
    raw, labels = _overconfident(9000)
    for calibrator in (Calibrator(), platt(raw, labels), isotonic(raw, labels)):
        again = Calibrator.from_json(json.loads(json.dumps(calibrator.as_json())))
        assert (again(raw) == calibrator(raw)).all()


def test_log_odds_and_probability_are_inverse():
    chance = np.array([1e-9, 0.2, 0.5, 0.999])
    assert probability(log_odds(chance)) == pytest.approx(chance)
    assert np.isfinite(probability(np.array([-1e4, 1e4]))).all()


def test_beta_bends_where_a_line_cannot():
    random = np.random.default_rng(2)
    raw = random.normal(0.0, 2.0, 40000)
    truth = Calibrator("beta", 0.4, 0.2, against=1.6)
    labels = (random.random(40000) < truth(raw)).astype(float)
    fitted = beta(raw, labels)
    assert (fitted.slope, fitted.against, fitted.offset) == pytest.approx((0.4, 1.6, 0.2), abs=0.08)
    assert log_loss(labels, fitted(raw)) < log_loss(labels, platt(raw, labels)(raw)) - 0.001


def test_a_score_that_is_right_stays_raw():
    stayed = 0
    for seed in range(20):
        random = np.random.default_rng(seed)
        raw = random.normal(-1.5, 1.0, 3000)
        stayed += choose(raw, (random.random(3000) < probability(raw)).astype(float))[0].kind == "raw"
    assert stayed >= 16


def test_the_interval_holds_the_truth_and_narrows_with_rows():
    grid, held, widths = np.array([-3.0, -1.5, 0.0]), [], {}
    for count in (1000, 8000):
        for seed in range(60):
            random = np.random.default_rng(seed)
            raw = random.normal(-1.5, 1.0, count)
            labels = (random.random(count) < probability(0.7 * raw - 0.3)).astype(float)
            low, high = choose(raw, labels)[0].interval(grid)
            held.append((low <= probability(0.7 * grid - 0.3)) & (probability(0.7 * grid - 0.3) <= high))
            widths[count] = high - low
    assert 0.9 <= np.mean(held) <= 0.99
    assert (widths[8000] < widths[1000]).all()


def test_the_control_anchors_what_chosen_rows_overstate():
    random = np.random.default_rng(3)
    raw = random.normal(-1.5, 1.0, 3000)
    labels = (random.random(3000) < probability(raw - 1.0)).astype(float)
    chances = random.uniform(0.02, 0.2, 3000)
    moved = anchored(Calibrator(), raw, labels, chances)
    assert moved.shift == pytest.approx(-1.0, abs=0.25)
    assert Calibrator.from_json(json.loads(json.dumps(moved.as_json()))) == moved
    agreeing = (random.random(3000) < probability(raw)).astype(float)
    assert anchored(Calibrator(), raw, agreeing, chances).shift == 0.0
    nobody = np.full(3000, np.nan)
    assert anchored(Calibrator(), raw, labels, nobody) == Calibrator()


def test_the_error_of_a_perfect_promise_is_not_nought():
    random = np.random.default_rng(4)
    chance = random.uniform(0.05, 0.4, 3000)
    expected = expected_error(chance, draws=200)
    kept = calibration_error((random.random(3000) < chance).astype(float), chance)
    assert 0.01 < expected < 0.04
    assert abs(kept - expected) < 0.012


def test_a_few_scores_far_out_do_not_keep_the_line_from_its_place():
    points = np.repeat([0.0, 1.0, 2.0, 3.0, 6.0], [2765, 91, 62, 7, 2])
    labels = np.concatenate([np.arange(n) < round(n * p) for n, p in ((2765, 0.118), (91, 0.2), (62, 0.19), (7, 0.3))])
    labels = np.append(labels, [True, True]).astype(np.float64)
    raw = (points - points.mean()) / points.std()
    line = platt(raw, labels)
    assert line.kind == "platt"
    assert line(raw).mean() == pytest.approx(labels.mean(), abs=0.002)

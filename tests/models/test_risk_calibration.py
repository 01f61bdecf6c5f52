import json

import numpy as np
import pytest

from evidence.metrics import calibration_error, log_loss
from models.risk.calibration import Calibrator, choose, isotonic, log_odds, platt, probability


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


@pytest.mark.parametrize("fit", [platt, isotonic, lambda raw, labels: Calibrator()])
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

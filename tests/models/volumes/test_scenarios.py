"""An overlay is somebody's, widens what it leaves open, touches only what it names, and comes back as it was saved."""

from datetime import date

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.volumes.adding_up.paths import quantiles_of
from models.volumes.backtest import prepare
from models.volumes.counts.panel import read_panel
from models.volumes.forecast import forecast_panel
from models.volumes.options import Options
from models.volumes.rhythm import LEVELS
from models.volumes.what_if.inputs import forecast_again
from models.volumes.what_if.scenarios import (
    Change,
    Scenario,
    closed,
    effect,
    moved,
    on_inputs,
    on_paths,
    read,
    write,
)
from records.errors import BadInput

FLOWS = ({"post": "Goulette", "mode": "sea"}, {"post": "Ras Jedir", "mode": "land"})
DAYS = np.arange("2026-05-30", "2026-06-09", dtype="datetime64[D]")
PATHS = 100.0 + 20.0 * np.random.default_rng(5).standard_normal((1001, 2, len(DAYS)))


def scenario(*changes):
    return Scenario("Summer", "Planner A", date(2026, 5, 2), "Ferry line announced", changes)


def quantiles(paths):
    """Quantiles (S, H, Q) of paths (R, S, H)."""
    return quantiles_of(np.moveaxis(paths, 0, -1))


def test_a_cancelled_ferry_is_three_days_of_nothing_at_its_post_alone():
    before = PATHS.copy()
    after = on_paths(PATHS, FLOWS, DAYS, scenario(closed(date(2026, 6, 1), date(2026, 6, 3), mode="sea")))
    assert (after[:, 0, 2:5] == 0).all()
    assert (after[:, 0, [0, 1, 5]] == PATHS[:, 0, [0, 1, 5]]).all()
    assert (after[:, 1] == PATHS[:, 1]).all()
    assert (before == PATHS).all()


def test_a_range_of_factors_moves_the_middle_and_widens_the_rest():
    after = quantiles(on_paths(PATHS, FLOWS, DAYS, scenario(moved(date(2026, 6, 1), 1.2, 1.4))))
    told = effect(quantiles(PATHS)[:, 2:], after[:, 2:])
    assert told.width_after > 1.3 * told.width_before
    assert told.median_after == pytest.approx(1.3 * told.median_before, rel=0.02)


def test_a_chance_of_closing_makes_low_numbers_likelier_and_leaves_high_ones():
    after = quantiles(on_paths(PATHS, FLOWS, DAYS, scenario(Change(date(2026, 6, 1), chance=0.3))))
    assert (after[0, 2, LEVELS < 0.25] == 0).all()
    assert after[0, 2, -1] == pytest.approx(quantiles(PATHS)[0, 2, -1], rel=0.05)


@given(st.floats(0, 3), st.floats(0, 2), st.floats(0.05, 1))
def test_a_change_moves_the_mean_by_its_factors_and_chance_and_nothing_else(low, more, chance):
    overlay = scenario(Change(date(2026, 6, 1), None, {"mode": "sea"}, low, low + more, chance))
    after = on_paths(PATHS, FLOWS, DAYS, overlay)
    expected = PATHS.mean() * (1 - chance + chance * (low + more / 2))
    assert after[:, 0, 2:].mean() == pytest.approx(expected, rel=0.08, abs=8)
    assert (after[:, 1] == PATHS[:, 1]).all()
    ratio = after[:, 0, 2:] / PATHS[:, 0, 2:]
    assert np.allclose(ratio, ratio[:, :1])  # one factor a path, on all of its days


def test_an_input_known_ahead_is_changed_before_the_forecast_is_made(tmp_path):
    rows = pd.DataFrame({"unique_id": "a", "ds": pd.date_range("2026-05-01", periods=40), "y": 1.0, "ferries": 4.0})
    panel = read_panel(rows, "D", known_ahead=("ferries",))
    fewer = on_inputs(panel, FLOWS[:1], scenario(Change(date(2026, 6, 1), low=0.5, high=0.5, known="ferries")))
    assert fewer.known["ferries"][0, :31].tolist() == [4.0] * 31
    assert fewer.known["ferries"][0, 31:].tolist() == [2.0] * 9
    assert panel.known["ferries"].min() == 4.0
    with pytest.raises(BadInput, match="does not read"):
        on_inputs(panel, FLOWS[:1], scenario(Change(date(2026, 6, 1), low=0.5, high=0.5, known="flights")))


def test_fewer_ferries_ahead_bring_fewer_travellers_and_say_what_they_did():
    days = pd.date_range("2026-01-01", periods=160)
    generator = np.random.default_rng(4)
    ferries = generator.integers(1, 9, len(days)).astype(float)
    came = np.where(np.arange(160) < 150, generator.poisson(100.0 * ferries), np.nan)
    rows = pd.DataFrame({"unique_id": "GLT", "ds": days, "y": came, "ferries": ferries})
    options = Options("D", 10, known_ahead=("ferries",))
    panel = prepare(rows, options)
    before = forecast_panel(panel, options)
    half = Change(days[150].date(), low=0.5, high=0.5, known="ferries", where={"unique_id": "GLT"})
    again = forecast_again(panel, options, before, scenario(half))
    assert again.effect.median_before == pytest.approx(sum(before.forecasts["q0.5"].to_pylist()))
    assert again.effect.median_after < 0.85 * again.effect.median_before
    with pytest.raises(BadInput, match="known: ferries"):
        forecast_again(panel, options, before, scenario(closed(days[150].date())))


@pytest.mark.parametrize("name", ["summer.yaml", "summer.json"])
def test_what_is_saved_is_read_back_and_never_written_over(tmp_path, name):
    made = scenario(closed(date(2026, 6, 1), date(2026, 6, 3), post="Goulette"), moved(date(2026, 6, 1), 1.2, 1.4))
    write(made, tmp_path / name)
    assert read(tmp_path / name) == made
    with pytest.raises(BadInput, match="already"):
        write(made, tmp_path / name)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("name: [", "cannot be read"),
        ("- 1", "is not a mapping"),
        ("name: a\nauthor: b\nmade_on: 2026-01-01\nnote: c", "lacks changes"),
        ("name: a\nauthor: b\nmade_on: May\nnote: c\nchanges: [{first: 2026-06-01}]", "Write it as 2026-06-01"),
        ("name: a\nauthor: ' '\nmade_on: 2026-01-01\nnote: c\nchanges: [{first: 2026-06-01}]", "no author"),
        ("name: a\nauthor: b\nmade_on: 2026-01-01\nnote: c\nchanges: [{first: 2026-06-01, factor: 2}]", "factor"),
        ("name: a\nauthor: b\nmade_on: 2026-01-01\nnote: c\nchanges: [{first: 2026-06-01, low: x}]", "not a number"),
        (
            "name: a\nauthor: b\nmade_on: 2026-01-01\nnote: c\nchanges: [{first: 2026-06-01, low: 2, high: 1}]",
            "smaller",
        ),
    ],
)
def test_what_cannot_be_used_says_where_and_why(tmp_path, text, said):
    path = tmp_path / "scenario.yaml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(BadInput, match=said):
        read(path)


def test_a_flow_that_is_not_there_is_a_slip_and_is_said():
    with pytest.raises(BadInput, match="No flow has post Goulete"):
        on_paths(PATHS, FLOWS, DAYS, scenario(closed(date(2026, 6, 1), post="Goulete")))

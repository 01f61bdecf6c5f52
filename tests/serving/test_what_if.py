"""What a scenario does to a sum of flows: it moves by what its parts move, and its range widens with theirs."""

from datetime import date

import numpy as np
import pytest

from models.volumes.rhythm import COLUMNS, MEDIAN
from models.volumes.what_if.overlay import what_if
from models.volumes.what_if.scenarios import Change, Scenario
from serving.flows import node_of, quantiles
from serving.what_if import change_of, overlaid
from tests.serving.published_run import FIRST, RAS_JEDIR, node, publish

LOW, HIGH = COLUMNS.index("q0.1"), COLUMNS.index("q0.9")


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    return publish(tmp_path_factory.mktemp("home"))


def after(run, name, *changes):
    made = Scenario("s", "a", FIRST, "n", changes)
    rows, moved, _ = overlaid(run, node_of(run, name), "day", made)
    return np.stack([rows[c].to_numpy() for c in COLUMNS], axis=1), moved


@pytest.mark.parametrize("name", ["total", RAS_JEDIR, f"{RAS_JEDIR} > direction=entry"])
def test_a_range_of_factors_moves_the_median_and_widens_the_range(run, name):
    before, moved = after(run, name, Change(date(2026, 3, 10), None, {"post": "ras-jedir"}, 1.2, 1.6))
    assert np.array_equal(before[:8], moved[:8])
    assert (moved[8:, MEDIAN] > before[8:, MEDIAN]).all()
    assert (moved[8:, HIGH] - moved[8:, LOW] > before[8:, HIGH] - before[8:, LOW]).all()
    assert (np.diff(moved, axis=1) >= 0).all()


def test_pages_say_what_the_command_line_says_of_the_same_paths(run):
    made = Scenario("s", "a", FIRST, "n", (Change(date(2026, 3, 10), None, {"post": "ras-jedir"}, 1.2, 1.6, 0.7),))
    told = what_if(run, made)
    for name, mine in told.effects("mode").items():
        assert overlaid(run, node_of(run, name), "day", made)[2] == mine
    for step, level in (("day", "days"), ("hour", "hours")):
        rows, moved, _ = overlaid(run, node_of(run, "total"), step, made)
        assert rows["q0.5"].to_pylist() == pytest.approx(
            run.table(level, where=[("node", "=", "total")]).sort_by("ds")["q0.5"].to_pylist(), rel=1e-5
        )
        assert (moved[-1] != quantiles(rows)[-1]).any()


def test_what_is_shut_is_zero_and_what_is_elsewhere_stays(run):
    change = Change(date(2026, 3, 10), date(2026, 3, 11), {"mode": "land"})
    _, moved = after(run, node(mode="land"), change)
    assert (moved[8:10] == 0).all()
    before, moved = after(run, "total", change)
    assert np.array_equal(np.flatnonzero((before != moved).any(axis=1)), [8, 9])
    with pytest.raises(ValueError, match="No flow has mode rail"):
        after(run, "total", Change(date(2026, 3, 10), None, {"mode": "rail"}))
    _, elsewhere = after(run, node(mode="air"), change)
    assert np.array_equal(elsewhere, after(run, node(mode="air"), Change(date(2026, 3, 10), None, {"mode": "land"}))[0])


def test_per_cents_become_factors_in_order():
    change = change_of("moved", FIRST, None, {}, 40.0, 20.0)
    assert (change.low, change.high, change.where) == (1.2, 1.4, None)
    assert change_of("moved", FIRST, None, {}, -10.0, None).high == 0.9

"""Paths keep what each forecast promised; reconciled, they add up, are never negative, and are zero where shut."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.volumes.adding_up.coherent import Coherent, centred, coherent
from models.volumes.adding_up.hierarchy import Hierarchy
from models.volumes.adding_up.paths import dependence, draw, normal_scores, quantiles_of
from models.volumes.adding_up.reconcile import reconcile
from models.volumes.backtest import backtest
from models.volumes.options import Options
from models.volumes.pooling.pool import Pool
from models.volumes.pooling.rolling import Forecast, Rehearsal
from models.volumes.rhythm import COLUMNS, LEVELS, MEDIAN
from records.errors import BadInput


def some_quantiles(shape: tuple[int, ...], generator: np.random.Generator) -> np.ndarray:
    """Ascending from zero, with ties at zero."""
    spread = generator.gamma(1.0, 5.0, (*shape, len(LEVELS)))
    return np.maximum(np.cumsum(spread, axis=-1) - generator.uniform(0, 40, (*shape, 1)), 0.0)


def tree(parents: list[int]) -> Hierarchy:
    """Two levels over as many series as there are parents, and the total."""
    n = len(parents)
    groups = sorted(set(parents))
    inner = np.array([[parent == group for parent in parents] for group in groups])
    parts = np.concatenate([np.ones((1, n), bool), inner, np.eye(n, dtype=bool)])
    names = ("total", *(f"g{group}" for group in groups), *(f"s{i}" for i in range(n)))
    return Hierarchy(names, ("total", *["group"] * len(groups), *["series"] * n), parts)


def said(hierarchy: Hierarchy, horizon: int, seed: int, folds: int = 2) -> Forecast:
    """What a pool might have said of every distinct node, and of the past."""
    generator = np.random.default_rng(seed)
    shape = (len(hierarchy.distinct), horizon)
    past = tuple(Rehearsal(some_quantiles(shape, generator), generator.gamma(2.0, 20.0, shape)) for _ in range(folds))
    pool = Pool({}, np.ones(len(LEVELS)))
    actual = np.full(shape, np.nan)
    return Forecast(100, some_quantiles(shape, generator), np.zeros((*shape, len(LEVELS))), pool, actual, past)


def one(hierarchy: Hierarchy, forecast: Forecast, **options: object) -> Coherent:
    (answer,) = coherent([forecast], hierarchy, draws=201, **options)  # type: ignore[arg-type]
    return answer


PARENTS = st.lists(st.integers(0, 3), min_size=1, max_size=6)


@settings(max_examples=20, deadline=None)
@given(parents=PARENTS, seed=st.integers(0, 99), folds=st.integers(0, 2))
def test_every_path_of_any_tree_adds_up_from_zero_and_quantiles_ascend(
    parents: list[int], seed: int, folds: int
) -> None:
    hierarchy = tree(parents)
    answer = one(hierarchy, said(hierarchy, 4, seed, folds))
    assert answer.series.min() >= 0.0
    for node, parts in enumerate(hierarchy.parts):
        assert np.abs(answer.paths(node) - answer.series[parts].sum(axis=0)).max() <= 1e-6
        assert np.abs(answer.mean[node] - answer.mean[-len(parents) :][parts].sum(axis=0)).max() <= 1e-6
        assert np.allclose(answer.quantiles[node], quantiles_of(answer.paths(node)))
    assert (np.diff(answer.quantiles, axis=-1) >= 0.0).all()


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 99), folds=st.integers(0, 3), steps=st.integers(1, 9))
def test_paths_have_the_very_quantiles_they_are_drawn_from(seed: int, folds: int, steps: int) -> None:
    generator = np.random.default_rng(seed)
    past = [Rehearsal(some_quantiles((3, steps), generator), generator.gamma(2.0, 20.0, (3, steps)))] * folds
    quantiles = some_quantiles((3, steps), generator)
    paths = draw(quantiles, dependence(past, 3, steps), 401, seed)
    assert np.allclose(quantiles_of(paths), quantiles)
    assert paths.min() >= 0.0


def test_errors_that_went_together_are_drawn_together() -> None:
    generator = np.random.default_rng(1)
    quantiles = np.broadcast_to(100.0 + 10.0 * np.arange(len(LEVELS)), (3, 20, len(LEVELS)))
    past = []
    for _ in range(8):
        shared = generator.normal(170, 30, 20)
        past.append(Rehearsal(quantiles, np.stack([shared, shared + 1, generator.normal(170, 30, 20)])))
    paths = draw(quantiles, dependence(past, 3, 20), 1001)[:, 0]
    together = np.corrcoef(paths)
    assert together[0, 1] > 0.8
    assert abs(together[0, 2]) < 0.3


def test_closed_series_are_zero_and_what_lies_above_them_is_the_rest() -> None:
    hierarchy = tree([0, 0, 1])
    forecast = said(hierarchy, 5, 4)
    closed = np.zeros((3, 5), bool)
    closed[0, 1:3] = True
    closed[2, 2] = True
    answer = one(hierarchy, forecast, closed={100: closed})
    assert (answer.series[closed] == 0.0).all()
    assert (answer.paths(hierarchy.names.index("s0"))[1:3] == 0.0).all()
    assert (answer.quantiles[hierarchy.names.index("g1"), 2] == 0.0).all()
    open_still = answer.series[1, 2]
    assert np.allclose(answer.paths(0)[2], open_still)
    assert answer.series[0, 0].max() > 0.0


def test_the_same_seed_gives_the_same_paths_and_another_gives_others() -> None:
    hierarchy = tree([0, 0, 1])
    forecast = said(hierarchy, 5, 4)
    assert np.array_equal(one(hierarchy, forecast, seed=5).series, one(hierarchy, forecast, seed=5).series)
    assert not np.array_equal(one(hierarchy, forecast, seed=5).series, one(hierarchy, forecast, seed=6).series)


def test_a_series_that_was_not_forecast_is_left_out_and_said_to_be() -> None:
    hierarchy = tree([0, 1, 1])
    forecast = said(hierarchy, 3, 9)
    forecast.quantiles[-3] = np.nan
    answer = one(hierarchy, forecast)
    assert np.isnan(answer.quantiles[-3]).all()
    assert np.isnan(answer.mean[-3]).all()
    assert np.allclose(answer.paths(0), answer.series[1:].sum(axis=0))
    assert np.isfinite(answer.quantiles[0]).all()


def test_a_sure_node_moves_the_unsure_ones() -> None:
    generator = np.random.default_rng(0)
    total = np.full((1, 1, 201), 100.0) + generator.normal(0, 0.1, (1, 1, 201))
    sure = np.full((1, 1, 201), 30.0) + generator.normal(0, 0.1, (1, 1, 201))
    unsure = np.full((1, 1, 201), 10.0) + generator.normal(0, 20.0, (1, 1, 201))
    parts = np.array([[True, True], [True, False], [False, True]])
    series = reconcile(np.concatenate([total, sure, unsure]), parts, np.zeros((2, 1), bool))
    assert series.mean(axis=2)[:, 0] == pytest.approx([30.0, 70.0], abs=0.5)


def test_least_squares_with_a_floor_is_what_projection_by_hand_gives() -> None:
    # Total 1, parts 5 and -9 wanted alike: without the floor the second would be -7; at zero the first settles at 3.
    wanted = np.array([1.0, 5.0, -9.0]).reshape(3, 1, 1) + np.array([-1.0, 0.0, 1.0]) * 1e-9
    series = reconcile(wanted, np.array([[True, True], [True, False], [False, True]]), np.zeros((2, 1), bool))
    assert series[:, 0, 1] == pytest.approx([3.0, 0.0], abs=1e-6)


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 999))
def test_centred_quantiles_keep_their_order_and_move_no_symmetric_one(seed: int) -> None:
    generator = np.random.default_rng(seed)
    quantiles = some_quantiles((4, 3), generator)
    assert (np.diff(centred(quantiles), axis=-1) >= 0.0).all()
    assert centred(quantiles).min() >= 0.0
    even = 50.0 + np.concatenate([-np.arange(MEDIAN, 0, -1), [0], np.arange(1, MEDIAN + 1)])
    assert np.allclose(centred(even), even)


def test_counts_are_placed_in_the_middle_of_the_levels_they_share() -> None:
    quantiles = np.array([0.0] * 15)
    scores = normal_scores(np.array([0.0, 1.0, np.nan]), np.stack([quantiles] * 3))
    assert scores[0] == pytest.approx(0.0, abs=1e-9)
    assert scores[1] > 2.0
    assert np.isnan(scores[2])


def test_other_numbers_of_paths_are_refused() -> None:
    with pytest.raises(BadInput, match="200 k \\+ 1"):
        draw(some_quantiles((1, 2), np.random.default_rng(0)), dependence([], 1, 2), 1000)


def test_a_backtest_of_named_levels_adds_up_in_its_table() -> None:
    generator = np.random.default_rng(7)
    ds = pd.date_range("2024-01-01", periods=90)
    parts = [
        pd.DataFrame({"unique_id": f"s{i}", "ds": ds, "y": generator.poisson(20 + 9 * i, 90), "mode": "ab"[i // 2]})
        for i in range(3)
    ]
    report = backtest(pd.concat(parts), Options("D", 7, levels=("mode",)))
    table = report.forecasts.to_pandas()
    mean, y = (table.pivot(index="ds", columns="unique_id", values=name) for name in ("mean", "y"))
    for values in (mean, y):
        assert (values["total"] - values[["s0", "s1", "s2"]].sum(axis=1)).abs().max() <= 1e-6
        assert (values["mode=a"] - values[["s0", "s1"]].sum(axis=1)).abs().max() <= 1e-6
        assert (values["mode=b"] - values["s2"]).abs().max() <= 1e-6
    assert (np.diff(table[list(COLUMNS)].to_numpy(), axis=1) >= 0.0).all()

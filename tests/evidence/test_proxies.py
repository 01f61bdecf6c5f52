import numpy as np
import pyarrow as pa
import pytest

from evidence.proxies import TOGETHER, proxies


@pytest.fixture(scope="module")
def told():
    """`route` tells the group nine times in ten, `noise` nothing; the score follows the route."""
    random = np.random.default_rng(0)
    n = 3_000
    group = random.choice(["a", "b"], n)
    route = np.where(random.random(n) < 0.9, group == "a", group == "b").astype(float)
    columns = {"noise": random.normal(size=n), "route": route, "empty": np.full(n, np.nan)}
    asked = []

    def without(column):
        asked.append(column)
        return columns["noise"] + (0.0 if column == "route" else route)

    found = proxies(
        {"group": pa.array(group), "single": pa.array(["one"] * n)},
        columns,
        columns["noise"] + route,
        without,
        capacity=0.1,
        days=np.repeat(np.arange(30), 100),
        subjects=np.arange(n) // 2,
        most=2,
        draws=100,
    )
    return found, asked


def test_the_leakiest_column_stands_first_behind_all_together(told):
    found, asked = told
    assert [proxy.column for proxy in found] == [TOGETHER, "route", "noise"]
    assert asked == ["route", "noise"]
    together, route, noise = found
    assert route.told.low > 0.85
    assert together.told.value == pytest.approx(route.told.value, abs=0.03)
    assert noise.told.low < 0.53
    assert {proxy.attribute for proxy in found} == {"group"}


def test_parity_is_measured_again_without_each(told):
    _, route, noise = told[0]
    assert route.change.low > 0
    assert route.without.value > 0.8 > route.with_it.value
    assert noise.change.value == pytest.approx(0.0)


def test_rows_of_one_person_are_learnt_from_or_told_and_never_both():
    """Sixty people of fifty rows each, known by their own number alone: it tells nobody else's group."""
    random = np.random.default_rng(1)
    whose = np.repeat(np.arange(60), 50)
    group = random.choice(["a", "b"], 60)[whose]
    (together, alone) = proxies(
        {"group": pa.array(group)},
        {"number": random.permutation(60)[whose].astype(float)},
        random.normal(size=3_000),
        capacity=0.1,
        days=whose,
        subjects=whose,
    )
    assert alone.told.low < 0.6
    assert together.told.low < 0.6

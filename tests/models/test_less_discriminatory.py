"""The less discriminatory equal: within the margin, before the test, and never with an attribute in hand."""

import numpy as np
import pyarrow as pa
import pytest

from evidence.metrics import pr_auc, selected
from evidence.parity import worst_off
from models.risk.encoding import Matrix
from models.risk.learners import Candidate
from models.risk.less_discriminatory import MARGIN, MEMBERS, Window, fitted, recipes, search, windows_of

TUNED = Candidate("chosen", ("number", "category"), {"num_leaves": 7, "min_data_in_leaf": 20, "learning_rate": 0.1})
ROUNDS = 12
NAMES = ("risk", "same as risk", "place")


def rows(n, seed):
    """Risk shows in two columns; `place` adds little to rank and much to whom group a is."""
    random = np.random.default_rng(seed)
    group = random.choice(["a", "b"], n)
    risk = random.normal(size=n)
    place = (group == "a") + random.normal(0, 0.3, n)
    chance = 1 / (1 + np.exp(2 - 1.5 * risk - 0.3 * place))
    labels = (random.random(n) < chance).astype(float)
    values = np.column_stack([risk, risk + random.normal(0, 0.1, n), place])
    return (Matrix(values, NAMES, ("number",) * 3), labels), group


@pytest.fixture(scope="module")
def found():
    train, _ = rows(4_000, 1)
    windows, groups = [], []
    for seed in (2, 3):
        judged, group = rows(3_000, seed)
        windows.append(Window(train, judged))
        groups.append(group)
    asked = worst_off({"group": pa.array(np.concatenate(groups))})
    return search(windows, TUNED, asked, capacity=0.1, rounds=ROUNDS), train


def test_recipes_vary_one_thing_and_leave_one_column_out(found):
    names = [recipe.name for recipe in recipes(TUNED, found[1], ROUNDS)]
    assert names[:4] == ["tuned", "shallow", "slow", "smooth"]
    assert {"tuned, without place", "shallow, without place"} <= set(names)


def test_the_chosen_is_an_equal_and_no_worse_for_the_worst_off(found):
    frontier = found[0]
    assert frontier.chosen.level >= 1 - MARGIN
    assert frontier.chosen.parity > frontier.best.parity
    assert frontier.equals < frontier.tried
    assert [each.level for each in frontier.frontier] == sorted((e.level for e in frontier.frontier), reverse=True)
    assert [each.parity for each in frontier.frontier] == sorted(each.parity for each in frontier.frontier)
    assert frontier.frontier[0].level == frontier.best.level == 1.0


def test_grown_in_full_it_keeps_its_promise_on_later_rows(found):
    frontier, train = found
    (matrix, labels), group = rows(4_000, 9)
    even, best = (fitted(each, train, None, ROUNDS) for each in (frontier.chosen, frontier.best))
    assert len(even.boosters) == MEMBERS
    told = worst_off({"group": pa.array(group)})
    ratios = told(selected(trees.raw(matrix), 0.1) for trees in (even, best))
    assert ratios[0] > ratios[1]
    assert pr_auc(labels, even.raw(matrix)) > 0.97 * pr_auc(labels, best.raw(matrix))


def test_windows_lie_end_to_end_and_what_was_open_teaches_none():
    (matrix, labels), _ = rows(600, 4)
    as_of = np.arange(600) * np.timedelta64(1, "D") + np.datetime64("2025-01-01")
    windows, judged = windows_of((matrix, labels), as_of, as_of + np.timedelta64(30, "D"), count=3)
    assert judged.tolist() == list(range(300, 600))
    assert [len(window.judged[1]) for window in windows] == [100, 100, 100]
    assert [len(window.train[1]) for window in windows] == [271, 371, 471]

"""A proof says where the second opinion leads, and whether it is the better one there."""

from dataclasses import replace
from datetime import UTC, datetime

import numpy as np
import pyarrow as pa
import pytest

from models.risk.proof import EVERYONE
from models.risk.proving import Judged, where_few
from tests.serving.crossings import READS
from tests.serving.small_model import LEVELS, small_model

ROWS = 1_500


@pytest.fixture(scope="module")
def model():
    return small_model()


@pytest.fixture(scope="module")
def later(model):
    """Outcomes come true as the line promises; a third of them at a place with few rows, a third at one never seen."""
    random = np.random.default_rng(4)
    rows = pa.table(
        {
            READS[0]: random.integers(0, 30, ROWS).astype(float),
            READS[1]: random.integers(0, 3000, ROWS).astype(float),
            READS[2]: random.choice(LEVELS["permit_state"], ROWS).tolist(),
            READS[3]: random.random(ROWS) < 0.5,
            "post_of_crossing": [("ras-jedir", "tunis-carthage", "tabarka")[n % 3] for n in range(ROWS)],
        }
    )
    labels = (random.random(ROWS) < model.second_opinion(rows)[0]).astype(float)
    at = np.datetime64(datetime(2026, 1, 1, tzinfo=UTC).replace(tzinfo=None), "us")
    moments = at + np.arange(ROWS) * np.timedelta64(1, "h")
    nobody = np.full(ROWS, None, dtype=object)
    return Judged(rows, labels, np.full(ROWS, EVERYONE, dtype=object), np.full(ROWS, np.nan), moments, nobody)


def test_trees_and_line_are_held_against_each_other_where_the_line_leads(model, later):
    told = where_few(model, later, model.score(later.rows), 50)
    assert told.rows == sum(n % 3 > 0 for n in range(ROWS))
    assert told.apart.value == pytest.approx(told.line.value - told.trees.value)
    assert told.apart.high < 0  # the outcomes are the line's own
    assert told.trees.low < told.trees.value < told.trees.high


def test_what_a_promise_was_moved_by_for_everyone_is_left_out_of_it(model, later):
    moved = replace(
        model,
        calibrator=replace(model.calibrator, shift=-2.0),
        second=replace(model.second, calibrator=replace(model.second.calibrator, shift=-2.0)),
    )
    same = [where_few(each, later, each.score(later.rows), 20) for each in (model, moved)]
    assert same[0] == same[1]


def test_there_is_nothing_to_say_without_a_line_or_without_such_a_place(model, later):
    scores = model.score(later.rows)
    assert where_few(replace(model, second=None), later, scores, 20) is None
    enough = replace(model.second, rows=dict.fromkeys(("ras-jedir", "tunis-carthage", "tabarka"), 1000))
    told = where_few(replace(model, second=enough), later, scores, 20)
    assert (told.rows, told.trees.value, told.apart.value) == (0, None, None)

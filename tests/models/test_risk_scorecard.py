"""A scorecard has at most ten lines that can be read aloud, and their points order cases."""

import numpy as np
import pytest

from evidence.metrics import roc_auc
from models.risk.calibration import probability
from models.risk.encoding import Matrix
from models.risk.scorecard import LINES, MOST, Line, Scorecard, scorecard


def cases(rows=5_000, seed=1):
    random = np.random.default_rng(seed)
    values = random.normal(size=(rows, 12))
    values[random.random(rows) < 0.2, 1] = np.nan
    level = random.integers(0, 5, rows).astype(np.float64)
    chance = probability(-1 + 1.5 * (values[:, 0] > 0.5) + 1.0 * np.isnan(values[:, 1]) + 1.2 * (level == 3))
    labels = (random.random(rows) < chance).astype(np.float64)
    names = (*(f"n{k}" for k in range(12)), "kind")
    return Matrix(np.column_stack([values, level]), names, ("number",) * 12 + ("category",)), labels


def test_it_finds_the_lines_that_are_there():
    card = scorecard(cases())
    said = [line.words({"kind": ("air", "land", "sea")}) for line in card.lines]
    assert 0 < len(card.lines) <= LINES
    assert "kind is land" in said
    assert "n1 is missing" in said
    assert any(words.startswith("n0 is at least 0.5") for words in said)
    assert max(abs(line.points) for line in card.lines) == MOST


def test_points_are_whole_add_up_and_order_later_cases():
    card = scorecard(cases())
    matrix, labels = cases(seed=2)
    points = card.points(matrix)
    assert np.array_equal(points, np.round(points))
    assert card.raw(matrix) == pytest.approx(card.offset + card.unit * card.parts(matrix).sum(axis=1))
    assert roc_auc(labels, card.raw(matrix)) > 0.68
    assert probability(card.raw(matrix)).mean() == pytest.approx(labels.mean(), abs=0.03)


def test_the_order_of_rows_changes_nothing():
    matrix, labels = cases()
    order = np.random.default_rng(5).permutation(len(labels))
    assert scorecard((matrix.rows(order), labels[order])).lines == scorecard((matrix, labels)).lines


def test_where_nothing_tells_anything_there_is_no_line():
    random = np.random.default_rng(3)
    labels = (random.random(2_000) < 0.3).astype(np.float64)
    card = scorecard((Matrix(random.normal(size=(2_000, 3)), ("a", "b", "c"), ("number",) * 3), labels))
    assert card.lines == ()
    assert probability(card.raw(cases()[0].rows(slice(0, 5)))) == pytest.approx(labels.mean())


def test_an_offset_is_left_out_of_its_points():
    random = np.random.default_rng(4)
    who = random.integers(0, 2, 6_000) * 3.0 - 1.5
    x = random.normal(size=6_000) + 0.5 * who
    labels = (random.random(6_000) < probability(-1 + who)).astype(np.float64)
    values = (np.column_stack([x]), ("x",), ("number",))
    assert scorecard((Matrix(*values), labels)).lines != ()
    known = scorecard((Matrix(*values, who), labels))
    assert abs(known.unit * known.points(Matrix(*values))).max() < 0.8


def test_text_with_rates_is_read_as_its_rate():
    random = np.random.default_rng(6)
    rate = random.random(4_000)
    labels = (random.random(4_000) < rate).astype(np.float64)
    matrix = Matrix(np.column_stack([np.round(rate * 5), rate]), ("place", "place rate"), ("category", "rate"))
    assert {line.column for line in scorecard((matrix, labels)).lines} == {"place rate"}


@pytest.mark.parametrize(
    ("line", "words"),
    [
        (Line("x"), "x is missing"),
        (Line("x", least=2.5), "x is at least 2.5"),
        (Line("x", below=2.5), "x is below 2.5"),
        (Line("x", 0.0, 1.0), "x is rare"),
        (Line("x", 1.0, 2.0), "x is missing"),
        (Line("x", 2.0, 3.0), "x is first"),
        (Line("x", 4.0, 5.0), "x is level 3"),
    ],
)
def test_lines_read_as_sentences(line, words):
    assert line.words({"x": ("first",)}) == words


def test_a_missing_number_is_below_nothing():
    values = np.array([np.nan, 1.0, 3.0])
    assert Line("x", least=2.0).holds(values).tolist() == [False, False, True]
    assert Line("x", below=2.0).holds(values).tolist() == [False, True, False]
    assert Line("x").holds(values).tolist() == [True, False, False]
    empty = Scorecard((), 1.0, -1.0)
    assert empty.raw(Matrix(values[:, None], ("x",), ("number",))).tolist() == [-1.0] * 3

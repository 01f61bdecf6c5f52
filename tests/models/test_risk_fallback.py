"""Logistic regression stands in where a place is thin and trees are not ahead, and survives being written down."""

import json

import numpy as np

from models.risk.calibration import Calibrator
from models.risk.encoding import Matrix
from models.risk.fallback import SecondOpinion, counted, fallback, is_thin
from models.risk.learners import logistic


def make_rows(rows: int = 6000, seed: int = 0) -> dict[str, np.ndarray]:
    """A busy place, some quiet ones, and scores: `good` knows the risk, `blind` knows nothing."""
    random = np.random.default_rng(seed)
    good = random.normal(-1.0, 1.5, rows)
    return {
        "places": np.where(random.random(rows) < 0.6, "port", random.choice(["pass", "halt"], rows)).astype(object),
        "train": np.arange(rows) < rows // 2,
        "valid": np.arange(rows) >= rows // 2,
        "labels": (random.random(rows) < 1 / (1 + np.exp(-good))).astype(float),
        "good": good,
        "blind": random.normal(0, 1, rows),
    }


def test_quiet_places_are_thin_and_so_are_new_ones():
    made = make_rows()
    rows = counted(made["places"], made["train"])
    assert sum(rows.values()) == made["train"].sum()
    assert is_thin(np.array(["port", "pass", "never seen"], dtype=object), rows).tolist() == [False, True, True]


def test_the_line_stands_in_unless_trees_are_ahead():
    made = make_rows()
    parts = [made[k] for k in ("places", "train", "valid", "labels")]
    stands_in = fallback(*parts, made["blind"], made["good"])
    assert stands_in.used
    assert stands_in.places == 2
    assert str(stands_in) == "2 places have fewer than 1,000 labelled rows of their own: scored by logistic regression."
    assert not fallback(*parts, made["good"], made["blind"]).used
    assert fallback(*parts, made["good"], made["good"]).used  # no better than the simpler one


def test_without_evidence_the_declared_rule_holds():
    made = make_rows(300)
    made["valid"][:] = False
    parts = [made[k] for k in ("places", "train", "valid", "labels")]
    assert fallback(*parts, made["good"], made["blind"]).used


def test_a_second_opinion_survives_json():
    made = make_rows(800)
    matrix = Matrix(
        np.column_stack([made["good"], np.arange(800) % 4 + 2.0]), ("weight", "kind"), ("number", "category")
    )
    line = logistic((matrix, made["labels"]))
    opinion = SecondOpinion(line, Calibrator("platt", 0.9, 0.1), "post", {"port": 2000, "pass": 4})
    again = SecondOpinion.from_json(json.loads(json.dumps(opinion.as_json())))
    assert again == opinion
    assert (again.probability(matrix) == opinion.probability(matrix)).all()
    assert opinion.leads(np.array(["port", "pass"])).tolist() == [False, True]

"""A proof in good order, of any model: every gate lets it through. Tests spoil one thing at a time."""

from dataclasses import replace
from datetime import date

import numpy as np

from evidence.cells import Outcomes
from evidence.groups import compare
from evidence.intervals import Interval
from models.risk.judging import BASE, FLOOR, MODEL
from models.risk.learners import Candidate
from models.risk.less_discriminatory import Equal, Frontier, Recipe
from models.risk.model import RiskModel
from models.risk.proof import Calibrated, Findings, Gained, Looked, Promised, Proof, WhereFew, WhoLooked
from models.risk.stability import Stability

METRICS = ("pr_auc", "roc_auc", "precision_0.05", "recall_0.05", "calibration_error", "log_loss", "brier")
NONE_OFF = Calibrated(
    Interval(0.021, 0.015, 0.030),
    0.019,
    0.028,
    1000,
    Interval(0.97, 0.85, 1.09),
    (Promised("low", 800, 40, 0.05, Interval(0.05, 0.04, 0.07)),),
    (
        Promised("ras-jedir", 700, 70, 0.1, Interval(0.1, 0.08, 0.12)),
        Promised("tozeur", 9, 0, None, Interval(), "few"),
    ),
    Promised("random", 300, 24, 0.075, Interval(0.08, 0.05, 0.12)),
)
TUNED = Candidate("tuned", ("number", "category"), {"num_leaves": 7, "learning_rate": 0.1})
BEST, CHOSEN = (
    Equal(((Recipe(TUNED), 5),), 0.36, 1.0, 0.62),
    Equal(((Recipe(TUNED), 3), (Recipe(TUNED, "permit_state"), 2)), 0.358, 0.994, 0.81),
)
FRONTIER = Frontier(BEST, CHOSEN, (BEST, CHOSEN, Equal(((Recipe(TUNED, "permit_state"), 5),), 0.3, 0.83, 0.9)), 7, 44)


def made_proof(model: RiskModel, **changes) -> Proof:
    """The proof of `model`, with `changes` of its parts."""
    figures = {
        who: {name: Interval(value, value - 0.02, value + 0.02) for name in METRICS}
        for who, value in ((MODEL, 0.35), (FLOOR, 0.33), (BASE, 0.11))
    }
    return replace(
        Proof(
            name=model.name,
            model=model.hash,
            learnt_from="sample",
            made_on=date(2026, 3, 2),
            periods={
                "train": ("2024-01-01T00:00:00", "2025-06-30T00:00:00"),
                "validation": ("2025-07-01T00:00:00", "2025-10-31T00:00:00"),
                "test": ("2025-11-01T00:00:00", "2026-02-28T00:00:00"),
            },
            versions={"crossings": 3, "checks": 2},
            counts={
                **{f"{part} rows": 1500 for part in ("train", "validation", "test")},
                **{f"{part} positives": 150 for part in ("train", "validation", "test")},
                "unknown: inconclusive": 33,
            },
            parameters={"seeds": 5},
            profile="shipped",
            findings=Findings(4500, 450, 500, 60),
            looked=(Looked("officer", 3000, 330, 0), Looked("random", 1500, 120, 1500)),
            examined=WhoLooked(Interval(0.04, 0.01, 0.08), 117),
            figures=figures,
            over_floor=Gained(FLOOR, Interval(0.02, -0.01, 0.05), 1500),
            over_champion=None,
            champion=None,
            control=Interval(0.21, 0.15, 0.29),
            control_rows=140,
            control_refused=None,
            calibrated=NONE_OFF,
            audit=audited(0.5),
            stability=Stability(1000, 4, 1200, 4, 0.2, 0.05, {"papers": 0.1, "permit": None}, 0.2),
            thin_places={"tozeur": 40},
            unseen_places={"tabarka": 3},
            where_few=WhereFew(43, Interval(0.41, 0.3, 0.5), Interval(0.39, 0.3, 0.5), Interval(-0.02, -0.05, 0.01)),
            frontier=FRONTIER,
        ),
        **changes,
    )


def audited(share_of_women: float, rows: int = 4000):
    """An audit by sex in which the share of women among the flagged is given: half of everyone is none off."""
    random = np.random.default_rng(3)
    women = random.random(rows) < 0.5
    chosen = (random.random(rows) < np.where(women, share_of_women, 1 - share_of_women) * 0.2).astype(float)
    labels = (random.random(rows) < 0.1).astype(float)
    outcomes = Outcomes(labels, chosen, np.full(rows, labels.mean()))
    return compare({"checked": ({"sex": np.where(women, "F", "M").tolist()}, outcomes, 0.1)})

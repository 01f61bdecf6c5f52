"""A model that reads what a person can put right, and assessments of it to explain."""

from datetime import date

import numpy as np

from features.catalogue import features
from models.risk.calibration import Calibrator
from models.risk.declaration import Bands
from models.risk.model import Input, RiskModel
from tests.serving.crossings import PURPOSE, assessed

READS = (
    "entries_last_90_days",
    "days_to_document_expiry",
    "declared_stay_days",
    "address_declared",
    "permit_state",
    "party_size",
    "document_travellers_last_5_years",
)
STATES = ("granted", "renewed", "refused")
BANDS = (("low", 0.0), ("moderate", 0.1), ("raised", 0.25), ("high", 0.5))


def model(seed: int = 5) -> RiskModel:
    """Two members and a straight calibrator: short documents, long stays and no address raise the score."""
    import lightgbm

    rng = np.random.default_rng(seed)
    rows = drawn(rng, 900)
    push = rows[:, 0] / 15 - rows[:, 1] / 400 + rows[:, 2] / 40 - 1.2 * rows[:, 3] + 0.6 * (rows[:, 4] == 4)
    label = (push + 0.3 * rows[:, 6] + rng.normal(0, 0.8, len(rows)) > 0.9).astype(int)
    options = {"objective": "binary", "num_leaves": 8, "verbose": -1, "num_threads": 1, "deterministic": True}
    known = features("crossing")
    return RiskModel(
        name=PURPOSE,
        purpose="Order crossings",
        subject_kind="crossing",
        inputs=tuple(Input(n, known[n].type, known[n].group, STATES if n == "permit_state" else ()) for n in READS),
        trees=tuple(
            lightgbm.train(
                options | {"seed": s, "bagging_fraction": 0.8, "bagging_freq": 1},
                lightgbm.Dataset(rows, label, categorical_feature=[4], params={"verbose": -1}),
                num_boost_round=15,
            ).model_to_string()
            for s in (1, 2)
        ),
        calibrator=Calibrator("platt", slope=1.1, offset=-0.2),
        bands=Bands(date(2026, 1, 1), BANDS),
        trained_from={"versions": {"crossings": 3}, "counts": {"train rows": 900}},
    )


def drawn(rng: np.random.Generator, n: int) -> np.ndarray:
    """Rows (n, 7) as the model reads them; some expiries are missing, and states are codes of STATES."""
    rows = np.column_stack(
        [
            rng.integers(0, 30, n),
            rng.integers(-5, 900, n),
            rng.integers(1, 120, n),
            rng.integers(0, 2, n),
            rng.integers(2, 5, n),
            rng.integers(1, 5, n),
            rng.integers(1, 4, n),
        ]
    ).astype(float)
    rows[rng.random(n) < 0.1, 1] = np.nan
    return rows


def observed(event: str) -> dict:
    """What is on record for a crossing, from its number."""
    n = int(event[1:])
    return {
        "entries_last_90_days": float(n * 7 % 30),
        "days_to_document_expiry": None if n % 9 == 8 else float(n * 97 % 900) + 0.25,
        "declared_stay_days": float(1 + n * 31 % 119),
        "address_declared": n % 3 != 0,
        "permit_state": (*STATES, None)[n % 4],
        "party_size": float(1 + n % 4),
        "document_travellers_last_5_years": float(1 + n % 3),
        "document_reported_stolen": n % 11 == 5,
        "days_over_authorised_stay": 40.0 if n % 2 else 0.0,
    }


def explained(rows, by, rulebook, protection, **options):
    """The crossings `rows`, assessed by the model `by`."""
    return assessed(rows, by, rulebook, protection, observed=observed, **options)

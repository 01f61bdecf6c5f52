"""A tiny model of four real features, with what is usual among similar subjects, which reasons hold, and a line."""

from datetime import UTC, date, datetime

import lightgbm
import numpy as np
import pyarrow as pa

from features.catalogue import features
from models.risk.calibration import Calibrator
from models.risk.declaration import Bands
from models.risk.encoding import Matrix
from models.risk.fallback import SecondOpinion
from models.risk.learners import logistic
from models.risk.model import Input, RiskModel
from models.risk.peers import peers
from models.risk.stability import Stability
from risk_rules.rulebook import Rulebook
from tests.serving.crossings import PURPOSE, READS

LEVELS = {"permit_state": ("granted", "renewed", "refused")}
OPTIONS = {
    "objective": "binary",
    "num_leaves": 7,
    "verbose": -1,
    "num_threads": 1,
    "seed": 1,
    "deterministic": True,
}


def small_model() -> RiskModel:
    """Learns that frequent entries and young documents matter. Reasons about the permit never hold."""
    rng = np.random.default_rng(5)
    rows = np.column_stack(
        [rng.integers(0, 30, 600), rng.integers(0, 3000, 600), rng.integers(-1, 3, 600), rng.integers(0, 2, 600)]
    ).astype(float)
    label = (rows[:, 0] / 10 - rows[:, 1] / 1500 + rng.normal(0, 0.5, 600) > 0.6).astype(int)
    booster = lightgbm.train(OPTIONS, lightgbm.Dataset(rows, label), num_boost_round=20)
    known = features("crossing")
    kinds = tuple("category" if n in LEVELS else "number" for n in READS)
    line = logistic((Matrix(rows, READS, kinds), label.astype(float)))
    bands = Rulebook.load(on=date(2026, 3, 2)).ladder.bands[PURPOSE]  # the labels that the ladder knows
    return RiskModel(
        name=PURPOSE,
        purpose="Order crossings",
        subject_kind="crossing",
        inputs=tuple(Input(n, known[n].type, known[n].group, LEVELS.get(n, ())) for n in READS),
        trees=(booster.model_to_string(),),
        calibrator=Calibrator(),
        bands=Bands(date(2026, 1, 1), tuple(zip(bands, (0.0, 0.1, 0.3, 0.5), strict=False))),
        trained_from={},
        peers=peers("crossing", _similar(rows), READS),
        stability=Stability(
            600, 4, 600, 4, 0.2, 0.01, {"frequency": 0.05, "papers": 0.05, "itinerary": 0.0, "permit": None}
        ),
        second=SecondOpinion(line, Calibrator(), "post_of_crossing", {"ras-jedir": 1200, "tunis-carthage": 40}),
    )


def _similar(rows: np.ndarray) -> pa.Table:
    states = [LEVELS["permit_state"][int(code)] if code >= 0 else None for code in rows[:, 2]]
    return pa.table(
        {
            "as_of": pa.array([datetime(2026, 4, 2, tzinfo=UTC)] * len(rows), pa.timestamp("us", tz="UTC")),
            "mode": ["air"] * 400 + ["land"] * 200,
            "entries_last_90_days": rows[:, 0],
            "document_age_days": rows[:, 1],
            "permit_state": pa.array(states, pa.string()),
            "origin_new_for_traveller": rows[:, 3] > 0,
        }
    )

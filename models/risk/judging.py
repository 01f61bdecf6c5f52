"""Models side by side on the same rows, with intervals from the same redrawn days."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from evidence.intervals import Interval, bootstrap, redrawn_days
from evidence.metrics import Metric, pr_auc

MODEL, FLOOR, BASE = "model", "logistic regression", "base rate"


def judge(
    labels: np.ndarray,
    time: np.ndarray,
    raw: Mapping[str, np.ndarray],
    chance: Mapping[str, np.ndarray],
    *,
    metrics: Sequence[Metric],
    draws: int,
) -> tuple[dict[str, dict[str, Interval]], Interval]:
    """Every metric of every model, and the PR-AUC that the model gains over the floor.

    `labels` (n,) 0 and 1, `time` (n,) datetime64, `raw` and `chance` the scores (n,) and calibrated probabilities (n,)
    of each model by name. Nothing, and an undefined gain, where there are no rows.
    """
    if len(labels) == 0:
        return {}, Interval(None)
    redrawn = redrawn_days(time.astype("datetime64[D]"), draws)
    everything = np.arange(len(labels))

    def figure(metric: Metric, name: str) -> Interval:
        scores = (raw if metric.reads == "order" else chance)[name]
        return bootstrap(lambda rows: metric(labels[rows], scores[rows]), everything, redrawn)

    def gained(rows: np.ndarray) -> float | None:
        mine, floor = pr_auc(labels[rows], raw[MODEL][rows]), pr_auc(labels[rows], raw[FLOOR][rows])
        return None if mine is None or floor is None else mine - floor

    figures = {name: {metric.name: figure(metric, name) for metric in metrics} for name in raw}
    return figures, bootstrap(gained, everything, redrawn)

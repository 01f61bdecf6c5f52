"""PR-AUC on five public sets beside logistic regression, LightGBM as it comes, and nine peers on the same test rows."""

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from benchmarks.risk_parts import peers
from benchmarks.risk_parts.bars import bar
from benchmarks.risk_parts.sets import SETS, judged, prepared, shared
from evidence.intervals import Interval, bootstrap, redrawn_days
from evidence.metrics import pr_auc
from models.risk.learners import Candidate, grow

AGAINST_BEST = ("food", "stops_nyc", "stops_nyc_weapon", "london")
AS_IT_COMES = Candidate(
    "LightGBM default", ("number", "category", "actor"), {"bagging_fraction": 1.0, "bagging_freq": 0, "cat_smooth": 10}
)


def as_it_comes(name: str) -> float:
    """PR-AUC on the test rows of one LightGBM model with default parameters, native categories and a hundred trees."""
    learn, _, (matrix, labels) = prepared(name)
    return pr_auc(labels, grow(AS_IT_COMES, learn, None, seeds=[1], rounds=100).raw(matrix)) or 0.0


def apart(rows: pd.DataFrame, mine: str, other: str, draws: int) -> Interval:
    """PR-AUC of one column of scores above another's, days redrawn together."""
    label, a, b = (rows[c].to_numpy(np.float64) for c in ("label", mine, other))
    redrawn = redrawn_days(rows["time"].to_numpy().astype("datetime64[D]"), draws)

    def gained(at: np.ndarray) -> float | None:
        here, there = pr_auc(label[at], a[at]), pr_auc(label[at], b[at])
        return None if here is None or there is None else here - there

    return bootstrap(gained, np.arange(len(label)), redrawn)


def lines(*, peer_python: str | None, folder: Path, short: bool) -> Iterator[dict[str, Any]]:
    draws = 50 if short else 1000
    above, not_below_floor, not_below_best, measured = False, 0, 0, 0
    for name in SETS:
        started = time.process_time()
        report, rows = judged(name, short=short)
        spent = time.process_time() - started
        for model, figures in report.figures.items():
            yield {"set": name, "model": model, **{k: f.value and round(f.value, 4) for k, f in figures.items()}}
        yield {"set": name, "chosen": report.chosen, "calibrator": report.calibrators["model"], "cpu_seconds": spent}
        gain = report.gain
        above |= name == "customs" and gain.low is not None and gain.low > 0
        not_below_floor += gain.high is not None and gain.high >= 0
        mine = report.figures["model"]["pr_auc"].value or 0.0
        floor = report.figures["logistic regression"]["pr_auc"].value or 1.0
        yield bar(f"risk_backtest_{name}_pr_auc_over_logistic", mine / floor)
        yield bar(f"risk_backtest_{name}_pr_auc_over_lightgbm_default", mine / as_it_comes(name))
        told = peers.scores(name, peer_python, folder, shared())
        if told is None:
            continue
        rows = rows.join(told)
        reached = {peer: pr_auc(rows["label"].to_numpy(), rows[peer].to_numpy()) or 0.0 for peer in peers.NINE}
        yield {"set": name, "peers": {peer: round(value, 4) for peer, value in reached.items()}}
        for peer in sorted(reached, key=lambda p: -reached[p])[:3]:
            less = apart(rows, "raw", peer, draws)
            yield {"set": name, "above": peer, "pr_auc": less.value, "low": less.low, "high": less.high}
            if peer == max(reached, key=lambda p: reached[p]) and name in AGAINST_BEST:
                measured += 1
                not_below_best += less.high is not None and less.high >= 0
    yield bar("risk_customs_over_logistic_significant", float(above))
    yield bar("risk_sets_not_below_logistic", not_below_floor)
    if measured == len(AGAINST_BEST):
        yield bar("risk_sets_not_below_best_peer", not_below_best)
    if not short:
        report, _ = judged("customs", "large", short=short)
        figures = report.figures["model"]
        yield {
            "set": "customs",
            "profile": "large",
            **{k: f.value for k, f in figures.items()},
            "chosen": report.chosen,
        }
        yield bar("risk_customs_large_pr_auc", figures["pr_auc"].value)
        yield bar("risk_customs_large_precision_10", figures["precision_0.1"].value)

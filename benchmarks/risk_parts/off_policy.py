"""Whether off-policy estimates hold what they promise, on customs declarations whose truth is known.

The set-up is that of risk_selective_sim.py: of the last twelve fortnights a tenth is checked, most by the model's score
and a share drawn from the rest; a challenger would have chosen another tenth. The draw is repeated, everything else
stays, and the 95% intervals are held against the truth. Groups are modes of transport, each against all others.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.risk_parts.bars import bar
from benchmarks.risk_parts.sets import shared
from evidence.off_policy import Checked, gap, missed_risk, precision, prevalence, recall
from evidence.selection import Estimate

SHARES = (0.02, 0.05, 0.10, 0.20)
HAJEK_WIDTH = {0.05: 0.425, 0.10: 0.327, 0.20: 0.248}  # of the challenger's precision, in the same set-up
LEAST = 0.93
FORTNIGHTS = 12


class Logged:
    """Twelve fortnights as they were logged: truth, the model's score, the challenger's choice, places, groups."""

    def __init__(self, folder: Path) -> None:
        found = importlib.util.spec_from_file_location("selective", folder / "bench" / "risk_selective_sim.py")
        if found is None or found.loader is None:
            raise FileNotFoundError(f"There is no bench/risk_selective_sim.py below {folder}.")
        simulation = importlib.util.module_from_spec(found)
        found.loader.exec_module(simulation)
        rows = simulation.load(str(folder / "data" / "risk" / "customs.parquet"))
        kept: list[tuple[np.ndarray, np.ndarray, np.ndarray, int]] = []
        simulation.simulate(rows, 0.10, 0, tail=FORTNIGHTS, keep=kept)
        self.truth, self.scores, self.chosen = (np.concatenate([part[i] for part in kept]) for i in range(3))
        self.places = [part[3] for part in kept]
        self.starts = np.cumsum([0] + [len(part[0]) for part in kept])
        last = rows[rows["round"] > rows["round"].max() - FORTNIGHTS].sort_values("round", kind="stable")
        self.groups = last["transport_mode"].to_numpy().astype(str)

    def plan(self, share: float) -> tuple[np.ndarray, list[tuple[np.ndarray, int]]]:
        """Each row's probability, and per fortnight the rows that are drawn from and how many are."""
        probabilities, pools = np.ones(len(self.truth)), []
        for start, end, places in zip(self.starts[:-1], self.starts[1:], self.places, strict=True):
            certain = round(places * (1 - share))
            rest = start + np.argsort(-self.scores[start:end])[certain:]
            probabilities[rest] = (places - certain) / len(rest)
            pools.append((rest, places - certain))
        return probabilities, pools


def estimates(
    checked: Checked, chosen: np.ndarray, groups: np.ndarray, named: Sequence[str]
) -> Iterator[tuple[str, Estimate]]:
    """Everything that is estimated of one draw, by name."""
    yield "prevalence", prevalence(checked)
    yield "precision", precision(checked, chosen)
    yield "recall", recall(checked, chosen)
    yield "missed risk", missed_risk(checked, chosen)
    for name in named:
        inside = groups == name
        yield f"prevalence gap {name}", gap(prevalence(checked, inside), prevalence(checked, ~inside))
        yield f"precision gap {name}", gap(precision(checked, chosen, inside), precision(checked, chosen, ~inside))
        yield (
            f"missed risk gap {name}",
            gap(missed_risk(checked, chosen, inside), missed_risk(checked, chosen, ~inside)),
        )


def truths(logged: Logged, named: Sequence[str]) -> dict[str, float]:
    """What would be estimated if everyone were checked."""
    everyone = Checked(logged.truth, np.ones(len(logged.truth)))
    told = estimates(everyone, logged.chosen, logged.groups, named)
    return {name: estimate.value for name, estimate in told if estimate.value is not None}


def redraws(
    logged: Logged, share: float, draws: int, named: Sequence[str] = (), seed: int = 1, *, regressed: bool = False
) -> dict[str, Any]:
    """Coverage, mean width, mean bias and share refused of every estimate over `draws` redraws of the control.

    `named` are the groups whose gaps are estimated; `regressed` lets the score of the log's own model help.
    """
    random = np.random.default_rng(seed)
    truth = truths(logged, named)
    probabilities, pools = logged.plan(share)
    told: dict[str, list[tuple[bool, float, float]]] = {name: [] for name in truth}
    for _ in range(draws):
        outcomes = np.where(probabilities >= 1, logged.truth, np.nan)
        for rest, places in pools:
            drawn = random.choice(rest, places, replace=False)
            outcomes[drawn] = logged.truth[drawn]
        checked = Checked(outcomes, probabilities, expected=logged.scores if regressed else None)
        for name, found in estimates(checked, logged.chosen, logged.groups, named):
            if name in truth:
                low, high = found.interval.low or 0.0, found.interval.high or 0.0
                held = low - 1e-9 <= truth[name] <= high + 1e-9
                off = float("nan") if found.value is None else found.value - truth[name]
                told[name].append((held, high - low, off))
    return {name: summary(np.array(rows, dtype=float)) for name, rows in told.items()}


def summary(rows: np.ndarray) -> dict[str, float | None]:
    off = rows[:, 2]
    printed = off[~np.isnan(off)]
    return {
        "coverage": round(float(rows[:, 0].mean()), 4),
        "width": round(float(rows[:, 1].mean()), 4),
        "bias": round(float(printed.mean()), 4) if len(printed) else None,
        "refused": round(float(np.isnan(off).mean()), 4),
    }


def lines(*, short: bool = False) -> Iterator[dict[str, Any]]:
    """One line per share of control, one where a model's probabilities help, then the bars: the worst of all."""
    logged, draws = Logged(shared()), 100 if short else 1000
    worst, wider = 1.0, 0.0
    for share in SHARES:
        control = sum(places for _, places in logged.plan(share)[1])
        head = {"part": "off_policy", "control": share, "drawn": control, "draws": draws}
        told = redraws(logged, share, draws, tuple(np.unique(logged.groups)))
        yield head | {"way": "stratified"} | told
        yield head | {"way": "doubly robust"} | redraws(logged, share, draws, regressed=True)
        if share in HAJEK_WIDTH:
            worst = min(worst, *(figures["coverage"] for figures in told.values()))
            wider = max(wider, told["precision"]["width"] / HAJEK_WIDTH[share])
    yield bar("risk_off_policy_coverage", worst)
    yield bar("risk_off_policy_width_over_hajek", wider)

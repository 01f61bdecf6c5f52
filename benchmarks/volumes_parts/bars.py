"""From what was measured on the sets to the values that the bars are about."""

import json
import math
from collections.abc import Mapping
from typing import Any

import pandas as pd

from benchmarks.volumes_parts.peers import ENSEMBLES, NAIVE, WITH_LIGHTGBM
from benchmarks.volumes_parts.sets import NAMES

HK, MY, SHORT_HISTORY = "hk_control_points_daily", "my_ridership_daily", "my_arrivals_monthly"
HOURLY = "us_airport_immigration_hourly"
Told = Mapping[str, Any]


def say(**told: Any) -> None:
    """One JSON line."""
    print(json.dumps({k: float(f"{v:.5g}") if isinstance(v, float) else v for k, v in told.items()}), flush=True)


def against(peers: pd.DataFrame) -> dict[str, Any]:
    """What the pool is held against on one set, from the peers' results by model."""
    singles = peers.drop(index=list(ENSEMBLES), errors="ignore")
    return {
        "best_single": singles["sCRPS"].idxmin(),
        "best_single_sCRPS": float(singles["sCRPS"].min()),
        "ensemble_sCRPS": float(peers.loc[WITH_LIGHTGBM, "sCRPS"]),
        "naive_sCRPS": float(peers.loc[NAIVE, "sCRPS"]),
        "best_SPL": float(peers["SPL"].min()),
        "best_MASE": float(peers["MASE"].min()),
        "ensemble_cpu_seconds": float(peers.loc[WITH_LIGHTGBM, "cpu_s"]),
    }


def calibrated(told: Told) -> bool:
    """Whether the 80% interval held 75 to 85% of a set's counts, and may well hold 80% in the long run."""
    return bool(0.75 <= told["coverage"] <= 0.85 and told["coverage_low"] <= 0.8 <= told["coverage_high"])


def over(found: Mapping[str, Told], score: str, peer: str) -> dict[str, float]:
    """A score of the pool over that of a peer, by set."""
    return {name: told[score] / told[peer] for name, told in found.items()}


def skill(found: Mapping[str, Told]) -> float:
    """How far the pool is below seasonal naive in sCRPS, as the geometric mean over the sets."""
    ratios = over(found, "sCRPS", "naive_sCRPS").values()
    return 1 - math.exp(sum(map(math.log, ratios)) / len(ratios))


def values(found: Mapping[str, Told], *, timed_together: bool) -> dict[str, float]:
    """Values of the bars, by name, whose sets were all measured. `timed_together`: the peers ran here too."""
    if not found:
        return {}
    to_single = over(found, "sCRPS", "best_single_sCRPS")
    told = {
        "volumes_share_below_naive": sum(r < 1 for r in over(found, "sCRPS", "naive_sCRPS").values()) / len(found),
        "volumes_skill_over_naive": skill(found),
        "volumes_share_covered": sum(0.7 <= row["cov80"] <= 0.9 for row in found.values()) / len(found),
    }
    for name, bar in ((HK, "volumes_hk_below_best_single"), (MY, "volumes_my_ridership_below_best_single")):
        if name in found:
            told[bar] = 1 - to_single[name]
    for name, bar in ((HK, "volumes_holiday_wape_hk"), (MY, "volumes_holiday_wape_my")):
        if name in found:
            told[bar] = found[name]["holiday_wape"]
    if SHORT_HISTORY in found:
        told["volumes_short_history_over_best_single"] = to_single[SHORT_HISTORY]
    if set(found) == set(NAMES):
        told |= {
            "volumes_scrps_over_best_single_worst": max(to_single.values()),
            "volumes_sets_8_percent_below": sum(ratio <= 0.92 for ratio in to_single.values()),
            "volumes_scrps_over_ensemble_worst": max(over(found, "sCRPS", "ensemble_sCRPS").values()),
            "volumes_geometric_skill": skill(found),
            "volumes_sets_spl_and_mase_below": sum(
                row["SPL"] < row["best_SPL"] and row["MASE"] < row["best_MASE"] for row in found.values()
            ),
            "volumes_sets_calibrated": sum(map(calibrated, found.values())),
        }
        if timed_together:
            told["volumes_refit_cpu_over_ensemble"] = max(
                over(found, "refit_cpu_seconds", "ensemble_cpu_seconds").values()
            )
    return told

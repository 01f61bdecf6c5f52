"""Rolling backtests on real flow data, beside seasonal naive in the same run.

    BASIRA_SHARED_DATA=FOLDER python benchmarks/volumes_backtest.py [--short] [--only NAME ...]

FOLDER/forecasting holds long tables. Prints one JSON line per set and ends with one object per bar. Cutoffs, horizons
and the choice of series are those of the published comparison of peers; `best_single` is the best of its single models
there, chosen per set in hindsight.
"""

import argparse
import json
import math
import os
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from models.volumes.backtest import backtest
from models.volumes.options import Options


@dataclass(frozen=True)
class Set:
    """One data set: how it is cut, which series are eligible before the first cutoff, and which calendars move it."""

    name: str
    freq: str
    season: int
    horizon: int
    folds: int
    step: int
    start: str
    most: int
    least: tuple[int, float, float]  # counts, mean of the recent ones, share of them above zero
    best_single: float
    holidays: tuple[str, ...] = ()
    hist: int | None = None


SETS = (
    Set("us_border_ports_monthly", "MS", 12, 12, 5, 6, "2008-01-01", 60, (120, 30, 0.8), 0.08753),
    Set("frontex_detections_monthly", "MS", 12, 12, 5, 6, "2009-01-01", 60, (120, 5, 0.6), 0.65415),
    Set("us_immigrant_visas_monthly", "MS", 12, 12, 4, 4, "2017-03-01", 60, (48, 10, 0.7), 0.38914),
    Set("my_arrivals_monthly", "MS", 12, 6, 4, 3, "2022-05-01", 60, (15, 30, 0.8), 0.16711),
    Set("hk_control_points_daily", "D", 7, 28, 6, 28, "2023-03-01", 24, (600, 10, 0.8), 0.15343, ("HK", "CN")),
    Set("my_ridership_daily", "D", 7, 28, 6, 28, "2022-07-01", 24, (400, 10, 0.8), 0.07176, ("MY",)),
    Set("us_airport_immigration_daily", "D", 7, 28, 6, 28, "2013-01-01", 20, (800, 10, 0.8), 0.06628, ("US",)),
    Set("uk_small_boats_daily", "D", 7, 28, 6, 28, "2020-01-01", 24, (800, 0.1, 0.1), 0.91934, ("GB", "FR")),
    Set(
        "us_airport_immigration_hourly",
        "h",
        168,
        336,
        4,
        336,
        "2024-05-01",
        20,
        (3000, 5, 0.05),
        0.38391,
        ("US",),
        2688,
    ),
)
SHORT = ("us_immigrant_visas_monthly", "my_arrivals_monthly", "uk_small_boats_daily")
RECENT = {"MS": 36, "D": 180, "h": 1440}


def chosen(path: Path, declared: Set) -> Options:
    """Cutoffs counted back from the common end, and a seeded sample of the series that had enough to show by then."""
    table = pd.read_parquet(path, columns=["unique_id", "ds", "y"])
    unit = {"MS": "M", "D": "D", "h": "h"}[declared.freq]
    step = table["ds"].to_numpy().astype(f"datetime64[{unit}]").astype(int)
    table = table.assign(step=step)
    last = table.groupby("unique_id")["step"].max()
    end = int(last[last >= last.max() - declared.horizon].min())
    cutoffs = [end - declared.horizon - i * declared.step for i in range(declared.folds)][::-1]
    start = int(np.datetime64(declared.start, unit).astype(int))
    early = table[
        (table["step"] <= cutoffs[0]) & (table["step"] >= start) & table["unique_id"].isin(last.index[last >= end])
    ]
    counts = early.sort_values("step").groupby("unique_id")["y"]
    recent = counts.apply(lambda y: y.tail(RECENT[declared.freq]).mean())
    above = counts.apply(lambda y: (y.tail(RECENT[declared.freq]) > 0).mean())
    length, mean, share = declared.least
    ids = sorted(recent.index[(counts.size() >= length) & (recent >= mean) & (above >= share)])
    if len(ids) > declared.most:
        ids = sorted(np.random.default_rng(7).choice(ids, declared.most, replace=False))
    return Options(
        declared.freq,
        declared.horizon,
        cutoffs=tuple(str(np.datetime64(cutoff, unit)) for cutoff in cutoffs),
        series=tuple(map(str, ids)),
        holidays=declared.holidays,
        start=declared.start,
        hist=declared.hist,
        season=declared.season,
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--short", action="store_true", help="three sets, under three minutes")
    parser.add_argument("--only", nargs="*", help="names of sets")
    asked = parser.parse_args()
    if "BASIRA_SHARED_DATA" not in os.environ:
        sys.exit("Set BASIRA_SHARED_DATA to the folder that holds forecasting/*.parquet.")
    folder = Path(os.environ["BASIRA_SHARED_DATA"]) / "forecasting"
    names = asked.only or (SHORT if asked.short else [declared.name for declared in SETS])
    skill, below, covered = [], [], []
    for declared in SETS:
        if declared.name not in names:
            continue
        path = folder / f"{declared.name}.parquet"
        began = time.perf_counter()
        report = backtest(path, chosen(path, declared))
        pool, naive = report.pool["all"], report.naive["all"]
        assert pool.scaled_crps is not None
        assert naive.scaled_crps is not None
        assert pool.coverage_80 is not None
        skill.append(pool.scaled_crps / naive.scaled_crps)
        below.append(pool.scaled_crps < naive.scaled_crps)
        covered.append(0.7 <= pool.coverage_80 <= 0.9)
        print(
            json.dumps(
                {
                    "set": declared.name,
                    "series": report.series,
                    **{f"pool_{k}": round(v, 5) for k, v in vars(pool).items() if v is not None},
                    **{f"naive_{k}": round(v, 5) for k, v in vars(naive).items() if v is not None and k != "rows"},
                    **({"feast_wape": report.pool["feast"].wape} if "feast" in report.pool else {}),
                    "best_single": declared.best_single,
                    "weights": {name: round(weight, 3) for name, weight in report.weights.items()},
                    "cpu_seconds": round(report.cpu_seconds, 1),
                    "seconds": round(time.perf_counter() - began, 1),
                }
            ),
            flush=True,
        )
    gained = 1.0 - math.exp(float(np.mean(np.log(skill))))
    # Shares rather than numbers of sets, so that the short form answers to the same bar.
    beaten, held = sum(below) / len(below), sum(covered) / len(covered)
    for bar, value, must, met in (
        ("volumes_share_below_naive", round(beaten, 3), ">= 1", beaten >= 1),
        ("volumes_skill_over_naive", round(gained, 4), ">= 0.25", gained >= 0.25),
        ("volumes_share_covered", round(held, 3), ">= 1", held >= 1),  # 80% ranges hold 70 to 90% of the counts
    ):
        print(json.dumps({"bar": bar, "value": value, "must": must, "met": bool(met)}))


if __name__ == "__main__":
    main()

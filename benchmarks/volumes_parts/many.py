"""What a night costs an authority with 200 series: 14 days by hour, 90 by day, 24 months by month."""

import time
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from benchmarks.volumes_parts.sets import table
from models.volumes.forecast import forecast
from models.volumes.options import Options

SERIES = 200
ASKED = (
    ("us_airport_immigration_hourly", Options("h", 336, holidays=("US",), hist=24 * 7 * 16)),
    ("hk_control_points_daily", Options("D", 90, holidays=("HK", "CN"), start="2023-03-01")),
    ("us_border_ports_monthly", Options("MS", 24, start="2008-01-01")),
)


def two_hundred(path: Path) -> pd.DataFrame:
    """200 series of a table; where it has fewer they come again, each count drawn anew around what it was."""
    rows = pd.read_parquet(path, columns=["unique_id", "ds", "y"])
    ends = rows.groupby("unique_id")["ds"].max()
    rows = rows[rows["unique_id"].isin(ends.index[ends == ends.max()])]
    ids = sorted(rows["unique_id"].unique())
    random = np.random.default_rng(7)
    parts = [rows[rows["unique_id"].isin(ids[:SERIES])]]
    for again in range(1, -(-SERIES // len(ids))):
        more = rows[rows["unique_id"].isin(ids[: SERIES - again * len(ids)])]
        drawn = random.poisson(more["y"].fillna(0)).astype(float)
        drawn[more["y"].isna()] = np.nan
        parts.append(more.assign(unique_id=more["unique_id"] + f" {again}", y=drawn))
    return pd.concat(parts)


def measured() -> dict[str, Any]:
    """Wall minutes of the three forecasts one after the other, CPU seconds of each, and peak memory of the process."""
    told: dict[str, Any] = {"what": "200 series"}
    began = time.perf_counter()
    for name, options in ASKED:
        rows = two_hundred(table(name))
        spent = time.process_time()
        made = forecast(rows, options)
        told[f"cpu_seconds_{options.freq}"] = time.process_time() - spent
        told[f"series_{options.freq}"] = len(made.forecasts["unique_id"].unique())
    told["minutes"] = (time.perf_counter() - began) / 60
    lines = dict(line.split(":", 1) for line in Path("/proc/self/status").read_text().splitlines())
    told["peak_gb"] = int(lines["VmHWM"].split()[0]) / 1e6
    return told

"""The public sets and their folds: series, cutoffs and scores are those of the published comparison of peers."""

import importlib.util
import os
import sys
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

import pandas as pd

from benchmarks.volumes_parts.holiday_windows import SETS as COUNTRIES
from models.volumes.options import Options, options_from_folds

HERE = Path(__file__).resolve().parent
NAMES = (
    "us_border_ports_monthly",
    "frontex_detections_monthly",
    "us_immigrant_visas_monthly",
    "my_arrivals_monthly",
    "hk_control_points_daily",
    "my_ridership_daily",
    "us_airport_immigration_daily",
    "uk_small_boats_daily",
    "us_airport_immigration_hourly",
)
SHORT = ("us_immigrant_visas_monthly", "my_arrivals_monthly", "uk_small_boats_daily")


def shared() -> Path:
    """The folder with data/forecasting and bench/forecasting_peers.py; SystemExit where it is not named."""
    if "BASIRA_SHARED" not in os.environ:
        sys.exit("Set BASIRA_SHARED to the folder that holds data/forecasting and bench/forecasting_peers.py.")
    return Path(os.environ["BASIRA_SHARED"])


def table(name: str) -> Path:
    """The long table of a set."""
    return shared() / "data" / "forecasting" / f"{name}.parquet"


def comparison() -> ModuleType:
    """The script of the published comparison, as a module: it declares the folds and computes the scores."""
    path = shared() / "bench" / "forecasting_peers.py"
    spec = importlib.util.spec_from_file_location(path.stem, path)
    if spec is None or spec.loader is None:
        sys.exit(f"{path} is not there; the folds and scores are declared in it.")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@dataclass(frozen=True)
class Folds:
    """One set as it is cut: `counts` are the rows of the chosen series, `preset` what the comparison declares."""

    name: str
    preset: dict[str, Any]
    counts: pd.DataFrame
    cutoffs: list[pd.Timestamp]

    def options(self, **named: tuple[str, ...]) -> Options:
        """What the pool is asked for: these folds, the countries of the set, and what else is named."""
        declared = {
            "preset": self.preset,
            "unique_ids": sorted(self.counts["unique_id"].unique()),
            "cutoffs": [str(cutoff) for cutoff in self.cutoffs],
        }
        countries = COUNTRIES[self.name][0] if self.name in COUNTRIES else ()
        return options_from_folds(declared).naming(holidays=countries, **named)

    def score(self, forecasts: pd.DataFrame) -> dict[str, float]:
        """MASE, WAPE, sCRPS, SPL and the rest, by the comparison's own scorer."""
        scored = comparison().score(self.counts, forecasts, self.cutoffs, self.preset)
        return {name: float(value) for name, value in scored.iloc[0].items() if name != "model"}


def folds(name: str) -> Folds:
    """The folds of a set."""
    made = comparison()
    preset = made.PRESETS[name]
    counts, cutoffs = made.load(table(name), preset, preset["max_series"])
    return Folds(name, preset, counts, cutoffs)


def holiday_windows(name: str) -> pd.DataFrame:
    """First and last day of each holiday window of a set; no rows for a set by month."""
    windows = pd.read_csv(HERE.parent / "holiday_windows.csv", parse_dates=["first", "last"])
    return windows[windows["set"] == name]

"""Forecasts of nine public sets beside every peer, on the same folds with the same scorer; and what else planners need.

    BASIRA_SHARED=FOLDER python benchmarks/volumes.py [--short] [--peer-python PYTHON] [--only PART ...]

FOLDER has data/forecasting with the sets, and bench/forecasting_peers.py with their folds, their scorer and the peers,
whose stored results lie beside it. PYTHON is an interpreter that has the peers (the extra `bench`); with it they are
rerun, which takes half an hour, and their CPU seconds count; results that --folder holds already are not made again.

Prints one JSON line per set: scores, coverage of the 80% interval by randomised PIT with a 99% block bootstrap by date,
thirds of the horizon, holiday windows, weights, CPU; then the other parts, and one object per bar. A bar is printed
when everything that it is about was measured. Every part runs in a process of its own, on one thread.
"""

from __future__ import annotations

import argparse
import importlib
import importlib.util
import operator
import os
import sys
import tempfile
import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks.volumes_parts import backtested, many, peers, sets
from benchmarks.volumes_parts.bars import HOURLY, against, say, values
from pipelines.apart import apart

HERE = Path(__file__).resolve().parent
# Modules of volumes_parts whose `measure()` returns figures by name; those that are named for a bar are its value.
MODULES = ("coherence", "early_warning", "staffing")
PARTS = (*sets.NAMES, "schedule", "many", *MODULES)
ORDERS = {"<=": operator.le, ">=": operator.ge, "<": operator.lt, ">": operator.gt}
THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS")
MOST_GB = 4.0


def measured_in(module: str) -> dict[str, float]:
    """What a module of volumes_parts measures."""
    told: dict[str, float] = importlib.import_module(f"benchmarks.volumes_parts.{module}").measure()
    return told


def other_parts(parts: Sequence[str], peer_python: str | None, folder: Path) -> dict[str, float]:
    """Values of the bars that are not about the nine backtests."""
    found: dict[str, float] = {}
    if "schedule" in parts:
        told = apart(backtested.measured, HOURLY, ("flights",))
        best = against(peers.results(HOURLY, peer_python, folder))["best_single_sCRPS"]
        found["volumes_hourly_with_schedule"] = 1 - told["sCRPS"] / best
        say(**told)
    if "many" in parts:
        told = apart(many.measured)
        say(**told, most_gb=MOST_GB)
        if told["peak_gb"] <= MOST_GB:
            found["volumes_200_series_minutes"] = told["minutes"]
    for module in (m for m in MODULES if m in parts):
        if importlib.util.find_spec(f"benchmarks.volumes_parts.{module}") is None:
            say(what=module, lacking=f"There is no benchmarks/volumes_parts/{module}.py yet, so its bars are missed.")
            continue
        told = apart(measured_in, module)
        say(what=module, **told)
        found |= told
    return found


def bars(found: Mapping[str, float]) -> bool:
    """Print each bar that has a value, in the order of bars.toml; whether all of them are met."""
    wanted = tomllib.loads((HERE / "bars.toml").read_text())
    every = True
    for bar, declared in wanted.items():
        if bar in found and declared["script"] == Path(__file__).name:
            sign, bound = declared["must"].split()
            met = bool(ORDERS[sign](found[bar], float(bound)))
            say(bar=bar, value=found[bar], must=declared["must"], met=met)
            every &= met
    return every


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--short", action="store_true", help="three sets, peers as stored, under three minutes")
    parser.add_argument("--only", nargs="+", choices=PARTS, metavar="PART", help=f"of {', '.join(PARTS)}")
    parser.add_argument("--peer-python", help="interpreter that has the peers; they are rerun unless --short is given")
    parser.add_argument("--peers", choices=("rerun", "stored"), help="default: rerun where --peer-python is given")
    parser.add_argument("--folder", type=Path, help="where results of peers are kept; default: a temporary folder")
    asked = parser.parse_args()
    rerun = asked.peers == "rerun" or (asked.peers is None and asked.peer_python is not None and not asked.short)
    peer_python = (asked.peer_python or sys.executable) if rerun else None
    parts = asked.only or (sets.SHORT if asked.short else PARTS)
    os.environ |= dict.fromkeys(THREADS, "1")
    with tempfile.TemporaryDirectory() as temporary:
        folder = asked.folder or Path(temporary)
        folder.mkdir(parents=True, exist_ok=True)
        found = {}
        for name in (n for n in sets.NAMES if n in parts):
            held_against = against(peers.results(name, peer_python, folder))
            found[name] = apart(backtested.measured, name) | held_against
            say(**found[name], peers="rerun" if rerun else "stored")
        others = other_parts(parts, peer_python, folder)
    return 0 if bars(values(found, timed_together=rerun) | others) else 1


if __name__ == "__main__":
    sys.exit(main())

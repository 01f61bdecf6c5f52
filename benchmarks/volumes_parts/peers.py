"""What the peers reach on each set: rerun in an environment that has them, or else as stored."""

import subprocess
from pathlib import Path

import pandas as pd

from benchmarks.volumes_parts.sets import shared, table

ENSEMBLES = ("Ensemble", "Ensemble+LGBM", "EnsembleLog+LGBM")
WITH_LIGHTGBM = "Ensemble+LGBM"
NAIVE = "SeasonalNaive"


def stored() -> pd.DataFrame:
    """The published results, one row per set and model."""
    return pd.read_csv(shared() / "bench" / "forecasting_peers_results.csv")


def rerun(name: str, python: str, folder: Path) -> pd.DataFrame:
    """The results of one set, from the comparison run by the interpreter `python`; kept in the folder once made."""
    kept = folder / f"{name}.csv"
    if not kept.exists():
        making = kept.with_suffix(".making")
        script = shared() / "bench" / "forecasting_peers.py"
        command = [python, str(script), "run", str(table(name)), "--out", str(making)]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
        making.rename(kept)
    return pd.read_csv(kept)


def results(name: str, python: str | None, folder: Path) -> pd.DataFrame:
    """Scores and CPU seconds of a set by model: rerun where an interpreter is given, stored for what was not rerun."""
    known = stored()
    known = known[known["dataset"] == name].set_index("model")
    if python is None:
        return known
    fresh = rerun(name, python, folder).set_index("model")
    return pd.concat([fresh, known.loc[known.index.difference(fresh.index)]])

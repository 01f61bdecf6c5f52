"""Nine ordinary models on the public sets, rerun once with the score of every test row kept.

    python peers.py BENCH DATA FOLDER SET        in an interpreter that has the peers

BENCH holds risk_peers.py, whose splits, encodings and models are used as they are; its hook for extra columns keeps
what each model said of each test row. FOLDER gets SET.parquet (row_id, and a column of scores per model).
"""

import subprocess
import sys
from pathlib import Path

import pandas as pd

NINE = ("history", "logreg", "lgb_default", "lgb_hist", "lgb_tuned", "lgb_mono", "xgboost", "catboost", "ebm")


def scores(name: str, python: str | None, folder: Path, shared: Path) -> pd.DataFrame | None:
    """Scores of the nine on the test rows of a set, by row_id; made once. None without them and without `python`."""
    kept = folder / f"{name}.parquet"
    if not kept.exists():
        if python is None:
            return None
        folder.mkdir(parents=True, exist_ok=True)
        command = [python, str(Path(__file__).resolve()), str(shared / "bench"), str(shared / "data" / "risk")]
        subprocess.run([*command, str(folder), name], check=True, stdout=subprocess.DEVNULL)
    return pd.read_parquet(kept).set_index("row_id")


def _rerun(bench: str, data: str, folder: str, name: str) -> None:
    sys.path.insert(0, bench)
    import risk_peers  # type: ignore[import-not-found]

    told: dict[str, pd.Series] = {}

    def keep(test: pd.DataFrame, score: object, row: dict[str, object]) -> None:
        told[str(row["model"])] = pd.Series(score, index=test["row_id"])

    risk_peers.EXTRA.append(keep)
    kept = Path(folder) / f"{name}.parquet"
    making = str(kept.with_suffix(".making.csv"))
    sys.argv = ["risk_peers.py", "--data", data, "--sets", name, "--models", ",".join(NINE), "--out", making]
    risk_peers.main()
    pd.DataFrame({model: told[model] for model in NINE}).reset_index().to_parquet(kept)
    Path(making).replace(kept.with_suffix(".csv"))
    Path(making.replace(".csv", "_groups.csv")).unlink()


if __name__ == "__main__":
    _rerun(*sys.argv[1:5])

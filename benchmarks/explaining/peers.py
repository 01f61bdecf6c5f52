"""What others take to explain rows: python peers.py PEER FOLDER ROWS THREADS, in an interpreter that has the peer.

FOLDER holds the members of a model as LightGBM texts (member-*.txt) and rows.npy. Each member is explained by itself,
as that is all a peer can do; the mean goes to FOLDER/PEER.npy. Prints one JSON object. Needs numpy and LightGBM only.
"""

import contextlib
import io
import json
import os
import sys
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import lightgbm
import numpy as np

Explain = Callable[[np.ndarray], np.ndarray]
WARM = 64  # rows explained before the clock starts


def pred_contrib(booster: Any, threads: int) -> Explain:
    return lambda rows: booster.predict(rows, pred_contrib=True, num_threads=threads)[:, :-1]


def shap(booster: Any, threads: int) -> Explain:
    from shap import TreeExplainer

    explainer = TreeExplainer(booster)
    return lambda rows: positive(explainer.shap_values(rows))


def woodelf(booster: Any, threads: int) -> Explain:
    import pandas as pd
    from woodelf import WoodelfExplainer

    explainer = WoodelfExplainer(booster)
    return lambda rows: positive(explainer.shap_values(pd.DataFrame(rows, columns=booster.feature_name())))


def fasttreeshap(version: str) -> Callable[[Any, int], Explain]:
    def peer(booster: Any, threads: int) -> Explain:
        from fasttreeshap_fixed import TreeExplainer

        explainer = TreeExplainer(booster, algorithm=version, n_jobs=threads)
        return lambda rows: positive(explainer.shap_values(rows, check_additivity=False))

    return peer


def positive(values: Any) -> np.ndarray:
    """Of answers per class, that of the class explained."""
    values = np.asarray(values[-1] if isinstance(values, list) else values)
    return values[..., -1] if values.ndim == 3 else values


PEERS = {
    "pred_contrib": pred_contrib,
    "shap": shap,
    "fasttreeshap v1": fasttreeshap("v1"),
    "fasttreeshap v2": fasttreeshap("v2"),
    "woodelf": woodelf,
}


def main() -> None:
    name, folder, count, threads = sys.argv[1], Path(sys.argv[2]), int(sys.argv[3]), int(sys.argv[4])
    warnings.simplefilter("ignore")
    rows = np.load(folder / "rows.npy")[:count]
    members = [lightgbm.Booster(model_file=path) for path in sorted(folder.glob("member-*.txt"))]
    with contextlib.redirect_stdout(io.StringIO()):
        explainers = [PEERS[name](member, threads) for member in members]
        for explain in explainers:
            explain(rows[:WARM])
        started, spent = time.perf_counter(), time.process_time()
        values = np.mean([explain(rows) for explain in explainers], axis=0)
        seconds, cpu_seconds = time.perf_counter() - started, time.process_time() - spent
    np.save(folder / f"{name}.npy", values)
    print(json.dumps({"seconds": seconds, "cpu_seconds": cpu_seconds}))


if __name__ == "__main__":
    for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS"):
        assert os.environ.get(variable) == sys.argv[4], f"Set {variable} before the libraries are loaded."
    main()

"""Risk models on five public sets and the sample world, beside nine peers, against every bar of risk.

    BASIRA_SHARED_DATA=FOLDER python benchmarks/risk.py [--short] [--peer-python PYTHON] [--folder CACHE]
                                                        [--only PART ...]

FOLDER has risk/ with the sets; ../bench beside it has the peers' script, whose splits and models are used as they are.
PYTHON is an interpreter that has the peers (the extra `bench`); what they say of each test row is kept in CACHE,
outside the repository, and not made again: without either, nothing is held against them.

Every module of risk_parts with a function `lines` is a part; it is given what it asks for by name (`shared`, `folder`,
`peer_python`, `short`, `draws`). Prints the JSON lines of each part, then those of all bars once more.
"""

from __future__ import annotations

import argparse
import importlib
import inspect
import json
import os
import pkgutil
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks import risk_parts

THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS")
Part = Callable[..., Iterator[Mapping[str, Any]]]


def parts() -> dict[str, Part]:
    """Every part by name, in alphabetical order."""
    modules = {m.name: f"benchmarks.risk_parts.{m.name}" for m in pkgutil.iter_modules(risk_parts.__path__)}
    found = {name: getattr(importlib.import_module(path), "lines", None) for name, path in sorted(modules.items())}
    return {name: lines for name, lines in found.items() if lines is not None}


def rounded(told: Any) -> Any:
    """Figures as short as they are worth."""
    if isinstance(told, float):
        return float(f"{told:.5g}")
    if isinstance(told, Mapping):
        return {key: rounded(value) for key, value in told.items()}
    return told


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--short", action="store_true", help="fewer draws and no large models, a few minutes")
    parser.add_argument("--only", nargs="+", metavar="PART", help="parts to measure; all of them if left out")
    parser.add_argument("--peer-python", help="interpreter that has the peers")
    parser.add_argument("--folder", type=Path, help="where what the peers say is kept; default: a temporary folder")
    asked = parser.parse_args()
    named = os.environ.get("BASIRA_SHARED_DATA")
    if not named:
        print("Set BASIRA_SHARED_DATA to the folder that holds risk/; without it nothing is measured.", file=sys.stderr)
        return 0
    os.environ |= dict.fromkeys(THREADS, "1")
    every = parts()
    if unknown := set(asked.only or ()) - set(every):
        parser.error(f"no part {', '.join(sorted(unknown))}; parts: {', '.join(every)}")
    bars: list[Mapping[str, Any]] = []
    with tempfile.TemporaryDirectory() as temporary:
        given = {
            "shared": Path(named).resolve().parent,
            "folder": asked.folder or Path(temporary),
            "peer_python": asked.peer_python,
            "short": asked.short,
            "draws": 100 if asked.short else 1000,
        }
        for name in asked.only or every:
            wanted = inspect.signature(every[name]).parameters
            started = time.process_time()
            for line in every[name](**{key: value for key, value in given.items() if key in wanted}):
                print(json.dumps(rounded(line)), flush=True)
                bars += [line] if "bar" in line else []
            print(json.dumps({"part": name, "cpu_seconds": round(time.process_time() - started, 1)}), flush=True)
    for line in bars:
        print(json.dumps(rounded(line)))
    return 0 if all(line["met"] for line in bars) else 1


if __name__ == "__main__":
    sys.exit(main())

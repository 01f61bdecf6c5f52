"""The engine's batch door over a whole lake: Parquet in, Parquet out, by bucket, measured in a process of its own."""

from __future__ import annotations

import os
import resource
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from benchmarks.crossing_windows.declared import CATALOGUE, Crossings
from features.building import build


def measured(lake: Crossings, out: Path, warm: Crossings, workers: int) -> dict[str, Any]:
    """Answers for every crossing of the lake. Loading and compiling, done on the lake `warm` before, do not count."""
    build(warm.spine, CATALOGUE, warm, out / "warm", catalogue=CATALOGUE)
    with ThreadPoolExecutor(workers) as executor:
        began, spent = time.perf_counter(), time.process_time()
        parts = build(lake.spine, CATALOGUE, lake, out, catalogue=CATALOGUE, executor=executor)
        seconds, spent = time.perf_counter() - began, time.process_time() - spent
    # Linux counts kilobytes, macOS bytes.
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (2**20 if sys.platform == "darwin" else 2**10)
    told = {"seconds": seconds, "cpu_seconds": spent, "peak_mb": peak}
    return {"parts": parts, **told, "workers": workers, "buckets": lake.buckets, "cores": os.cpu_count()}

"""One engine of feature_peers.py, measured: python peers.py FEATURE_PEERS ENGINE FILE (--out FILE | --calls N)

Needs that engine and pyarrow, nothing of Basira, so that it runs in an environment of its own. Prints one JSON object.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import os
import resource
import sys
import time
from importlib.metadata import version
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.dataset  # or the first file read would pay for it
import pyarrow.parquet as pq


def engines(path: str) -> dict:
    """The peers' functions by name."""
    spec = importlib.util.spec_from_file_location("feature_peers", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.ENGINES


def batch(engine, path: Path, out: Path) -> dict:
    """`seconds_in_memory` is what the peer says of its own computation; `seconds` counts reading and writing too."""
    began, spent = time.perf_counter(), time.process_time()
    table = pq.read_table(path)
    reading = time.perf_counter() - began
    seconds, frame = engine(table)
    spent = time.process_time() - spent
    answer = pa.Table.from_pandas(frame, preserve_index=False)
    began = time.perf_counter()
    pq.write_table(answer, out)
    with_files = reading + seconds + time.perf_counter() - began
    return {"rows": table.num_rows, "seconds": with_files, "seconds_in_memory": seconds, "cpu_seconds": spent}


def live(engine, path: Path, calls: int) -> dict:
    """Milliseconds of many calls on one small table in memory, the first ones not counted."""
    table = pq.read_table(path).combine_chunks()
    took = [engine(table)[0] * 1e3 for _ in range(calls + 5)][5:]
    return {"rows": table.num_rows, "calls": calls, "median_ms": np.median(took), "p95_ms": np.quantile(took, 0.95)}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("feature_peers")
    parser.add_argument("engine")
    parser.add_argument("file", type=Path)
    how = parser.add_mutually_exclusive_group(required=True)
    how.add_argument("--out", type=Path, help="where the answers of one pass over the file go")
    how.add_argument("--calls", type=int, help="measure so many calls, as for a live answer")
    asked = parser.parse_args()
    engine = engines(asked.feature_peers)[asked.engine]
    told = live(engine, asked.file, asked.calls) if asked.calls else batch(engine, asked.file, asked.out)
    # Linux counts kilobytes, macOS bytes.
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (2**20 if sys.platform == "darwin" else 2**10)
    said = {"engine": asked.engine, "version": version(asked.engine), **told, "peak_mb": peak, "cores": os.cpu_count()}
    print(json.dumps({name: round(v, 4) if isinstance(v, float) else v for name, v in said.items()}))


if __name__ == "__main__":
    main()

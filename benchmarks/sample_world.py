"""How fast the sample world is made on one core, and in how much memory, Parquet and text supplies included.

Rows are those of `crossings`; seconds are processor seconds of all threads together, so that other work on the machine
does not count. Prints JSON lines, the bars last. `--short` makes a world of about 3 million crossings.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import sys
import tempfile
import time
from pathlib import Path

from records.sample import make_world

BARS = ("sample_rows_per_second", 300_000)


def main() -> None:
    """Make one warm-up world and one large one in a temporary folder."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--short", action="store_true", help="about 3 million crossings instead of 30 million")
    short = arguments.parse_args().short
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    with tempfile.TemporaryDirectory() as folder:
        make_world(Path(folder) / "warm", scale=0.05)
        wall, processor = time.perf_counter(), time.process_time()
        world = make_world(Path(folder) / "large", scale=10 if short else 100)
        wall, processor = time.perf_counter() - wall, time.process_time() - processor
        written = sum(path.stat().st_size for path in Path(folder).rglob("*") if path.is_file())
    rows = world.facts["rows"]["crossings"]
    # Linux counts kilobytes, macOS bytes.
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (1e9 if sys.platform == "darwin" else 1e6)
    print(
        json.dumps(
            {
                "parameters": world.facts["parameters"],
                "crossings": rows,
                "all_rows": sum(world.facts["rows"].values()),
                "processor_seconds": round(processor, 1),
                "wall_seconds": round(wall, 1),
                "peak_memory_gb": round(peak, 2),
                "written_gb": round(written / 1e9, 2),
            }
        )
    )
    bar, must = BARS
    value = round(rows / processor)
    print(json.dumps({"bar": bar, "value": value, "must": must, "met": value >= must}))


if __name__ == "__main__":
    main()

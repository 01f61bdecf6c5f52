"""How long `basira demo` takes after installation, in a fresh home: the same with --short, since it takes minutes."""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time

MUST = 300


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--short", action="store_true", help="changes nothing here")
    parser.parse_args()
    with tempfile.TemporaryDirectory() as home:
        start = time.perf_counter()
        subprocess.run(
            [sys.executable, "-m", "pipelines", "demo"],
            env={**os.environ, "BASIRA_HOME": home},
            check=True,
            stdout=subprocess.DEVNULL,
        )
        took = time.perf_counter() - start
    print(json.dumps({"bar": "demo_seconds", "value": round(took, 1), "must": f"<= {MUST}", "met": took <= MUST}))


if __name__ == "__main__":
    main()

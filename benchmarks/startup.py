"""How long a newcomer waits for help: every `basira … --help` in a fresh process, best of three."""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import time

from pipelines.cli import basira

MUST = 0.5


def seconds(arguments: list[str]) -> float:
    best = float("inf")
    for _ in range(3):
        start = time.perf_counter()
        subprocess.run([sys.executable, "-m", "pipelines", *arguments, "--help"], check=True, stdout=subprocess.DEVNULL)
        best = min(best, time.perf_counter() - start)
    return best


def main() -> None:
    argparse.ArgumentParser(description=__doc__).parse_known_args()
    import click

    context = click.Context(basira)
    slowest = 0.0
    for name in ["", *basira.list_commands(context)]:
        took = seconds([name] if name else [])
        slowest = max(slowest, took)
        print(json.dumps({"command": f"basira {name}".strip(), "seconds": round(took, 3)}))
    print(json.dumps({"bar": "help_seconds", "value": round(slowest, 3), "must": f"<= {MUST}", "met": slowest <= MUST}))


if __name__ == "__main__":
    main()

"""Run every benchmark and hold it against benchmarks/bars.toml.

    python benchmarks/run.py [--short] [--peer-python PYTHON]

Each script prints JSON lines and ends with one object per bar. A bar of bars.toml that nothing printed is missed.
PYTHON is an interpreter that has the peers, for the scripts that ask for one. Exits with 1 when a bar is missed.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tomllib
from pathlib import Path

HERE = Path(__file__).resolve().parent
NOT_BENCHMARKS = {"run.py"}


def bars_printed(script: Path, short: bool, peer_python: str | None) -> list[dict[str, object]]:
    command = [sys.executable, str(script), *(["--short"] if short else [])]
    if peer_python and '"--peer-python"' in script.read_text(encoding="utf-8"):
        command += ["--peer-python", peer_python]
    print(f"# {script.name}", file=sys.stderr, flush=True)
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, timeout=400 if short else 9000, check=False)
    sys.stdout.write(done.stdout)
    if done.returncode:
        print(f"{script.name} ended with {done.returncode}", file=sys.stderr)
    lines = [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]
    return [line for line in lines if "bar" in line]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--short", action="store_true", help="under 3 minutes a script")
    parser.add_argument("--peer-python", help="interpreter that has the peers")
    asked = parser.parse_args()
    wanted = tomllib.loads((HERE / "bars.toml").read_text())
    printed = {}
    for script in sorted(p for p in HERE.glob("*.py") if p.name not in NOT_BENCHMARKS):
        printed.update({str(bar["bar"]): bar for bar in bars_printed(script, asked.short, asked.peer_python)})
    missed = [name for name in wanted if not printed.get(name, {}).get("met")]
    for name, bar in wanted.items():
        result = printed.get(name)
        state = "not printed" if result is None else ("met" if result["met"] else "MISSED")
        print(f"{name:40} {result['value'] if result else '-':>14} must {bar['must']:<12} {state}", file=sys.stderr)
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())

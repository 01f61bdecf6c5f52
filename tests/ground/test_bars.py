"""Every bar says what is measured, by which script, and what must hold; every script belongs to a bar."""

import tomllib
from pathlib import Path

BENCHMARKS = Path(__file__).parents[2] / "benchmarks"
BARS = tomllib.loads((BENCHMARKS / "bars.toml").read_text())


def test_each_bar_is_whole():
    for name, bar in BARS.items():
        assert {"issue", "must", "script", "what"} == set(bar), name
        sign, bound = bar["must"].split()
        assert sign in {"<", "<=", ">", ">="}, name
        float(bound)


def test_each_script_prints_a_bar():
    scripts = {p.name for p in BENCHMARKS.glob("*.py")} - {"run.py"}
    assert scripts <= {bar["script"] for bar in BARS.values()}

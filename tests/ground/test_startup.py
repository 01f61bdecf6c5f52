"""Help answers at once: nothing heavy is imported before a command really runs."""

import subprocess
import sys

import click
import pytest

from pipelines.cli import basira

COMMANDS = ["", *basira.list_commands(click.Context(basira))]
HEAVY = ("prefect", "mlflow", "shap", "lightgbm", "pandas", "sklearn", "fastapi", "deltalake", "numba", "lmdb")


@pytest.mark.parametrize("name", COMMANDS)
def test_help_teaches_and_imports_nothing_heavy(name):
    program = f"""
import sys
sys.argv = ["basira", *{[name] if name else []!r}, "--help"]
from pipelines.cli import main
try:
    main()
except SystemExit as stop:
    assert stop.code == 0, stop.code
heavy = [m for m in {HEAVY!r} if m in sys.modules]
assert not heavy, heavy
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "Usage: basira" in done.stdout
    assert len(done.stdout.splitlines()) >= 6, "help that a newcomer can follow says more than its name"

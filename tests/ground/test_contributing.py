"""Every example of CONTRIBUTING.md works as written.

A fenced block says in its info string what becomes of it, in a copy of the house:

* `add=FILE`: a new file of that content;
* `append=FILE`: further lines at the end of a file;
* `insert=FILE before=LINE`: lines put before the only line that reads LINE, indented as it is;
* `check`: run, as Python or as shell, in the folder of the copy; it must succeed.

A block without one of these is only read.
"""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
import sys
import textwrap
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
HOUSE = ("records", "evidence", "features", "models", "risk_rules", "serving", "pipelines", "tests", "docs")


@dataclass(frozen=True)
class Block:
    """One fenced block: `asks` is its info string, words without a value standing for themselves."""

    language: str
    asks: Mapping[str, str]
    text: str


def examples(page: str) -> dict[str, list[Block]]:
    """Heading → its blocks that ask for something, from top to bottom."""
    found: dict[str, list[Block]] = {}
    for section in re.split(r"^## ", page, flags=re.M)[1:]:
        heading = section.splitlines()[0]
        for info, text in re.findall(r"^```(\S.*)\n((?:.*\n)*?)```$", section, flags=re.M):
            language, *words = shlex.split(info)
            if words:
                asks = {word.partition("=")[0]: word.partition("=")[2] for word in words}
                found.setdefault(heading, []).append(Block(language, asks, text))
    return found


EXAMPLES = examples((ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8"))


def places(heading: str) -> list[str]:
    """Files of the house that an example touches."""
    return [name for block in EXAMPLES[heading] for name in block.asks.values() if name.split("/")[0] in HOUSE]


@pytest.fixture
def house(tmp_path: Path) -> Path:
    """A copy of the rooms, their tests and pages."""
    copy = tmp_path / "house"
    for name in HOUSE:
        shutil.copytree(ROOT / name, copy / name, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "pyproject.toml", copy)
    return copy


def put(block: Block, house: Path) -> None:
    match dict(block.asks):
        case {"add": name}:
            assert not (house / name).exists(), f"{name} is there already"
            (house / name).write_text(block.text, encoding="utf-8")
        case {"append": name}:
            before = (house / name).read_text(encoding="utf-8")
            (house / name).write_text(f"{before}\n\n{block.text}", encoding="utf-8")
        case {"insert": name, "before": line}:
            lines = (house / name).read_text(encoding="utf-8").splitlines(keepends=True)
            [place] = [n for n, there in enumerate(lines) if there.strip() == line]
            indent = lines[place][: -len(lines[place].lstrip())]
            lines.insert(place, textwrap.indent(block.text, indent))
            (house / name).write_text("".join(lines), encoding="utf-8")
        case {"check": _}:
            assert_holds(block, house)
        case unknown:
            raise AssertionError(f"what is to become of a block that asks {unknown}?")


def assert_holds(block: Block, house: Path) -> None:
    said = run(block, house)
    assert said.returncode == 0, f"{block.text}\n{said.stdout}\n{said.stderr}"


def run(block: Block, house: Path) -> subprocess.CompletedProcess[str]:
    """The block in a process of its own, in which the rooms are those of the copy and `basira` their command line."""
    python = Path(sys.executable)
    environ = {name: value for name, value in os.environ.items() if not name.startswith(("BASIRA_", "PYTEST_"))}
    environ |= {
        "PATH": f"{python.parent}{os.pathsep}{environ.get('PATH', '')}",
        "PYTHONPATH": str(house),
        "NUMBA_DISABLE_JIT": "1",  # small histories: compiling the kernels of each copy would take longer than they run
    }
    shell = f'set -e\nbasira() {{ {shlex.quote(str(python))} -m pipelines "$@"; }}\n{block.text}'
    command = {"python": [str(python), "-c", block.text], "sh": ["sh", "-c", shell]}[block.language]
    return subprocess.run(command, cwd=house, env=environ, capture_output=True, text=True, check=False)


def test_each_of_the_five_is_shown() -> None:
    assert list(EXAMPLES) == ["A feature", "A rule", "A table column", "A metric", "A mitigation"]
    for heading, blocks in EXAMPLES.items():
        assert len(places(heading)) == 1, f"{heading} touches one place of the house, not {places(heading)}"
        assert any("check" in block.asks for block in blocks), f"{heading} is checked"


@pytest.mark.parametrize("heading", EXAMPLES)
def test_an_example_works_as_written(heading: str, house: Path) -> None:
    for block in EXAMPLES[heading]:
        put(block, house)
    for place in places(heading):
        if place.endswith(".py"):
            styled = f"python -m ruff check {place}\npython -m ruff format --check {place}"
            assert_holds(Block("sh", {"check": ""}, styled), house)


BESIDE_OTHERS = """
from features.crossings import frequency
from features.declaration import derived

GROUP = "frequency"

entries_beside_the_most_asked_about = derived(
    lambda entries: entries / entries.max(),
    frequency.entries_last_90_days,
    doc="Depends on who else is asked about, and on somebody being asked about.",
    unit="share",
    texts={"ar": "النسبة: {value}", "fr": "Part : {value}", "en": "Share: {value}"},
)
"""


def test_a_feature_that_breaks_a_promise_is_caught_unasked(house: Path) -> None:
    put(Block("python", {"add": "features/crossings/beside.py"}, BESIDE_OTHERS), house)
    promises = "pytest -q tests/features/test_promises.py -k 'no_rows and crossing'"
    said = run(Block("sh", {"check": ""}, promises), house)
    assert said.returncode == 1, said.stderr
    assert "features/crossings/beside.py" in said.stdout

"""A house in which the main job has run once, on the tiny sample world: lake, models, forecasts, assessments."""

from __future__ import annotations

import fcntl
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from pipelines.steps.ingesting import ingest_world
from records.lake import Lake
from records.sample import World
from records.settings import Settings, quiet_dependencies, settings

PROGRAM = """
import json, sys
from pathlib import Path
from records.settings import quiet_dependencies, settings
place = settings()
quiet_dependencies(place)
from pipelines.demo import run_demo
told = {"demo": run_demo(place, scale=0.12, seed=7, lang="en")}
from pipelines.flows import FLOWS, run_flow
for name in FLOWS:
    if name != "everything":
        told[name] = run_flow(name, str(place.home / "world"), str(place.home))
json.dump(told, open(place.home / "told.json", "w"))
"""


@pytest.fixture(scope="session", autouse=True)
def _quiet(tmp_path_factory: pytest.TempPathFactory) -> None:
    """No dependency calls home, and none writes into a developer's own folders."""
    quiet_dependencies(settings(tmp_path_factory.mktemp("elsewhere")))


@pytest.fixture(scope="session")
def small_home(tmp_path_factory: pytest.TempPathFactory, small_world: World) -> Settings:
    """The tiny world, taken in, with two buckets of persons. Read it; tests that write make their own."""
    place = settings(tmp_path_factory.mktemp("home"), {"BASIRA_BUCKETS": "2"})
    ingest_world(place, small_world.folder)
    return place


@pytest.fixture(scope="session")
def small_lake(small_home: Settings) -> Lake:
    return Lake.open(small_home.lake)


@pytest.fixture(scope="session")
def main_job(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """What the demonstration and then each flow said, by name, and under `home` where it ran.

    One process, every flow, with every address but loopback blocked. Its world is the smallest that has findings enough
    for both models; two buckets of persons, since every bucket costs the same time however few live in it.
    """
    base = tmp_path_factory.getbasetemp()
    home = (base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / "main-job"
    with home.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # one worker makes it, the others wait for it
        if not (home / "told.json").exists():
            _run(home)
    told: dict[str, str] = json.loads((home / "told.json").read_text(encoding="utf-8"))
    return told | {"home": str(home)}


def _run(home: Path) -> None:
    alone = ["unshare", "--net"] if os.geteuid() == 0 else ["unshare", "--map-root-user", "--net"]
    done = subprocess.run(
        [*alone, "sh", "-c", 'ip link set lo up && exec "$0" -c "$1"', sys.executable, PROGRAM],
        env={**os.environ, "BASIRA_HOME": str(home), "BASIRA_BUCKETS": "2"},
        capture_output=True,
        text=True,
        timeout=1800,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-4000:]


@pytest.fixture(scope="session")
def small_run(main_job: dict[str, str]) -> Settings:
    """The home in which the main job has run: both models trained and champions, days ahead forecast, the newest day
    assessed. Read it; tests that write make a copy."""
    return settings(Path(main_job["home"]), {"BASIRA_BUCKETS": "2"})

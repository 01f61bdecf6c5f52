"""A house in which the main job has run once, on the tiny sample world: lake, models, forecasts, assessments."""

from __future__ import annotations

import pytest

from pipelines.steps.ingesting import ingest_world
from records.lake import Lake
from records.sample import World
from records.settings import Settings, quiet_dependencies, settings


@pytest.fixture(scope="session", autouse=True)
def _quiet(tmp_path_factory: pytest.TempPathFactory) -> None:
    """No dependency calls home, and none writes into a developer's own folders."""
    quiet_dependencies(settings(tmp_path_factory.mktemp("elsewhere")))


@pytest.fixture(scope="session")
def small_home(tmp_path_factory: pytest.TempPathFactory, small_world: World) -> Settings:
    """The tiny world, taken in. Read it; tests that write make their own."""
    place = settings(tmp_path_factory.mktemp("home"), {})
    ingest_world(place, small_world.folder)
    return place


@pytest.fixture(scope="session")
def small_lake(small_home: Settings) -> Lake:
    return Lake.open(small_home.lake)

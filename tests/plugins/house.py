"""A house in which the main job has run once, on the tiny sample world: lake, models, forecasts, assessments."""

from __future__ import annotations

import warnings

import pytest

from pipelines.steps.ingesting import ingest_world
from records.lake import Lake
from records.sample import World, make_world
from records.settings import Settings, quiet_dependencies, settings


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
def small_run(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """A home in which the main job has run: both models trained, days ahead forecast, the newest day assessed.

    Its world is the smallest that has findings enough for both models. Two buckets of persons, since every bucket costs
    the same time however few live in it.
    """
    from pipelines.steps.assessing import assess_day
    from pipelines.steps.forecasting import forecast_volumes
    from pipelines.steps.training import train_model
    from risk_rules.rule import PURPOSES

    world = make_world(tmp_path_factory.mktemp("run-sample") / "world", scale=0.12)
    place = settings(tmp_path_factory.mktemp("run-home"), {"BASIRA_BUCKETS": "2"})
    ingest_world(place, world.folder)
    with warnings.catch_warnings():
        # MLflow's store uses what SQLAlchemy and Alembic have deprecated; our own code is tested without this.
        warnings.simplefilter("ignore", DeprecationWarning)
        warnings.simplefilter("ignore", FutureWarning)
        for name in PURPOSES:
            outcome = train_model(place, name, _unheard)
            assert outcome.champion, [gate for gate in outcome.gates if not gate.passed]
        forecast_volumes(place, _unheard)
    for purpose in PURPOSES:
        assess_day(place, purpose, _unheard)
    return place


def _unheard(_: str) -> None:
    """Steps say how far they are; a test does not listen."""

"""Fixtures that several rooms' tests share."""

import os
from pathlib import Path

import pytest
from hypothesis import settings

# As the command line does, before anything imports NumPy.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

# A busy machine is no reason to fail: speed is measured by the benchmarks, not by tests.
settings.register_profile("basira", deadline=None)
settings.load_profile("basira")


@pytest.hookimpl(tryfirst=True)  # before the workers read the marks
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """A file stays on one worker, and so do all that read the run of the main job: one worker makes it, once."""
    for item in items:
        made = "small_run" in getattr(item, "fixturenames", ())
        item.add_marker(pytest.mark.xdist_group("small_run" if made else item.nodeid.split("::")[0]))


pytest_plugins = ["tests.plugins.postgres", "tests.plugins.sample_world", "tests.plugins.house"]


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """Folder with public evaluation data that is not part of the repository (`forecasting/`, `risk/`)."""
    named = os.environ.get("BASIRA_SHARED_DATA")
    if not named:
        pytest.skip("needs public evaluation data: set BASIRA_SHARED_DATA to the folder with forecasting/ and risk/")
    return Path(named)

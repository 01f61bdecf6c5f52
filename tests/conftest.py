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

pytest_plugins = ["tests.plugins.postgres", "tests.plugins.sample_world", "tests.plugins.house"]


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """Folder with public evaluation data that is not part of the repository (`forecasting/`, `risk/`)."""
    named = os.environ.get("BASIRA_SHARED_DATA")
    if not named:
        pytest.skip("needs public evaluation data: set BASIRA_SHARED_DATA to the folder with forecasting/ and risk/")
    return Path(named)

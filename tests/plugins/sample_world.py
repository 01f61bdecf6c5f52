"""A tiny sample world, made once per test session: about 15,000 crossings over three years."""

from __future__ import annotations

import pytest

from records.sample import World, make_world


@pytest.fixture(scope="session")
def small_world(tmp_path_factory: pytest.TempPathFactory) -> World:
    """A sample world on disk; read it, never write into its folder."""
    return make_world(tmp_path_factory.mktemp("sample") / "world", scale=0.05)

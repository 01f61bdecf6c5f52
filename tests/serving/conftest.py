"""A small house to serve from: real rulebook and catalogue, a tiny model, named accounts."""

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import pytest
import sqlalchemy as sa
from argon2 import PasswordHasher

from models.risk.model import RiskModel
from records.settings import Settings, settings
from risk_rules.protection import Protection
from risk_rules.rulebook import Rulebook
from serving import accounts, store
from tests.serving.published_run import publish
from tests.serving.small_model import small_model

with warnings.catch_warnings():
    # Starlette asks for a successor of httpx that the lock does not hold; the client works the same with httpx.
    warnings.simplefilter("ignore")
    from fastapi.testclient import TestClient


@pytest.fixture(autouse=True, scope="session")
def quick_passwords():
    """Argon2 at its cheapest: these tests hash often and guard nothing."""
    quick = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(accounts, "_hasher", lambda: quick)
        yield


@pytest.fixture(scope="session")
def rulebook() -> Rulebook:
    return Rulebook.load(on=date(2026, 3, 2))


@pytest.fixture(scope="session")
def protection() -> Protection:
    return Protection.load()


@pytest.fixture(scope="session")
def model() -> RiskModel:
    return small_model()


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request, tmp_path: Path) -> str:
    return (
        f"sqlite:///{tmp_path / 'casework.db'}"
        if request.param == "sqlite"
        else request.getfixturevalue("postgres_url")
    )


@pytest.fixture
def engine(database_url):
    made = store.connect(database_url)
    store.create(made)
    yield made
    made.dispose()


@dataclass(frozen=True)
class Installation:
    """One demo installation: its settings, and a password per role."""

    settings: Settings
    engine: sa.Engine
    passwords: dict[str, str]

    def token(self, role: str) -> str:
        return accounts.sign_in(self.engine, role, self.passwords[role]).token

    def bearer(self, role: str) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.token(role)}"}


@contextmanager
def installed(folder: Path, lake: Path | None = None) -> Iterator[Installation]:
    """A new installation below `folder`, over an existing lake if one is named."""
    chosen = settings(folder / "home", environ={}, working_folder=folder)
    chosen.home.mkdir()
    if lake:
        chosen.lake.symlink_to(lake)
    engine = store.connect(chosen.database_url)
    store.create(engine)
    yield Installation(chosen, engine, accounts.demo_accounts(engine, chosen.keys))
    engine.dispose()


@pytest.fixture
def installation(tmp_path):
    with installed(tmp_path) as made:
        yield made


@pytest.fixture(scope="module")
def lasting_installation(tmp_path_factory, quick_passwords):
    """One installation for a whole module that only looks at it."""
    with installed(tmp_path_factory.mktemp("installation")) as made:
        yield made


@pytest.fixture
def client(installation):
    from serving.api import create_app

    app = create_app(installation.settings)
    with TestClient(app, base_url="http://basira.test", follow_redirects=False) as made:
        yield made
    app.state.house.engine.dispose()


@pytest.fixture
def enter(client, installation):
    """Signs one role in by the page's form, in one language."""

    def as_role(role, code="en"):
        client.cookies.clear()
        client.cookies.set("basira_language", code)
        answer = client.post("/sign-in", data={"name": role, "password": installation.passwords[role]})
        assert answer.status_code == 303, answer.text
        return client

    return as_role


@pytest.fixture
def run(installation):
    """A run of forecasts that the installation has published."""
    return publish(installation.settings.home)

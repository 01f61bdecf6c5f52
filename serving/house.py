"""What one running server stands on: settings, store, and today's rulebook and champions."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from functools import lru_cache
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import sqlalchemy as sa

from features.state import State
from models.risk.model import RiskModel
from records.errors import BadInput
from records.lake import Lake
from records.reception import example_gates
from records.settings import Mode, Settings
from risk_rules.kept import keep, kept
from risk_rules.protection import Protection
from risk_rules.rule import PURPOSES
from risk_rules.rulebook import HERE, Rulebook
from serving import accounts, readiness, store
from serving.champions import champions


@dataclass(frozen=True)
class House:
    """One server's belongings. Rulebook and models are read from disk once per day and once per content hash."""

    settings: Settings
    engine: sa.Engine = field(repr=False)

    @property
    def today(self) -> date:
        return self.day(datetime.now(UTC))

    def day(self, moment: datetime) -> date:
        """The day of a stored instant where the house stands."""
        return store.in_utc(moment).astimezone(ZoneInfo(self.settings.zone)).date()

    @property
    def rulebook(self) -> Rulebook:
        book = _rulebook(HERE, self.today)
        if not (self.settings.rulebooks / book.hash).is_dir():
            keep(self.settings.rulebooks)  # so that what it says today can be asked again once it was changed
        return book

    @property
    def protection(self) -> Protection:
        return _protection(HERE)

    @property
    def state(self) -> State:
        return _state(self.settings.state)

    def champion(self, purpose: str) -> RiskModel | None:
        """The model the journal names champion for `purpose`; None while there is none."""
        with self.engine.connect() as connection:
            named = champions(connection).get(purpose)
        return None if named is None else _model(self.settings.models, named.model)

    def model(self, hash: str) -> RiskModel:
        """The model `hash`, champion or not. BadInput if it is not here, or was changed."""
        return _model(self.settings.models, hash)

    def rules_then(self, hash: str, on: date) -> tuple[Rulebook, Protection]:
        """The rulebook `hash` as of the day `on`, and its signs. BadInput if it was not kept, or was changed."""
        folder = kept(self.settings.rulebooks, hash)
        return _rulebook(folder, on), _protection(folder)

    def ready(self) -> None:
        """Load the champions and what explains them, compiling it where it never was, before anybody waits for it."""
        for purpose in PURPOSES:
            if model := self.champion(purpose):
                model.ready()

    def lacks(self) -> list[str]:
        """What production lacks here, one sentence each."""
        with self.engine.connect() as connection:
            demo = accounts.has_demo_accounts(connection)
            named = champions(connection)
        signs = tuple(sign.id for sign in self.protection.signs if sign.example)
        standing = readiness.Standing(
            charter=readiness.charter(self.settings.home),
            examples=(*self.rulebook.examples, *signs, *example_gates()),
            champions={purpose: champion.learnt_from for purpose, champion in named.items()},
            demo_accounts=demo,
            default_secrets=_default_secrets(self.settings),
            shared_account=_shares_account(self.settings),
        )
        return readiness.lacks(standing)

    @property
    def in_production(self) -> bool:
        return self.settings.mode is Mode.PRODUCTION

    @property
    def audit_vault_url(self) -> str:
        """Where the audit opens the vault. BadInput in production by the account that takes records in."""
        if self.in_production and _shares_account(self.settings):
            raise BadInput(readiness.SHARED_ACCOUNT)
        return self.settings.audit_vault_url

    def live_behind(self) -> int | None:
        """How many batches of records live answers do not rest on yet; None where nothing can be answered live yet."""
        if not self.settings.lake.is_dir():
            return 0
        return None if self.state.said is None else self.state.behind(Lake.open(self.settings.lake))

    def health(self) -> dict[str, Any]:
        """Mode, what assesses, and how far pages and live answers are behind the lake. Nothing about persons."""
        with self.engine.connect() as connection:
            days = {kind: store.newest_day(connection, kind) for kind in PURPOSES.values()}
            behind = store.newest_versions(connection)
            named = champions(connection)
        return {
            "status": "ok",
            "mode": self.settings.mode.value,
            "models": {purpose: champion.model for purpose, champion in named.items()},
            "rulebook": self.rulebook.hash,
            "newest_day": {kind: day.isoformat() if day else None for kind, day in days.items()},
            "lag": _lag(self.settings.lake, behind),
            "live_behind": self.live_behind(),
        }


def open_house(settings: Settings) -> House:
    """The house of `settings`, its store created where it is missing."""
    settings.home.mkdir(parents=True, exist_ok=True)
    engine = store.connect(settings.database_url)
    store.create(engine)
    return House(settings, engine)


def _lag(lake: Path, assessed: Mapping[str, int]) -> dict[str, int]:
    """Table to versions that the newest stored assessment has not seen; empty before there is a lake."""
    if not lake.is_dir() or not assessed:
        return {}
    now = Lake.open(lake).input_versions()
    return {name: version - assessed.get(name, 0) for name, version in now.items() if version > assessed.get(name, 0)}


def _default_secrets(settings: Settings) -> tuple[str, ...]:
    """Names of secrets that anyone would try first. Keys and tokens are random from their first use."""
    names = ("database_url", "vault_url", "audit_vault_url")
    passwords = {name: sa.make_url(getattr(settings, name)).password for name in names}
    return tuple(name for name, password in passwords.items() if password is not None and password in _TRIED_FIRST)


def _shares_account(settings: Settings) -> bool:
    """Whether the audit reads the vault by the account that takes records in, as far as the addresses tell.

    One server has many names, so the accounts' names must differ. SQLite has no accounts: there the same file is opened
    to read only.
    """
    addresses = [sa.make_url(url) for url in (settings.vault_url, settings.audit_vault_url)]
    ingest, audit = (address.query.get("user", address.username) for address in addresses)
    return addresses[0].get_backend_name() != "sqlite" and (not ingest or not audit or ingest == audit)


_TRIED_FIRST = frozenset({"", "postgres", "password", "basira", "admin", "secret", "changeme", "123456"})


@lru_cache(maxsize=8)
def _rulebook(folder: Path, on: date) -> Rulebook:
    return Rulebook.load(folder, on=on)


@lru_cache(maxsize=8)
def _state(folder: Path) -> State:
    return State.open(folder)


@lru_cache(maxsize=8)
def _protection(folder: Path) -> Protection:
    return Protection.load(folder)


@lru_cache(maxsize=8)
def _model(models: Path, hash: str) -> RiskModel:
    return RiskModel.load(models / hash)

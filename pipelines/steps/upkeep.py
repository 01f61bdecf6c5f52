"""Keeping house: fewer files, and nothing beyond its retention."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from pipelines.steps.catching_up import catch_up
from records.errors import BadInput
from records.lake import Lake
from records.reception import reception
from records.retirement import Retirement
from records.settings import Settings
from records.tables import table
from serving.accounts import engine_actor
from serving.house import open_house
from serving.retirement import CaseworkRetired, retire_casework
from serving.store import writing

Say = Callable[[str], None]


@dataclass(frozen=True)
class Retired:
    """What went from lake and vault, and from casework and journal."""

    records: Retirement
    casework: CaseworkRetired


def compact(settings: Settings) -> dict[str, int]:
    """Bring the lake's files together; files fewer, by table."""
    return Lake.open(settings.lake).compact()


def retire(settings: Settings, say: Say, now: datetime | None = None) -> Retired:
    """Delete what is past its retention at `now`, everywhere. Casework is kept as long as the table `selections`; the
    live state is made anew where rows went from the lake."""
    at = now or datetime.now(UTC)
    days = table("selections").retention_days
    if days is None:
        raise BadInput("Table 'selections' declares no retention, so casework would never go. Declare one.")
    house = open_house(settings)
    actor = engine_actor(house.engine, settings.keys)
    with writing(house.engine) as connection:
        casework = retire_casework(connection, actor, at - timedelta(days=days), now=at)
    records = reception(settings).retire(at)
    catch_up(settings, say)
    return Retired(records, casework)

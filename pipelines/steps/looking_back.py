"""How published runs did on the counts that have come since."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from zoneinfo import ZoneInfo

from models.volumes.lake.flows import lake_flows
from models.volumes.publishing.nightly import daily_actual
from models.volumes.publishing.published import Run, runs
from pipelines.steps.forecasting import JUDGED_RUNS, Did, did
from pipelines.steps.moments import known_until
from records.errors import BadInput
from records.lake import Lake
from records.settings import Settings


def recent_runs(settings: Settings) -> list[Did]:
    """The last runs by level, on all days that have come since. BadInput where none has."""
    return _judged(settings, runs(settings.home / "volumes")[-JUDGED_RUNS:], None)


def months_run(settings: Settings, month: str) -> list[Did]:
    """One month (YYYY-MM) by the last run that knew nothing of it. BadInput where there is none, or no count yet."""
    try:
        begin = datetime.strptime(month, "%Y-%m").replace(tzinfo=ZoneInfo(settings.zone))
    except ValueError:
        raise BadInput(f"{month!r} is no month. Write it as 2026-07.") from None
    made = [(run.card().as_of, run) for run in runs(settings.home / "volumes")]
    before = [run for as_of, run in made if as_of < begin]
    if not before:
        said = f"the earliest knew the lake until {made[0][0]:%Y-%m-%d}" if made else "none is published yet"
        raise BadInput(f"No run stood before {month}: {said}. Choose a later month.")
    end = begin.replace(year=begin.year + begin.month // 12, month=begin.month % 12 + 1)
    return _judged(settings, before[-1:], (f"{begin:%Y-%m-%d}", f"{end:%Y-%m-%d}"))


def _judged(settings: Settings, made: Sequence[Run], days: tuple[str, str] | None) -> list[Did]:
    if not made:
        raise BadInput("No forecast has been published yet. Make one with `basira volumes nightly`.")
    lake = Lake.open(settings.lake)
    told = did(made, daily_actual(lake_flows(lake, known_until(lake), settings.zone, hours=24)), days)
    if not told:
        raise BadInput("None of the forecast days has a count yet, so nothing can be said about how it did.")
    return told

"""The running day and month, told anew from what the lake knows now: between two nightly runs, as often as wanted."""

from __future__ import annotations

from datetime import UTC, datetime

import pyarrow as pa

from models.volumes.lake.flows import lake_flows
from models.volumes.publishing.published import newest, write_nowcast
from models.volumes.publishing.running import running
from pipelines.steps.moments import known_until
from records.lake import Lake
from records.settings import Settings


def tell_running(settings: Settings) -> pa.Table:
    """Publish the nowcast of every node of the newest run. BadInput where no run reaches the day that is running."""
    lake, published = Lake.open(settings.lake), settings.home / "volumes"
    told = running(newest(published), lake_flows(lake, known_until(lake), settings.zone))
    write_nowcast(published, datetime.now(UTC), told)
    return told

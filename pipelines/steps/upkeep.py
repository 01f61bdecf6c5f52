"""Keeping house: fewer files, nothing beyond its retention."""

from __future__ import annotations

from datetime import UTC, datetime

from records.lake import Lake
from records.reception import reception
from records.retirement import Retirement
from records.settings import Settings


def compact(settings: Settings) -> dict[str, int]:
    """Bring the lake's files together; files fewer, by table."""
    return Lake.open(settings.lake).compact()


def retire(settings: Settings) -> Retirement:
    """Delete what is past its retention now, from lake and vault."""
    return reception(settings).retire(datetime.now(UTC))

"""The live state follows the lake: whatever commits to the lake ends with this step."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from features.state import State
from records.lake import Lake
from records.settings import Settings

Say = Callable[[str], None]


@dataclass(frozen=True)
class Standing:
    """How far the live state is: `behind` batches, with versions of rows by table (None: not made yet) on disk."""

    folder: Path
    behind: int
    rows: Mapping[str, int] | None
    bytes: int


def catch_up(settings: Settings, say: Say) -> int:
    """Bring in what was committed since; versions of rows that came in. Cheap where there is nothing new."""
    return State.open(settings.state).catch_up(Lake.open(settings.lake), say)


def make_anew(settings: Settings, say: Say) -> int:
    """Make the live state anew from the lake; versions of rows in it."""
    return State.open(settings.state).rebuild(Lake.open(settings.lake), say)


def standing(settings: Settings) -> Standing:
    """How far the live state is now. BadInput where there is no lake."""
    state = State.open(settings.state)
    behind = state.behind(Lake.open(settings.lake))
    files = [path.stat().st_size for path in settings.state.rglob("*") if path.is_file()]
    return Standing(settings.state, behind, None if state.said is None else state.said.sizes, sum(files))

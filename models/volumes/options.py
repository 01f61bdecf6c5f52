"""What a forecast or backtest is asked for: plain values, from the command line or from a folds file."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from models.volumes.rhythm import rhythm_of, steps
from records.errors import BadInput


@dataclass(frozen=True)
class Options:
    """`cutoffs` are named moments, or else `folds` of them, `step` apart, are counted back from the end of the table.

    hierarchy  columns that the trees see as categories
    levels     paths of columns, as in "mode > post": every node on them and the total is forecast too, and all add up
    start  counts before it are not used
    hist   most steps of history before a cutoff, None for as many as the rhythm looks at
    season season of the naive error that scales MASE, None for the rhythm's own
    """

    freq: str
    horizon: int
    folds: int = 1
    step: int | None = None
    cutoffs: tuple[str, ...] = ()
    series: tuple[str, ...] = ()
    holidays: tuple[str, ...] = ()
    hierarchy: tuple[str, ...] = ()
    known_ahead: tuple[str, ...] = ()
    levels: tuple[str, ...] = ()
    start: str | None = None
    hist: int | None = None
    season: int | None = None

    def __post_init__(self) -> None:
        rhythm_of(self.freq)
        object.__setattr__(self, "holidays", tuple(code.strip().upper() for code in self.holidays))
        for name in ("horizon", "folds", "step", "hist", "season"):
            value = getattr(self, name)
            if value is not None and value < 1:
                raise BadInput(f"{name} must be at least 1, not {value}.")

    def naming(
        self, holidays: Sequence[str] = (), hierarchy: Sequence[str] = (), known_ahead: Sequence[str] = ()
    ) -> "Options":
        """The same options with the countries and columns that the command line names, where it names any."""
        return replace(
            self,
            holidays=tuple(holidays) or self.holidays,
            hierarchy=tuple(hierarchy) or self.hierarchy,
            known_ahead=tuple(known_ahead) or self.known_ahead,
        )

    def cutoff_steps(self, end: int) -> list[int]:
        """Cutoffs as steps, ascending: the named ones, or those counted back from the step `end`."""
        rhythm = rhythm_of(self.freq)
        if self.cutoffs:
            named = np.array([_clock(cutoff) for cutoff in self.cutoffs], "datetime64[us]")
            return sorted({int(step) for step in steps(named, rhythm)})
        apart = self.step or self.horizon
        return [end - self.horizon - i * apart for i in range(self.folds)][::-1]


def options_from_folds(folds: Path | str | Mapping[str, Any]) -> Options:
    """Options from a folds file: preset.freq, preset.h, unique_ids, cutoffs; preset.start, hist and season; and the
    lists holidays, hierarchy, known_ahead and levels. BadInput where one is missing or is not what it should be."""
    if not isinstance(folds, Mapping):
        path = Path(folds)
        try:
            folds = json.loads(path.read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            raise BadInput(f"{path} cannot be read as a folds file: {error}") from error
    if not isinstance(folds, Mapping):
        raise BadInput("A folds file is a JSON object with the keys preset, unique_ids and cutoffs.")
    preset = folds.get("preset")
    if not isinstance(preset, Mapping) or "freq" not in preset or "h" not in preset or not folds.get("cutoffs"):
        raise BadInput("A folds file needs preset.freq, preset.h and cutoffs; this one lacks some of them.")
    try:
        return Options(
            freq=str(preset["freq"]),
            horizon=int(preset["h"]),
            cutoffs=_names(folds, "cutoffs"),
            series=tuple(map(str, folds.get("unique_ids") or ())),
            holidays=_names(folds, "holidays"),
            hierarchy=_names(folds, "hierarchy"),
            known_ahead=_names(folds, "known_ahead"),
            levels=_names(folds, "levels"),
            start=str(preset["start"]) if preset.get("start") else None,
            hist=int(preset["hist"]) if preset.get("hist") else None,
            season=int(preset["season"]) if preset.get("season") else None,
        )
    except (TypeError, ValueError) as error:
        raise BadInput(f"A value of the folds file is not what it should be: {error}") from error


def _clock(cutoff: str) -> np.datetime64:
    """A cutoff as clocks show it, without its zone: the table's dates are read the same way."""
    try:
        moment = pd.Timestamp(cutoff)
    except ValueError as error:
        raise BadInput(f"Cutoffs must be dates such as 2024-05-01: {error}") from error
    if pd.isna(moment):
        raise BadInput(f"Cutoffs must be dates such as 2024-05-01, not {cutoff!r}.")
    return moment.tz_localize(None).to_datetime64()


def _names(folds: Mapping[str, Any], key: str) -> tuple[str, ...]:
    value = folds.get(key) or ()
    return tuple(part.strip() for part in value.split(",")) if isinstance(value, str) else tuple(map(str, value))

"""Forecasts of one day as rows of a page: words, and bars on one common scale."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from serving.languages import Language
from serving.places import name_of
from serving.store import Forecast

LOW, HIGH = "0.1", "0.9"  # the ends of the 80% range


@dataclass(frozen=True)
class Range:
    """One post and direction. `start`, `width`, `at` place the bar and its middle, in percent of the scale."""

    place: str
    direction: str
    mean: str
    between: str
    start: float
    width: float
    at: float


def ranges(forecasts: Sequence[Forecast], language: Language) -> list[Range]:
    """The forecasts as rows, the busiest post first, entries and exits of a post together."""
    busiest: dict[str, float] = {}
    for f in forecasts:
        busiest[f.place] = busiest.get(f.place, 0.0) + f.mean
    top = max((f.quantiles[HIGH] for f in forecasts), default=0.0) or 1.0
    ordered = sorted(forecasts, key=lambda f: (-busiest[f.place], f.place, f.direction))
    return [_range(f, 100 / top, language) for f in ordered]


def _range(forecast: Forecast, percent: float, language: Language) -> Range:
    low, high = (max(0.0, forecast.quantiles[q]) for q in (LOW, HIGH))
    return Range(
        place=name_of(forecast.place, "post", language),
        direction=language.say(f"word.{forecast.direction}"),
        mean=language.number(forecast.mean, decimals=1 if forecast.mean < 10 else 0),
        between=language.say(
            "forecasts.between", low=language.number(low, decimals=0), high=language.number(high, decimals=0)
        ),
        start=round(low * percent, 2),
        width=round(max((high - low) * percent, 0.4), 2),
        at=round(forecast.mean * percent, 2),
    )

"""What moved a forecast: its median as a sum of recent level, season, holidays, trend and what is known ahead.

The trees add to a start that is itself a sum (what is usual for that weekday or hour, and what a feast made of it), so
each part is the start's and the trees' own, in their additive shares (SHAP values), times the level that scales the
target. What the other members of the pool change is a part of its own. The parts of a step sum to its forecast.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Final

import numpy as np

from models.volumes.history import History
from models.volumes.rhythm import MEDIAN
from models.volumes.trees import DEFAULT, Growth, forecast_rows, grow, inputs, matrix, trees

PARTS: Final[Mapping[str, Mapping[str, str]]] = MappingProxyType(
    {
        "level": {"ar": "المستوى الأخير", "fr": "Niveau récent", "en": "Recent level"},
        "season": {"ar": "الموسم", "fr": "Saison", "en": "Season"},
        "holiday": {"ar": "العطل والأعياد", "fr": "Fêtes et jours fériés", "en": "Holidays"},
        "trend": {"ar": "الاتجاه الأخير", "fr": "Tendance récente", "en": "Recent trend"},
        "ahead": {"ar": "البرنامج المعلن مسبقا", "fr": "Programme connu d'avance", "en": "Schedule known ahead"},
        "others": {"ar": "النماذج الأخرى", "fr": "Autres modèles", "en": "Other models"},
    }
)
_EXPECTED: Final[Mapping[str, str]] = MappingProxyType(
    {"ar": "المتوقع {count}: {parts}", "fr": "Attendu {count} : {parts}", "en": "Expected {count}: {parts}"}
)
_COMMA: Final[Mapping[str, str]] = MappingProxyType({"ar": "، ", "fr": ", ", "en": ", "})
_THOUSANDS: Final[Mapping[str, str]] = MappingProxyType({"ar": ".", "fr": "\u202f", "en": ","})
SAID_FROM = 0.01
"""Share of the forecast from which a part is said; smaller ones stay in the picture."""

_HOLIDAY = ("holiday", "run_", "days_", "feast", "hijri", "off_", "school_", "ferry_", "ramadan", "fitr", "adha")
_SEASON = ("season_", "short_", "profile", "weekday", "hour", "month", "day_of", "usual", "ahead", "working")
_TREND = ("last", "trend", "long_mean")


@dataclass(frozen=True)
class Moved:
    """The forecast (S, H) and its parts {name of PARTS: (S, H)}, in counts; they sum to it."""

    forecast: np.ndarray
    parts: Mapping[str, np.ndarray]


def explained(history: History, forecast: np.ndarray | None = None, growth: Growth = DEFAULT) -> Moved:
    """The parts of the pool's median (S, H), or of the trees' own where none is given."""
    shape = (len(history.values), history.horizon)
    parts = {name: np.zeros(shape) for name in PARTS}
    grown = grow(history, growth, fitted=(0.5,))
    if grown is None:
        said = trees(history, growth)[..., MEDIAN] if forecast is None else forecast
        return Moved(said, {**parts, "level": said})
    given = inputs(history, forecast_rows(history))
    shares = np.asarray(grown.models[0.5].predict(matrix(given.columns, grown.names), pred_contrib=True, num_threads=1))
    middle = np.maximum(given.start + shares.sum(axis=1), 0.0)
    counts = {name: np.zeros(len(middle)) for name in PARTS}
    for place, column in enumerate(grown.names):
        counts[part_of(column, history)] += shares[:, place]
    counts["season"] += np.where(given.ordinary_start > 0, given.ordinary_start - 1.0, 0.0)
    counts["holiday"] += given.start - given.ordinary_start
    counts["level"] = middle - sum(values for name, values in counts.items() if name != "level")
    parts = {name: (values * given.level).reshape(shape) for name, values in counts.items()}
    own = (middle * given.level).reshape(shape)
    said = own if forecast is None else forecast
    return Moved(said, {**parts, "others": said - own})


def part_of(column: str, history: History) -> str:
    """Which part a column of the design belongs to."""
    if any(column.startswith(f"{name}_") for name in history.known):
        return "ahead"
    for part, starts in (("holiday", _HOLIDAY), ("season", _SEASON), ("trend", _TREND)):
        if column.startswith(starts) and not column.startswith("last_season_mean"):
            return part
    return "trend" if column.startswith("last") else "level"


def in_words(moved: Moved, series: int, step: int, language: str) -> str:
    """One forecast and what moved it, the largest first, in ar, fr or en.

    "Expected 5,300: recent level 4,800, holidays +700, season -200"
    """
    total = float(moved.forecast[series, step])
    values = {name: float(part[series, step]) for name, part in moved.parts.items()}
    least = SAID_FROM * max(total, 1.0)
    rest = sorted((name for name in values if name != "level"), key=lambda name: -abs(values[name]))
    said = [f"{_name('level', language)} {_count(values['level'], language)}"]
    said += [f"{_name(n, language)} {_count(values[n], language, '+')}" for n in rest if abs(values[n]) >= least]
    return _EXPECTED[language].format(count=_count(total, language), parts=_COMMA[language].join(said))


def picture(moved: Moved, series: int, step: int, language: str) -> dict[str, Any]:
    """The same as a waterfall of bars, a Vega-Lite specification: each part begins where the one before it ended."""
    import altair

    rows, at = [], 0.0
    for name, part in moved.parts.items():
        value = float(part[series, step])
        label = PARTS[name][language]
        rows.append({"part": label, "from": at, "to": at + value, "up": value >= 0, "said": _count(value, language)})
        at += value
    order = [PARTS[name][language] for name in moved.parts]
    shown = (
        altair.Chart(altair.InlineData(values=rows))
        .mark_bar()
        .encode(
            y=altair.Y("part:N", sort=order, title=None),
            x=altair.X("from:Q", title=None),
            x2="to:Q",
            color=altair.Color(
                "up:N", legend=None, scale=altair.Scale(domain=[True, False], range=["#2a6f97", "#bc6c25"])
            ),
            tooltip=["part:N", "said:N"],
        )
    )
    spec: dict[str, Any] = shown.to_dict()
    return spec


def _name(part: str, language: str) -> str:
    name = PARTS[part][language]
    return name[:1].lower() + name[1:]


def _count(value: float, language: str, sign: str = "") -> str:
    return f"{value:{sign},.0f}".replace(",", _THOUSANDS[language])

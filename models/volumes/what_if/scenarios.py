"""What if: a planner's overlay on a forecast, kept with its author and reason. The published forecast is never edited.

A change names flows by the columns that describe them, days, and what happens: nothing comes, or a factor that is only
known as a range, perhaps only with some chance. A range and a chance widen the forecast: nobody knows which of the
factors it will be, but it will be the same one on each of the days. A change may also be of an input that is known
ahead, as fewer ferries; the forecast is then made anew from the changed panel.
"""

import datetime as dt
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path
from typing import Any

import numpy as np
import yaml

from models.volumes.counts.panel import Panel
from models.volumes.rhythm import LEVELS, MEDIAN, moments
from records.errors import BadInput


@dataclass(frozen=True)
class Change:
    """From `first` to `last` (both included; None: to the end), flows with the values of `where` (none: all) come
    `low` to `high` times as they would have, with the given chance. 0 to 0 is a closure. With `known`, the named
    known-ahead column is multiplied instead."""

    first: dt.date
    last: dt.date | None = None
    where: Mapping[str, str] | None = None
    low: float = 0.0
    high: float = 0.0
    chance: float = 1.0
    known: str | None = None

    def __post_init__(self) -> None:
        if self.last is not None and self.last < self.first:
            raise BadInput(f"A change ends on {self.last}, before it begins on {self.first}. Turn the days round.")
        if not 0.0 <= self.low <= self.high < float("inf"):
            raise BadInput(
                f"A change has the factors {self.low} to {self.high}. Write the smaller first; 1.2 to 1.4 is +20–40%, "
                "0 to 0 a closure."
            )
        if not 0.0 < self.chance <= 1.0:
            raise BadInput(f"A change has the chance {self.chance}. It lies above 0, and 1 is certain.")
        if self.known and (self.low != self.high or self.chance != 1.0):
            raise BadInput(
                f"The input {self.known} can be changed by one factor only, not by a range or a chance: write one "
                "scenario for each, and compare them."
            )


@dataclass(frozen=True)
class Scenario:
    """Changes under one name, with who says so, when, and why."""

    name: str
    author: str
    made_on: dt.date
    note: str
    changes: tuple[Change, ...]

    def __post_init__(self) -> None:
        for field in ("name", "author", "note"):
            if not str(getattr(self, field)).strip():
                raise BadInput(
                    f"A scenario has no {field}. Whoever reads its figures must know whose they are and why."
                )
        if not self.changes:
            raise BadInput(f"Scenario {self.name!r} changes nothing. Give at least one change.")


@dataclass(frozen=True)
class Effect:
    """Sums over all flows and days: the median before and after, and how wide the 80% range of a day is on average."""

    median_before: float
    median_after: float
    width_before: float
    width_after: float


def closed(first: dt.date, last: dt.date | None = None, **where: str) -> Change:
    """A post is shut, a ferry does not sail: closed(day, day + 2 days, post="Goulette", mode="sea")."""
    return Change(first, last, where or None)


def moved(first: dt.date, low: float, high: float, last: dt.date | None = None, **where: str) -> Change:
    """So many times as usual: moved(day, 1.2, 1.4) is +20–40% from that day on."""
    return Change(first, last, where or None, low, high)


def on_paths(
    paths: np.ndarray,
    flows: Sequence[Mapping[str, str]],
    days: np.ndarray,
    scenario: Scenario,
    seed: int = 0,
) -> np.ndarray:
    """New sample paths (R, S, H). A path has one factor for a change, so that sums over flows and days stay right."""
    answer = paths.copy()
    generator = np.random.default_rng([seed, 29])  # apart from whatever drew the paths with the same seed
    for change in _of_flows(scenario):
        rows, columns = _touched(change, flows, days)
        factor = generator.uniform(change.low, change.high, size=len(paths))
        factor = np.where(generator.random(len(paths)) < change.chance, factor, 1.0)
        place = np.ix_(np.arange(len(paths)), rows, columns)
        answer[place] = answer[place] * factor[:, None, None]
    return answer


def on_inputs(panel: Panel, flows: Sequence[Mapping[str, str]], scenario: Scenario) -> Panel:
    """The panel with its known-ahead columns changed, for a forecast made anew; counts stay as they were."""
    known = {name: column.copy() for name, column in panel.known.items()}
    days = moments(np.arange(panel.start, panel.end + 1), panel.rhythm)
    for change in scenario.changes:
        if change.known is None:
            continue
        if change.known not in known:
            raise BadInput(
                f"Scenario {scenario.name!r} changes the input {change.known!r}, which this forecast does not read. "
                f"Inputs known ahead: {', '.join(known) or 'none'}."
            )
        rows, columns = _touched(change, flows, days)
        known[change.known][np.ix_(rows, columns)] *= change.low
    return replace(panel, known=known)


def effect(before: np.ndarray, after: np.ndarray) -> Effect:
    """What a scenario did to quantiles (S, H, Q)."""
    low, high = int(np.flatnonzero(LEVELS == 0.1)[0]), int(np.flatnonzero(LEVELS == 0.9)[0])
    return Effect(
        float(np.nansum(before[..., MEDIAN])),
        float(np.nansum(after[..., MEDIAN])),
        float(np.nanmean(before[..., high] - before[..., low])),
        float(np.nanmean(after[..., high] - after[..., low])),
    )


def write(scenario: Scenario, path: Path) -> None:
    """Save as YAML, or as JSON where the name ends so. A file that is there is never replaced: BadInput."""
    if path.exists():
        raise BadInput(f"There is a file {path} already. Save this scenario under another name.")
    plain = asdict(scenario)
    plain["changes"] = [{k: v for k, v in change.items() if v is not None} for change in plain["changes"]]
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.suffix == ".json":
        path.write_text(json.dumps(plain, default=str, ensure_ascii=False, indent=1), encoding="utf-8")
    else:
        path.write_text(yaml.safe_dump(plain, allow_unicode=True, sort_keys=False), encoding="utf-8")


def read(path: Path) -> Scenario:
    """A scenario that was saved, or written by hand; BadInput that names what cannot be used."""
    try:
        plain = yaml.safe_load(path.read_text(encoding="utf-8"))  # JSON is YAML too
    except FileNotFoundError:
        raise BadInput(f"There is no scenario {path}.") from None
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise BadInput(f"{path} cannot be read as YAML or JSON: {error}") from error
    known = _checked(plain, Scenario, f"{path}")
    changes = known["changes"]
    if not isinstance(changes, list):
        raise BadInput(f"{path}: changes must be a list, each with first and the factors low and high.")
    made = tuple(_change(given, f"{path}, change {place}") for place, given in enumerate(changes, start=1))
    return Scenario(
        name=str(known["name"]),
        author=str(known["author"]),
        made_on=_day(known["made_on"], f"{path}, made_on"),
        note=str(known["note"]),
        changes=made,
    )


def _change(given: object, where: str) -> Change:
    plain = _checked(given, Change, where, required=("first",))
    plain["first"] = _day(plain["first"], f"{where}, first")
    if plain.get("last") is not None:
        plain["last"] = _day(plain["last"], f"{where}, last")
    named = plain.get("where")
    if named is not None and not isinstance(named, dict):
        raise BadInput(f"{where}: where must name columns and values, as in post: Goulette.")
    if named:
        plain["where"] = {str(column): str(value) for column, value in named.items()}
    for number in ("low", "high", "chance"):
        if number in plain:
            if isinstance(plain[number], bool) or not isinstance(plain[number], int | float):
                raise BadInput(f"{where}: {number} is {plain[number]!r}, not a number. 1.2 is +20%.")
            plain[number] = float(plain[number])
    try:
        return Change(**plain)
    except BadInput as error:
        raise BadInput(f"{where}: {error}") from None


def _checked(given: object, kind: type, where: str, required: Sequence[str] | None = None) -> dict[str, Any]:
    names = [field.name for field in fields(kind)]
    if not isinstance(given, dict):
        raise BadInput(f"{where} is not a mapping with {', '.join(names)}.")
    unknown = [str(name) for name in given if name not in names]
    absent = [name for name in (names if required is None else required) if name not in given]
    if unknown or absent:
        said = [f"does not know {', '.join(unknown)}"] * bool(unknown) + [f"lacks {', '.join(absent)}"] * bool(absent)
        raise BadInput(f"{where} {' and '.join(said)}. It may hold {', '.join(names)}.")
    return dict(given)


def _day(given: object, where: str) -> dt.date:
    if isinstance(given, dt.date) and not isinstance(given, dt.datetime):
        return given
    try:
        return dt.date.fromisoformat(str(given))
    except ValueError:
        raise BadInput(f"{where} is {given!r}, not a day. Write it as 2026-06-01.") from None


def _of_flows(scenario: Scenario) -> list[Change]:
    return [change for change in scenario.changes if change.known is None]


def _touched(change: Change, flows: Sequence[Mapping[str, str]], days: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Rows and columns that a change is about. BadInput where it names a flow that is not there: a slip of the pen
    would otherwise look like a scenario without effect."""
    where = change.where or {}
    rows = [i for i, flow in enumerate(flows) if all(flow.get(column) == value for column, value in where.items())]
    if not rows:
        named = ", ".join(f"{column} {value}" for column, value in where.items())
        held = sorted({str(flow.get(column)) for column in where for flow in flows})
        raise BadInput(f"No flow has {named or 'a name'}. There are: {', '.join(held[:12])}.")
    day = days.astype("datetime64[D]")
    last = np.datetime64(change.last) if change.last else day.max()
    return np.array(rows), np.flatnonzero((day >= np.datetime64(change.first)) & (day <= last))

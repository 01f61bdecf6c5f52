"""What would have changed the band of one score: the fewest features, each with the nearest value that does it.

Trees see of a number only between which of their split points it lies, so trying one value per interval tries every
value there is: what is found is all there is to find. Every change is scored by the model itself, never estimated. One
feature is tried before two, and two only where no single one does it; more than two nobody could act on. Only inputs
that a declaration marks `showable` are tried, and of these only what was observed: who holds no permit is not told what
another end of it would have done. The rest of the row stays as it was.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations, pairwise, product
from math import inf
from typing import Literal

import numpy as np
import pyarrow as pa

from features.catalogue import features
from models.risk.model import Input, RiskModel
from records.errors import BadInput

Value = str | float | bool | None
Way = Literal["lower", "higher"]
MOST = 2  # features that change together
_DIGITS = 12  # decimals at which any two split points of interest differ


@dataclass(frozen=True)
class Change:
    """One input, as it was and as it would have had to be."""

    feature: str
    was: Value
    would_be: Value


@dataclass(frozen=True)
class WhatIf:
    """`changes` together would have led to another `band`, lower or higher, at this calibrated `probability`."""

    way: Way
    changes: tuple[Change, ...]
    band: str
    probability: float


@dataclass(frozen=True)
class _Option:
    """One value to try; `steps` is how much of the feature's range of intervals lies between it and what was."""

    change: Change
    steps: float


def what_would_change(model: RiskModel, row: pa.Table) -> tuple[WhatIf, ...]:
    """For the only row of `row`: per direction, every smallest set of features that leads to another band.

    Of each set the nearest values that do it are given; sets whose values are nearest come first. Nothing where no
    change of at most two features does it. BadInput if `row` is not one row.
    """
    if row.num_rows != 1:
        raise BadInput(f"What would have changed a band is asked of one row; this table has {row.num_rows}.")
    order = [name for name, _ in model.bands.least]
    band = order.index(str(model.score(row).band[0]))
    ways: dict[Way, list[str]] = {"lower": order[:band], "higher": order[band + 1 :]}
    points = split_points(model)
    tried = {i.name: options for i in showable(model) if (options := _options(i, points[i.name], row))}
    found: dict[Way, list[tuple[float, WhatIf]]] = {"lower": [], "higher": []}
    for count in range(1, MOST + 1):
        still = {way: bands for way, bands in ways.items() if bands and not found[way]}
        for names in combinations(tried, count) if still else ():
            for steps, what_if in _nearest(model, row, [tried[name] for name in names], still):
                found[what_if.way].append((steps, what_if))
    return tuple(what_if for sets in found.values() for _, what_if in sorted(sets, key=lambda s: s[0]))


def showable(model: RiskModel) -> tuple[Input, ...]:
    """The inputs that may be named as what would have changed a score."""
    known = features(model.subject_kind)
    return tuple(i for i in model.inputs if i.name in known and known[i.name].showable)


def split_points(model: RiskModel) -> Mapping[str, tuple[float, ...]]:
    """Input → every value that a tree of the model splits its numbers at, rising: up to and including it goes left."""
    return {i.name: tuple(at.tolist()) for i, at in zip(model.inputs, model.explainer.thresholds(), strict=True)}


def changed(row: pa.Table, changes: Sequence[Change]) -> pa.Table:
    """The row with the changes made, so that anybody can score it again."""
    return _rows(row, [changes])


def _options(read: Input, splits: tuple[float, ...], row: pa.Table) -> list[_Option]:
    """One value per way the trees, which split its numbers at `splits`, can read this input, other than what was."""
    was: Value = row[read.name][0].as_py()
    if was is None:
        return []
    if read.type == "string":
        return [_Option(Change(read.name, was, level), 1.0) for level in read.levels if level != was]
    if read.type == "boolean":
        return [_Option(Change(read.name, was, value), 1.0) for value in (False, True) if value is not was]
    points = (-inf, *splits, inf)
    at = float(was)
    cells = len(points) - 1
    here = int(np.searchsorted(splits, at, side="left"))
    return [
        _Option(Change(read.name, was, _in_cell(low, high, at)), abs(n - here) / cells)
        for n, (low, high) in enumerate(pairwise(points))
        if n != here
    ]


def _in_cell(low: float, high: float, at: float) -> float:
    """The value nearest to `at` with the fewest decimals in (low, high]."""
    for digits in range(_DIGITS + 1):
        step = 10.0**-digits
        steps = np.floor(high / step) if at > high else np.floor(low / step) + 1
        value = round(float(steps * step), digits)
        if low < value <= high:
            return value
    return float(high) if at > high else float(np.nextafter(low, inf))


def _nearest(
    model: RiskModel, row: pa.Table, tried: Sequence[list[_Option]], ways: Mapping[Way, list[str]]
) -> Iterator[tuple[float, WhatIf]]:
    """For each way with a value of each input that together lead to one of its bands: the nearest such values."""
    together = sorted(((sum(o.steps for o in options), options) for options in product(*tried)), key=lambda t: t[0])
    scores = model.score(_rows(row, [[o.change for o in options] for _, options in together]))
    for way, bands in ways.items():
        if (reached := np.isin(scores.band, bands)).any():
            n = int(reached.argmax())
            steps, options = together[n]
            changes = tuple(o.change for o in options)
            yield steps, WhatIf(way, changes, str(scores.band[n]), float(scores.probability[n]))


def _rows(row: pa.Table, alternatives: Sequence[Sequence[Change]]) -> pa.Table:
    """The row once per alternative, each with its changes made."""
    table = row.take(pa.array([0] * len(alternatives), pa.int64()))
    for n, change in enumerate(alternatives[0] if alternatives else ()):
        at = table.column_names.index(change.feature)
        table = table.set_column(at, change.feature, pa.array([made[n].would_be for made in alternatives]))
    return table

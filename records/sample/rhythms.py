"""When people travel: the week, the seasons, Ramadan and the Eids, one weight per kind of traveller and day."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from records.hijri import eid, ramadan
from records.sample.horizon import Horizon
from records.sample.parameters import COMMUTER, CREW, DIASPORA, DIPLOMAT, KINDS, RESIDENT, TOURIST, TRUCKER, Parameters

# Monday first.
_WEEK = {
    TOURIST: (0.85, 0.80, 0.85, 0.95, 1.05, 1.45, 1.25),
    DIASPORA: (0.85, 0.80, 0.85, 1.00, 1.20, 1.35, 1.15),
    COMMUTER: (1.15, 1.15, 1.15, 1.15, 0.75, 0.95, 0.60),
    TRUCKER: (1.20, 1.20, 1.20, 1.15, 0.90, 0.75, 0.35),
    RESIDENT: (0.95, 0.90, 0.90, 1.00, 1.15, 1.15, 1.10),
    DIPLOMAT: (1.10, 1.10, 1.10, 1.10, 1.10, 0.70, 0.80),
    CREW: (1.0, 1.0, 1.0, 1.0, 1.0, 1.1, 1.1),
}
# January first.
_YEAR = {
    TOURIST: (0.50, 0.50, 0.70, 0.95, 1.05, 1.25, 1.70, 1.85, 1.35, 1.05, 0.60, 0.65),
    DIASPORA: (0.45, 0.40, 0.50, 0.65, 0.70, 1.40, 2.80, 2.60, 0.90, 0.55, 0.45, 1.10),
    COMMUTER: (1.00, 1.00, 1.00, 1.00, 1.00, 1.00, 0.95, 0.95, 1.00, 1.00, 1.00, 1.00),
    TRUCKER: (1.00, 1.00, 1.05, 1.05, 1.05, 1.00, 0.90, 0.85, 1.00, 1.05, 1.05, 1.00),
    RESIDENT: (0.90, 0.80, 0.90, 1.00, 0.90, 1.20, 1.60, 1.20, 1.00, 0.80, 0.80, 1.40),
    DIPLOMAT: (1.0, 1.0, 1.0, 1.0, 1.0, 1.1, 0.9, 0.7, 1.1, 1.1, 1.1, 0.9),
    CREW: (0.8, 0.8, 0.9, 1.0, 1.0, 1.1, 1.3, 1.3, 1.1, 1.0, 0.9, 0.9),
}
# In Ramadan, on the days of an Eid, and in the ten days before one.
_FEASTS = {
    TOURIST: (0.80, 0.95, 1.00),
    DIASPORA: (0.90, 1.30, 1.80),
    COMMUTER: (0.65, 0.25, 1.05),
    TRUCKER: (0.80, 0.15, 1.10),
    RESIDENT: (0.85, 1.10, 1.40),
    DIPLOMAT: (0.85, 0.60, 1.00),
    CREW: (0.95, 0.95, 1.00),
}
_DRAWS = 1 << 18


def weights(span: Horizon, parameters: Parameters) -> npt.NDArray[np.float64]:
    """(kinds, days + 1) mean-one weights of a journey to begin on each day; the last column is tomorrow."""
    dates = np.datetime64(span.first) + np.arange(span.days + 1)
    weekday = (dates.astype("datetime64[D]").astype(np.int64) + 3) % 7
    months = dates.astype("datetime64[M]").astype(np.int64)
    day_of_month = (dates - dates.astype("datetime64[M]")).astype(np.int64)
    fasting = ramadan(dates)
    feast = np.array([name is not None for name in eid(dates)])
    # A month's weight holds at its middle; between middles the seasons glide.
    position = months % 12 + (day_of_month - 15) / 30.5
    before = np.zeros(len(dates), dtype=bool)
    for ahead in range(1, 11):
        before |= np.roll(feast, -ahead)
    before &= ~feast
    growth = (1 + parameters.yearly_growth) ** (np.arange(span.days + 1) / 365.25)
    out = np.empty((len(KINDS), span.days + 1))
    for kind in range(len(KINDS)):
        season = np.interp(position, np.arange(-1, 13), [_YEAR[kind][-1], *_YEAR[kind], _YEAR[kind][0]])
        in_ramadan, on_feast, pre_feast = _FEASTS[kind]
        weight = np.asarray(_WEEK[kind])[weekday] * season * growth
        weight *= np.where(fasting & ~before, in_ramadan, 1.0) * np.where(feast, on_feast, 1.0)
        out[kind] = weight * np.where(before, pre_feast, 1.0)
    mean: npt.NDArray[np.float64] = out[:, : span.days].mean(axis=1, keepdims=True)
    return np.asarray(out / mean)


def drawing_table(weight: npt.NDArray[np.float64]) -> npt.NDArray[np.uint16]:
    """Days listed as often as their weight asks: indexing with uniform 18-bit numbers draws days, quickly."""
    edges = np.cumsum(weight) / weight.sum()
    return np.searchsorted(edges, (np.arange(_DRAWS) + 0.5) / _DRAWS).astype(np.uint16)


def draw(rng: np.random.Generator, table: npt.NDArray[np.uint16], n: int) -> npt.NDArray[np.int64]:
    """`n` days drawn from a drawing table."""
    return table[rng.integers(0, _DRAWS, n, dtype=np.uint32)].astype(np.int64)

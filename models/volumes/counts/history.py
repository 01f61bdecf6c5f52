"""What a forecaster may look at on one day: counts up to the origin, and what is known ahead of it."""

from dataclasses import dataclass, replace

import numpy as np

from models.volumes.calendars.calendar import Calendar
from models.volumes.calendars.uncertain import Chances
from models.volumes.counts.panel import Panel
from models.volumes.rhythm import Rhythm


@dataclass(frozen=True)
class History:
    """Counts of S series in N steps up to and with the origin; calendar and known columns reach H steps further."""

    rhythm: Rhythm
    start: int
    values: np.ndarray  # (S, N), NaN where missing
    horizon: int
    calendar: Calendar  # N + H steps
    groups: dict[str, np.ndarray]
    known: dict[str, np.ndarray]  # (S, N + H)
    otherwise: Chances = ()  # other calendars that the days ahead may turn out to have, and how likely each is

    @property
    def length(self) -> int:
        """N, so that values[:, length - 1] is the origin."""
        return int(self.values.shape[1])

    def ahead(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Series, origin and target (S * H,), as places in the history, of every step of the horizon."""
        count, n = len(self.values), self.length
        series = np.repeat(np.arange(count), self.horizon)
        return series, np.full(len(series), n - 1), np.tile(np.arange(n, n + self.horizon), count)

    def of(self, series: np.ndarray) -> "History":
        """The same history of some series, given as a mask (S,)."""
        return replace(
            self,
            values=self.values[series],
            groups={name: codes[series] for name, codes in self.groups.items()},
            known={name: column[series] for name, column in self.known.items()},
        )


def history_at(panel: Panel, origin: int, horizon: int, calendar: Calendar, otherwise: Chances = ()) -> History:
    """Everything known at the end of step `origin`; the calendars must begin with the panel and reach the horizon."""
    begin = max(panel.start, origin - panel.rhythm.history + 1)
    drop, keep = begin - panel.start, origin - panel.start + 1
    known = {}
    for name, column in panel.known.items():
        ahead = np.full((len(panel.ids), keep - drop + horizon), np.nan)
        piece = column[:, drop : keep + horizon]
        ahead[:, : piece.shape[1]] = piece
        known[name] = ahead
    days = calendar.cut(keep + horizon, drop)
    doubted = bool(days.uncertain[keep - drop :].any())
    return History(
        panel.rhythm,
        begin,
        panel.values[:, drop:keep],
        horizon,
        days,
        panel.groups,
        known,
        tuple((weight, days.until(keep - drop, other.cut(keep + horizon, drop))) for weight, other in otherwise)
        if doubted
        else (),
    )

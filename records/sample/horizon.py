"""The span of the world in days and seconds. Tunisia has kept UTC+1 all year since 2009, so one offset is exact."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np
import numpy.typing as npt

from records.sample.strings import Bytes, table_of

EPOCH = date(1970, 1, 1)
DAY = 86_400
OFFSET = 3_600  # Africa/Tunis is ahead of UTC


@dataclass(frozen=True)
class Horizon:
    """Days 0 … `days`-1 are observed; day `days` is tomorrow, of which only announcements are known."""

    first: date
    days: int

    @property
    def origin(self) -> int:
        """Day 0 in days since 1970."""
        return (self.first - EPOCH).days

    @property
    def start(self) -> int:
        """First local moment of day 0, in UTC seconds since 1970."""
        return self.origin * DAY - OFFSET

    @property
    def now(self) -> int:
        """The moment the world is seen at: the end of its newest day, in UTC seconds since 1970."""
        return self.start + self.days * DAY

    def date_of(self, day: int) -> date:
        return self.first + timedelta(days=day)

    def moment(self, day: npt.NDArray[np.integer], second_of_day: npt.NDArray[np.integer]) -> npt.NDArray[np.int64]:
        """UTC seconds of local `second_of_day` on `day`."""
        return self.start + day.astype(np.int64) * DAY + second_of_day

    def stamps(self, pattern: str = "%Y%m%d") -> Bytes:
        """One row of ASCII per day, tomorrow included, printed by `pattern`."""
        return table_of([self.date_of(d).strftime(pattern) for d in range(self.days + 1)])


def horizon(last_day: date, years: int) -> Horizon:
    """The `years` years that end with `last_day`."""
    following = last_day + timedelta(days=1)
    first = following.replace(year=following.year - years)
    return Horizon(first, (following - first).days)

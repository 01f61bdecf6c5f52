"""What is known of days beside the rules of calendars: holidays elsewhere, and what officials here have announced."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields, replace

import numpy as np

Abroad = Mapping[str, Sequence[str]]
"""Country codes by the kind of post that their people come to, as {"land": ("DZ", "LY")}."""


@dataclass(frozen=True)
class Official:
    """What Tunisia's official calendar says of n days, ascending (days since 1970); days not listed are computed.

    `holiday` is the name of the public holiday or None, `announced` whether it can no longer turn out another day. The
    Hijri date, school holidays and ferry season are NaN where nothing is said of them. `known` is the local moment
    (datetime64[us]) from which each day was told like this.
    """

    days: np.ndarray
    holiday: np.ndarray
    announced: np.ndarray
    hijri_month: np.ndarray
    hijri_day: np.ndarray
    school_holiday: np.ndarray
    ferry_season: np.ndarray
    known: np.ndarray

    def by(self, moment: np.ndarray) -> "Official":
        """What of it was known by a local moment. A day told otherwise until later is not in it, so it is computed."""
        kept = self.known <= moment
        return Official(*(getattr(self, column.name)[kept] for column in fields(self)))

    def over(self, computed: np.ndarray, days: np.ndarray, column: str) -> np.ndarray:
        """`computed` values (m,) of days (m,), replaced where the official calendar says something of the column."""
        if not len(self.days):
            return computed
        place = np.minimum(np.searchsorted(self.days, days), len(self.days) - 1)
        said = getattr(self, column)[place]
        known = self.days[place] == days
        if said.dtype.kind == "f":
            known &= np.isfinite(said)
        answer = computed.copy()
        answer[known] = said[known]
        return answer


NOTHING = Official(*np.empty((8, 0), "datetime64[us]"))


@dataclass(frozen=True)
class Almanac:
    """Holidays `abroad`, which close nothing here, and the official calendar of Tunisia."""

    abroad: Abroad = field(default_factory=dict)
    official: Official = NOTHING

    def by(self, moment: np.ndarray) -> "Almanac":
        """The almanac as it was at a local moment."""
        return replace(self, official=self.official.by(moment))


PLAIN = Almanac()

"""What every block of a world shares, drawn once: the days, the posts, the timetable, sponsors and the policy."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from records.sample.horizon import Horizon, horizon
from records.sample.officers import Shifts, shifts
from records.sample.parameters import Parameters
from records.sample.permits import Sponsors, expected_residents, sponsors
from records.sample.places import Places, places
from records.sample.population import over_checked
from records.sample.rhythms import drawing_table, weights
from records.sample.services import Timetable, timetable
from records.sample.strings import Bytes


@dataclass(frozen=True)
class Setting:
    """The stage. `stamps` prints days, `halves` numbers the half year of each day, `tables` draw days per kind."""

    span: Horizon
    where: Places
    plan: Timetable
    parameters: Parameters
    sponsors: Sponsors
    shifts: Shifts
    over_checked: tuple[str, ...]
    stamps: Bytes = field(repr=False)
    halves: npt.NDArray[np.int64] = field(repr=False)
    tables: tuple[npt.NDArray[np.uint16], ...] = field(repr=False)

    def part_name(self, half: int) -> str:
        """Such as 2026-H2."""
        year, part = divmod(half, 2)
        return f"{year}-H{part + 1}"


def setting(crossings: float, years: int, parameters: Parameters, rng: np.random.Generator) -> Setting:
    """The stage of a world of about `crossings` crossings in `years` years."""
    span = horizon(parameters.last_day, years)
    weight = weights(span, parameters)
    where = places(span, parameters, weight, crossings, rng)
    months = (np.datetime64(span.first) + np.arange(span.days + 1)).astype("datetime64[M]").astype(np.int64)
    return Setting(
        span=span,
        where=where,
        plan=timetable(span, where, rng),
        parameters=parameters,
        sponsors=sponsors(expected_residents(crossings), parameters, rng),
        shifts=shifts(where, parameters),
        over_checked=over_checked(parameters, rng),
        stamps=span.stamps(),
        halves=1970 * 2 + months // 6,
        tables=tuple(drawing_table(row) for row in weight),
    )

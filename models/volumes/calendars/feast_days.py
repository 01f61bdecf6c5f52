"""Which days are off in a country, and the feasts that they belong to, each under one name over the years."""

import datetime as dt
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import groupby

import numpy as np

from models.volumes.calendars.almanac import NOTHING, Official
from records.calendar import PUBLIC_HOLIDAYS, public_holiday
from records.errors import BadInput

# fmt: off
HIJRI_COUNTRIES = frozenset(
    (
        "AE", "AF", "AL", "AZ", "BD", "BH", "BN", "DZ", "DJ", "EG", "ID", "IQ", "IR", "JO",
        "KM", "KW", "KZ", "LB", "LY", "MA", "MR", "MV", "MY", "NE", "OM", "PK", "PS", "QA",
        "SA", "SD", "SN", "SO", "SY", "TN", "TR", "UZ", "YE",
    )
)
"""Countries whose feasts follow the moon of Islam (majority of the population)."""

FRIDAY_SATURDAY = frozenset(
    (
        "AE", "BD", "BH", "DZ", "EG", "IQ", "JO", "KW", "LY", "MV", "OM", "QA", "SA", "SD",
        "SY", "YE",
    )
)
# fmt: on
"""Countries that rested on Friday and Saturday for most of the years that flows here cover."""

_MOON = re.compile(r"Eid|Islamic|Hijri|Prophet|Mawlid|Mouled|Ashura|Arafa|Ramadan|Isra |Nuzul|Feast of the Sacrifice")
_NAMELESS = re.compile(r"^Day off|^Additional|\bEve$|\(.*(observed|substitute).*\)|in lieu", re.IGNORECASE)
_ORDINAL = re.compile(r"^The (first weekday after|\w+ day of|day following) |\s*\([^)]*\)| Holiday$", re.IGNORECASE)

CATEGORIES: Mapping[str, tuple[str, ...]] = {"HK": ("public", "optional")}
"""What counts as a public holiday where the package divides them: Hong Kong's Easter is not statutory, but kept."""


@dataclass(frozen=True)
class Feast:
    """One feast in one year, from its first to its last day (days since 1970).

    `moon` feasts follow the sighting of the moon; their days are `certain` once they have been announced.
    """

    name: str
    first: int
    last: int
    moon: bool = False
    certain: bool = True


@dataclass(frozen=True)
class DaysOff:
    """Days since 1970 that a country rests beyond its weekend, those of a weekend that it works, and its feasts."""

    weekend: tuple[int, int]  # Monday is 0
    off: frozenset[int]
    worked: frozenset[int]
    feasts: tuple[Feast, ...]

    def rest(self, days: np.ndarray) -> np.ndarray:
        """Whether nobody works on each day (days since 1970)."""
        weekend = np.isin((days + 3) % 7, self.weekend) & ~np.isin(days, list(self.worked))
        return weekend | np.isin(days, list(self.off))

    def moved(self, by: int) -> "DaysOff":
        """The same country if the moon is sighted `by` days later, as far as nothing has been announced."""
        open_days = {day for feast in self.feasts if not feast.certain for day in range(feast.first, feast.last + 1)}
        off = (self.off - open_days) | {day + by for day in open_days & self.off}
        feasts = (f if f.certain else replace(f, first=f.first + by, last=f.last + by) for f in self.feasts)
        return replace(self, off=frozenset(off), feasts=tuple(feasts))


def days_off(code: str, first_year: int, last_year: int, official: Official = NOTHING) -> DaysOff:
    """The days off of a country (ISO 3166-1), or of a part of it as in US-TX; BadInput where there is no calendar.

    Tunisia's come from its own dated decrees and the computed Hijri calendar, and from the official one where that says
    something; others' from the package `holidays`.
    """
    weekend = (4, 5) if code[:2] in FRIDAY_SATURDAY else (5, 6)
    if code == "TN":
        return _tunisia(weekend, first_year, last_year, official)
    import holidays

    country, _, part = code.partition("-")
    try:
        if len(country) != 2:  # the package knows TUN and Tunisia too, but the lists above do not
            raise NotImplementedError(code)
        found = holidays.country_holidays(
            country,
            subdiv=part or None,
            years=range(first_year, last_year + 1),
            language="en_US",
            categories=CATEGORIES.get(country),
        )
    except NotImplementedError as error:
        raise BadInput(f"There is no holiday calendar for {code!r}. Use ISO codes such as TN, FR or US.") from error
    named = [
        (_ORDINAL.sub("", name).strip(), number(day), "estimated" not in name)
        for day, names in found.items()
        for name in names.split("; ")
        if not _NAMELESS.search(name)
    ]
    worked = frozenset(map(number, getattr(found, "weekend_workdays", ())))
    return DaysOff(weekend, frozenset(map(number, found)), worked, tuple(_gathered(named)))


def together(countries: Sequence[DaysOff]) -> tuple[Feast, ...]:
    """The feasts of all countries, those of one name at one time as one."""
    days = [
        (feast.name, day, feast.certain)
        for country in countries
        for feast in country.feasts
        for day in range(feast.first, feast.last + 1)
    ]
    return tuple(_gathered(days))


def number(day: dt.date) -> int:
    """Days since 1970."""
    return day.toordinal() - dt.date(1970, 1, 1).toordinal()


def _gathered(named: Iterable[tuple[str, int, bool]]) -> list[Feast]:
    """Days of one name at most three days apart are one feast."""
    feasts: list[Feast] = []
    for name, rows in groupby(sorted(named), key=lambda row: row[0]):
        moon = bool(_MOON.search(name))
        for _, day, certain in rows:
            known = certain or not moon
            if feasts and feasts[-1].name == name and day - feasts[-1].last <= 3:
                feasts[-1] = replace(feasts[-1], last=max(day, feasts[-1].last), certain=feasts[-1].certain and known)
            else:
                feasts.append(Feast(name, day, day, moon, known))
    return sorted(feasts, key=lambda feast: (feast.first, feast.name))


def _tunisia(weekend: tuple[int, int], first_year: int, last_year: int, official: Official) -> DaysOff:
    days = np.arange(np.datetime64(f"{first_year}-01-01"), np.datetime64(f"{last_year + 1}-01-01"))
    numbers = days.astype(np.int64)
    keys = official.over(public_holiday(days), numbers, "holiday")
    announced = official.over(np.zeros(len(days), bool), numbers, "announced")
    kept = np.flatnonzero(keys != None)  # noqa: E711 - element by element
    named = []
    for i in kept:
        rule = PUBLIC_HOLIDAYS.get(keys[i])  # officials may name a day that no decree of the past does
        named.append((rule.en if rule else keys[i], int(numbers[i]), not (rule and rule.moving)))
    said = set(numbers[announced].tolist())  # who announces one day of a feast settles its others

    def settled(feast: Feast) -> bool:
        return feast.certain or not said.isdisjoint(range(feast.first, feast.last + 1))

    feasts = tuple(replace(feast, certain=settled(feast)) for feast in _gathered(named))
    return DaysOff(weekend, frozenset(numbers[kept].tolist()), frozenset(), feasts)

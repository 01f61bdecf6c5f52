"""Days that move flows: days off, feasts and how far away they are, the Hijri calendar where it rules feasts."""

import datetime as dt
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from models.volumes.rhythm import Rhythm, moments
from records.errors import BadInput

REACH = 15
"""Days before and after a feast in which it may be felt."""

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


@dataclass(frozen=True)
class Calendar:
    """Columns of one value per step, by name; `feast` and `offset` say which feast is nearest, and the days to it."""

    columns: Mapping[str, np.ndarray]
    feast: np.ndarray  # number of the nearest feast, -1 where none is within reach
    offset: np.ndarray  # days from that feast's first day, negative before it

    def cut(self, stop: int, start: int = 0) -> "Calendar":
        """The steps from start to before stop."""
        columns = {name: column[start:stop] for name, column in self.columns.items()}
        return Calendar(columns, self.feast[start:stop], self.offset[start:stop])


def calendar(rhythm: Rhythm, start: int, length: int, countries: Sequence[str] = ()) -> Calendar:
    """The calendar of `length` steps from `start`. Country codes are ISO 3166-1, or a subdivision as in US-TX."""
    clock = moments(np.arange(start, start + length), rhythm)
    if rhythm.unit == "M":
        return _months(clock, countries)
    days = clock.astype("datetime64[D]")
    distinct, back = np.unique(days, return_inverse=True)
    daily, feast, offset = _days(distinct, countries)
    columns = {name: column[back] for name, column in daily.items()}
    if rhythm.unit == "h":
        columns["hour"] = (clock.astype("datetime64[h]").astype(np.int64) % 24).astype(float)
    return Calendar(columns, feast[back], offset[back])


def feasts(countries: Sequence[str], first_year: int, last_year: int) -> dict[dt.date, str]:
    """Public holidays by day, under one name over the years. BadInput for a country that has no calendar."""
    import holidays

    named: dict[dt.date, str] = {}
    for code in countries:
        country, _, part = code.partition("-")
        try:
            if len(country) != 2:  # the package knows TUN and Tunisia too, but the lists above do not
                raise NotImplementedError(code)
            found = holidays.country_holidays(
                country, subdiv=part or None, years=range(first_year, last_year + 1), language="en_US"
            )
        except NotImplementedError as error:
            raise BadInput(f"There is no holiday calendar for {code!r}. Use ISO codes such as TN, FR or US.") from error
        for day, name in found.items():
            plain = re.sub(r"\s*\([^)]*\)", "", name.split(";")[0]).strip()
            named.setdefault(day, f"{country}:{plain}")
    return named


def _days(days: np.ndarray, countries: Sequence[str]) -> tuple[dict[str, np.ndarray], np.ndarray, np.ndarray]:
    """Columns of consecutive or scattered days, the nearest feast of each, and the days from it."""
    number = days.astype(np.int64)
    weekday = (number + 3) % 7  # 1970-01-01 was a Thursday; Monday is 0
    year = days.astype("datetime64[Y]")
    month = days.astype("datetime64[M]")
    columns: dict[str, np.ndarray] = {
        "weekday": weekday.astype(float),
        "month": (month.astype(np.int64) % 12).astype(float),
        "day_of_month": (days - month.astype("datetime64[D]")).astype(float),
        "day_of_year": (days - year.astype("datetime64[D]")).astype(float),
    }
    feast = np.full(len(days), -1)
    offset = np.zeros(len(days))
    if not countries or not len(days):
        return columns, feast, offset
    years = year.astype(int) + 1970
    named = feasts(countries, int(years.min()) - 1, int(years.max()) + 1)
    whole = np.arange(number.min() - 60, number.max() + 61)
    rest = _rest_days(whole, named, countries)
    inside = number - whole[0]
    columns["holiday"] = np.isin(number, [_number(day) for day in named]).astype(float)
    columns |= {name: column[inside] for name, column in _runs(rest).items()}
    feast, offset = _nearest_feast(number, named)
    columns["feast"] = feast.astype(float)
    columns["feast_offset"] = np.where(feast >= 0, offset, np.nan)
    if any(code[:2] in HIJRI_COUNTRIES for code in countries):
        columns |= _hijri_columns(days)
    return columns, feast, offset


def _number(day: dt.date) -> int:
    return day.toordinal() - dt.date(1970, 1, 1).toordinal()


def _rest_days(whole: np.ndarray, named: Mapping[dt.date, str], countries: Sequence[str]) -> np.ndarray:
    weekend = (4, 5) if countries[0][:2] in FRIDAY_SATURDAY else (5, 6)
    return np.isin(whole, [_number(day) for day in named]) | np.isin((whole + 3) % 7, weekend)


def _runs(rest: np.ndarray) -> dict[str, np.ndarray]:
    """Length of the run of days off, the place in it, and the days since and until a run of three or more."""
    edge = np.flatnonzero(np.diff(np.concatenate([[0], rest.astype(int), [0]])))
    begins, ends = edge[::2], edge[1::2]
    length, place = np.zeros(len(rest)), np.zeros(len(rest))
    for begin, end in zip(begins, ends, strict=True):
        length[begin:end] = end - begin
        place[begin:end] = np.arange(1, end - begin + 1)
    day = np.arange(len(rest))
    long = length >= 3
    firsts, lasts = day[long & (place == 1)], day[long & (place == length)]
    until = np.full(len(rest), float(REACH))
    since = np.full(len(rest), float(REACH))
    if len(firsts):
        following = np.searchsorted(firsts, day)
        until = np.where(following < len(firsts), firsts[np.minimum(following, len(firsts) - 1)] - day, REACH)
        before = np.searchsorted(lasts, day, side="right") - 1
        since = np.where(before >= 0, day - lasts[np.maximum(before, 0)], REACH)
    return {
        "run_length": length,
        "run_place": place,
        "days_to_long_run": np.clip(until, 0, REACH).astype(float),
        "days_from_long_run": np.clip(since, 0, REACH).astype(float),
    }


def _nearest_feast(number: np.ndarray, named: Mapping[dt.date, str]) -> tuple[np.ndarray, np.ndarray]:
    """The feast that begins nearest to each day, within reach. Days off in a row are one feast, named by the first."""
    begins: list[int] = []
    names: list[str] = []
    ordered = sorted(named)
    for i, day in enumerate(ordered):
        if i and (day - ordered[i - 1]).days <= 2 and names:
            continue
        begins.append(_number(day))
        names.append(named[day])
    numbers = {name: code for code, name in enumerate(sorted(set(names)))}
    codes = np.array([numbers[name] for name in names])
    starts = np.array(begins)
    after = np.minimum(np.searchsorted(starts, number), len(starts) - 1)
    before = np.maximum(after - 1, 0)
    nearer = np.where(np.abs(number - starts[before]) < np.abs(number - starts[after]), before, after)
    offset = number - starts[nearer]
    return np.where(np.abs(offset) <= REACH, codes[nearer], -1), offset.astype(float)


def _hijri_columns(days: np.ndarray) -> dict[str, np.ndarray]:
    from records.hijri import hijri

    _, month, day = (np.asarray(part) for part in hijri(days))
    number = days.astype(np.int64)
    columns = {"hijri_month": month.astype(float), "hijri_day": day.astype(float)}
    for name, (eid_month, eid_day) in {"fitr": (10, 1), "adha": (12, 10)}.items():
        # The nearest Eid may lie outside the days asked for, so the distance comes from the Hijri date itself.
        lunar = (month - eid_month) * 29.53 + (day - eid_day)
        lunar = (lunar + 177.2) % 354.37 - 177.2
        exact = number[(month == eid_month) & (day == eid_day)]
        if len(exact):
            nearest = exact[np.abs(number[:, None] - exact[None, :]).argmin(axis=1)]
            distance = (number - nearest).astype(float)
            lunar = np.where(np.abs(distance) <= 60, distance, lunar)
        columns[f"days_from_{name}"] = np.clip(lunar, -40, 40)
    return columns


def _months(clock: np.ndarray, countries: Sequence[str]) -> Calendar:
    """Months count their days of each kind."""
    month = clock.astype("datetime64[M]")
    number = month.astype(np.int64)
    columns: dict[str, np.ndarray] = {"month": (number % 12).astype(float)}
    first = month.astype("datetime64[D]")
    length = ((month + 1).astype("datetime64[D]") - first).astype(int)
    days = np.concatenate([np.arange(f, f + n) for f, n in zip(first.astype(np.int64), length, strict=True)])
    owner = np.repeat(np.arange(len(month)), length)
    daily, _, _ = _days(days.astype("datetime64[D]"), countries)
    if countries:
        off = daily["run_length"] > 0
        columns["working_days"] = np.bincount(owner, ~off, len(month))
        columns["holidays"] = np.bincount(owner, daily["holiday"], len(month))
    else:
        columns["working_days"] = np.bincount(owner, daily["weekday"] < 5, len(month))
    if "hijri_month" in daily:
        columns["ramadan_days"] = np.bincount(owner, daily["hijri_month"] == 9, len(month))
        columns["fitr_days"] = np.bincount(owner, np.abs(daily["days_from_fitr"]) <= 3, len(month))
        columns["adha_days"] = np.bincount(owner, np.abs(daily["days_from_adha"]) <= 3, len(month))
    return Calendar(columns, np.full(len(month), -1), np.zeros(len(month)))

"""Days that move flows: days off, feasts and how far away they are, the Hijri calendar where it rules feasts."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from models.volumes.calendars.almanac import PLAIN, Almanac, Official
from models.volumes.calendars.feast_days import HIJRI_COUNTRIES, DaysOff, Feast, days_off, together
from models.volumes.rhythm import Rhythm, moments
from records.calendar import ferry_season, school_holiday
from records.hijri import RAMADAN, hijri

REACH, SHORT_REACH = 15, 5
"""Days before and after a feast, and one of a single day, in which it may be felt."""
WINDOW = range(-3, 4)
"""Days around the first day of a feast that are its window, for widths and for reports."""


@dataclass(frozen=True)
class Calendar:
    """Columns of one value per step, by name; `feast` and `offset` say which feast rules, and the days to it."""

    columns: Mapping[str, np.ndarray]
    feast: np.ndarray  # number of the nearest feast, -1 where none is within reach
    offset: np.ndarray  # days from that feast's first day, negative before it
    ordinary: np.ndarray  # whether no day off beyond the weekend is near
    uncertain: np.ndarray  # whether a feast is near whose day the moon has yet to decide

    @property
    def around_feast(self) -> np.ndarray:
        """Whether a step lies in the WINDOW of the feast that rules it."""
        return np.asarray((self.feast >= 0) & (self.offset >= WINDOW.start) & (self.offset < WINDOW.stop))

    def cut(self, stop: int, start: int = 0) -> "Calendar":
        """The steps from start to before stop."""
        return self._each(lambda column: column[start:stop])

    def until(self, step: int, then: "Calendar") -> "Calendar":
        """This calendar before a step, and another from there on."""
        others = iter([*then.columns.values(), *then._own()])
        return self._each(lambda column: np.concatenate([column[:step], next(others)[step:]]))

    def _own(self) -> tuple[np.ndarray, ...]:
        return self.feast, self.offset, self.ordinary, self.uncertain

    def _each(self, change: Callable[[np.ndarray], np.ndarray]) -> "Calendar":
        columns = {name: change(column) for name, column in self.columns.items()}
        return Calendar(columns, *map(change, self._own()))


def calendar(
    rhythm: Rhythm,
    start: int,
    length: int,
    countries: Sequence[str] = (),
    later: int = 0,
    almanac: Almanac = PLAIN,
) -> Calendar:
    """The calendar of `length` steps from `start`. Country codes are ISO 3166-1, or a subdivision as in US-TX.

    Feasts and days off are those of `countries`, Tunisia's as its official calendar says. Holidays abroad only say, by
    kind of post, the share of its countries having one on a day that is none here: it closes nothing but sends people.
    `later` moves every feast whose day is not announced by as many days, as a later sighting of the moon would.
    """
    clock = moments(np.arange(start, start + length), rhythm)
    if rhythm.unit == "M":
        return _months(clock, countries, later, almanac)
    distinct, back = np.unique(clock.astype("datetime64[D]"), return_inverse=True)
    daily = _days(distinct, countries, later, almanac)._each(lambda column: column[back])
    if rhythm.unit == "D":
        return daily
    hour = (clock.astype("datetime64[h]").astype(np.int64) % 24).astype(float)
    added = {"hour": hour}
    if "hijri_month" in daily.columns:
        added["ramadan_hour"] = np.where(daily.columns["hijri_month"] == RAMADAN, hour, 24.0)
    return replace(daily, columns={**daily.columns, **added})


def _days(days: np.ndarray, countries: Sequence[str], later: int, almanac: Almanac) -> Calendar:
    """What each day is; the days need not be consecutive."""
    since = days.astype(np.int64)
    year = days.astype("datetime64[Y]")
    month = days.astype("datetime64[M]")
    columns: dict[str, np.ndarray] = {
        "weekday": ((since + 3) % 7).astype(float),  # 1970-01-01 was a Thursday; Monday is 0
        "month": (month.astype(np.int64) % 12).astype(float),
        "day_of_month": (days - month.astype("datetime64[D]")).astype(float),
        "day_of_year": (days - year.astype("datetime64[D]")).astype(float),
    }
    if not countries or not len(days):
        nothing = np.zeros(len(days))
        return Calendar(columns, np.full(len(days), -1), nothing, nothing == 0, nothing > 0)
    years = year.astype(int) + 1970

    def observed(codes: Sequence[str]) -> list[DaysOff]:
        kept = [days_off(code, int(years.min()) - 1, int(years.max()) + 1, almanac.official) for code in codes]
        return [country.moved(later) for country in kept] if later else kept

    kept = observed(countries)
    whole = np.arange(since.min() - 60, since.max() + 61)
    holiday = np.isin(whole, [day for country in kept for day in country.off])
    rest = kept[0].rest(whole) | holiday
    inside = since - whole[0]
    columns["holiday"] = holiday[inside].astype(float)
    for code, country in zip(countries[1:], kept[1:], strict=True):
        columns[f"off_{code}"] = country.rest(since).astype(float)  # a neighbour's weekend and feasts
    for kind, codes in almanac.abroad.items():
        away = np.mean([np.isin(since, list(one.off)) for one in observed(codes)], axis=0)
        columns[f"abroad_{kind}"] = np.where(holiday[inside], 0.0, away)  # common feasts are told already
    columns |= {name: column[inside] for name, column in _runs(rest).items()}
    all_feasts = together(kept)
    feast, offset = _ruling(since, all_feasts)
    columns["feast"] = feast.astype(float)
    columns["feast_offset"] = np.where(feast >= 0, offset, np.nan)
    if any(code[:2] in HIJRI_COUNTRIES for code in countries):
        columns |= _hijri_columns(days, later, almanac.official)
    if "TN" in countries:
        for name, rule in (("school_holiday", school_holiday), ("ferry_season", ferry_season)):
            columns[name] = almanac.official.over(rule(days).astype(float), since, name)
    uncertain = np.zeros(len(days), bool)
    for one in all_feasts:
        if not one.certain:
            uncertain |= np.abs(since - one.first) <= REACH
    return Calendar(columns, feast, offset, ~_felt(rest, holiday)[inside], uncertain)


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


def _felt(rest: np.ndarray, holiday: np.ndarray) -> np.ndarray:
    """Days that a holiday moves: within one day of its run of days off, within three of a long run."""
    edge = np.flatnonzero(np.diff(np.concatenate([[0], rest.astype(int), [0]])))
    felt = np.zeros(len(rest), bool)
    for begin, end in zip(edge[::2], edge[1::2], strict=True):
        if holiday[begin:end].any():
            reach = 3 if end - begin >= 3 else 1
            felt[max(begin - reach, 0) : end + reach] = True
    return felt


def _ruling(since: np.ndarray, feasts: Sequence[Feast]) -> tuple[np.ndarray, np.ndarray]:
    """Number of the feast that rules each day, -1 where none does, and the days from its first day.

    The nearest rules, and a longer one reaches further: a feast of four days is felt twice as far as one of one day.
    """
    codes = {name: code for code, name in enumerate(sorted({feast.name for feast in feasts}))}
    ruling, offset = np.full(len(since), -1), np.zeros(len(since))
    least = np.full(len(since), np.inf)
    for feast in sorted(feasts, key=lambda one: one.first - one.last):
        days = feast.last - feast.first + 1
        gap = np.maximum(np.maximum(feast.first - since, since - feast.last), 0)
        away = gap / np.sqrt(days)
        nearer = (away < least) & (gap <= (REACH if days > 1 else SHORT_REACH))
        ruling[nearer], offset[nearer], least[nearer] = codes[feast.name], (since - feast.first)[nearer], away[nearer]
    return ruling, offset


def _hijri_columns(days: np.ndarray, later: int, official: Official) -> dict[str, np.ndarray]:
    """The Hijri date if the moon is sighted `later` days late, as far as nothing has been announced."""
    number = days.astype(np.int64)
    month, day = _hijri_dates(days - np.timedelta64(later, "D"), official)
    if later:
        settled = official.over(np.zeros(len(days), bool), number, "announced")
        month, day = (np.where(settled, *both) for both in zip(_hijri_dates(days, official), (month, day), strict=True))
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


def _hijri_dates(days: np.ndarray, official: Official) -> tuple[np.ndarray, np.ndarray]:
    """Month and day of the Hijri date of each day."""
    _, month, day = hijri(days)
    number = days.astype(np.int64)
    return official.over(month, number, "hijri_month"), official.over(day, number, "hijri_day")


def _months(clock: np.ndarray, countries: Sequence[str], later: int, almanac: Almanac) -> Calendar:
    """Months count their days of each kind."""
    month = clock.astype("datetime64[M]")
    number = month.astype(np.int64)
    columns: dict[str, np.ndarray] = {"month": (number % 12).astype(float)}
    first = month.astype("datetime64[D]")
    length = ((month + 1).astype("datetime64[D]") - first).astype(int)
    days = np.concatenate([np.arange(f, f + n) for f, n in zip(first.astype(np.int64), length, strict=True)])
    owner = np.repeat(np.arange(len(month)), length)
    daily = _days(days.astype("datetime64[D]"), countries, later, almanac).columns
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
    nothing = np.zeros(len(month))
    return Calendar(columns, np.full(len(month), -1), nothing, nothing == 0, nothing > 0)

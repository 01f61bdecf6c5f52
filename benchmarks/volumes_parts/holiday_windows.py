"""Windows of days around the moving and the great holidays of each public set, by one rule that looks at no count.

    python benchmarks/volumes_parts/holiday_windows.py > benchmarks/holiday_windows.csv

A window is the run of days off (public holidays, days off in lieu, and the weekend that touches them) which holds a day
named for the feast, from two days before its first day, so that the day before the eve is in, to the day after its
last. Feasts and days off are those of the package `holidays`, for the countries between which the travellers move.
The file is what counts: it is written before anything is tuned, and a bar is measured against it.
"""

import csv
import datetime as dt
import sys
from collections.abc import Iterator

import holidays
import numpy as np
import pandas as pd

BEFORE, AFTER = 2, 1
CATEGORIES = {"HK": ("public", "optional")}  # Easter is among the days off that are not statutory

# Names as the package gives them, or the beginning of them.
FEASTS = {
    "HK": {
        "New Year's Day": "New Year",
        "Chinese New Year": "Chinese New Year",
        "Good Friday": "Easter",
        "Tomb-Sweeping Day": "Ching Ming",
        "The Buddha's Birthday": "Buddha's Birthday",
        "Dragon Boat Festival": "Dragon Boat",
        "The Day following Mid-Autumn Festival": "Mid-Autumn",
        "National Day": "National Day",
        "Double Ninth Festival": "Chung Yeung",
        "Christmas Day": "Christmas",
    },
    "CN": {
        "New Year's Day": "New Year",
        "Chinese New Year (Spring Festival)": "Chinese New Year",
        "Tomb-Sweeping Day": "Ching Ming",
        "Labor Day": "Labour Day",
        "Dragon Boat Festival": "Dragon Boat",
        "Mid-Autumn Festival": "Mid-Autumn",
        "National Day": "National Day",
    },
    "MY": {
        "New Year's Day": "New Year",
        "Chinese New Year": "Chinese New Year",
        "Eid al-Fitr": "Eid al-Fitr",
        "Eid al-Adha": "Eid al-Adha",
        "Christmas Day": "Christmas",
    },
    "US": {
        "New Year's Day": "New Year",
        "Memorial Day": "Memorial Day",
        "Independence Day": "Independence Day",
        "Labor Day": "Labor Day",
        "Thanksgiving": "Thanksgiving",
        "Christmas Day": "Christmas",
    },
    "GB": {
        "New Year's Day": "New Year",
        "Good Friday": "Easter",
        "May Day": "May Day",
        "Spring Bank Holiday": "Spring holiday",
        "Christmas Day": "Christmas",
    },
    "FR": {
        "New Year's Day": "New Year",
        "Easter Monday": "Easter",
        "Ascension Day": "Ascension",
        "Pentecost Monday": "Pentecost",
        "Christmas Day": "Christmas",
    },
}
# The sets by day and hour: countries, and the span that their folds and the origins before them use.
SETS = {
    "hk_control_points_daily": (("HK", "CN"), "2023-02-06", "2026-03-08"),
    "my_ridership_daily": (("MY",), "2022-04-01", "2025-06-30"),
    "us_airport_immigration_daily": (("US",), "2013-01-01", "2015-12-31"),
    "us_airport_immigration_hourly": (("US",), "2024-05-17", "2025-05-24"),
    "uk_small_boats_daily": (("GB", "FR"), "2020-01-01", "2026-08-20"),
}


def windows(country: str, first: dt.date, last: dt.date) -> Iterator[tuple[str, dt.date, dt.date]]:
    """Each feast of a country whose window touches the span, with the window's first and last day."""
    years = range(first.year - 1, last.year + 2)
    days = holidays.country_holidays(country, years=years, language="en_US", categories=CATEGORIES.get(country))
    days.weekend = {5, 6}
    one = dt.timedelta(days=1)
    found = set()
    for day, named in list(days.items()):
        for name in named.split("; "):
            feast = next((feast for start, feast in FEASTS[country].items() if name.startswith(start)), None)
            if feast is None:
                continue
            begin = end = day
            while not days.is_working_day(begin - one):
                begin -= one
            while not days.is_working_day(end + one):
                end += one
            found.add((begin - BEFORE * one, end + AFTER * one, feast))
    yield from ((feast, begin, end) for begin, end, feast in sorted(found) if begin <= last and end >= first)


def inside(windows_of_set: pd.DataFrame, moments: np.ndarray) -> np.ndarray:
    """Whether each datetime64 moment lies on a day of some window (columns first and last)."""
    day = moments.astype("datetime64[D]")
    first, last = (windows_of_set[name].to_numpy("datetime64[D]") for name in ("first", "last"))
    return np.asarray(((day[:, None] >= first) & (day[:, None] <= last)).any(axis=1))


def main() -> None:
    written = csv.writer(sys.stdout, lineterminator="\n")
    written.writerow(("set", "country", "holiday", "first", "last"))
    for name, (countries, first, last) in SETS.items():
        for country in countries:
            for row in windows(country, dt.date.fromisoformat(first), dt.date.fromisoformat(last)):
                written.writerow((name, country, *row))


if __name__ == "__main__":
    main()

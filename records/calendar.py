"""Days that change how people travel in Tunisia: public holidays, Ramadan and the Eids, school holidays, ferry season.

`calendar_rows` gives them as rows of the table `calendar`, known years ahead. Public holidays follow dated decrees.
School holidays follow the pattern of recent school years and the ferry season that of the shipping companies; an
announced calendar, supplied later with the same days, replaces both from its own known_at on.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from zoneinfo import ZoneInfo

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa

from records.errors import BadInput
from records.hijri import (
    DHU_AL_HIJJA,
    MUHARRAM,
    RABI_AL_AWWAL,
    SHAWWAL,
    Days,
    Flags,
    Numbers,
    eid,
    hijri,
    near_a_turn,
    ramadan,
)
from records.tables import table

YEARS_AHEAD = 3


@dataclass(frozen=True)
class PublicHoliday:
    """A public holiday: its first day as (month, day) and how many days it lasts.

    `moving` feasts count in Hijri months. `since` and `until` are the first and last Gregorian year it is kept.
    """

    ar: str
    fr: str
    en: str
    month: int
    day: int
    days: int = 1
    moving: bool = False
    since: int = 1957
    until: int = 9999


# Revolution Day moved from 14 January to 17 December by presidential decree 2021-223 of 7 December 2021.
PUBLIC_HOLIDAYS: Mapping[str, PublicHoliday] = {
    "new_year": PublicHoliday("رأس السنة الميلادية", "Jour de l'an", "New Year's Day", 1, 1),
    "revolution": PublicHoliday(
        "عيد الثورة والشباب", "Fête de la Révolution", "Revolution and Youth Day", 1, 14, since=2012, until=2021
    ),
    "independence": PublicHoliday("عيد الاستقلال", "Fête de l'Indépendance", "Independence Day", 3, 20),
    "martyrs": PublicHoliday("عيد الشهداء", "Journée des Martyrs", "Martyrs' Day", 4, 9),
    "labour": PublicHoliday("عيد الشغل", "Fête du Travail", "Labour Day", 5, 1),
    "republic": PublicHoliday("عيد الجمهورية", "Fête de la République", "Republic Day", 7, 25),
    "women": PublicHoliday("عيد المرأة", "Fête de la Femme", "Women's Day", 8, 13),
    "evacuation": PublicHoliday("عيد الجلاء", "Fête de l'Évacuation", "Evacuation Day", 10, 15),
    "revolution_december": PublicHoliday("عيد الثورة", "Fête de la Révolution", "Revolution Day", 12, 17, since=2021),
    "hijri_new_year": PublicHoliday(
        "رأس السنة الهجرية", "Nouvel an hégirien", "Hijri New Year", MUHARRAM, 1, moving=True
    ),
    "mawlid": PublicHoliday("المولد النبوي الشريف", "Mouled", "Mawlid", RABI_AL_AWWAL, 12, moving=True),
    "eid_al_fitr": PublicHoliday("عيد الفطر", "Aïd el-Fitr", "Eid al-Fitr", SHAWWAL, 1, days=3, moving=True),
    "eid_al_adha": PublicHoliday("عيد الأضحى", "Aïd el-Idha", "Eid al-Adha", DHU_AL_HIJJA, 10, days=2, moving=True),
}


def public_holiday(days: Days, *, moving: bool | None = None) -> npt.NDArray[np.object_]:
    """Key in PUBLIC_HOLIDAYS of the holiday each day is, or None. `moving` keeps only moving or only fixed ones."""
    year, month, day = _civil(days)
    _, hijri_month, hijri_day = hijri(days)
    found = np.full(year.shape, None, dtype=object)
    for key, holiday in PUBLIC_HOLIDAYS.items():
        if moving is not None and holiday.moving is not moving:
            continue
        in_month, on_day = (hijri_month, hijri_day) if holiday.moving else (month, day)
        lasts = (on_day >= holiday.day) & (on_day < holiday.day + holiday.days)
        kept = (year >= holiday.since) & (year <= holiday.until)
        found[(in_month == holiday.month) & lasts & kept] = key
    return found


def school_holiday(days: Days) -> Flags:
    """Whether schools are closed: summer, two weeks in winter and in spring, a week in autumn and in February."""
    wanted = np.asarray(days, dtype="datetime64[D]")
    year, month, day = _civil(wanted)
    summer = (month == 7) | (month == 8) | ((month == 9) & (day < 15))
    closed = summer
    # First possible Monday (month, day) and number of weeks; the winter break of the year before reaches into January.
    for from_month, from_day, weeks, of_year in (
        (10, 29, 1, year),
        (12, 17, 2, year),
        (12, 17, 2, year - 1),
        (2, 1, 1, year),
        (3, 15, 2, year),
    ):
        begins = _monday_from(of_year, from_month, from_day)
        closed = closed | ((wanted >= begins) & (wanted < begins + np.timedelta64(7 * weeks, "D")))
    return np.asarray(closed)


def ferry_season(days: Days) -> Flags:
    """Whether the summer ferries run: 15 June to 15 September."""
    _, month, day = _civil(days)
    return np.asarray(((month * 100 + day) >= 615) & ((month * 100 + day) <= 915))


def calendar_rows(first: date, last: date, zone: str = "Africa/Tunis") -> pa.Table:
    """One row of the table `calendar` per day from `first` to `last`, both included.

    `happened_at` is the day's first moment in `zone`; `known_at` is the first moment of the year three years earlier.
    `status` is 'uncertain' where a month announced one day earlier or later would change what the day is, else
    'computed'. BadInput if `last` is before `first` or the Hijri calendar does not cover them.
    """
    if last < first:
        raise BadInput(f"The calendar cannot go from {first} to {last}, which is earlier. Exchange the two.")
    days = np.arange(np.datetime64(first, "D"), np.datetime64(last, "D") + np.timedelta64(1, "D"))
    _, hijri_month, hijri_day = hijri(days)
    uncertain = (
        near_a_turn(days, ramadan)
        | near_a_turn(days, eid)
        | near_a_turn(days, lambda d: public_holiday(d, moving=True))
    )
    year = days.astype("datetime64[Y]")
    columns = {
        "day": days,
        "public_holiday": public_holiday(days),
        "hijri_month": hijri_month,
        "hijri_day": hijri_day,
        "ramadan": ramadan(days),
        "eid": eid(days),
        "school_holiday": school_holiday(days),
        "ferry_season": ferry_season(days),
        "status": np.where(uncertain, "uncertain", "computed"),
        "happened_at": _first_moment(days, zone),
        "known_at": _first_moment((year - YEARS_AHEAD).astype("datetime64[D]"), zone),
    }
    schema = table("calendar").lake_schema
    return pa.table({f.name: pa.array(columns[f.name], type=f.type) for f in schema}, schema=schema)


def _civil(days: Days) -> tuple[Numbers, Numbers, Numbers]:
    wanted = np.asarray(days, dtype="datetime64[D]")
    month = wanted.astype("datetime64[M]")
    year = wanted.astype("datetime64[Y]")
    return (
        year.astype(np.int64) + 1970,
        (month - year.astype("datetime64[M]")).astype(np.int64) + 1,
        (wanted - month.astype("datetime64[D]")).astype(np.int64) + 1,
    )


def _monday_from(year: Numbers, month: int, day: int) -> Days:
    """The first Monday on or after a day of each year."""
    months = (year - 1970).astype("datetime64[Y]").astype("datetime64[M]") + (month - 1)
    start = months.astype("datetime64[D]") + (day - 1)
    weekday = (start.astype(np.int64) + 3) % 7  # 1 January 1970 was a Thursday; Monday is 0
    return np.asarray(start + (-weekday % 7).astype("timedelta64[D]"))


def _first_moment(days: Days, zone: str) -> npt.NDArray[np.datetime64]:
    """First moment of each local day, in UTC, as datetime64[us]."""
    local = pd.DatetimeIndex(days.astype("datetime64[us]")).tz_localize(ZoneInfo(zone))
    return np.asarray(local.tz_convert("UTC").tz_localize(None), dtype="datetime64[us]")

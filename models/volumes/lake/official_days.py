"""The official calendar that the lake keeps, as it was known at a moment."""

from datetime import datetime

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from models.volumes.calendars.almanac import Official
from models.volumes.lake.rows import Known, clock

_NUMBERS = ("hijri_month", "hijri_day", "school_holiday", "ferry_season")


def official_days(lake: Known, as_of: datetime, zone: str = "Africa/Tunis") -> Official:
    """What the table `calendar` said at as_of; it lists nothing where it was empty."""
    rows = lake.as_known("calendar", as_of, ["day", "public_holiday", "status", *_NUMBERS, "known_at"]).sort_by("day")
    month, day, school, ferry = (rows[name].cast(pa.int64()).cast(pa.float64()).to_numpy() for name in _NUMBERS)
    return Official(
        rows["day"].to_numpy().astype("datetime64[D]").astype(np.int64),
        np.array(rows["public_holiday"].to_pylist(), object),
        pc.equal(rows["status"], "announced").to_numpy(),
        month,
        day,
        school,
        ferry,
        clock(rows["known_at"], zone),
    )

"""What an aggregate makes of a few rows, reckoned by hand: the value, and how it follows, in words.

Rows are plain dicts with happened_at, known_at and the columns read, in the order in which they happened and were
known; each has the columns that the aggregate needs.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime, timedelta
from itertools import pairwise, zip_longest
from typing import Any, Final, TypeAlias

import pyarrow as pa

from features.cells import cells
from features.declaration import Aggregate
from features.localtime import ZONE

Plain: TypeAlias = str | float | int | bool | date | datetime | None
Row: TypeAlias = Mapping[str, Any]

SHOWN: Final = 8
_DAY: Final = timedelta(days=1)
_MINUTE: Final = timedelta(minutes=1)


def said(value: Plain) -> str:
    """A value as a person writes it; instants in UTC."""
    match value:
        case None:
            return "null"
        case bool():
            return "yes" if value else "no"
        case datetime():
            return f"{value:%Y-%m-%d %H:%M:%S}Z"
        case float():
            return f"{value:.6g}" if abs(value) < 1e6 else f"{value:.0f}"
    return str(value)


def listed(values: Iterable[Plain], between: str = ", ") -> str:
    """The first few of several values."""
    every = [said(value) for value in values]
    return between.join(every[:SHOWN]) + (f"{between}… ({len(every):,} in all)" if len(every) > SHOWN else "")


def made(how: Aggregate, rows: Sequence[Row], at: datetime) -> tuple[Plain, str]:
    """The aggregate of the rows as of `at`, and how it follows from them."""
    if how.name == "count":
        return float(len(rows)), f"rows: {len(rows):,}"
    if how.name in ("days_present", "days_in_a_row"):
        return _days(how, rows, at)
    if not rows:
        return (0.0 if how.name in ("sum", "distinct") else None), "no rows"
    if how.conditions:
        met = [row for row in rows if all(row[name] in allowed for name, allowed in how.conditions)]
        return len(met) / len(rows), f"rows that meet it: {len(met):,} of {len(rows):,}"
    if how.column is not None:
        return _of_column(how.name, how.column, rows)
    return _of_moments(how.name, [row["happened_at"] for row in rows], at)


def _of_moments(name: str, moments: Sequence[datetime], at: datetime) -> tuple[Plain, str]:
    if name == "time_since":
        return (at - moments[-1]) / _DAY, f"from {said(moments[-1])} to {said(at)}"
    if len(moments) < 2:
        return None, "one row has no gap"
    gaps = [(later - earlier) / _DAY for earlier, later in pairwise(moments)]
    return (moments[-1] - moments[0]) / _DAY / len(gaps), f"({listed(gaps, ' + ')}) / {len(gaps):,}"


def _of_column(name: str, column: str, rows: Sequence[Row]) -> tuple[Plain, str]:
    values = [row[column] for row in rows]
    match name:
        case "distinct":
            return float(len(set(values))), listed(sorted(set(values)))
        case "last":
            newest = max(rows, key=lambda row: order(row, column))
            return newest[column], f"of the row of {said(newest['happened_at'])}"
        case "min" | "max":
            return (min if name == "min" else max)(values), f"of {listed(sorted(values))}"
        case "trend":
            return _slope(rows, column)
    total = sum(round(value * 1_000_000) for value in values)
    if name == "sum":
        return total / 1_000_000, listed(values, " + ")
    return total / (1_000_000 * len(values)), f"({listed(values, ' + ')}) / {len(values):,}"


def order(row: Row, column: str) -> tuple[Any, ...]:
    """What comes last among rows: what happened last, then what was known last, then the larger value (of texts, the
    one whose fingerprint is larger)."""
    value = row[column]
    size = cells(pa.array([value], pa.string())).item() if isinstance(value, str) else value
    return row["happened_at"], row["known_at"], value is not None, size or 0


def _slope(rows: Sequence[Row], column: str) -> tuple[Plain, str]:
    """Least squares over whole minutes, of whole thousandths, as one per day."""
    epoch = rows[0]["happened_at"].replace(hour=0, minute=0, second=0, microsecond=0)
    minutes = [(row["happened_at"] - epoch) // _MINUTE for row in rows]
    values = [round(row[column] * 1000) for row in rows]
    number = len(rows)
    spread = number * sum(x * x for x in minutes) - sum(minutes) ** 2
    if spread == 0:
        return None, "one moment has no slope"
    together = number * sum(x * y for x, y in zip(minutes, values, strict=True)) - sum(minutes) * sum(values)
    return together / spread * 1.44, f"the straight line nearest to {listed(row[column] for row in rows)}"


def _days(how: Aggregate, rows: Sequence[Row], at: datetime) -> tuple[Plain, str]:
    """Local days in the country: of the last few, or in a row up to today."""
    today = local_day(at)
    stays = list(_stays(rows, today))
    spelled = "; ".join(f"{first} to {until}" for first, until in stays[-SHOWN:]) or "no stay"

    def present(day: date) -> bool:
        return any(first <= day <= until for first, until in stays)

    if how.name == "days_present":
        return float(sum(present(today - k * _DAY) for k in range(how.days))), spelled
    in_a_row = 0
    while present(today - in_a_row * _DAY):
        in_a_row += 1
    return float(in_a_row), spelled


def _stays(rows: Sequence[Row], today: date) -> Iterable[tuple[date, date]]:
    """First and last day of each stay; one whose entry or exit is not on record is the day that is. At one instant
    exits come before entries."""
    ordered = sorted(rows, key=lambda row: (row["happened_at"], row["known_at"], row["direction"] == "entry"))
    for row, following in zip_longest(ordered, ordered[1:]):
        first = local_day(row["happened_at"])
        if row["direction"] == "exit":
            yield first, first
        elif following is None:
            yield first, today
        else:
            yield first, local_day(following["happened_at"]) if following["direction"] == "exit" else first


def local_day(moment: datetime) -> date:
    return moment.astimezone(ZONE).date()

"""Row-wise formulas: each takes arrays of one length and returns one, null (NaN) where an input it needs is null.

Days are days since 1970-01-01, instants microseconds since then; booleans are 0, 1 and NaN.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from features.localtime import local_day, local_hour

Numbers: TypeAlias = npt.NDArray[np.float64]


def ratio(numerator: Numbers, denominator: Numbers) -> Numbers:
    """numerator / denominator; null where the denominator is zero."""
    usable = denominator != 0
    return np.asarray(np.divide(numerator, denominator, out=np.full(len(numerator), np.nan), where=usable))


def per_hour(per_day: Numbers) -> Numbers:
    """A change per day, as one per hour."""
    return per_day / 24


def per_month(per_day: Numbers) -> Numbers:
    """A change per day, as one per 30 days."""
    return per_day * 30


def per_year(per_day: Numbers) -> Numbers:
    """A change per day, as one per 365 days."""
    return per_day * 365


def difference(minuend: Numbers, subtrahend: Numbers) -> Numbers:
    return minuend - subtrahend


def shorter_of(one: Numbers, other: Numbers) -> Numbers:
    """The smaller of two; null where either is null."""
    return np.minimum(one, other)


def overrun(length: Numbers, allowed: Numbers) -> Numbers:
    """How far `length` goes past `allowed`; 0 where it does not."""
    return np.maximum(length - allowed, 0.0)


def days_after(instant: Numbers, day: Numbers) -> Numbers:
    """Whole local days from `day` to `instant`; negative where the day is still to come."""
    return local_day(instant) - day


def days_before(instant: Numbers, day: Numbers) -> Numbers:
    """Whole local days from `instant` to `day`; negative where the day has passed."""
    return day - local_day(instant)


def hours_between(earlier: Numbers, later: Numbers) -> Numbers:
    return (later - earlier) / 3.6e9


def hour_of_day(instant: Numbers) -> Numbers:
    """Local hour, 0 to 23."""
    return local_hour(instant)


def day_of_week(instant: Numbers) -> Numbers:
    """1 Monday to 7 Sunday, local."""
    return (local_day(instant) + 3) % 7 + 1


def length_in_days(first: Numbers, last: Numbers) -> Numbers:
    """Days from the first to the last, both included."""
    return last - first + 1


def positive(number: Numbers) -> Numbers:
    """Whether it is above zero."""
    return np.where(np.isnan(number), np.nan, number > 0)


def zero(number: Numbers) -> Numbers:
    """Whether it is zero."""
    return np.where(np.isnan(number), np.nan, number == 0)


def negative(number: Numbers) -> Numbers:
    """Whether it is below zero."""
    return np.where(np.isnan(number), np.nan, number < 0)


def both(one: Numbers, other: Numbers) -> Numbers:
    """Three-valued and: false beats unknown, unknown beats true."""
    false = (one == 0) | (other == 0)
    return np.where(false, 0.0, np.where(np.isnan(one) | np.isnan(other), np.nan, 1.0))


def neither(flag: Numbers) -> Numbers:
    """Not; null stays null."""
    return 1.0 - flag


def unless_known(value: Numbers, fallback: Numbers) -> Numbers:
    """`value`, and `fallback` where it is null."""
    return np.where(np.isnan(value), fallback, value)


def where(flag: Numbers, value: Numbers) -> Numbers:
    """`value` where the flag is true; null elsewhere."""
    return np.where(flag == 1, value, np.nan)


def resting_on(least: int) -> Callable[[Numbers, Numbers], Numbers]:
    """`value` where it rests on that many rows or more; null elsewhere."""

    def resting(value: Numbers, rows: Numbers) -> Numbers:
        return np.where(rows >= least, value, np.nan)

    resting.__name__ = f"resting_on_{least}"
    resting.__doc__ = f"`value` where it rests on {least} rows or more; null elsewhere."
    return resting


def present(value: pa.Array | Numbers) -> Numbers:
    """Whether there is a value at all."""
    if isinstance(value, np.ndarray):
        return (~np.isnan(value)).astype(np.float64)
    return np.asarray(pc.is_valid(value).to_numpy(zero_copy_only=False), dtype=np.float64)


def _as_numbers(flags: pa.Array) -> Numbers:
    return np.asarray(flags.cast(pa.float64()).to_numpy(zero_copy_only=False), dtype=np.float64)


def is_one_of(*values: str) -> Callable[[Any], Numbers]:
    """Whether a text is one of `values`; null where it is null."""

    def is_one(text: pa.Array) -> Numbers:
        found = pc.is_in(text, value_set=pa.array(values, text.type))
        return _as_numbers(pc.if_else(pc.is_valid(text), found, pa.scalar(None, pa.bool_())))

    is_one.__name__ = f"is_{'_or_'.join(values)}"  # what `show` and the published catalogue call it
    is_one.__doc__ = f"Whether it is {' or '.join(values)}; null where it is null."
    return is_one


def same(one: pa.Array, other: pa.Array) -> Numbers:
    """Whether two texts are the same; null where either is null."""
    return _as_numbers(pc.equal(one, other))

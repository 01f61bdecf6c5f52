"""Days and instants as suppliers write them, read in whole columns.

Written forms: ``2026-03-01``, ``01/03/2026``, each optionally with ``T`` or a blank and ``14:05``, ``14:05:30`` or
``14:05:30.25`` behind it, optionally with ``Z``, ``+01:00`` or ``+0100`` behind that.

A time without an offset means local time in the zone that the mapping declares. Where a zone changes its clocks, an
hour that is passed over does not exist and an hour that is repeated means two instants: both are refused rather than
guessed (codes ``skipped_time`` and ``ambiguous_time``); a supplier whose records fall into such an hour sends offsets.
"""

from __future__ import annotations

import re
from datetime import timedelta

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from records.digits import western_digits
from records.errors import BadInput

Mask = npt.NDArray[np.bool_]
INSTANT = pa.timestamp("us", tz="UTC")

_FORM = (
    r"^(?:(?P<y1>\d{4})-(?P<m1>\d{1,2})-(?P<d1>\d{1,2})|(?P<d2>\d{1,2})/(?P<m2>\d{1,2})/(?P<y2>\d{4}))"
    r"(?P<time>[T ](?P<H>\d{1,2}):(?P<M>\d{2})(?::(?P<S>\d{2})(?:[.,](?P<f>\d{1,9}))?)?"
    r" ?(?P<z>Z|z|[+-]\d{2}:?\d{2})?)?$"
)
_DURATION = re.compile(r"P(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?(?:(\d+)S)?)?")
_LONGEST_OFFSET = 18 * 60


def lag(text: str) -> timedelta:
    """The length of an ISO 8601 duration of days, hours, minutes and seconds: PT2H, P1DT30M. BadInput for others."""
    match = _DURATION.fullmatch(text)
    if not match or text in {"P", "PT"} or text.endswith("T"):
        raise BadInput(f"Lag {text!r} is not a duration. Write ISO 8601, such as PT2H, PT45M or P1D.")
    days, hours, minutes, seconds = (int(part or 0) for part in match.groups())
    return timedelta(days=days, hours=hours, minutes=minutes, seconds=seconds)


def read_days(texts: pa.Array) -> tuple[pa.Array, Mask]:
    """(date32 array, mask of texts that are no day). A time of day behind the day is no day, except midnight."""
    parts, matched = _parts(texts)
    moment, sound = _moments(parts)
    midnight = (moment % 86_400_000_000) == 0
    good = matched & sound & midnight
    wrong = ~good & _present(texts)
    days = moment.astype("datetime64[us]").astype("datetime64[D]").astype(np.int32)
    return pa.array(days, pa.int32(), mask=~good).cast(pa.date32()), wrong


def read_instants(texts: pa.Array, zone: str | None) -> tuple[pa.Array, list[tuple[str, Mask]]]:
    """(instants in UTC, [(code, mask)]) of written instants.

    Codes: ``not_an_instant``, ``no_zone`` (no offset, and no zone declared), ``skipped_time``, ``ambiguous_time``.
    """
    parts, matched = _parts(texts)
    moment, sound = _moments(parts)
    written_offset = np.asarray(pc.not_equal(parts["z"], ""))
    offset = _offset_minutes(parts["z"])
    good = matched & sound & (np.abs(offset) <= _LONGEST_OFFSET)
    problems = [("not_an_instant", ~good & _present(texts))]
    aware = good & written_offset
    instants = pa.array(moment - offset * 60_000_000, pa.int64(), mask=~aware).cast(INSTANT)
    local = pa.array(moment, pa.int64(), mask=~(good & ~written_offset)).cast(pa.timestamp("us"))
    placed, local_problems = place(local, zone)
    return pc.coalesce(instants, placed), problems + local_problems


def place(local: pa.Array, zone: str | None) -> tuple[pa.Array, list[tuple[str, Mask]]]:
    """(instants in UTC, [(code, mask)]) of local times (timestamp[us] without zone) in the zone of that name."""
    if zone is None:
        return pa.nulls(len(local), INSTANT), [("no_zone", _present(local))]
    if local.null_count == len(local):
        return pa.nulls(len(local), INSTANT), []
    first = pc.assume_timezone(local, zone, ambiguous="earliest", nonexistent="earliest")
    last = pc.assume_timezone(local, zone, ambiguous="latest", nonexistent="latest")
    unclear = pc.fill_null(pc.not_equal(first, last), False)
    instants = first.cast(INSTANT)
    if not pc.any(unclear).as_py():
        return instants, []
    repeated = np.asarray(pc.fill_null(pc.equal(pc.local_timestamp(first), local), False))
    mask = np.asarray(unclear)
    clear = pc.if_else(unclear, pa.scalar(None, INSTANT), instants)
    return clear, [("skipped_time", mask & ~repeated), ("ambiguous_time", mask & repeated)]


def _parts(texts: pa.Array) -> tuple[dict[str, pa.Array], Mask]:
    """The named parts of each text as they are written ("" where absent), and which texts have the form at all."""
    fields = pc.extract_regex(western_digits(texts), pattern=_FORM)
    matched = np.asarray(pc.is_valid(fields))
    names = [field.name for field in fields.type]
    flat = {name: pc.fill_null(part, "") for name, part in zip(names, fields.flatten(), strict=True)}
    return flat, matched


def _moments(parts: dict[str, pa.Array]) -> tuple[npt.NDArray[np.int64], Mask]:
    """(microseconds since 1970 of the written wall clock, which of them are real dates and times)."""
    year = _number(parts["y1"]) + _number(parts["y2"])
    month = _number(parts["m1"]) + _number(parts["m2"])
    day = _number(parts["d1"]) + _number(parts["d2"])
    hour, minute, second = (_number(parts[part]) for part in "HMS")
    fraction = _number(pc.utf8_slice_codeunits(pc.utf8_rpad(parts["f"], 6, "0"), 0, 6))
    sound = (year >= 1) & (month >= 1) & (month <= 12) & (day >= 1) & (hour <= 23) & (minute <= 59) & (second <= 59)
    months = ((year - 1970) * 12 + np.clip(month, 1, 12) - 1).astype("datetime64[M]")
    first_days = months.astype("datetime64[D]").astype(np.int64)
    month_length = (months + 1).astype("datetime64[D]").astype(np.int64) - first_days
    sound &= day <= month_length
    seconds = ((first_days + day - 1) * 24 + hour) * 3600 + minute * 60 + second
    moment: npt.NDArray[np.int64] = seconds * 1_000_000 + fraction
    return moment, sound


def _offset_minutes(written: pa.Array) -> npt.NDArray[np.int64]:
    plain = pc.replace_substring(pc.replace_substring_regex(written, "^[Zz]$", "+0000"), ":", "")
    sign = np.where(np.asarray(pc.starts_with(plain, "-")), -1, 1)
    hours, minutes = (_number(pc.utf8_slice_codeunits(plain, start, start + 2)) for start in (1, 3))
    offset: npt.NDArray[np.int64] = sign * (hours * 60 + minutes)
    return offset


def _number(texts: pa.Array) -> npt.NDArray[np.int64]:
    """Whole numbers of strings of digits; "" is 0."""
    return np.asarray(pc.if_else(pc.equal(texts, ""), "0", texts).cast(pa.int64()))


def _present(array: pa.Array) -> Mask:
    return np.asarray(pc.is_valid(array))

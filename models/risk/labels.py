"""What became of subjects, as records knew it: 1, 0 or unknown, each with the moment it was known.

A label counts from its known_at, never from when the thing happened. What is not known is left out and counted under a
reason, never taken for a zero.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from models.risk.permit_lapse import GRACE

INSTANT = pa.timestamp("us", tz="UTC")
LEAKY = 0.05  # share of entries at a post whose exit was never recorded, above which a missing exit says nothing


@dataclass(frozen=True)
class Labels:
    """`table`: event, label (0.0 or 1.0), known_at, selected_by, probability (null where nobody drew).

    `unknown` counts the rows without a label by reason.
    """

    table: pa.Table
    unknown: Mapping[str, int]

    @property
    def positives(self) -> int:
        return int(pc.sum(self.table.column("label")).as_py() or 0)


def finding_labels(checks: pa.Table, event_kind: str, at: datetime) -> Labels:
    """Labels from the table `checks` as known at `at` (columns event_kind, event, finding, selected_by, probability,
    known_at). Confirmed is 1, refuted 0; of several checks of one event the last known counts."""
    checks = checks.filter(
        pc.and_(
            pc.equal(checks.column("event_kind"), event_kind),
            pc.less_equal(checks.column("known_at"), pa.scalar(at, INSTANT)),
        )
    )
    finding = checks.column("finding")
    decided = pc.is_in(finding, value_set=pa.array(["confirmed", "refuted"]))
    counted = pc.value_counts(finding.filter(pc.invert(decided))).to_pylist()
    unknown = {str(part["values"]): int(part["counts"]) for part in counted}
    rows = checks.filter(decided).sort_by([("event", "ascending"), ("known_at", "ascending")])
    event = np.asarray(rows.column("event").to_numpy(zero_copy_only=False), dtype=object)
    last = np.append(event[1:] != event[:-1], True) if len(event) else np.zeros(0, dtype=bool)
    if (~last).any():
        unknown["superseded by a later check"] = int((~last).sum())
    rows = rows.filter(pa.array(last))
    return Labels(
        pa.table(
            {
                "event": rows.column("event"),
                "label": pc.cast(pc.equal(rows.column("finding"), "confirmed"), pa.float64()),
                "known_at": rows.column("known_at"),
                "selected_by": rows.column("selected_by"),
                "probability": rows.column("probability"),
            }
        ),
        unknown,
    )


def lapse_labels(
    spine: pa.Table, permits: pa.Table, crossings: pa.Table, at: datetime, *, grace: timedelta = GRACE
) -> Labels:
    """Labels of permits whose outcome window closed by `at`.

    `spine`: event, subject, as_of, valid_to; `permits` (subject, state, happened_at, known_at) and `crossings`
    (subject, kind, direction, post, happened_at, known_at) as known at `at`. 1 where the holder's last crossing is no
    exit and no application or renewal came between as_of and the end of the grace. Unknown where the window is open,
    the permit was withdrawn, or the last entry is at a post that leaves too many exits unrecorded.
    """
    subjects = pc.unique(spine.column("subject"))
    holder = _codes(spine.column("subject"), subjects)
    as_of = _micros(spine.column("as_of"))
    closes = _micros(pc.cast(spine.column("valid_to"), INSTANT)) + int(
        (grace + timedelta(days=1)).total_seconds() * 1e6
    )
    permits = _of(permits, subjects)
    renewed = _between(permits, ["applied", "granted", "renewed"], holder, as_of, closes)
    withdrawn = _between(permits, ["withdrawn"], holder, as_of, closes)
    actual = crossings.filter(pc.equal(crossings.column("kind"), "actual"))
    leaky = leaky_posts(actual)
    left, doubtful, seen = _last_crossing(_of(actual, subjects), holder, closes, leaky)
    now = int(at.timestamp() * 1e6)
    proven = renewed | left
    reasons = {
        "outcome window still open": closes > now,
        "permit withdrawn": withdrawn & ~renewed,
        "exit may be unrecorded at this post": doubtful & ~proven,
    }
    unknown, out = {}, np.zeros(len(holder), dtype=bool)
    for reason, rows in reasons.items():
        if (rows & ~out).any():
            unknown[reason] = int((rows & ~out).sum())
        out |= rows
    known_at = np.maximum(closes, np.where(proven, seen, closes))
    kept = pa.array(~out)
    size = int((~out).sum())
    return Labels(
        pa.table(
            {
                "event": spine.column("event").filter(kept),
                "label": (~proven[~out]).astype(np.float64),
                "known_at": pa.array(known_at[~out], INSTANT),
                "selected_by": pa.nulls(size, pa.string()),
                "probability": pa.nulls(size, pa.float64()),
            }
        ),
        unknown,
    )


def leaky_posts(actual: pa.Table) -> frozenset[str]:
    """Posts where more than `LEAKY` of the entries are followed by another entry of the same person, with no exit
    between: the exits of those who entered there are not reliably recorded."""
    rows = actual.sort_by([("subject", "ascending"), ("happened_at", "ascending")])
    if rows.num_rows < 2:
        return frozenset()
    code = np.asarray(pc.rank(rows.column("subject"), tiebreaker="dense").to_numpy())
    entry = np.asarray(pc.equal(rows.column("direction"), "entry").to_numpy(zero_copy_only=False), dtype=bool)
    followed = entry[:-1] & (code[1:] == code[:-1])
    missing = followed & entry[1:]
    posts = np.asarray(rows.column("post").to_numpy(zero_copy_only=False), dtype=object)[:-1]
    names, at = np.unique(posts.astype(str), return_inverse=True)
    all_of, missing_of = np.bincount(at, weights=followed), np.bincount(at, weights=missing)
    return frozenset(str(n) for n, a, m in zip(names, all_of, missing_of, strict=True) if a and m / a > LEAKY)


def _of(table: pa.Table, subjects: pa.Array) -> pa.Table:
    """Rows of these subjects, by subject and time."""
    rows = table.filter(pc.is_in(table.column("subject"), value_set=subjects))
    return rows.append_column("_holder", pa.array(_codes(rows.column("subject"), subjects))).sort_by(
        [("_holder", "ascending"), ("happened_at", "ascending")]
    )


def _codes(column: pa.ChunkedArray, subjects: pa.Array) -> np.ndarray:
    return np.asarray(pc.index_in(column, value_set=subjects).to_numpy(zero_copy_only=False), dtype=np.int64)


def _micros(column: pa.ChunkedArray) -> np.ndarray:
    return np.asarray(pc.cast(pc.cast(column, INSTANT), pa.int64()).to_numpy(zero_copy_only=False), dtype=np.int64)


def _position(keys: np.ndarray, times: np.ndarray, key: np.ndarray, time: np.ndarray) -> np.ndarray:
    """How many rows of the sorted (keys, times) come before (key, time)."""
    low, high = np.searchsorted(keys, key, side="left"), np.searchsorted(keys, key, side="right")
    while (low < high).any():
        middle = (low + high) // 2
        before = (low < high) & (times[np.minimum(middle, len(times) - 1)] < time)
        low, high = np.where(before, middle + 1, low), np.where(before | (low >= high), high, middle)
    return low


def _between(
    permits: pa.Table, states: list[str], holder: np.ndarray, start: np.ndarray, end: np.ndarray
) -> np.ndarray:
    """Whether the holder's files had one of these states in [start, end)."""
    rows = permits.filter(pc.is_in(permits.column("state"), value_set=pa.array(states)))
    keys, times = np.asarray(rows.column("_holder").to_numpy()), _micros(rows.column("happened_at"))
    if not len(keys):
        return np.zeros(len(holder), dtype=bool)
    return _position(keys, times, holder, end) > _position(keys, times, holder, start)


def _last_crossing(
    rows: pa.Table, holder: np.ndarray, end: np.ndarray, leaky: frozenset[str]
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Of each holder before `end`: whether the last crossing is an exit, whether it is an entry at a leaky post, and
    when it was known (microseconds)."""
    if not rows.num_rows:
        nobody = np.zeros(len(holder), dtype=bool)
        return nobody, nobody, np.zeros(len(holder), dtype=np.int64)
    keys, times = np.asarray(rows.column("_holder").to_numpy()), _micros(rows.column("happened_at"))
    last = _position(keys, times, holder, end) - 1
    some = (last >= 0) & (keys[last] == holder)
    exit_ = (
        np.asarray(pc.equal(rows.column("direction"), "exit").to_numpy(zero_copy_only=False), dtype=bool)[last] & some
    )
    at_leaky = pc.is_in(rows.column("post"), value_set=pa.array(sorted(leaky), pa.string()))
    doubtful = np.asarray(at_leaky.to_numpy(zero_copy_only=False), dtype=bool)[last] & some & ~exit_
    return exit_, doubtful, np.where(some, _micros(rows.column("known_at"))[last], 0)

"""Parts of time to learn, choose and judge on: each later than the one before, with a gap for labels that come late.

A row teaches only when its outcome window was closed, whatever happens to be known of it before: early outcomes are not
like late ones. Where that was overlooked, the base rate of the latest rows jumps, since only what was found is there
yet (or only what was not); the cohort check refuses to learn from such rows.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta

import numpy as np

from records.errors import BadInput

COHORTS = 10  # stretches of time; the latest is held against the others
LEAST_COHORT = 30  # rows of a stretch
JUMP = 3.0  # times the odds
SURE = 4.0  # standard errors


@dataclass(frozen=True)
class Fold:
    """Row numbers, in time order: `train` before `valid` before `test`. `moments` are when the last two begin."""

    train: np.ndarray
    valid: np.ndarray
    test: np.ndarray
    moments: tuple[np.datetime64, np.datetime64]


def folds(
    as_of: np.ndarray,
    known_at: np.ndarray | None = None,
    *,
    count: int = 5,
    first: float = 0.4,
    window: timedelta = timedelta(0),
) -> Iterator[Fold]:
    """`count` folds whose training part expands: the tests lie end to end and each follows a validation part as long.

    `as_of` (n,) datetime64[us] in time order; `known_at` (n,) when labels were; `window` from as_of until an outcome
    can be known. The first training part has the share `first` of the rows. BadInput where time does not suffice.
    """
    closed = as_of + np.timedelta64(window)
    closed = closed if known_at is None else np.maximum(closed, known_at)
    edges = [as_of[min(int(share * len(as_of)), len(as_of) - 1)] for share in np.linspace(first, 1.0, count + 2)[:-1]]
    starts = [*edges, as_of[-1] + np.timedelta64(1, "us")]
    for valid_from, test_from, end in zip(starts, starts[1:], starts[2:], strict=False):
        fold = Fold(
            np.flatnonzero((as_of < valid_from) & (closed <= valid_from)),
            np.flatnonzero((as_of >= valid_from) & (as_of < test_from) & (closed <= test_from)),
            np.flatnonzero((as_of >= test_from) & (as_of < end)),
            (valid_from, test_from),
        )
        if not (len(fold.train) and len(fold.valid) and len(fold.test)):
            raise BadInput(
                f"{len(as_of)} rows do not make {count} folds in time whose outcome windows of {window} are closed "
                "before the next part begins. Take fewer folds, or rows over a longer time."
            )
        yield fold


def check_cohorts(labels: np.ndarray, time: np.ndarray, remedy: str) -> None:
    """BadInput where the base rate of the latest stretch of rows jumps away from that of the stretches before.

    `labels` (n,) of 0 and 1 and `time` (n,) are in time order; `remedy` says what the caller's user can do. A jump is
    three times the odds, four standard errors beyond what the earlier stretches differ by among themselves.
    """
    edges = np.linspace(time[0].astype(np.int64), time[-1].astype(np.int64) + 1, COHORTS + 1)
    cohort = np.searchsorted(edges, time.astype(np.int64), side="right") - 1
    found, rows = (np.bincount(cohort, weights, COHORTS) for weights in (labels, np.ones(len(labels))))
    if rows[-1] < LEAST_COHORT or (rows[:-1] >= LEAST_COHORT).sum() < 2:
        return
    found, rows = (np.append(counts[:-1][rows[:-1] >= LEAST_COHORT], counts[-1]) for counts in (found, rows))
    odds = np.log((found + 0.5) / (rows - found + 0.5))
    was = (found[:-1].sum() + 0.5) / (rows[:-1].sum() + 1)
    noise = 1 / (rows[-1] * was * (1 - was))  # of the latest odds, were nothing changed
    apart = float(odds[-1] - odds[:-1].mean())
    if abs(apart) > max(np.log(JUMP), SURE * np.sqrt(odds[:-1].var(ddof=1) + noise)):
        since = time[cohort == COHORTS - 1][0].astype("datetime64[D]")
        raise BadInput(
            f"The share of positives jumps from {100 * was:.1f}% to {100 * found[-1] / rows[-1]:.1f}% in the rows "
            f"since {since}. Most likely their outcomes are not all known yet, and only one kind of them is there. "
            f"{remedy}"
        )

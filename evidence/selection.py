"""What checked rows say about all rows, where who was checked was not random.

Findings exist only for the checked, and officers, rules and models choose whom. A row that was checked with a known
probability stands for one over that probability rows; Hájek's estimate weighs it so. Rows an officer chose carry no
probability: they train a model, but they prove nothing about the rest, so they are left out here, and where no row is
left the estimate is refused in words instead of printing a number.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from evidence.intervals import Interval, effective_size, wilson

NOTHING_DRAWN = (
    "Some of these rows could only have been drawn by chance, and no drawn row tells about them, or nothing positive "
    "is known here: the limits say what is possible, and there is no estimate between them. Wait for more of the "
    "random control, or ask about a larger part."
)


@dataclass(frozen=True)
class Estimate:
    """A corrected share with its interval, the rows behind it, and, where there is no value, why."""

    interval: Interval
    rows: int
    effective_rows: float
    refused: str | None = None

    @property
    def value(self) -> float | None:
        return self.interval.value


def declared(selected_by: np.ndarray, probabilities: np.ndarray) -> np.ndarray:
    """The probabilities (n,) that estimates may rest on: of rows that were drawn, and 1 of those checked for certain.

    `selected_by` (n,) names why each row was checked. Anything else that is written beside a row, such as how often a
    rule lets an officer look, is no probability that this row was checked with: NaN.
    """
    drawn = (selected_by == "random") | (selected_by == "exploration")
    return np.where(drawn | (probabilities == 1), probabilities, np.nan)


def hajek(outcomes: np.ndarray, probabilities: np.ndarray, among: np.ndarray | None = None) -> Estimate:
    """Share of positives among all rows that could have been checked, or among the part `among`.

    `outcomes` (n,) 0, 1 or NaN where the check found nothing out, `probabilities` (n,) of having been checked, NaN
    where unknown, `among` (n,) booleans (for instance: what a challenger would have selected). The interval is Wilson's
    at the effective sample size.
    """
    chosen = np.ones(len(outcomes), dtype=bool) if among is None else np.asarray(among, dtype=bool)
    known = chosen & ~np.isnan(outcomes)
    usable = known & ~np.isnan(probabilities) & (probabilities > 0)
    rows = int(usable.sum())
    if rows == 0:
        return Estimate(Interval(None), 0, 0.0, _why(int(known.sum())))
    weights = 1.0 / probabilities[usable]
    effective = effective_size(weights)
    share = float(np.sum(weights * outcomes[usable]) / np.sum(weights))
    return Estimate(wilson(share * effective, effective), rows, effective)


def missed_risk(outcomes: np.ndarray, probabilities: np.ndarray, selected: np.ndarray) -> Estimate:
    """Share of all positives that lie outside `selected`; refused where no positive has a known probability."""
    return hajek(np.where(selected, 0.0, 1.0), probabilities, among=outcomes == 1)


def _why(found: int) -> str:
    if found == 0:
        return "No finding here, so there is nothing to estimate from."
    return (
        f"{found} findings here, but none was selected with a known probability: a share of them says nothing about "
        "those who were not checked. Draw a random control and estimate from it."
    )

"""Tables by group: who is selected, confirmed, missed, and whether the probability holds, with intervals.

Attributes such as sex or nationality live in the identity vault. They are joined here alone, for an audit, and only
tables leave; a cell below the threshold stays in the table as "insufficient evidence, n = …" and shows no figure.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from evidence.intervals import Interval, effective_size, wilson
from evidence.metrics import selected
from records.keys import Keys

CELL = 100  # rows of a group below which nothing about it is shown
POSITIVES = 20  # positives of a group below which its true-positive rate says nothing
UNKNOWN = "unknown"


class AttributeStore(Protocol):
    """What an audit needs of the identity vault."""

    def attributes(self, subjects: pa.Array, names: Sequence[str]) -> pa.Table: ...


_UNDEFINED = Interval()


@dataclass(frozen=True)
class GroupRow:
    """One group. Shares are None, with `note` saying why, where there is too little evidence."""

    group: str
    rows: int
    note: str | None = None
    base_rate: Interval = _UNDEFINED
    selection_rate: Interval = _UNDEFINED
    confirmation_rate: Interval = _UNDEFINED
    true_positive_rate: Interval = _UNDEFINED
    false_positive_rate: Interval = _UNDEFINED
    calibration_gap: float | None = None  # mean probability minus observed share


@dataclass(frozen=True)
class GroupTable:
    """All groups of one attribute at one capacity. `selection_ratio` is the least over the greatest selection rate."""

    attribute: str
    capacity: float
    rows: tuple[GroupRow, ...]

    @property
    def selection_ratio(self) -> Interval:
        """Lowest over highest selection rate of the known, sufficient groups, with a log-normal interval."""
        shown = [r for r in self.rows if r.note is None and r.group.lower() != UNKNOWN and r.selection_rate.value]
        if len(shown) < 2:
            return Interval(None)
        ordered = sorted(shown, key=lambda row: row.selection_rate.value or 0.0)
        low, high = ordered[0], ordered[-1]
        a, b = low.selection_rate.value or 0.0, high.selection_rate.value or 0.0
        spread = 1.959963984540054 * np.sqrt((1 - a) / (a * low.rows) + (1 - b) / (b * high.rows))
        return Interval(a / b, float(a / b * np.exp(-spread)), float(a / b * np.exp(spread)))


def group_table(
    attribute: str,
    groups: pa.Array | pa.ChunkedArray,
    *,
    labels: np.ndarray,
    scores: np.ndarray,
    probabilities: np.ndarray,
    capacity: float,
    cell: int = CELL,
) -> GroupTable:
    """The table of one attribute.

    `groups` (n) text or numbers, null becomes "unknown"; `labels` (n,) 0, 1; `scores` (n,) rank the rows and the
    highest `capacity` of them are selected; `probabilities` (n,) are what the score promises.
    """
    named = pc.fill_null(pc.cast(groups, pa.string()), UNKNOWN)
    names = np.asarray(named.to_numpy(zero_copy_only=False), dtype=object)
    chosen = selected(scores, capacity)
    rows = []
    for group in sorted(set(names)):
        inside = names == group
        rows.append(_row(str(group), labels[inside], chosen[inside], probabilities[inside], cell))
    return GroupTable(attribute, capacity, tuple(rows))


def _row(group: str, labels: np.ndarray, chosen: np.ndarray, probabilities: np.ndarray, cell: int) -> GroupRow:
    count, positives = len(labels), float(labels.sum())
    if count < cell:
        return GroupRow(group, count, f"insufficient evidence, n = {count}")
    return GroupRow(
        group,
        count,
        None,
        wilson(positives, count),
        wilson(float(chosen.sum()), count),
        # Of a few selected rows the rate would tell single findings.
        _weighted_share(labels, chosen) if chosen.sum() >= POSITIVES else Interval(None),
        wilson(float((chosen * labels).sum()), positives) if positives >= POSITIVES else Interval(None),
        wilson(float((chosen * (1 - labels)).sum()), count - positives),
        float(probabilities.mean() - labels.mean()),
    )


def _weighted_share(outcomes: np.ndarray, weights: np.ndarray) -> Interval:
    effective = effective_size(weights)
    if effective == 0:
        return Interval(None)
    return wilson(float(np.sum(weights * outcomes) / np.sum(weights)) * effective, effective)


def audit(
    vault: AttributeStore,
    subjects: pa.Array,
    attributes: Sequence[str],
    *,
    labels: np.ndarray,
    scores: np.ndarray,
    probabilities: np.ndarray,
    capacity: float,
    cell: int = CELL,
) -> Mapping[str, GroupTable]:
    """One table per identity attribute of the subjects; the attributes themselves never leave this function.

    The vault answers one row per subject asked, in the order asked.
    """
    held = vault.attributes(subjects, attributes)
    return {
        name: group_table(
            name,
            held.column(name),
            labels=labels,
            scores=scores,
            probabilities=probabilities,
            capacity=capacity,
            cell=cell,
        )
        for name in attributes
    }


def audit_vault(
    url: str,
    keys: Keys,
    subjects: pa.Array,
    attributes: Sequence[str],
    *,
    labels: np.ndarray,
    scores: np.ndarray,
    probabilities: np.ndarray,
    capacity: float,
    cell: int = CELL,
) -> Mapping[str, GroupTable]:
    """`audit` against the identity vault at `url`, opened and closed here: who asks for tables never holds a handle.

    BadInput if the vault cannot be opened with these keys or does not keep one of the attributes.
    """
    from records.vault import Vault

    with Vault.open(url, keys) as vault:
        return audit(
            vault,
            subjects,
            attributes,
            labels=labels,
            scores=scores,
            probabilities=probabilities,
            capacity=capacity,
            cell=cell,
        )

"""The audit by group: attributes such as sex or nationality are joined here alone, and only tables leave.

They live in the identity vault, which is opened by an account that can only read. What leaves are shares of groups
above the cell threshold, gaps between them, and in words what there is too little evidence for.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from itertools import combinations
from typing import Any, Protocol, Self

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from evidence import gaps
from evidence.cells import CELL, FEW, RATES, TIMES, UNKNOWN, Cells, GroupRow, GroupTable, Outcomes, coded
from evidence.gaps import Gap, Primary
from evidence.intervals import Interval
from evidence.metrics import selected
from evidence.parity import WorstOff, worst_off
from evidence.proxies import Proxy, proxies
from records.errors import BadInput
from records.keys import Keys

__all__ = [
    "CELL",
    "FEW",
    "TIMES",
    "UNKNOWN",
    "Audit",
    "GroupRow",
    "GroupTable",
    "Outcomes",
    "View",
    "audit",
    "audit_vault",
    "compare",
    "group_table",
    "proxies_vault",
    "top",
    "worst_off_vault",
]
AUDITED = ("sex", "age", "nationality")
_AGES = (18, 30, 45, 60)


class AttributeStore(Protocol):
    """What an audit needs of the identity vault."""

    def attributes(self, subjects: pa.Array, names: Sequence[str]) -> pa.Table: ...


@dataclass(frozen=True)
class View:
    """One set of rows to audit, such as all who could have been checked: whom they are about, when, and what became
    of them. `moments` (n,) datetime64 tell ages; `capacity` is the share that was selected."""

    name: str
    subjects: pa.Array
    moments: np.ndarray
    outcomes: Outcomes
    capacity: float


@dataclass(frozen=True)
class Audit:
    """What leaves an audit: tables by group and crossing, every gap that was looked at, the primary one first."""

    tables: tuple[GroupTable, ...]
    gaps: tuple[Gap, ...]
    cell: int = CELL

    @property
    def primary(self) -> Gap | None:
        return next((gap for gap in self.gaps if gap.primary), None)

    @property
    def looks(self) -> int:
        """How many gaps were tested together."""
        return sum(gap.tested and not gap.primary for gap in self.gaps)

    @property
    def found(self) -> tuple[Gap, ...]:
        return tuple(gap for gap in self.gaps if gap.found)

    def as_json(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_json(cls, written: Mapping[str, Any]) -> Self:
        def plain(part: Mapping[str, Any]) -> dict[str, Any]:
            return {k: Interval(**v) if isinstance(v, Mapping) else v for k, v in part.items()}

        tables = (
            GroupTable(**{**table, "rows": tuple(GroupRow(**plain(row)) for row in table["rows"])})
            for table in written["tables"]
        )
        return cls(tuple(tables), tuple(Gap(**plain(gap)) for gap in written["gaps"]), written["cell"])


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

    `groups` (n) text or numbers, null becomes "unknown"; `labels` (n,) 0, 1 or NaN; `scores` (n,) rank the rows and the
    highest `capacity` of them are selected; `probabilities` (n,) are what the score promises.
    """
    outcomes = Outcomes(labels, selected(scores, capacity), probabilities)
    return Cells.of("", attribute, (coded(groups),), outcomes, cell).table(capacity)


def compare(
    views: Mapping[str, tuple[Mapping[str, pa.Array | pa.ChunkedArray], Outcomes, float]],
    *,
    primary: Primary | None = None,
    cell: int = CELL,
) -> Audit:
    """Audit rows whose attributes are at hand: per view its attributes (name to n groups), outcomes and capacity.

    Every attribute and every crossing of two gets a table, and every rate of every group is held against everyone else.
    BadInput for a primary gap of a rate that is not measured.
    """
    if primary is not None and primary.rate not in RATES:
        raise BadInput(f"There is no rate '{primary.rate}' to compare. Rates are: {', '.join(RATES)}.")
    counted: list[tuple[Cells, float]] = []
    for view, (attributes, outcomes, capacity) in views.items():
        parts_of = {name: coded(groups) for name, groups in attributes.items()}
        for names in (*((name,) for name in parts_of), *combinations(parts_of, 2)):
            parts = tuple(parts_of[name] for name in names)
            counted.append((Cells.of(view, TIMES.join(names), parts, outcomes, cell), capacity))
    # How wide a gap must be to show depends on how many are looked at together.
    looks = sum(cells.looks(primary) for cells, _ in counted)
    alpha = gaps.ALPHA / max(1, looks)
    first = [cells.primary(primary) for cells, _ in counted if primary and cells.holds(primary)]
    others = [gap for cells, _ in counted for gap in cells.gaps(primary, alpha)]
    adjusted = iter(gaps.holm([gap.chance for gap in others if gap.chance is not None]))
    others = [gap if gap.chance is None else replace(gap, chance=next(adjusted)) for gap in others]
    return Audit(tuple(cells.table(capacity, alpha) for cells, capacity in counted), (*first, *others), cell)


def audit(
    vault: AttributeStore,
    views: Sequence[View],
    attributes: Sequence[str],
    *,
    primary: Primary | None = None,
    cell: int = CELL,
) -> Audit:
    """Audit rows by attributes of their subjects, which never leave this function.

    The vault answers one row per subject asked, in the order asked. BadInput for an attribute that is not audited.
    """
    joined = {view.name: (_told(vault, view, attributes), view.outcomes, view.capacity) for view in views}
    return compare(joined, primary=primary, cell=cell)


def audit_vault(
    url: str,
    keys: Keys,
    views: Sequence[View],
    attributes: Sequence[str],
    *,
    primary: Primary | None = None,
    cell: int = CELL,
) -> Audit:
    """`audit` against the identity vault at `url`, opened to read only and closed here: who asks for tables never holds
    a handle.

    BadInput if the vault cannot be opened with these keys, or an attribute is not audited.
    """
    from records.vault import Vault

    with Vault.open(url, keys, read_only=True) as vault:
        return audit(vault, views, attributes, primary=primary, cell=cell)


def proxies_vault(
    url: str,
    keys: Keys,
    view: View,
    attributes: Sequence[str],
    columns: Mapping[str, np.ndarray],
    scores: np.ndarray,
    without: Callable[[str], np.ndarray] | None = None,
) -> tuple[Proxy, ...]:
    """`evidence.proxies.proxies` for the attributes of the view's subjects, read like those of `audit_vault`."""
    from records.vault import Vault

    with Vault.open(url, keys, read_only=True) as vault:
        told = _told(vault, view, attributes)
        days = view.moments.astype("datetime64[D]")
        _, whose = coded(view.subjects)
        return proxies(told, columns, scores, without, capacity=view.capacity, days=days, subjects=whose)


def worst_off_vault(
    url: str, keys: Keys, subjects: pa.Array, moments: np.ndarray, attributes: Sequence[str], *, least: int
) -> WorstOff:
    """`evidence.parity.worst_off` for the attributes of these subjects, read like those of `audit_vault`."""
    from records.vault import Vault

    nothing = np.zeros(len(subjects))
    view = View("", subjects, moments, Outcomes(nothing, nothing, nothing), 0.0)
    with Vault.open(url, keys, read_only=True) as vault:
        return worst_off(_told(vault, view, attributes), least=least)


def top(scores: np.ndarray, capacity: float, weights: np.ndarray) -> np.ndarray:
    """Share of each row that is selected when the highest `capacity` of all that the rows stand for are.

    Rows of equal score share what is left for them.
    """
    levels, level = np.unique(-scores, return_inverse=True)
    each = np.bincount(level, weights=weights, minlength=len(levels))
    left = capacity * weights.sum() - (np.cumsum(each) - each)
    return np.asarray(np.clip(left / np.maximum(each, 1e-12), 0.0, 1.0)[level])


def _told(vault: AttributeStore, view: View, attributes: Sequence[str]) -> dict[str, pa.Array]:
    """Each attribute of the view's subjects as groups; of a birth date only the age then, in years of four bands."""
    unknown = [name for name in attributes if name not in AUDITED]
    if unknown or not attributes:
        raise BadInput(
            f"{', '.join(unknown) or 'Nothing'} cannot be audited: it would tell persons, not groups. "
            f"Attributes are: {', '.join(AUDITED)}."
        )
    held = vault.attributes(view.subjects, ["birth_date" if name == "age" else name for name in attributes])
    return {
        name: _ages(held.column("birth_date"), view.moments) if name == "age" else held.column(name)
        for name in attributes
    }


def _ages(births: pa.ChunkedArray, moments: np.ndarray) -> pa.Array:
    days = pc.cast(births, pa.date32())
    born = pc.cast(days, pa.int32()).to_numpy(zero_copy_only=False).astype(np.float64)
    years = (moments.astype("datetime64[D]").astype(np.int64) - born) / 365.2425
    named = np.array([f"{a}–{b - 1}" for a, b in zip((0, *_AGES), _AGES, strict=False)] + [f"{_AGES[-1]}+"])
    groups = named[np.searchsorted(_AGES, np.nan_to_num(years), side="right")]
    return pa.array(groups, mask=np.isnan(years))

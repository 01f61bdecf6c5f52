"""The two gates: which part of the law applies to a person, and whether they are a child, computed inside the vault.

A gate decides which rule applies, or protects; it never gives points and never enters a model. What it rests on is in
`regimes.yaml`: dated declarations, each citing its article.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from functools import cache
from importlib import resources
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import yaml

from records.tables.crossings import REGIMES

ADULT_FROM = 18  # Child Protection Code (law 1995-92), art. 3
# Documents whose issuer tells the nationality of the person they name, where no other statement does.
ISSUER_IS_NATIONALITY = ("passport", "identity_card")


class Gates(NamedTuple):
    """`regime` (string) and `under_18` (bool) of each row; null where unknown."""

    regime: pa.Array
    under_18: pa.Array


@dataclass(frozen=True)
class Declaration:
    """One dated statement of the law: whom the regime applies to. Conditions that are None are not asked.

    `any_nationality` asks that a nationality is known, whichever it is.
    """

    regime: str
    article: str
    basis: str
    since: date
    until: date | None = None
    nationalities: Sequence[str] | None = None
    any_nationality: bool = False
    document_types: Sequence[str] | None = None
    permit_shown: bool | None = None

    def __post_init__(self) -> None:
        if self.regime not in REGIMES:
            raise ValueError(f"Regime '{self.regime}' does not exist. Regimes: {', '.join(REGIMES)}.")
        if self.basis not in ("law", "example"):
            raise ValueError(f"Basis '{self.basis}' of regime '{self.regime}' is neither 'law' nor 'example'.")


@cache
def declarations() -> tuple[Declaration, ...]:
    """Every declaration, in the order they are asked."""
    written = yaml.safe_load(resources.files("records.vault").joinpath("regimes.yaml").read_text(encoding="utf-8"))
    return tuple(Declaration(**entry) for entry in written)


def regime(nationalities: pa.Array, document_types: pa.Array, permit_files: pa.Array, days: pa.Array) -> pa.Array:
    """The regime of each row on its local day: that of the first declaration that holds, null where none does."""
    nationality, document_type = _objects(nationalities), _objects(document_types)
    permit_shown = permit_files.is_valid().to_numpy(zero_copy_only=False)
    day = days.to_numpy(zero_copy_only=False).astype("datetime64[D]")
    found = np.full(len(day), None, dtype=object)
    for declared in reversed(declarations()):  # so that the first one has the last word
        holds = day >= np.datetime64(declared.since)
        if declared.until is not None:
            holds &= day < np.datetime64(declared.until)
        if declared.any_nationality:
            holds &= nationalities.is_valid().to_numpy(zero_copy_only=False)
        if declared.nationalities is not None:
            holds &= np.isin(nationality, declared.nationalities)
        if declared.document_types is not None:
            holds &= np.isin(document_type, declared.document_types)
        if declared.permit_shown is not None:
            holds &= permit_shown == declared.permit_shown
        found[holds] = declared.regime
    return pa.array(found, type=pa.string())


def under_18(birth_dates: pa.Array, days: pa.Array) -> pa.Array:
    """Whether each person's eighteenth birthday is still to come on the local day; null without a birth date.

    Someone born on 29 February comes of age on 1 March of a year that has none.
    """
    years = pc.subtract(pc.year(days), pc.year(birth_dates))
    before_birthday = pc.less(_month_day(days), _month_day(birth_dates))
    age = pc.subtract(years, before_birthday.cast(pa.int64()))
    return pc.less(age, ADULT_FROM)


def local_days(at: pa.Array, zone: str) -> pa.Array:
    """The local day (date32) of each moment."""
    return pc.local_timestamp(at.cast(pa.timestamp("us", tz=zone))).cast(pa.date32(), safe=False)


def telling_documents(stated: pa.Array, documents: pa.Array, document_types: pa.Array) -> pa.Array:
    """The documents whose issuer tells a nationality that is not stated; null in other rows."""
    telling = pc.and_(pc.is_null(stated), pc.is_in(document_types, value_set=pa.array(ISSUER_IS_NATIONALITY)))
    return pc.if_else(telling, documents, pa.scalar(None, documents.type))


def _objects(values: pa.Array) -> npt.NDArray[np.str_]:
    return np.asarray(values.fill_null("").to_numpy(zero_copy_only=False), dtype=np.str_)


def _month_day(days: pa.Array) -> pa.Array:
    return pc.add(pc.multiply(pc.month(days), 100), pc.day(days))

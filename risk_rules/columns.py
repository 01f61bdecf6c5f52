"""The columns a rule may read: features of the catalogue and what the spine knows of the event itself.

Pseudonyms and moments are left out: comparing one with a literal would be a rule about one person or one day.
"""

from __future__ import annotations

import difflib
import math
import numbers
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from functools import cache
from types import MappingProxyType
from typing import Literal, TypeAlias, cast

import numpy as np

from records.errors import BadInput
from records.schema import Column as Declared
from records.schema import Personal, Tier, Type
from records.tables import table

Kind: TypeAlias = Literal["number", "boolean", "string"]
SubjectKind: TypeAlias = Literal["crossing", "permit"]
SUBJECT_KINDS: tuple[SubjectKind, ...] = ("crossing", "permit")

SPINE: Mapping[SubjectKind, tuple[str, tuple[str, ...]]] = {
    "crossing": (
        "crossings",
        (
            "post",
            "direction",
            "mode",
            "service",
            "document_type",
            "party_size",
            "declared_guardian",
            "permit_file",
            "declared_stay_days",
            "address_governorate",
            "regime",
            "under_18",
        ),
    ),
    "permit": ("permits", ("office", "category")),
}
"""Subject kind → the table its spine is made from, and the columns of it that conditions may compare."""

_KINDS: Mapping[Type, Kind] = {
    Type.STRING: "string",
    Type.INTEGER: "number",
    Type.NUMBER: "number",
    Type.BOOLEAN: "boolean",
}


@dataclass(frozen=True)
class Column:
    """One column as rules see it. `minimum` and `maximum` include their ends; `values` closes the list of words.

    `fact` marks what an authority stated (a document reported stolen), `feature` what the catalogue declares; `tier` is
    the highest of what it is made from.
    """

    name: str
    kind: Kind
    values: tuple[str, ...] | None = None
    minimum: float | None = None
    maximum: float | None = None
    integer: bool = False
    fact: bool = False
    feature: bool = False
    tier: Tier = Tier.FREE

    def checked(self, value: object) -> float | bool | str | None:
        """`value` as this column's kind, NaN as None. BadInput if it is of another kind."""
        if value is None or (isinstance(value, float) and math.isnan(value)):
            return None
        if self.kind == "number" and type(value) is float:  # nearly every value: the checks below are slow
            return value
        if self.kind == "boolean" and isinstance(value, bool | np.bool_):
            return bool(value)
        if self.kind == "string" and isinstance(value, str):
            return value
        if self.kind == "number" and isinstance(value, numbers.Real) and not isinstance(value, bool | np.bool_):
            return float(value)
        raise BadInput(f"'{self.name}' is a {self.kind}, but {value!r} is none. Write a {self.kind}, or null.")

    def within_domain(self, value: float | bool | str) -> None:
        """BadInput if the column can never hold `value`."""
        if isinstance(value, str):
            if self.values is not None and value not in self.values:
                raise BadInput(f"'{self.name}' is never '{value}'. {nearest(value, self.values)}")
        elif not isinstance(value, bool):
            low, high = self.minimum, self.maximum
            if (low is not None and value < low) or (high is not None and value > high):
                raise BadInput(
                    f"{value:g} lies outside what '{self.name}' can hold ({low} to {high}). Mend the literal."
                )


def nearest(name: str, names: Iterable[str]) -> str:
    """A sentence that helps with a misspelt `name`: the nearest of `names`, or all of them when none is near."""
    known = sorted(names)
    close = difflib.get_close_matches(name, known, n=1)
    return f"Did you mean '{close[0]}'?" if close else f"There are: {', '.join(known) or 'none'}."


def spine_columns(subject_kind: SubjectKind) -> Mapping[str, Column]:
    """What the event itself says, typed and bounded by the declared table it comes from."""
    source, names = SPINE[subject_kind]
    return {name: _from_table(table(source).column(name)) for name in names}


def _from_table(declared: Declared) -> Column:
    if declared.personal is Personal.PSEUDONYM or declared.type not in _KINDS:
        raise ValueError(
            f"'{declared.name}' is a pseudonym or a moment; rules do not compare it. Take it out of SPINE."
        )
    return Column(
        declared.name,
        _KINDS[declared.type],
        values=declared.values,
        minimum=declared.minimum,
        maximum=declared.maximum,
        integer=declared.type is Type.INTEGER,
        tier=declared.tier,
    )


@cache
def columns() -> Mapping[SubjectKind, Mapping[str, Column]]:
    """Subject kind → name → every column rules may name: the event's own and the catalogue's features."""
    from features.catalogue import features

    found: dict[SubjectKind, Mapping[str, Column]] = {}
    for kind in SUBJECT_KINDS:
        known = dict(spine_columns(kind))
        for name, feature in features(kind).items():
            # A catalogue holds numbers, booleans and texts only, which it checks when it is assembled. A feature that
            # repeats a column of the event keeps the bounds that its table declares.
            declared = Column(name, cast(Kind, feature.type))
            known[name] = replace(
                known.get(name, declared), feature=True, fact=feature.role == "fact", tier=feature.tier
            )
        found[kind] = MappingProxyType(known)
    return MappingProxyType(found)

"""Declarations whose value would say nothing are refused when they are loaded, before anyone reads it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import timedelta
from typing import Final

from features.declaration import Aggregate, Derived, Feature, InForce, Lookup, Operand, Own, Rows, Window
from features.entities import TRAVELLER
from features.lineage import COMPUTED, column_type
from records.errors import BadInput
from records.schema import Type
from records.tables import tables

_OF_NUMBERS: Final = frozenset({"sum", "mean", "trend"})
_OF_WHAT_HAS_AN_ORDER: Final = frozenset({"min", "max"})
_OF_DAYS: Final = frozenset({"days_present", "days_in_a_row"})
_UP_TO_NOW: Final = _OF_DAYS | {"time_since"}
_CONDITIONS: Final[Mapping[Type, tuple[type, ...]]] = {
    Type.STRING: (str,),
    Type.INTEGER: (int,),
    Type.NUMBER: (int, float),
    Type.BOOLEAN: (bool,),
}


def refuse_unsound(feature: Feature) -> None:
    """BadInput, with the way to the rows, for a window that holds no time or looks ahead in vain, an aggregate that
    does not fit its column, a condition that no row can meet, or an interval that is not one of days. Columns are known
    to exist."""
    for of in _leaves(feature.expression):
        way = f"'{feature.name}' ({feature.name} → {of.of.table})"
        if isinstance(of, Window):
            _refuse_width(of, way)
            _refuse_ahead(of, way)
            _refuse_aggregate(of, way)
            _refuse_conditions(of.of, of.aggregate.conditions, way)
        elif isinstance(of, InForce):
            _refuse_interval(of, way)
        _refuse_conditions(of.of, of.of.conditions, way)


def _leaves(of: Operand) -> Iterator[Window | Lookup | InForce]:
    """What the declaration itself spells out; features it names are declared, and checked, elsewhere."""
    if isinstance(of, Derived):
        for operand in of.of:
            yield from _leaves(operand)
    elif not isinstance(of, str | Own):
        yield of


def _refuse_width(of: Window, way: str) -> None:
    if of.last is not None and (of.last < timedelta(0) or (not of.last and not of.looks_ahead)):
        raise BadInput(
            f"Feature {way} has a window of {of.last}, which holds no rows, so its value would say nothing. Give a "
            "width above zero, for instance last=days(90), or last=EVER."
        )


def _refuse_ahead(of: Window, way: str) -> None:
    if not of.looks_ahead:
        return
    if of.ahead is not None and of.ahead < timedelta(0):
        raise BadInput(
            f"Feature {way} looks {of.ahead} ahead, which is behind. Give a length above zero, for instance "
            "ahead=days(2), or ahead=EVER; how far it looks back is said by `last`."
        )
    if of.aggregate.name in _UP_TO_NOW:
        raise BadInput(
            f"Feature {way} takes {of.aggregate.name} and looks ahead, but that counts up to the moment from what has "
            "happened, and what is announced has not. Leave out `ahead`."
        )
    if of.of.table == "crossings" and dict(of.of.conditions).get("kind") == ("actual",):
        raise BadInput(
            f"Feature {way} looks ahead over crossings that took place, none of which lies ahead. Take in those "
            'announced, with crossings.where(kind=("actual", "advance")), or leave out `ahead`.'
        )


def _refuse_aggregate(of: Window, way: str) -> None:
    how = of.aggregate
    kind = column_type(of.of, how.column) if how.column else Type.INTEGER
    if how.name in _OF_NUMBERS and kind not in (Type.INTEGER, Type.NUMBER):
        raise BadInput(
            f"Feature {way} takes the {how.name} of '{how.column}', which is {kind.value} and no number. Count its "
            f'different values with distinct("{how.column}"), or take share({how.column}=…) of the rows.'
        )
    if how.name in _OF_WHAT_HAS_AN_ORDER and kind is Type.STRING:
        raise BadInput(
            f"Feature {way} takes the {how.name} of '{how.column}', which is text and has no order that means "
            f'anything. Take last("{how.column}"), or count with distinct("{how.column}").'
        )
    if how.name in _OF_DAYS:
        _refuse_days(of, how, way)


def _refuse_days(of: Window, how: Aggregate, way: str) -> None:
    if of.of.table != "crossings" or TRAVELLER not in of.per:
        raise BadInput(
            f"Feature {way} counts days in the country from what is not a traveller's crossings. Declare it "
            'of=crossings, per="traveller".'
        )
    if how.name == "days_present" and how.days < 1:
        raise BadInput(f"Feature {way} counts the last {how.days} days, which are none. Give one or more.")
    if of.last is not None and of.last < timedelta(days=how.days):
        raise BadInput(
            f"Feature {way} counts the last {how.days} days from crossings of {of.last.days} days alone: whoever "
            "entered before would seem not to be here. Look back at least as far, for instance last=days(1826)."
        )


def _refuse_interval(of: InForce, way: str) -> None:
    for column in (of.since, of.until):
        if (kind := column_type(of.of, column)) is not Type.DAY:
            raise BadInput(f"Feature {way} holds from or to '{column}', which is {kind.value} and no day. Name a day.")


def _refuse_conditions(rows: Rows, conditions: tuple[tuple[str, tuple[object, ...]], ...], way: str) -> None:
    for name, allowed in conditions:
        kind = column_type(rows, name)
        fitting = _CONDITIONS.get(kind, ())
        listed = _listed(rows, name)
        for value in allowed:
            unfit = not isinstance(value, fitting) or (isinstance(value, bool) and kind is not Type.BOOLEAN)
            if unfit or (listed and value not in listed):
                raise BadInput(
                    f"Feature {way} wants rows whose '{name}' is {value!r}, which no row's ever is: it is "
                    f"{'one of ' + ', '.join(listed) if listed else kind.value}. Correct the value."
                )
        if not allowed:
            raise BadInput(f"Feature {way} wants rows whose '{name}' is nothing at all. Name what it may be.")


def _listed(rows: Rows, name: str) -> tuple[str, ...]:
    """The closed list of a declared column; empty where it has none."""
    held = [rows.table, *(rows.beside or ())[:1]]
    declared = [c for table in held for c in tables()[table].columns if c.name == name and name not in COMPUTED]
    return (declared[0].values or ()) if declared else ()

"""A declaration in words: what a value is made of, from which rows, of whom, and over how long."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import timedelta
from typing import Final

from features.declaration import Aggregate, Conditions, Derived, Feature, InForce, Lookup, Operand, Own, Rows, Window
from features.lineage import Catalogue, Read

_AGGREGATES: Final = {
    "count": "how many",
    "sum": "sum of {column} over",
    "mean": "mean {column} over",
    "distinct": "how many different {column} among",
    "min": "smallest {column} of",
    "max": "largest {column} of",
    "last": "{column} of the newest of",
    "time_since": "days since the newest of",
    "mean_gap": "mean days from one to the next of",
    "share": "share with {conditions} of",
    "trend": "change of {column} per day over",
    "days_present": "on how many of the last {days} local days in the country, by",
    "days_in_a_row": "for how many local days in a row in the country, by",
}


def in_words(of: Operand, naming: Callable[[str], str] = str) -> str:
    """One line; `naming` writes the name of a feature that this one is built on, for instance as a link."""
    match of:
        case str():
            return naming(of)
        case Own():
            return f"{of.column} of the event itself"
        case Derived():
            return f"{formula_name(of)}({', '.join(in_words(operand, naming) for operand in of.of)})"
        case Lookup():
            return f"newest known {of.column} of {_rows(of.of)} {_same(of.per)}"
        case InForce():
            return (
                f"whether one of {_rows(of.of)} {_same(of.per)} holds on the local day, "
                f"from {of.since} to {of.until}, both included"
            )
        case Window():
            return f"{aggregate_in_words(of.aggregate)} {_rows(of.of)} {_same(of.per)} {width_in_words(of)}"


def aggregate_in_words(how: Aggregate) -> str:
    return _AGGREGATES[how.name].format(column=how.column, conditions=_conditions(how.conditions), days=how.days)


def width_in_words(of: Window) -> str:
    """How far back from the moment, and how far ahead of it."""
    said = []
    if of.last != timedelta(0):
        said.append("ever before" if of.last is None else f"in the {_span(of.last)} before")
    if of.looks_ahead:
        said.append("announced to come" if of.ahead is None else f"announced for the {_span(of.ahead)} ahead")
    return " or ".join(said)


def _span(width: timedelta) -> str:
    """As it follows "the"."""
    return _length(width).removeprefix("1 ")


def _length(width: timedelta) -> str:
    """In the longest unit that is whole."""
    for unit, length in (("days", timedelta(days=1)), ("hours", timedelta(hours=1)), ("minutes", timedelta(minutes=1))):
        if width % length == timedelta(0):
            number = width // length
            return f"1 {unit[:-1]}" if number == 1 else f"{number:,} {unit}"
    return str(width)


def formula_name(of: Derived) -> str:
    return str(of.formula.__name__).strip("_")


def looks_back(feature: Feature, catalogue: Catalogue) -> str:
    """How far back its windows look, and those of what it is built on, the narrowest first, and whether one looks at
    what is announced; empty where it has none."""
    windows = list(_windows(feature.expression, catalogue))
    widths = {w.last for w in windows}
    said = [_length(width) for width in sorted(w for w in widths if w)]
    said += ["all records"] if None in widths else []
    return ", ".join([*said, *(["announcements"] if any(w.looks_ahead for w in windows) else [])])


def _windows(of: Operand, catalogue: Catalogue) -> Iterator[Window]:
    if isinstance(of, str):
        yield from _windows(catalogue[of].expression, catalogue)
    elif isinstance(of, Derived):
        for operand in of.of:
            yield from _windows(operand, catalogue)
    elif isinstance(of, Window):
        yield of


def ways(read: Iterable[Read]) -> Mapping[str, tuple[str, ...]]:
    """Each way to a table that a feature takes, and the columns it reads there: "a → b → crossings" → direction, …"""
    found: dict[str, dict[str, None]] = {}
    for one in read:
        found.setdefault(" → ".join((*one.chain, one.table)), {})[one.column.name] = None
    return {way: tuple(columns) for way, columns in found.items()}


def _rows(rows: Rows) -> str:
    beside = f" beside {rows.beside[0]} by {rows.beside[1]}" if rows.beside else ""
    return f"{rows.table}{beside}" + (f" ({_conditions(rows.conditions)})" if rows.conditions else "")


def _conditions(conditions: Conditions) -> str:
    return ", ".join(f"{column} {' or '.join(map(_value, allowed))}" for column, allowed in conditions)


def _value(value: object) -> str:
    return {True: "yes", False: "no"}[value] if isinstance(value, bool) else str(value)


def _same(per: tuple[str, ...]) -> str:
    return f"of the same {' and '.join(per)}"

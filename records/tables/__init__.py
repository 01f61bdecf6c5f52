"""Every table there is, found by walking this package: a module's tables are the `Table` objects it declares."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Mapping
from functools import cache
from types import MappingProxyType

from records.schema import Table


@cache
def tables() -> Mapping[str, Table]:
    """Name → declaration of every table, in alphabetical order. ValueError if two files declare one name."""
    found: dict[str, Table] = {}
    for module in sorted(m.name for m in pkgutil.iter_modules(__path__)):
        for thing in vars(importlib.import_module(f"{__name__}.{module}")).values():
            if not isinstance(thing, Table):
                continue
            if thing.name in found:
                raise ValueError(f"Table '{thing.name}' is declared twice. Keep one declaration in records/tables.")
            found[thing.name] = thing
    return MappingProxyType(dict(sorted(found.items())))


def table(name: str) -> Table:
    """The table `name`; KeyError that lists the tables there are otherwise."""
    try:
        return tables()[name]
    except KeyError:
        raise KeyError(f"There is no table '{name}'. Tables: {', '.join(tables())}.") from None

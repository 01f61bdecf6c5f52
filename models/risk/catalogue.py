"""Every declared risk model, found by walking this package: a module's model is its `DECLARATION`."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Mapping
from functools import cache
from types import MappingProxyType

import models.risk
from models.risk.declaration import RiskDeclaration
from records.errors import BadInput


@cache
def declarations() -> Mapping[str, RiskDeclaration]:
    """Name → declaration, in alphabetical order."""
    found = {}
    for module in sorted(m.name for m in pkgutil.iter_modules(models.risk.__path__)):
        declared = getattr(importlib.import_module(f"models.risk.{module}"), "DECLARATION", None)
        if isinstance(declared, RiskDeclaration):
            found[declared.name] = declared
    return MappingProxyType(found)


def declaration(name: str) -> RiskDeclaration:
    """The declared model `name`. BadInput that lists those there are."""
    try:
        return declarations()[name]
    except KeyError:
        raise BadInput(f"There is no model '{name}'. Models: {', '.join(declarations())}.") from None

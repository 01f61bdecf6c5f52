"""A measured value beside the bar it is held against."""

import operator
import tomllib
from functools import cache
from pathlib import Path
from typing import Any

ORDERS = {"<=": operator.le, ">=": operator.ge, "<": operator.lt, ">": operator.gt}


@cache
def _declared() -> dict[str, Any]:
    return tomllib.loads(Path(__file__).parents[1].joinpath("bars.toml").read_text(encoding="utf-8"))


def bar(name: str, value: float | None) -> dict[str, Any]:
    """The line of one bar of bars.toml; a value that could not be measured misses it."""
    must = _declared()[name]["must"]
    sign, bound = must.split()
    met = value is not None and bool(ORDERS[sign](value, float(bound)))
    return {"bar": name, "value": None if value is None else round(float(value), 5), "must": must, "met": met}

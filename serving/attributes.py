"""What an audit groups by, as a reader calls it: sexes in words, ages in years, nationalities by their codes."""

from __future__ import annotations

from evidence.cells import TIMES, UNKNOWN
from serving.languages import Language


def attribute_said(attribute: str, reader: Language) -> str:
    """An attribute, or two that are crossed; one that comes with the data of others as they call it."""
    return TIMES.join(reader.say_or(f"attribute.{name}", name) for name in attribute.split(TIMES))


def group_said(attribute: str, group: str, reader: Language) -> str:
    """A group of an attribute, or of two that are crossed."""
    # A name that others gave may hold the sign that parts two crossed ones.
    parts = zip(attribute.split(TIMES), group.split(TIMES, attribute.count(TIMES)), strict=True)
    return TIMES.join(
        reader.say_or(f"audit.group.{of}.{name}" if name != UNKNOWN else "audit.unknown", name) for of, name in parts
    )

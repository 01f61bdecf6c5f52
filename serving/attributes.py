"""What an audit groups by, as a reader calls it: sexes in words, ages in years, nationalities by their countries."""

from __future__ import annotations

from evidence.cells import TIMES, UNKNOWN
from serving.languages import Language
from serving.sentences import isolated


def attribute_said(attribute: str, reader: Language) -> str:
    """An attribute, or two that are crossed; one that comes with the data of others as they call it."""
    return TIMES.join(reader.say_or(f"attribute.{name}", name) for name in attribute.split(TIMES))


def group_said(attribute: str, group: str, reader: Language) -> str:
    """A group of an attribute, or of two that are crossed."""
    # A name that others gave may hold the sign that parts two crossed ones.
    parts = zip(attribute.split(TIMES), group.split(TIMES, attribute.count(TIMES)), strict=True)
    return TIMES.join(_named(of, name, reader) for of, name in parts)


def _named(of: str, name: str, reader: Language) -> str:
    if name == UNKNOWN:
        return reader.say("audit.unknown")
    if of == "nationality":
        return reader.country(name)
    # Ages keep their order where all else runs from the right.
    bare = isolated(name) if reader.direction == "rtl" and not any(c.isalpha() for c in name) else name
    return reader.say_or(f"audit.group.{of}.{name}", bare)

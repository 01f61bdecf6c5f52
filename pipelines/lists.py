"""Options that take several names, separated by commas."""

from __future__ import annotations

import click


def names(_context: click.Context, _option: click.Parameter, value: str | None) -> tuple[str, ...]:
    """The names of an option's value, without blanks; none where the option was left out."""
    return tuple(part.strip() for part in value.split(",") if part.strip()) if value else ()

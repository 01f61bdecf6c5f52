"""Options that take several names, or several shares, separated by commas."""

from __future__ import annotations

import click


def names(_context: click.Context, _option: click.Parameter, value: str | None) -> tuple[str, ...]:
    """The names of an option's value, without blanks; none where the option was left out."""
    return tuple(part.strip() for part in value.split(",") if part.strip()) if value else ()


def shares(_context: click.Context, _option: click.Parameter, value: str) -> tuple[float, ...]:
    """The shares of an option's value; a usage error where they are none."""
    try:
        found = tuple(float(part) for part in value.split(","))
    except ValueError:
        found = ()
    if not found or not all(0 < share <= 1 for share in found):
        raise click.BadParameter("shares of the rows above 0 and at most 1, such as 0.01,0.05")
    return found

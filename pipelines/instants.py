"""Options that are moments: with a zone, because without one a moment is a guess."""

from __future__ import annotations

from datetime import datetime

import click


def instant(_context: click.Context, _option: click.Parameter, value: str | None) -> datetime | None:
    """The moment written, in UTC; a usage error, so exit code 2, where it is none or has no zone."""
    if value is None:
        return None
    import pyarrow as pa

    from records.times import read_instants

    [moment], problems = read_instants(pa.array([value]), None)
    for code, wrong in problems:
        if wrong.any() and code == "no_zone":
            raise click.BadParameter(
                f"{value} has no time zone, so it is no instant: 09:00 in Tunis is 08:00 UTC. Write the offset, such "
                "as 2025-06-01T09:00+01:00, or Z for UTC."
            )
        if wrong.any():
            raise click.BadParameter(f"{value} is no moment. Write one such as 2025-06-01T09:00Z.")
    found: datetime | None = moment.as_py()
    return found

"""Where a command writes what took minutes to make: found out before the work, not after it."""

from __future__ import annotations

import os
from pathlib import Path

import click

TABLES = (".parquet", ".pq", ".csv")


def output_file(_context: click.Context, _option: click.Parameter, path: Path) -> Path:
    """`path` with its folder made; a usage error, so exit code 2, where nothing can be written there."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise click.BadParameter(f"the folder {path.parent} cannot be made: {error.strerror}") from error
    if not os.access(path if path.exists() else path.parent, os.W_OK):
        raise click.BadParameter(f"{path} cannot be written. Name a file in a folder of yours.")
    return path


def table_file(context: click.Context, option: click.Parameter, path: Path) -> Path:
    """As `output_file`, for a table: Parquet or CSV, by the name."""
    if path.suffix.lower() not in TABLES:
        raise click.BadParameter(f"{path.name} ends in '{path.suffix}'. Tables are written as {', '.join(TABLES)}.")
    return output_file(context, option, path)

"""The pages of `docs` that declarations make: `python -m pipelines.documents` writes them, `--check` only compares."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path

import click

from features.published import published
from records.dictionary import data_dictionary
from risk_rules.handbook import handbook
from risk_rules.protection import Protection
from risk_rules.rulebook import Rulebook

DOCS = Path(__file__).parents[1] / "docs"


def _rules() -> str:
    return handbook(Rulebook.load(on=datetime.now(UTC).date()), Protection.load())


PAGES: Mapping[str, Callable[[], str]] = {
    "data-dictionary.md": data_dictionary,
    "features.md": published,
    "rules.md": _rules,
}
"""File name → what it should say."""


def write(folder: Path = DOCS) -> list[str]:
    """Bring every page in `folder` up to date; returns the names of those that changed."""
    stale = outdated(folder)
    for name in stale:
        (folder / name).write_text(PAGES[name](), encoding="utf-8")
    return stale


def outdated(folder: Path = DOCS) -> list[str]:
    """Names of the pages in `folder` that are missing or do not say what the declarations say now."""
    return [name for name, page in PAGES.items() if _read(folder / name) != page()]


def _read(path: Path) -> str | None:
    return path.read_text(encoding="utf-8") if path.exists() else None


@click.command()
@click.argument("folder", type=click.Path(path_type=Path, file_okay=False, exists=True), default=DOCS)
@click.option("--check", is_flag=True, help="Write nothing; exit with 1 if a page is out of date.")
def main(folder: Path, check: bool) -> None:
    """Write the data dictionary, the feature catalogue and the rules to FOLDER (`docs`), from the declarations."""
    names = outdated(folder) if check else write(folder)
    for name in names:
        click.echo(f"{name}: " + ("out of date; `make docs` writes it again" if check else "written"))
    if not names:
        click.echo("Every generated page is current.")
    if check and names:
        raise SystemExit(1)


if __name__ == "__main__":
    main()

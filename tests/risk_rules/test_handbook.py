"""The published page is what the files say now."""

from __future__ import annotations

import doctest
from datetime import date
from pathlib import Path

from risk_rules import handbook as module
from risk_rules.handbook import handbook
from risk_rules.protection import Protection
from risk_rules.rulebook import Rulebook

PAGE = Path(__file__).parents[2] / "docs" / "rules.md"
WRITE = (
    "Write it anew: python -c 'from datetime import date; from risk_rules.handbook import handbook; "
    "from risk_rules.protection import Protection; from risk_rules.rulebook import Rulebook; "
    'print(handbook(Rulebook.load(on=date.today()), Protection.load()), end="")\' > docs/rules.md'
)


def test_the_page_is_current() -> None:
    assert PAGE.read_text(encoding="utf-8") == handbook(Rulebook.load(on=date(2025, 6, 1)), Protection.load()), WRITE


def test_the_page_is_the_same_on_every_day() -> None:
    pages = {handbook(Rulebook.load(on=day), Protection.load()) for day in (date(2019, 1, 1), date(2025, 6, 1))}
    assert len(pages) == 1


def test_the_examples_in_the_module_run() -> None:
    assert doctest.testmod(module).failed == 0

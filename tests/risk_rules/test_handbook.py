"""The published page of rules, mitigations and protection."""

from __future__ import annotations

import doctest
from datetime import date

from risk_rules import handbook as module
from risk_rules.handbook import handbook
from risk_rules.protection import Protection
from risk_rules.rulebook import Rulebook


def test_the_page_is_the_same_on_every_day() -> None:
    pages = {handbook(Rulebook.load(on=day), Protection.load()) for day in (date(2019, 1, 1), date(2025, 6, 1))}
    assert len(pages) == 1


def test_the_examples_in_the_module_run() -> None:
    assert doctest.testmod(module).failed == 0

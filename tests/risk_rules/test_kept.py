"""A rulebook kept by its hash says later what it said then, and a changed one is refused."""

from datetime import date

import pytest

from records.errors import BadInput
from risk_rules.kept import keep, kept
from risk_rules.protection import Protection
from risk_rules.rulebook import Rulebook

DAY = date(2026, 3, 2)


def test_what_is_kept_is_the_same_rulebook(tmp_path):
    now = Rulebook.load(on=DAY)
    place = keep(tmp_path / "rulebooks")
    assert keep(tmp_path / "rulebooks") == place == kept(tmp_path / "rulebooks", now.hash)
    then = Rulebook.load(place, on=DAY)
    assert (then.hash, [r.id for r in then.rules]) == (now.hash, [r.id for r in now.rules])
    assert [sign.id for sign in Protection.load(place).signs] == [sign.id for sign in Protection.load().signs]
    assert [p.name for p in (tmp_path / "rulebooks").iterdir()] == [now.hash]


def test_one_that_is_not_there_or_was_changed_is_refused(tmp_path):
    place = keep(tmp_path)
    with pytest.raises(BadInput, match="is not kept in"):
        kept(tmp_path, "0" * 64)
    threshold = place / "thresholds" / "permit_grace_days.yaml"
    threshold.write_text(threshold.read_text().replace("value: 3", "value: 4"))
    with pytest.raises(BadInput, match="was changed"):
        kept(tmp_path, place.name)

"""Lanes, shifts and what production lacks."""

from dataclasses import replace
from datetime import date

import pytest

from records import journal
from records.errors import BadInput
from risk_rules.lanes import commitment
from serving import accounts, champions, readiness, shifts, store
from serving.champions import Champion
from serving.selection import Shift, drawn, interest, select
from tests.serving.crossings import assessed, crossing
from tests.serving.named import PASSED

KEY = ("ras-jedir", "2026-03-02 morning")
SHIFT = Shift(*KEY, capacity=6, p=0.3, secret=b"s" * 32)


@pytest.fixture
def batch(model, rulebook):
    return assessed([crossing(2 * n + 1) for n in range(30)], model, rulebook)


def test_random_control_comes_first_and_never_exceeds_capacity(batch, rulebook):
    found = select(batch, {KEY: SHIFT}, rulebook.ladder)
    chosen = [a for a in found if a.outcome == "selected"]
    assert 0 < len(chosen) <= SHIFT.capacity
    random = {a.event for a in found if a.why == "random"}
    assert random == {a.event for a in batch if drawn(a, {KEY: SHIFT})}
    assert random
    assert all(a.blind for a in chosen if a.why == "random")
    assert sum(a.blind and a.why != "random" for a in found) <= len(random)
    assert all(0 <= a.probability <= 1 for a in found)


def test_a_traveller_is_explored_once_and_never_instead_of_the_control(batch, rulebook):
    once = [replace(a, subject="k1.same") for a in batch]
    plain = select(batch, {KEY: SHIFT}, rulebook.ladder)
    more = select(batch, {KEY: SHIFT}, rulebook.ladder, {})
    assert {a.event for a in plain if a.why == "random"} <= {a.event for a in more if a.why == "random"}
    assert all(b.probability >= a.probability for a, b in zip(plain, more, strict=True) if a.cause is None)
    roomy = {KEY: replace(SHIFT, capacity=30)}
    assert sum(a.probability > SHIFT.p for a in select(batch, roomy, rulebook.ladder, {}) if a.cause is None) > 1
    assert sum(a.probability > SHIFT.p for a in select(once, roomy, rulebook.ladder, {}) if a.cause is None) <= 1
    known = select(batch, {KEY: SHIFT}, rulebook.ladder, {a.subject: 1 for a in batch})
    assert known == plain


def test_without_a_score_nothing_is_worth_exploring(batch):
    assert all(0 <= interest(a) <= 1 for a in batch)
    assert interest(replace(batch[0], raw=None, score=None)) == 0.0


def test_order_and_ids_do_not_depend_on_the_lane(batch, rulebook):
    found = select(batch, {KEY: SHIFT}, rulebook.ladder)
    assert [a.id for a in found] == [a.id for a in batch]
    backward = select(batch[::-1], {KEY: SHIFT}, rulebook.ladder)
    assert backward[::-1] == found


def test_a_shift_that_was_not_planned_selects_nobody(batch, rulebook):
    assert select(batch, {}, rulebook.ladder) == batch


def test_who_is_not_assessable_is_never_drawn(model, rulebook):
    (child,) = assessed([crossing(1, under_18=True)], model, rulebook)
    always = replace(SHIFT, p=1.0)
    assert not drawn(child, {KEY: always})
    assert select([child], {KEY: always}, rulebook.ladder) == [child]


def test_a_shift_is_planned_once_and_its_secret_told_after_it(engine, tmp_path):
    actor = accounts.engine_actor(engine, tmp_path / "keys")
    wanted = [shifts.ToPlan(*KEY, capacity=10, expected=100.0)]
    with store.writing(engine) as connection:
        made = shifts.plan_shifts(connection, actor, wanted)
        assert shifts.plan_shifts(connection, actor, wanted) == made == shifts.planned(connection, [KEY])
        (told,) = journal.entries(connection, kind="shifts_planned")
        assert told.payload["shifts"][0]["commitment"] == commitment(made[KEY].secret)
        assert made[KEY].secret.hex() not in str(told.payload)
        assert shifts.publish(connection, actor, [KEY]) == {KEY: made[KEY].secret.hex()}
        assert shifts.publish(connection, actor, [KEY]) == {}


def test_a_shift_is_over_once_its_day_is(engine, tmp_path):
    actor = accounts.engine_actor(engine, tmp_path / "keys")
    keys = [("ras-jedir", f"202603{day:02d}-E") for day in (1, 2, 3)]
    with store.writing(engine) as connection:
        shifts.plan_shifts(connection, actor, [shifts.ToPlan(*key, capacity=4, expected=40) for key in keys])
        assert set(shifts.over(connection, date(2026, 3, 3))) == set(keys[:2])
        shifts.publish(connection, actor, shifts.over(connection, date(2026, 3, 3)))
        assert shifts.over(connection, date(2026, 3, 3)) == []
        (told,) = journal.entries(connection, kind="shifts_published")
        assert len(told.payload["shifts"]) == 2


def test_the_journal_names_the_champion(engine, tmp_path):
    actor = accounts.engine_actor(engine, tmp_path / "keys")
    first, second = (Champion("secondary_check", hash, "sample") for hash in ("a" * 32, "b" * 32))
    with store.writing(engine) as connection:
        for named in (first, second, second):
            champions.name_champion(connection, actor, named, PASSED)
        assert champions.champions(connection) == {"secondary_check": second}
        assert len(list(journal.entries(connection, kind=champions.NAMED))) == 2
        with pytest.raises(BadInput, match="Purposes are"):
            champions.name_champion(connection, actor, replace(first, purpose="other"), PASSED)
        with pytest.raises(BadInput, match="did not pass stable"):
            champions.name_champion(connection, actor, first, [g for g in PASSED if g.name != "stable"])


READY = readiness.Standing(
    readiness.Charter("Ministry", "dpo@authority.example", date(2026, 1, 1), "FRIA 1", date(2026, 1, 2)),
    examples=(),
    champions={"secondary_check": "records"},
    demo_accounts=False,
    default_secrets=(),
    shared_account=False,
)


def test_what_lacks_nothing_may_start():
    assert readiness.lacks(READY) == []


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"examples": ("stay-outlasts-permit",)}, "stay-outlasts-permit"),
        ({"champions": {"permit_lapse": "sample"}}, "learnt from sample"),
        ({"demo_accounts": True}, "Demonstration"),
        ({"default_secrets": ("database_url",)}, "database_url"),
        ({"shared_account": True}, "an account of its own"),
        ({"charter": replace(READY.charter, controller=None)}, "controller"),
        ({"charter": replace(READY.charter, rights_assessment_signed_on=None)}, "not signed"),
    ],
)
def test_each_lack_is_named(change, says):
    (told,) = readiness.lacks(replace(READY, **change))
    assert says in told


def test_a_charter_is_read_or_refused(tmp_path):
    assert readiness.charter(tmp_path) == readiness.Charter()
    path = tmp_path / readiness.FILE_NAME
    path.write_text('controller = "Ministry"\nretention_approved_on = 2026-01-15\n', encoding="utf-8")
    assert readiness.charter(tmp_path) == readiness.Charter("Ministry", retention_approved_on=date(2026, 1, 15))
    for wrong in ("controller = 3", 'king = "x"', "controller ="):
        path.write_text(wrong, encoding="utf-8")
        with pytest.raises(BadInput):
            readiness.charter(tmp_path)

"""Pictures of explanations: they add up, say no column and no log-odds, and turn round in Arabic."""

import json
from dataclasses import replace
from datetime import timedelta
from html import unescape
from itertools import pairwise

import pytest

from features.catalogue import features
from serving import drivers, store
from serving.accounts import engine_actor
from serving.assessment import Reason
from serving.drawing import COLOURS, Look, inline, png, svg
from serving.driver_pictures import by_place, drift
from serving.languages import LANGUAGES, language
from serving.waterfall import MOST, waterfall
from tests.serving import named
from tests.serving.crossings import DAY, PURPOSE, assessed, crossing

ZONE = "Africa/Tunis"


@pytest.fixture(scope="module")
def case(model, rulebook):
    (found,) = assessed([crossing(5)], model, rulebook)
    return found


@pytest.fixture(scope="module")
def many(model, rulebook):
    """Five weeks with 30 crossings a day at one post and one a day at another."""
    rows = []
    for n in range(35 * 6):
        at = DAY - timedelta(days=n // 6)
        rows.append(crossing(n, as_of=at, happened_at=at, post="ras-jedir" if n % 6 == 0 else "tunis-carthage"))
    return assessed(rows, model, rulebook)


def rows_of(spec):
    return next(iter(spec["datasets"].values()))


@pytest.mark.parametrize("code", LANGUAGES)
@pytest.mark.parametrize("dark", [False, True])
def test_the_steps_lead_from_the_usual_to_the_case(case, code, dark):
    look = Look(language(code), dark)
    spec = waterfall(case, look)
    rows = rows_of(spec)
    assert rows[0]["after"] == case.base
    assert rows[-1]["before"] == pytest.approx(case.raw, abs=1e-7)
    assert all(a["after"] == pytest.approx(b["before"], abs=1e-7) for a, b in pairwise(rows))
    assert len(rows) == min(len(case.reasons), MOST) + (len(case.reasons) > MOST) + 2
    drawn = svg(spec)
    assert drawn.startswith("<svg")
    assert "http://www.w3.org" in drawn
    assert not any(name in drawn for name in features("crossing"))
    assert look.colour("card") in drawn
    assert json.loads(json.dumps(spec)) == spec


def test_right_to_left_the_axis_runs_the_other_way(case):
    french, arabic = (waterfall(case, Look(language(code))) for code in ("fr", "ar"))
    sides = [spec["config"]["axisY"]["orient"] for spec in (french, arabic)]
    assert sides == ["left", "right"]
    scales = [spec["layer"][0]["encoding"]["x"]["scale"]["reverse"] for spec in (french, arabic)]
    assert scales == [False, True]


def test_a_less_certain_reason_is_fainter_and_says_so(case):
    reasons = (replace(case.reasons[0], certain=False), *case.reasons[1:])
    rows = rows_of(waterfall(replace(case, reasons=reasons), Look(language("en"))))
    assert rows[1]["opacity"] < 1
    assert "less certain" in rows[1]["words"]


def test_many_reasons_are_gathered_in_the_last_step(case):
    groups = ("papers", "stay", "permit", "post", "party", "service", "calendar", "rhythm")
    each = case.reasons[0].observed[:1]
    many = tuple(Reason(group, 0.125, "raises", each) for group in groups)
    rows = rows_of(waterfall(replace(case, reasons=many), Look(language("ar"))))
    assert len(rows) == MOST + 3
    assert "سببان آخران" in rows[-2]["name"]


def test_nothing_is_drawn_of_a_blind_case_or_one_without_a_score(case):
    for hidden in (replace(case, blind=True), replace(case, reasons=()), replace(case, base=None)):
        assert waterfall(hidden, Look(language("en"))) is None


def test_a_picture_in_a_page_takes_the_page_s_colours(case):
    drawn = inline(waterfall(case, Look(language("fr"))))
    assert "var(--raises)" in drawn
    assert not any(f'"{light}"' in drawn for light, _ in COLOURS.values())
    assert png(waterfall(case, Look(language("ar"), dark=True)), scale=1).startswith(b"\x89PNG")


def test_drivers_are_the_sums_of_reasons(many):
    told = drivers.drivers(many)
    assert told.events == len(many)
    moved = sum(abs(r.push) for a in many for r in a.reasons)
    assert sum(told.raised.values()) + sum(told.lowered.values()) == pytest.approx(moved)
    assert sum(told.first.values()) == len(many)
    assert sum(told.shares.values()) == pytest.approx(1.0)
    assert list(told.shares.values()) == sorted(told.shares.values(), reverse=True)
    halves = drivers.together([drivers.drivers(many[:50]), drivers.drivers(many[50:])])
    assert halves.shares == pytest.approx(told.shares)


def test_a_week_stands_beside_the_month_before_and_small_places_are_not_shown(engine, many):
    days = [(DAY - timedelta(days=n)).date() for n in range(40)]
    with store.writing(engine) as connection:
        assert drivers.newest_week(connection, "crossing", "m") is None
        drivers.save(connection, "crossing", "m", many, days, zone=ZONE)
        assert drivers.save(connection, "crossing", "m", many, days, zone=ZONE) == 0
        drivers.save(connection, "crossing", "other model", many[:1], days[:1], zone=ZONE)
        assert drivers.days_kept(connection, "crossing", "m") == set(days)
        week = drivers.newest_week(connection, "crossing", "m")
    assert week.last == DAY.date()
    assert (week.now.events, week.before.events) == (42, 168)
    assert list(week.places) == ["tunis-carthage"]
    assert week.few == 1
    for code in LANGUAGES:
        look = Look(language(code))
        for spec in (drift(week, look), by_place(week, "post", look)):
            assert svg(spec).startswith("<svg")
    assert by_place(replace(week, places={}), "post", look) is None
    assert drift(replace(week, now=drivers.Drivers()), look) is None


def test_a_page_shows_one_case_with_its_picture_and_writes_down_who_looked(client, installation, model, rulebook):
    batch = assessed([crossing(n) for n in range(4)], model, rulebook)
    blind = replace(batch[0], blind=True)
    with store.writing(installation.engine) as connection:
        store.save_assessments(connection, [blind, *batch[1:]], zone=ZONE)
    for code in LANGUAGES:
        asked = installation.bearer("analyst") | {"Accept-Language": code}
        page = client.get(f"/cases/{batch[1].id}", headers=asked).text
        assert language(code).say("waterfall.title") in page
        assert "var(--ink)" in page
        assert not any(f">{name}<" in page for name in features("crossing"))
    hidden = client.get(f"/cases/{blind.id}", headers=installation.bearer("analyst")).text
    assert "<figure" not in hidden
    assert client.get(f"/cases/{batch[1].id}", headers=installation.bearer("planner")).status_code == 403
    assert client.get("/cases/none", headers=installation.bearer("analyst")).status_code == 404
    assert client.get(f"/cases/{batch[1].id}").status_code == 303


def test_the_week_s_drivers_are_for_their_purpose(client, installation):
    seen = {
        role: [
            client.get(f"/drivers?kind={kind}", headers=installation.bearer(role)).status_code
            for kind in ("crossing", "permit")
        ]
        for role in ("analyst", "caseworker", "data_scientist", "oversight", "planner", "protection")
    }
    assert seen == {
        "analyst": [200, 403],
        "caseworker": [403, 200],
        "data_scientist": [200, 200],
        "oversight": [200, 200],
        "planner": [403, 403],
        "protection": [403, 403],
    }


def test_the_week_s_page_shows_both_pictures_and_the_numbers_beside_them(client, installation, model, many):
    actor = engine_actor(installation.engine, installation.settings.keys)
    hash = model.save(installation.settings.models).name
    days = [(DAY - timedelta(days=n)).date() for n in range(35)]
    with store.writing(installation.engine) as connection:
        named.name(connection, actor, PURPOSE, hash)
        drivers.save(connection, "crossing", hash, many, days, zone=ZONE)
    for code in LANGUAGES:
        asked = installation.bearer("analyst") | {"Accept-Language": code}
        page = unescape(client.get("/drivers", headers=asked).text)
        spoken = language(code)
        assert page.count("<svg") == 4  # each for a desk and for a phone
        assert spoken.say("drivers.events", count=42) in page
        assert spoken.say("drivers.few", count=1, least=spoken.number(drivers.LEAST)) in page

"""Audits by group: oversight alone asks and reads, the journal knows of both, and no attribute of anybody leaves."""

from dataclasses import replace
from datetime import UTC, date, datetime
from html import unescape

import numpy as np
import pyarrow as pa
import pytest

from evidence.gaps import Primary
from evidence.groups import Outcomes, compare
from evidence.intervals import Interval
from evidence.proxies import TOGETHER, Proxy
from features.catalogue import features
from records import journal
from serving import audits, store
from serving.accounts import engine_actor
from serving.attributes import group_said
from serving.audit_pages import in_words
from serving.audit_pictures import SHARES, rates
from serving.audits import Kept
from serving.drawing import Look, svg
from serving.languages import LANGUAGES, language
from serving.sentences import titled
from tests.serving.pages import hosts


@pytest.fixture(scope="module")
def kept():
    """Three thousand cases; young people are chosen twice as often, and nationality C hardly occurs."""
    random = np.random.default_rng(5)
    n = 3_000
    age = random.choice(["18–29", "30–44", "60+"], n)
    labels = (random.random(n) < 0.3).astype(float)
    chosen = (random.random(n) < np.where(age == "18–29", 0.4, 0.2)).astype(float)
    attributes = {
        "sex": pa.array(random.choice(["F", "M"], n)),
        "age": pa.array(age),
        "nationality": pa.array(np.where(np.arange(n) < 12, "CCC", np.where(np.arange(n) < 16, "DDD", "AAA"))),
    }
    outcomes = Outcomes(labels, chosen, np.full(n, 0.3), minutes=random.exponential(9, n))
    primary = Primary("sex", "missed_risk", "F", "M", view="known")
    audit = compare({"known": (attributes, outcomes, 0.27)}, primary=primary)
    proxies = (
        Proxy("age", TOGETHER, "60+", Interval(0.8, 0.75, 0.85)),
        Proxy("age", "hour_of_crossing", "60+", Interval(0.7, 0.6, 0.8), *(Interval(0.5, 0.4, 0.6),) * 3),
    )
    return Kept("secondary_check", "ab" * 20, datetime(2026, 3, 1, tzinfo=UTC), "oversight", audit, proxies)


def test_groups_are_called_as_a_reader_calls_them():
    told = {code: group_said("age × nationality", "60+ × DZA", language(code)) for code in LANGUAGES}
    assert told == {"ar": "\u206860+\u2069 × الجزائر", "fr": "60+ × Algérie", "en": "60+ × Algeria"}
    assert group_said("nationality", "ZZX", language("fr")) == "ZZX"
    assert group_said("route", "DZA", language("fr")) == "DZA"


@pytest.mark.parametrize("code", LANGUAGES)
def test_words_say_what_was_found_and_what_could_have_been(kept, code):
    reader = language(code)
    told = in_words(kept, date(2026, 3, 2), reader)
    assert reader.day(date(2026, 3, 2)) in told["made"]
    assert [view for view, _ in told["found"]] == [reader.say("audit.view.known")]
    young = [sentence for sentence in told["found"][0][1] if "18–29" in sentence.partition(":")[0]]
    assert any(reader.say("audit.rate.selection") in sentence for sentence in young)
    assert reader.say("audit.rate.missed_risk") in told["primary"]
    notes = [row["note"] for table in told["tables"] for row in table["rows"] if row["note"]]
    assert any("n = 12" in note for note in notes)
    assert any("n < 10" in note for note in notes)
    assert [table["heads"][0] for table in told["tables"]] == [reader.say("audit.rate.selection")] * 3
    together, hour = told["proxies"]
    assert (together["title"], together["column"]) == ("", reader.say("audit.proxy.together"))
    assert (hour["title"], hour["column"]) == (
        titled(features("crossing")["hour_of_crossing"], reader),
        "hour_of_crossing",
    )


@pytest.mark.parametrize("code", LANGUAGES)
@pytest.mark.parametrize("dark", [False, True])
def test_a_picture_has_a_panel_for_each_rate_and_leaves_small_groups_out(kept, code, dark):
    look = Look(language(code), dark)
    table = kept.audit.tables[2]
    spec = rates(table, {row.group: row.group for row in table.rows}, dict.fromkeys(SHARES, "title"), look)
    assert len(spec["hconcat"]) == len(SHARES)
    assert "CCC" not in str(spec)
    assert svg(spec).startswith("<svg")
    assert rates(replace(table, rows=()), {}, dict.fromkeys(SHARES, "title"), look) is None


def test_an_audit_is_kept_whole_and_the_journal_holds_its_digest(engine, tmp_path, kept):
    actor = engine_actor(engine, tmp_path)
    with store.writing(engine) as connection:
        assert audits.newest(connection, "secondary_check") is None
        audits.save(connection, actor, replace(kept, by="earlier"))
        audits.save(connection, actor, kept)
        found = audits.newest(connection, "secondary_check")
        assert audits.newest(connection, "permit_lapse") is None
        told = [entry.payload for entry in journal.entries(connection, kind="audited")]
    assert found.audit == kept.audit
    assert found.proxies == kept.proxies
    assert (found.by, found.model) == ("oversight", kept.model)
    assert len(told) == 2
    assert len(told[1]["digest"]) == 64


def test_the_page_is_oversight_s_alone_and_every_reading_is_written_down(client, installation, kept):
    seen = {
        role: client.get("/groups", headers=installation.bearer(role)).status_code
        for role in ("analyst", "caseworker", "planner", "data_scientist", "protection", "administrator", "oversight")
    }
    assert {role for role, status in seen.items() if status == 200} == {"oversight"}
    assert client.get("/groups").status_code == 303
    assert client.get("/groups?purpose=luck", headers=installation.bearer("oversight")).status_code == 400
    actor = engine_actor(installation.engine, installation.settings.keys)
    with store.writing(installation.engine) as connection:
        audits.save(connection, actor, kept)
    for code in LANGUAGES:
        asked = installation.bearer("oversight") | {"Accept-Language": code}
        page = unescape(client.get("/groups", headers=asked).text)
        assert language(code).say("audit.primary.title") in page
        assert page.count("<svg") == 3
        assert "hour_\u200bof_\u200bcrossing" in page
        assert language(code).say("audit.proxy.together") in page
        assert hosts(page) == set()
    with installation.engine.connect() as connection:
        read = [e for e in journal.entries(connection, kind="read") if e.payload["page"] == "groups"]
    assert [entry.actor for entry in read] == ["oversight"] * 3

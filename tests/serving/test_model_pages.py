"""The models page and its addresses: cards in three languages, gates, history; who may read, promote and roll back."""

import re
from dataclasses import replace

import pytest

from models import tracking
from models.risk.card import card
from models.risk.catalogue import declarations
from models.risk.gates import GATES, RATIO, Gate, gap_parts
from models.risk.secondary_check import DECLARATION
from serving import champions, model_cards, promotion
from serving.capabilities import Capability, Role, may
from serving.card_pictures import pictures
from serving.champions import Champion
from serving.house import House
from serving.languages import FOLDER, LANGUAGES, language
from serving.store import writing
from tests.models.made_proof import audited, made_proof
from tests.serving.crossings import PURPOSE
from tests.serving.pages import actor_of, hosts


@pytest.fixture(autouse=True)
def _no_alias(monkeypatch):
    monkeypatch.setattr(tracking, "follow", lambda uri, name, hash: None)


@pytest.fixture
def candidate(installation, model):
    house = House(installation.settings, installation.engine)
    made = replace(model, trained_from={"seeds": 1})
    made.save(house.settings.models)
    proof = made_proof(made)
    proof.save(house.settings.proofs)
    who = actor_of(installation, "analyst")  # any hands but those that promote
    with writing(house.engine) as connection:
        champions.record_candidate(connection, who, Champion(PURPOSE, made.hash, "sample"), proof.hash)
    return made


@pytest.mark.parametrize("code", LANGUAGES)
def test_the_card_is_said_in_each_language_with_every_figure_of_the_proof(model, code):
    proof, reader = made_proof(model, audit=audited(0.9)), language(code)
    made = card(DECLARATION, proof, model)
    for told in (model_cards.as_text(made, reader), model_cards.as_page(made, reader, mode="demo", alone=True)):
        assert reader.number(0.35, 3) in told
        assert reader.number(proof.findings.usable) in told
        assert not re.search(r"\{\w*\}|\bNone\b|card\.|gate\.|Interval|Word\(", told)
    assert not hosts(model_cards.as_page(made, reader, mode="demo", alone=True))


@pytest.mark.parametrize("code", LANGUAGES)
def test_the_frontier_is_drawn_for_a_desk_a_phone_and_paper(model, code):
    made, reader = card(DECLARATION, made_proof(model), model), language(code)
    picture = pictures(made, reader)["frontier"]
    assert picture.wide != picture.narrow
    assert "var(--accent)" in picture.wide
    for role in ("chosen", "best", "other"):
        assert reader.say(f"card.role.{role}") in picture.wide
    page = model_cards.as_page(made, reader, mode="demo", alone=True)
    assert page.count("<svg") == 2
    assert "var(--accent)" not in page
    unsearched = made_proof(model, frontier=None, unsearched="unasked")
    assert pictures(card(DECLARATION, unsearched, model), reader) == {}


def test_a_value_that_changes_in_the_proof_changes_on_the_card_and_no_text_holds_a_figure():
    typed = re.compile(r"\d+")
    for code in LANGUAGES:
        for key, text in language(code).texts.items():
            if key.startswith(("card.", "gate.")):
                bare = re.sub(r"\{\w+\}|95\s?%", "", text)
                # 1 is what a slope should be, and fewer than ten what no audit tells: neither is a figure of a run.
                assert key in ("card.calibration.slope", "card.few") or not typed.search(bare), key


def test_every_model_and_every_answer_of_a_gate_has_its_text():
    english = language("en")
    for name in declarations():
        for part in ("", ".purpose", ".label"):
            assert english.has(f"model.{name}{part}")
    for name in GATES:
        whys = [key for key in english.texts if re.fullmatch(rf"gate\.{name}\.\w+", key)]
        assert english.has(f"gate.{name}")
        assert whys
    source = (FOLDER.parents[1] / "models/risk/gates.py").read_text()
    for name, why in re.findall(r'_refused\("(\w+)", "(\w+)"', source):
        assert english.has(f"gate.{name}.{why}")
        assert english.has(f"gate.{name}.{why}.mend")


@pytest.mark.parametrize("code", LANGUAGES)
def test_gaps_are_told_in_words_and_by_name_only_where_they_are_to_be_signed_off(code):
    reader, names = language(code), ("known / sex / F / selection", "checked / nationality / ratio")
    gaps = [{"gap": name, "value": 0.125} for name in names]
    wide = Gate("groups", False, "wide", {"looked": 9, "standing": 2, "gaps": gaps})
    told = model_cards.gate_said(wide, reader)["said"]
    assert all(name in told for name in names)
    signers = [{**gap, "by": "Olfa", "reason": "seen"} for gap in gaps]
    signed = Gate("groups", True, "signed", {"looked": 9, "wide": 2, "gaps": signers})
    for said in (told, model_cards.gate_said(signed, reader)["said"]):
        for key in ("audit.group.sex.F", "rate.selection", "view.known", "view.checked", "attribute.nationality"):
            assert reader.say(key) in said
    assert not any(name in said for name in names)
    assert said.count("Olfa") == 2


def test_what_a_gap_is_called_tells_its_parts():
    assert gap_parts("known / sex / F / selection") == ("known", "sex", "F", "selection")
    assert gap_parts("known / ward / N / W / selection") == ("known", "ward", "N / W", "selection")
    assert gap_parts("known / sex / ratio") == ("known", "sex", "", RATIO)


@pytest.mark.parametrize("code", LANGUAGES)
def test_the_pages_show_champion_candidate_gates_and_history(enter, candidate, installation, code):
    client, reader = enter("data_scientist", code), language(code)
    assert reader.say("models.nobody") in client.get("/models").text
    page = client.get(f"/models/{PURPOSE}").text
    for name in GATES:
        assert reader.say(f"gate.{name}") in page.replace("&#39;", "'")
    assert candidate.hash[:12] in page
    house = House(installation.settings, installation.engine)
    assert promotion.promote(house, actor_of(installation, "oversight"), PURPOSE, why="spring").passed
    page = client.get(f"/models/{PURPOSE}").text
    assert "spring" in page
    assert reader.say("models.how.promoted") in page
    assert reader.say("models.nobody") not in client.get(f"/models/{PURPOSE}").text
    assert not hosts(page)
    assert "<script" not in page
    assert page.count("<svg") == 2
    for field in ("fallback", "frontier", "proxies", "overrides", "contact"):
        assert reader.say(f"card.{field}") in page.replace("&#39;", "'")


@pytest.mark.parametrize("role", [role for role in Role if role is not Role.ENGINE])
def test_only_roles_that_cover_models_read_them(client, installation, role):
    expected = 200 if may([role.value], Capability.READ_MODELS) else 403
    asked = installation.bearer(role.value) | {"accept": "text/html"}
    for address in ("/models", f"/models/{PURPOSE}", "/v1/models", f"/v1/models/{PURPOSE}/card"):
        assert client.get(address, headers=asked).status_code == expected, address


def test_the_card_comes_as_json_as_text_and_as_a_page(client, candidate, installation):
    asked = installation.bearer("oversight") | {"accept-language": "fr"}
    told = client.get(f"/v1/models/{PURPOSE}/card", headers=asked).json()
    assert (told["model"], told["language"], told["lacking"]) == (candidate.hash, "fr", [])
    assert "Finalité" in client.get(f"/v1/models/{PURPOSE}/card?form=text", headers=asked).text
    page = client.get(f"/v1/models/{PURPOSE}/card?form=page&lang=ar", headers=asked)
    assert 'dir="rtl"' in page.text
    # Browsers are told to take no style but from a file of this server's own.
    assert "style-src 'self';" in page.headers["Content-Security-Policy"]
    assert "<style" not in page.text
    assert 'href="/static/dossier.css"' in page.text
    assert client.get("/v1/models/no_such/card", headers=asked).status_code == 404
    none = client.get("/v1/models/permit_lapse/card", headers=asked).json()
    assert none["model"] is None
    assert "500" in str(none["sections"])


def test_promoting_and_rolling_back_over_http_needs_a_token_and_a_role(client, enter, candidate, installation):
    promoted, back = f"/v1/models/{PURPOSE}/promote", f"/v1/models/{PURPOSE}/rollback"
    assert client.post(promoted, json={}).status_code == 401
    assert client.post(promoted, json={}, headers=installation.bearer("planner")).status_code == 403
    assert enter("oversight").post(promoted, json={}).status_code == 403  # a page's session
    client.cookies.clear()
    asked = installation.bearer("oversight")
    gates = client.get(f"/v1/models/{PURPOSE}/gates", headers=asked).json()["gates"]
    assert [gate["name"] for gate in gates] == list(GATES)
    told = client.post(promoted, json={"why": "spring"}, headers=asked).json()
    assert (told["promoted"], told["candidate"]["model"]) == (True, candidate.hash)
    assert client.get("/v1/models", headers=asked).json()[PURPOSE]["champion"]["model"] == candidate.hash
    assert client.post(back, json={}, headers=asked).status_code == 422
    assert client.post(back, json={"why": "too many flags"}, headers=asked).json() == {"champion": None}
    history = client.get(f"/v1/models/{PURPOSE}/history", headers=asked).json()
    assert [move["how"] for move in history] == ["rolled_back", "promoted"]
    signed = client.post(f"/v1/models/{PURPOSE}/sign-off", json={"gap": "sex", "reason": "x"}, headers=asked)
    assert signed.status_code == 400

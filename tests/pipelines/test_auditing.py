"""The audit by group on a home in which the main job has run: who may ask, what leaves, and what the journal says."""

import json
import shutil

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest

from pipelines.audited import audit_text
from pipelines.steps.auditing import audit_model, evened
from records import journal
from records.errors import BadInput
from records.journal import Actor
from records.keys import keys
from records.lake import Lake
from records.settings import settings
from records.vault import Vault
from serving import audits
from serving.accounts import NotAllowed
from serving.house import open_house

OVERSIGHT = Actor("olga", frozenset({"oversight"}))


@pytest.fixture(scope="module")
def house(small_run, tmp_path_factory):
    """A copy, since an audit writes to the store and the journal."""
    home = tmp_path_factory.mktemp("audited") / "home"
    shutil.copytree(small_run.home, home)
    made = open_house(settings(home, {"BASIRA_BUCKETS": "2"}))
    yield made
    made.engine.dispose()


@pytest.fixture(scope="module")
def kept(house):
    return audit_model(house, "secondary_check", ("sex", "age", "nationality"), OVERSIGHT, lambda _: None)


def test_only_oversight_may_ask(house):
    with pytest.raises(NotAllowed):
        audit_model(house, "secondary_check", ("sex",), Actor("dora", frozenset({"data_scientist"})), print)
    with pytest.raises(BadInput, match="cannot be audited"):
        audit_model(house, "secondary_check", ("full_name",), OVERSIGHT, lambda _: None)


def test_in_production_the_vault_is_not_read_by_the_account_that_takes_records_in(tmp_path):
    address = "postgresql+psycopg://basira_ingest@db/vault"
    place = settings(tmp_path, {"BASIRA_VAULT_URL": address, "BASIRA_MODE": "production"})
    house = open_house(place)
    assert place.audit_vault_url == address  # what it is unless it is set
    with pytest.raises(BadInput, match="an account of its own"):
        evened(house, "secondary_check", OVERSIGHT, pa.chunked_array([["k1.a"]]), np.zeros(1, "datetime64[us]"))
    with house.engine.connect() as connection:
        assert list(journal.entries(connection)) == []  # nobody is written down to have read what nobody could
    house.engine.dispose()


def test_those_who_were_checked_more_in_the_invented_world_are_found(kept):
    found = {
        (gap.attribute, gap.group) for gap in kept.audit.found if (gap.view, gap.rate) == ("practice", "selection")
    }
    assert ("age", "18–29") in found
    assert ("sex × age", "M × 18–29") in found
    text = audit_text(kept, kept.made_at.date())
    assert "18–29: selected +" in text
    assert "insufficient evidence, n = " in text


def test_no_attribute_of_anybody_leaves(house, kept):
    """Neither a subject nor a name or birth date is in the tables, in what is kept of them, or in the journal."""
    place = house.settings
    subjects = pc.unique(Lake.open(place.lake).read("crossings", ["subject"])["subject"])
    with Vault.open(place.vault_url, keys(place.keys)) as vault:
        held = vault.attributes(subjects, ["full_name", "birth_date"])
    names = {name for name in held["full_name"].to_pylist() if name}
    births = {str(day) for day in held["birth_date"].to_pylist() if day}
    with house.engine.connect() as connection:
        body = json.dumps(audits.newest(connection, "secondary_check").audit.as_json(), ensure_ascii=False)
        told = json.dumps([entry.payload for entry in journal.entries(connection)], ensure_ascii=False)
    for text in (body, told, audit_text(kept, kept.made_at.date())):
        assert not any(subject in text for subject in subjects.to_pylist())
        assert not any(name in text for name in names)
        assert not any(day in text for day in births)
    assert all(row.rows >= kept.audit.cell for table in kept.audit.tables for row in table.rows if row.shown)
    assert all(row.rows == 0 or row.rows >= 10 for table in kept.audit.tables for row in table.rows)


def test_the_journal_is_told_before_the_vault_is_opened(house, kept):
    with house.engine.connect() as connection:
        told = list(journal.entries(connection))
    made = next(entry for entry in told if entry.kind == "audited" and entry.actor == OVERSIGHT.name)
    read = [entry for entry in told if entry.kind == "vault_read" and entry.sequence < made.sequence][-1]
    assert (read.actor, read.payload["attributes"]) == (OVERSIGHT.name, ["sex", "age", "nationality"])
    assert read.payload["primary"] == ["missed_risk", "sex"]
    assert made.payload["model"] == kept.model


def test_permits_are_audited_by_what_became_of_them_all(house):
    kept = audit_model(house, "permit_lapse", ("sex",), OVERSIGHT, lambda _: None)
    assert {table.view for table in kept.audit.tables} == {"known"}
    assert kept.audit.primary is not None
    assert kept.audit.primary.rate == "missed_risk"

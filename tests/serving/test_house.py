"""By which account the audit reads the vault: its own in production, whatever the addresses look like."""

from dataclasses import replace

import pytest

from records.errors import BadInput
from records.settings import Mode
from serving.house import open_house

INGEST = "postgresql+psycopg://basira_ingest:s3cret-1@db/vault"
SHARED = (
    INGEST,
    "postgresql+psycopg://basira_ingest:an0ther@db:5432/vault",
    "postgresql+psycopg://basira_ingest@/vault?host=/run/postgresql",
    "postgresql+psycopg://db/vault?user=basira_ingest",
    "postgresql+psycopg://db/vault",  # by whatever account the system names
)
OWN = "postgresql+psycopg://basira_audit:s3cret-2@db/vault"


def house_of(installation, mode, vault, audit):
    settings = replace(installation.settings, mode=mode, vault_url=vault, audit_vault_url=audit)
    return replace(open_house(installation.settings), settings=settings)


def lacks(house):
    return [lack for lack in house.lacks() if "audit_vault_url" in lack]


@pytest.mark.parametrize("audit", SHARED)
def test_in_production_the_audit_has_an_account_of_its_own(installation, audit):
    house = house_of(installation, Mode.PRODUCTION, INGEST, audit)
    with pytest.raises(BadInput, match=r"an account of its own.*docs/databases.md") as refused:
        assert house.audit_vault_url
    assert "s3cret" not in str(refused.value)
    assert lacks(house) == [str(refused.value)]


def test_an_account_that_has_its_own_name_is_taken(installation):
    house = house_of(installation, Mode.PRODUCTION, INGEST, OWN)
    assert (house.audit_vault_url, lacks(house)) == (OWN, [])


def test_a_demonstration_may_share_and_says_what_production_will_ask(installation):
    house = house_of(installation, Mode.DEMO, INGEST, INGEST)
    assert house.audit_vault_url == INGEST
    assert len(lacks(house)) == 1


def test_a_file_has_no_accounts(installation):
    one = installation.settings.vault_url
    house = house_of(installation, Mode.PRODUCTION, one, one)
    assert (house.audit_vault_url, lacks(house)) == (one, [])


def test_a_default_password_of_the_audit_is_named(installation):
    house = house_of(installation, Mode.DEMO, INGEST, OWN.replace("s3cret-2", "changeme"))
    assert "The secret 'audit_vault_url' is a default. Make a new one." in house.lacks()

"""What stands in the way of production: nothing invented goes live, and nobody goes live unaccountable.

The authority writes `charter.toml` in the home folder:

    controller = "…"                          # who answers for the processing
    data_protection_contact = "…"
    retention_approved_on = 2026-01-15        # the retention periods of the data dictionary, approved
    rights_assessment = "…"                   # reference of the signed fundamental-rights assessment
    rights_assessment_signed_on = 2026-01-20
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import date
from pathlib import Path
from typing import Any

from records.errors import BadInput

FILE_NAME = "charter.toml"
SHARED_ACCOUNT = (
    "The audit would read the vault by the account that takes records in, or by one that its address does not name. "
    "Write an account of its own, which can only read, into audit_vault_url: docs/databases.md says how to make it."
)


@dataclass(frozen=True)
class Charter:
    """Who answers for this installation, and what was approved and signed. None where it is not written."""

    controller: str | None = None
    data_protection_contact: str | None = None
    retention_approved_on: date | None = None
    rights_assessment: str | None = None
    rights_assessment_signed_on: date | None = None


@dataclass(frozen=True)
class Standing:
    """What this installation runs with. `champions`: purpose to what the model learnt from, see `serving.champions`."""

    charter: Charter
    examples: Sequence[str]
    champions: Mapping[str, str]
    demo_accounts: bool
    default_secrets: Sequence[str]
    shared_account: bool  # the audit's and the ingest's on the vault


def charter(home: Path) -> Charter:
    """The charter written in `home`; an empty one where there is none. BadInput if it cannot be read."""
    path = home / FILE_NAME
    if not path.is_file():
        return Charter()
    try:
        written: dict[str, Any] = tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise BadInput(f"{path} is not valid TOML: {error}. Correct it.") from error
    known = {f.name for f in fields(Charter)}
    unknown = sorted(set(written) - known)
    if unknown:
        raise BadInput(f"{path} sets {', '.join(unknown)}. A charter holds only: {', '.join(sorted(known))}.")
    for name, value in written.items():
        wanted = date if name.endswith("_on") else str
        if type(value) is not wanted:
            raise BadInput(f"{path}: {name} is {value!r}. Write {'a date' if wanted is date else 'text in quotes'}.")
    return Charter(**written)


def lacks(standing: Standing) -> list[str]:
    """What production lacks, one sentence each; empty where it may start."""
    found = []
    if standing.examples:
        found.append(f"In force on an invented basis: {', '.join(standing.examples)}. Give each its legal basis.")
    for name, origin in standing.champions.items():
        if origin != "records":
            found.append(f"Champion '{name}' learnt from {origin} data. Train it on the authority's records.")
    if standing.demo_accounts:
        found.append("Demonstration accounts are open. Close them.")
    found.extend(f"The secret '{name}' is a default. Make a new one." for name in standing.default_secrets)
    if standing.shared_account:
        found.append(SHARED_ACCOUNT)
    lacking = {
        "controller": "No controller is named",
        "data_protection_contact": "No data-protection contact is named",
        "retention_approved_on": "The retention periods are not approved",
        "rights_assessment": "No rights assessment is referred to",
        "rights_assessment_signed_on": "The rights assessment is not signed",
    }
    for name, sentence in lacking.items():
        if getattr(standing.charter, name) in (None, ""):
            found.append(f"{sentence}. Write {name} in {FILE_NAME}.")
    return found

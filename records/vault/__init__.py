"""The identity vault: who someone is, kept apart from the lake, encrypted field by field.

Opened only at the door (ingest), by `evidence/groups.py` for audit and by `serving/identity.py` for a named reader.
"""

from records.vault.gates import Gates
from records.vault.vault import Retired, Vault

__all__ = ["Gates", "Retired", "Vault"]

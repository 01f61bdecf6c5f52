"""Who may see or do what: one table of role x capability, deny by default.

A score is read only for the purpose it was made for, so reading is granted per purpose: an analyst at a post never
sees a permit-lapse score, a planner sees no person at all, an administrator keeps accounts and cannot read cases, and
protection referrals are seen by those who act on them and by no one else.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from enum import StrEnum


class Role(StrEnum):
    ANALYST = "analyst"  # second line at a border post
    CASEWORKER = "caseworker"  # a foreigners' office
    PLANNER = "planner"
    DATA_SCIENTIST = "data_scientist"
    OVERSIGHT = "oversight"
    PROTECTION = "protection"  # those who act on referrals of children and of signs of trafficking
    ADMINISTRATOR = "administrator"
    ENGINE = "engine"  # the flows and connected systems; no person signs in as it


class Capability(StrEnum):
    READ_SECONDARY_CHECK = "read:secondary_check"
    READ_PERMIT_LAPSE = "read:permit_lapse"
    READ_PROTECTION = "read:protection"
    READ_DOSSIER = "read:dossier"
    READ_FORECASTS = "read:forecasts"
    # Sums over many, in which no person can be read, apart from the scores themselves.
    DRIVERS_OF_CROSSINGS = "read:secondary_check_drivers"
    DRIVERS_OF_PERMITS = "read:permit_lapse_drivers"
    PLAN = "plan"  # answer alarms on flows, save scenarios
    ASSESS = "assess"
    READ_MODELS = "read:models"
    TRAIN = "train:models"
    PROMOTE = "promote:models"  # and roll back; nobody promotes what they trained themselves
    SIGN_OFF = "sign_off:gaps"
    ACKNOWLEDGE = "acknowledge:alarms"  # on models that may no longer hold; it silences none
    AUDIT = "audit:groups"  # ask for tables by group, and read them
    KEEP_ACCOUNTS = "keep:accounts"


_C = Capability
GRANTED: Mapping[Role, frozenset[Capability]] = {
    Role.ANALYST: frozenset({_C.READ_SECONDARY_CHECK, _C.DRIVERS_OF_CROSSINGS, _C.READ_FORECASTS, _C.ASSESS}),
    Role.CASEWORKER: frozenset({_C.READ_PERMIT_LAPSE, _C.DRIVERS_OF_PERMITS, _C.ASSESS}),
    Role.PLANNER: frozenset({_C.READ_FORECASTS, _C.PLAN}),
    Role.DATA_SCIENTIST: frozenset(
        {
            _C.READ_FORECASTS,
            _C.DRIVERS_OF_CROSSINGS,
            _C.DRIVERS_OF_PERMITS,
            _C.READ_MODELS,
            _C.TRAIN,
            _C.PROMOTE,
            _C.ACKNOWLEDGE,
        }
    ),
    Role.OVERSIGHT: frozenset(
        {
            _C.READ_SECONDARY_CHECK,
            _C.READ_PERMIT_LAPSE,
            _C.READ_DOSSIER,
            _C.READ_FORECASTS,
            _C.DRIVERS_OF_CROSSINGS,
            _C.DRIVERS_OF_PERMITS,
            _C.READ_MODELS,
            _C.PROMOTE,
            _C.SIGN_OFF,
            _C.ACKNOWLEDGE,
            _C.AUDIT,
        }
    ),
    Role.PROTECTION: frozenset({_C.READ_PROTECTION}),
    Role.ADMINISTRATOR: frozenset({_C.KEEP_ACCOUNTS}),
    Role.ENGINE: frozenset({_C.READ_SECONDARY_CHECK, _C.READ_PERMIT_LAPSE, _C.READ_FORECASTS, _C.ASSESS, _C.TRAIN}),
}

# By kind of event, what it takes to see what drives its scores.
DRIVERS: Mapping[str, Capability] = {"crossing": _C.DRIVERS_OF_CROSSINGS, "permit": _C.DRIVERS_OF_PERMITS}


def may(roles: Iterable[str], capability: Capability) -> bool:
    """Whether any of `roles` was granted `capability`. A role nobody declared was granted nothing."""
    known = {role.value: role for role in Role}
    return any(capability in GRANTED[known[role]] for role in roles if role in known)


def reading(event_kind: str) -> Capability:
    """What it takes to read the scores of one kind of event: each kind is assessed for one purpose."""
    return {"crossing": _C.READ_SECONDARY_CHECK, "permit": _C.READ_PERMIT_LAPSE}[event_kind]

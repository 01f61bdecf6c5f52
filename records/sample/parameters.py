"""The parameters of the sample world, fixed in one place; their hash stands beside every figure measured on it.

Everybody and everything in the world is invented. The shares below are chosen to exercise the engine; they say
nothing about any real group of travellers.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass
from datetime import date


@dataclass(frozen=True)
class Kind:
    """One kind of traveller.

    `share` of all crossings; `trips` a household makes at least, `yearly` further ones per year; `modes` weights of
    air, sea and land; `stay_days` the median planned stay; `unified` the share known by a unified number; `tilt` moves
    the log-odds of an irregular entry so that every kind has about the same base rate; `kept` is the share of journeys
    that find room between others.
    """

    name: str
    share: float
    trips: float
    yearly: float
    modes: tuple[float, float, float]
    stay_days: float
    unified: float
    tilt: float
    kept: float = 1.0
    families: bool = False
    assessable: bool = True

    def crossings_per_household(self, years: float) -> float:
        """How many crossings a household of this kind makes in a world of that many years, near enough to size it."""
        made = self.trips + self.yearly * years
        return 2 * made * (2.08 if self.families else 1.0) * self.kept


KINDS = (
    Kind("tourist", 0.40, 1.0, 0.16, (0.62, 0.06, 0.32), 8.0, 0.0, -4.9, families=True),
    Kind("diaspora", 0.17, 1.0, 0.45, (0.55, 0.40, 0.05), 24.0, 0.6, 0.0, families=True, assessable=False),
    Kind("commuter", 0.15, 4.0, 18.0, (0.0, 0.0, 1.0), 0.0, 0.95, -4.2),
    Kind("trucker", 0.11, 2.0, 9.0, (0.0, 0.15, 0.85), 2.0, 0.7, -5.7),
    Kind("resident", 0.13, 1.0, 1.0, (0.75, 0.05, 0.20), 18.0, 1.0, -4.9, kept=0.57),
    Kind("diplomat", 0.01, 1.0, 1.5, (0.95, 0.0, 0.05), 20.0, 0.0, 0.0, assessable=False),
    Kind("crew", 0.03, 4.0, 12.0, (0.8, 0.2, 0.0), 1.0, 0.0, 0.0, assessable=False),
)
TOURIST, DIASPORA, COMMUTER, TRUCKER, RESIDENT, DIPLOMAT, CREW = range(len(KINDS))


@dataclass(frozen=True)
class Parameters:
    """Everything that shapes the world besides scale, years and seed. Shares are fractions of what they name."""

    last_day: date = date(2026, 8, 31)
    crossings_at_scale_1: int = 300_000
    real_crossings_a_year: int = 20_000_000
    yearly_growth: float = 0.06
    kinds: tuple[Kind, ...] = KINDS

    # Records as they reach the authority.
    missing_exits: float = 0.012
    missing_exits_at_gap_posts: float = 0.10
    late_records: float = 0.012
    corrections: float = 0.004
    duplicates: float = 0.003
    advance_coverage: float = 0.96
    no_shows: float = 0.015
    bad_rows_per_kind: int = 7

    # Papers.
    document_years: int = 5
    fresh_documents: float = 0.10
    borrowed_documents: float = 0.03
    stolen_documents: float = 0.012
    renewals_linked: float = 0.85

    # Itineraries.
    overstayers: float = 0.10
    visa_runners: float = 0.03

    # Permits.
    residents_per_sponsor: int = 12
    anomalous_sponsors: float = 0.06
    lapse_tilt: float = -3.6
    departures: float = 0.12

    # Children.
    undeclared_guardians: float = 0.02

    # Checks: the historical officer policy, which over-checks groups, beside a small random control.
    check_share: float = 0.21
    random_share: float = 0.08
    over_checked_nationalities: int = 2
    nationality_factor: float = 3.5
    young_men_factor: float = 2.5
    not_checked: float = 0.04
    sensitivity: float = 0.93

    @property
    def hash(self) -> str:
        """SHA-256 (hex) of all parameters."""
        return hashlib.sha256(json.dumps(asdict(self), sort_keys=True, default=str).encode()).hexdigest()


PARAMETERS = Parameters()

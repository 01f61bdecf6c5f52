"""Permit lapse: the probability that a permit ends with neither renewal nor exit. Its mitigation is a reminder."""

from datetime import date, timedelta

from evidence.gaps import Primary
from models.risk.declaration import Bands, RiskDeclaration

GRACE = timedelta(days=30)
"""How long after its last day a permit may still be renewed or its holder leave before it counts as lapsed."""

DECLARATION = RiskDeclaration(
    name="permit_lapse",
    purpose="Choose whom the foreigners' office reminds, sixty days before a permit ends; never seen at a post",
    subject_kind="permit",
    groups=("permit", "sponsor", "office", "travel", "calendar", "findings"),
    label="thirty days after its last day the permit has neither a renewal or application nor an exit on record",
    horizon=timedelta(days=60) + GRACE,
    capacity=0.10,
    bands=Bands(date(2026, 1, 1), (("low", 0.0), ("moderate", 0.10), ("raised", 0.25), ("high", 0.50))),
    monotone={"permits_expired_last_10_years": 1},
    place="office_of_file",
    primary=Primary("sex", "missed_risk", "F", "M", view="known"),
)

"""Secondary check: the probability that a check of a crossing would confirm an irregularity."""

from datetime import date, timedelta

from evidence.gaps import Primary
from models.risk.declaration import Bands, RiskDeclaration

DECLARATION = RiskDeclaration(
    name="secondary_check",
    purpose="Order crossings for a second look at papers, stay and declaration by an officer at the post",
    subject_kind="crossing",
    groups=(
        "papers",
        "itinerary",
        "frequency",
        "rhythm",
        "stay",
        "permit",
        "party",
        "service",
        "post",
        "calendar",
        "findings",
    ),
    label="a check of the crossing confirmed an irregularity of document, stay, declaration or permit",
    horizon=timedelta(days=14),
    capacity=0.05,
    bands=Bands(date(2026, 1, 1), (("low", 0.0), ("moderate", 0.10), ("raised", 0.25), ("high", 0.50))),
    monotone={
        "confirmed_findings_last_24_months": 1,
        "confirmed_document_findings_last_24_months": 1,
        "document_travellers_last_5_years": 1,
    },
    place="post_of_crossing",
    primary=Primary("sex", "missed_risk", "F", "M", view="random"),
)

"""What earlier checks of the same kind confirmed. Nothing else of a check is ever read."""

from features.declaration import checks, count, days, time_since, window

GROUP = "findings"

_CONFIRMED = checks.where(event_kind="crossing", finding="confirmed")

confirmed_findings_last_24_months = window(
    count,
    of=_CONFIRMED,
    per="traveller",
    last=days(730),
    doc="How many checks of the traveller's crossings confirmed an irregularity in the 24 months before. A corrected "
    "finding no longer counts.",
    unit="findings",
    texts={
        "ar": "عدد المعاينات المثبتة خلال 24 شهرا: {value}",
        "fr": "Constats confirmés en 24 mois : {value}",
        "en": "Confirmed findings in 24 months: {value}",
    },
)

confirmed_document_findings_last_24_months = window(
    count,
    of=_CONFIRMED.where(finding_kind="document_irregular"),
    per="traveller",
    last=days(730),
    doc="How many checks of the traveller's crossings confirmed an irregular document in the 24 months before.",
    unit="findings",
    texts={
        "ar": "عدد المعاينات المثبتة المتعلقة بالوثائق خلال 24 شهرا: {value}",
        "fr": "Constats confirmés sur les documents en 24 mois : {value}",
        "en": "Confirmed findings about documents in 24 months: {value}",
    },
)

days_since_confirmed_finding = window(
    time_since,
    of=_CONFIRMED,
    per="traveller",
    last=days(730),
    doc="How many days ago a check of the traveller's crossings last confirmed an irregularity, within 24 months.",
    unit="days",
    texts={
        "ar": "منذ آخر معاينة مثبتة: {value}",
        "fr": "Dernier constat confirmé il y a {value}",
        "en": "Last confirmed finding {value} before",
    },
)

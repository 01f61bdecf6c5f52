"""What earlier file reviews confirmed. Nothing else of a review is ever read."""

from features.declaration import checks, count, days, window

GROUP = "findings"

confirmed_findings_last_24_months = window(
    count,
    of=checks.where(event_kind="permit", finding="confirmed"),
    per="traveller",
    last=days(730),
    doc="How many reviews of the traveller's permit files confirmed an irregularity in the 24 months before. A "
    "corrected finding no longer counts.",
    unit="findings",
    texts={
        "ar": "عدد المعاينات المثبتة في ملفات الإقامة خلال 24 شهرا: {value}",
        "fr": "Constats confirmés sur les dossiers en 24 mois : {value}",
        "en": "Confirmed findings about files in 24 months: {value}",
    },
)

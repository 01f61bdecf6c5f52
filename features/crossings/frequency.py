"""How often the traveller crosses."""

from features.declaration import count, crossings, days, derived, share, window
from features.formulas import ratio

GROUP = "frequency"

entries_last_30_days = window(
    count,
    of=crossings.where(direction="entry"),
    per="traveller",
    last=days(30),
    doc="How often the traveller entered in the 30 days before.",
    unit="entries",
    texts={
        "ar": "عدد مرات الدخول خلال الثلاثين يوما السابقة: {value}",
        "fr": "Entrées dans les 30 jours précédents : {value}",
        "en": "Entries in the 30 days before: {value}",
    },
)

entries_last_90_days = window(
    count,
    of=crossings.where(direction="entry"),
    per="traveller",
    last=days(90),
    doc="How often the traveller entered in the 90 days before.",
    unit="entries",
    texts={
        "ar": "عدد مرات الدخول خلال التسعين يوما السابقة: {value}",
        "fr": "Entrées dans les 90 jours précédents : {value}",
        "en": "Entries in the 90 days before: {value}",
    },
)

entries_last_365_days = window(
    count,
    of=crossings.where(direction="entry"),
    per="traveller",
    last=days(365),
    doc="How often the traveller entered in the 365 days before.",
    unit="entries",
    texts={
        "ar": "عدد مرات الدخول خلال السنة السابقة: {value}",
        "fr": "Entrées dans les 365 jours précédents : {value}",
        "en": "Entries in the 365 days before: {value}",
    },
)

crossings_last_5_years = window(
    count,
    of=crossings,
    per="traveller",
    last=days(1826),
    doc="How often the traveller entered or left in the five years before, which is as long as crossings are kept.",
    unit="crossings",
    texts={
        "ar": "عدد مرات العبور خلال السنوات الخمس السابقة: {value}",
        "fr": "Passages dans les cinq années précédentes : {value}",
        "en": "Crossings in the five years before: {value}",
    },
)

share_of_entries_last_365_days_made_in_last_30 = derived(
    ratio,
    "entries_last_30_days",
    "entries_last_365_days",
    doc="Which share of the year's entries fell in the 30 days before; high where travel has lately become denser.",
    unit="share",
    texts={
        "ar": "نسبة مرات الدخول خلال الثلاثين يوما السابقة من مجموع السنة: {value}",
        "fr": "Part des entrées de l'année faites dans les 30 derniers jours : {value}",
        "en": "Share of the year's entries made in the last 30 days: {value}",
    },
)

share_of_night_crossings_last_365_days = window(
    share(local_hour=(0, 1, 2, 3, 4, 5)),
    of=crossings,
    per="traveller",
    last=days(365),
    doc="Which share of the traveller's crossings in the 365 days before fell between midnight and six, local time.",
    unit="share",
    texts={
        "ar": "نسبة العبور ليلا خلال السنة السابقة: {value}",
        "fr": "Part des passages de nuit dans les 365 jours précédents : {value}",
        "en": "Share of crossings by night in the 365 days before: {value}",
    },
)

"""The rhythm of the traveller's coming and going."""

from features.declaration import count, crossings, days, derived, mean_gap, time_since, window
from features.formulas import difference

GROUP = "rhythm"

days_since_last_entry = window(
    time_since,
    of=crossings.where(direction="entry"),
    per="traveller",
    last=days(1826),
    doc="How many days ago the traveller last entered, within five years.",
    unit="days",
    texts={
        "ar": "آخر دخول قبل {value} يوما",
        "fr": "Dernière entrée il y a {value} jours",
        "en": "Last entered {value} days before",
    },
)

days_since_last_exit = window(
    time_since,
    of=crossings.where(direction="exit"),
    per="traveller",
    last=days(1826),
    doc="How many days ago the traveller last left, within five years.",
    unit="days",
    texts={
        "ar": "آخر خروج قبل {value} يوما",
        "fr": "Dernière sortie il y a {value} jours",
        "en": "Last left {value} days before",
    },
)

mean_days_between_entries_last_365_days = window(
    mean_gap,
    of=crossings.where(direction="entry"),
    per="traveller",
    last=days(365),
    doc="Mean days from one entry to the next in the 365 days before.",
    unit="days",
    texts={
        "ar": "متوسط الأيام بين دخول وآخر خلال السنة السابقة: {value}",
        "fr": "{value} jours en moyenne entre deux entrées, sur 365 jours",
        "en": "{value} days between entries on average, over 365 days",
    },
)

days_ahead_of_usual_rhythm = derived(
    difference,
    "mean_days_between_entries_last_365_days",
    "days_since_last_entry",
    doc="By how many days this crossing comes sooner after the last entry than the traveller's entries usually do.",
    unit="days",
    texts={
        "ar": "أبكر من المعتاد بـ {value} يوما",
        "fr": "{value} jours plus tôt que le rythme habituel",
        "en": "{value} days sooner than the usual rhythm",
    },
)

land_exits_last_30_days = window(
    count,
    of=crossings.where(direction="exit", mode="land"),
    per="traveller",
    last=days(30),
    doc="How often the traveller left by land in the 30 days before; many for those who commute.",
    unit="exits",
    texts={
        "ar": "عدد مرات الخروج برا خلال الثلاثين يوما السابقة: {value}",
        "fr": "{value} sorties par voie terrestre dans les 30 jours précédents",
        "en": "{value} exits by land in the 30 days before",
    },
)

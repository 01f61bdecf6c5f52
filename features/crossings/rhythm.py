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
        "ar": "منذ آخر دخول: {value}",
        "fr": "Dernière entrée il y a {value}",
        "en": "Last entered {value} before",
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
        "ar": "منذ آخر خروج: {value}",
        "fr": "Dernière sortie il y a {value}",
        "en": "Last left {value} before",
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
        "ar": "المتوسط بين دخول وآخر خلال السنة السابقة: {value}",
        "fr": "En moyenne entre deux entrées, sur 365 jours : {value}",
        "en": "Between two entries on average, over 365 days: {value}",
    },
)

days_ahead_of_usual_rhythm = derived(
    difference,
    "mean_days_between_entries_last_365_days",
    "days_since_last_entry",
    doc="By how many days this crossing comes sooner after the last entry than the traveller's entries usually do.",
    unit="days",
    texts={
        "ar": "التبكير عن النسق المعتاد (التأخير تحت الصفر): {value}",
        "fr": "Avance sur le rythme habituel (retard, sous 0) : {value}",
        "en": "Sooner than the usual rhythm (later, below 0): {value}",
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
        "fr": "Sorties par voie terrestre dans les 30 jours précédents : {value}",
        "en": "Exits by land in the 30 days before: {value}",
    },
)

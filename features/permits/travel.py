"""The permit holder's crossings: whether they are still in the country, and how much of the time they were away."""

from features.declaration import count, crossings, days, derived, last, time_since, window
from features.formulas import is_one_of

GROUP = "travel"

days_since_last_exit = window(
    time_since,
    of=crossings.where(direction="exit"),
    per="traveller",
    last=days(1826),
    doc="How many days ago the permit holder last left the country, within five years.",
    unit="days",
    texts={
        "ar": "آخر خروج قبل {value} يوما",
        "fr": "Dernière sortie il y a {value} jours",
        "en": "Last left {value} days before",
    },
)

days_since_last_entry = window(
    time_since,
    of=crossings.where(direction="entry"),
    per="traveller",
    last=days(1826),
    doc="How many days ago the permit holder last entered the country, within five years.",
    unit="days",
    texts={
        "ar": "آخر دخول قبل {value} يوما",
        "fr": "Dernière entrée il y a {value} jours",
        "en": "Last entered {value} days before",
    },
)

abroad_on_record = derived(
    is_one_of("exit"),
    window(last("direction"), of=crossings, per="traveller", last=days(1826)),
    returns="boolean",
    doc="Whether the permit holder's last recorded crossing was an exit; null without any crossing.",
    unit="yes or no",
    texts={
        "ar": "آخر عبور مسجل خروج: {value}",
        "fr": "Dernier passage enregistré : une sortie ({value})",
        "en": "Last recorded crossing is an exit: {value}",
    },
)

exits_last_365_days = window(
    count,
    of=crossings.where(direction="exit"),
    per="traveller",
    last=days(365),
    doc="How often the permit holder left the country in the 365 days before.",
    unit="exits",
    texts={
        "ar": "عدد مرات الخروج خلال السنة السابقة: {value}",
        "fr": "Sorties en 365 jours : {value}",
        "en": "Exits in 365 days: {value}",
    },
)

exits_last_60_days = window(
    count,
    of=crossings.where(direction="exit"),
    per="traveller",
    last=days(60),
    doc="How often the permit holder left the country in the 60 days before.",
    unit="exits",
    texts={
        "ar": "عدد مرات الخروج خلال الستين يوما السابقة: {value}",
        "fr": "Sorties en 60 jours : {value}",
        "en": "Exits in 60 days: {value}",
    },
)

"""The foreigners' office that holds the file."""

from features.declaration import count, days, derived, lookup, mean, offices, own, permits, share, trend, window
from features.formulas import difference, per_month, ratio, resting_on

GROUP = "office"

_DECISIONS = permits.where(state=("granted", "renewed", "refused"))

office_of_file = own(
    "office",
    doc="The office that holds the file.",
    unit="office",
    texts={"ar": "المكتب: {value}", "fr": "Bureau : {value}", "en": "Office: {value}"},
)

office_applications_last_30_days = window(
    count,
    of=permits.where(state="applied"),
    per="office",
    last=days(30),
    doc="How many applications the office received in the 30 days before.",
    unit="applications",
    texts={
        "ar": "عدد المطالب الواردة على المكتب خلال ثلاثين يوما: {value}",
        "fr": "Demandes reçues par le bureau en 30 jours : {value}",
        "en": "Applications at the office in 30 days: {value}",
    },
)

office_applications_per_desk_last_30_days = derived(
    ratio,
    "office_applications_last_30_days",
    lookup("desks", of=offices, per="office"),
    doc="Applications of the 30 days before for each desk of the office.",
    unit="applications per desk",
    texts={
        "ar": "عدد المطالب لكل شباك خلال ثلاثين يوما: {value}",
        "fr": "Demandes par guichet en 30 jours : {value}",
        "en": "Applications per desk in 30 days: {value}",
    },
)

mean_processing_days_of_office_last_90_days = window(
    mean("processing_days"),
    of=_DECISIONS,
    per="office",
    last=days(90),
    doc="Mean days from application to decision at the office, for decisions of the 90 days before.",
    unit="days",
    texts={
        "ar": "متوسط مدة دراسة الملفات بالمكتب: {value}",
        "fr": "Délai moyen du bureau : {value}",
        "en": "Mean time to decision at the office: {value}",
    },
)

processing_days_trend_of_office_last_180_days = derived(
    resting_on(5),
    derived(per_month, window(trend("processing_days"), of=_DECISIONS, per="office", last=days(180))),
    window(count, of=_DECISIONS, per="office", last=days(180)),
    doc="By how many days a month the time from application to decision at the office has grown over the 180 days "
    "before; negative where it shrinks, null below five decisions.",
    unit="days per month",
    texts={
        "ar": "تطور مدة دراسة الملفات بالمكتب: {value} في الشهر",
        "fr": "Évolution du délai du bureau : {value} par mois",
        "en": "Time to decision at the office changes by {value} a month",
    },
)

processing_days_above_office_mean = derived(
    difference,
    own("processing_days"),
    "mean_processing_days_of_office_last_90_days",
    doc="By how many days this permit's decision took longer than the office's mean of the 90 days before; negative "
    "where it was quicker.",
    unit="days",
    texts={
        "ar": "فارق مدة دراسة الملف عن متوسط المكتب: {value}",
        "fr": "Écart du dossier au délai moyen du bureau : {value}",
        "en": "Time this file took beyond the office's mean: {value}",
    },
)

office_days_over_promised = derived(
    difference,
    "mean_processing_days_of_office_last_90_days",
    lookup("promised_days", of=offices, per="office"),
    doc="By how many days the office's mean time to decision is longer than promised; negative where it is shorter.",
    unit="days",
    texts={
        "ar": "تجاوز المدة الموعودة (تحت الصفر: دونها): {value}",
        "fr": "Au-delà du délai promis (sous 0 : en deçà) : {value}",
        "en": "Beyond the promised time (below 0: within it): {value}",
    },
)

share_of_lapses_at_office_last_365_days = window(
    share(state="expired"),
    of=permits.where(state=("renewed", "expired", "withdrawn")),
    per="office",
    last=days(365),
    doc="Of the permits at this office that came to an end in the 365 days before, which share ended without renewal.",
    unit="share",
    texts={
        "ar": "نسبة الرخص المنتهية دون تجديد بالمكتب خلال سنة: {value}",
        "fr": "Part des titres expirés au bureau en 365 jours : {value}",
        "en": "Share of permits lapsed at the office in 365 days: {value}",
    },
)

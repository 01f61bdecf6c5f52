"""The file itself and the traveller's earlier permits."""

from features.declaration import count, days, derived, distinct, own, permits, time_since, window
from features.formulas import days_after, length_in_days, zero

GROUP = "permit"

permit_category = own(
    "category",
    doc="Category of the permit.",
    unit="category",
    texts={"ar": "صنف رخصة الإقامة: {value}", "fr": "Catégorie du titre : {value}", "en": "Category: {value}"},
)

permit_length_days = derived(
    length_in_days,
    own("valid_from"),
    own("valid_to"),
    doc="For how many days the permit was given.",
    unit="days",
    texts={
        "ar": "مدة الرخصة: {value}",
        "fr": "Titre délivré pour {value}",
        "en": "Permit given for {value}",
    },
)

permit_age_days = derived(
    days_after,
    own("as_of"),
    own("valid_from"),
    doc="How many days ago the permit began.",
    unit="days",
    texts={
        "ar": "منذ بداية الرخصة: {value}",
        "fr": "Titre commencé il y a {value}",
        "en": "Permit began {value} before",
    },
)

file_complete_when_handed_in = own(
    "documents_complete",
    doc="Whether the file was complete when it was handed in.",
    unit="yes or no",
    showable=True,
    texts={
        "ar": "ملف كامل عند الإيداع: {value}",
        "fr": "Dossier complet au dépôt : {value}",
        "en": "File complete when handed in: {value}",
    },
)

processing_days = own(
    "processing_days",
    doc="Days from the application to the decision on this permit.",
    unit="days",
    texts={
        "ar": "مدة دراسة الملف: {value}",
        "fr": "Dossier traité en {value}",
        "en": "File decided in {value}",
    },
)

renewals_of_file_last_10_years = window(
    count,
    of=permits.where(state="renewed"),
    per="permit file",
    last=days(3653),
    doc="How often this file was renewed in the ten years before.",
    unit="renewals",
    texts={
        "ar": "عدد مرات تجديد الملف: {value}",
        "fr": "Renouvellements du dossier : {value}",
        "en": "Renewals of the file: {value}",
    },
)

first_period_of_file = derived(
    zero,
    "renewals_of_file_last_10_years",
    returns="boolean",
    doc="Whether the file has never been renewed.",
    unit="yes or no",
    texts={
        "ar": "الفترة الأولى للملف: {value}",
        "fr": "Première période du dossier : {value}",
        "en": "First period of the file: {value}",
    },
)

days_since_last_grant = window(
    time_since,
    of=permits.where(state="granted"),
    per="traveller",
    last=days(3653),
    doc="How many days ago a new permit file of the traveller was last granted.",
    unit="days",
    texts={
        "ar": "منذ آخر منح لرخصة: {value}",
        "fr": "Dernier octroi il y a {value}",
        "en": "Last grant {value} before",
    },
)

permit_files_last_10_years = window(
    distinct("file"),
    of=permits,
    per="traveller",
    last=days(3653),
    doc="How many different permit files the traveller had in the ten years before.",
    unit="files",
    texts={
        "ar": "عدد ملفات الإقامة خلال عشر سنوات: {value}",
        "fr": "Dossiers de séjour en dix ans : {value}",
        "en": "Permit files in ten years: {value}",
    },
)

permits_expired_last_10_years = window(
    count,
    of=permits.where(state="expired"),
    per="traveller",
    last=days(3653),
    doc="How often a permit of the traveller ended without renewal in the ten years before.",
    unit="permits",
    texts={
        "ar": "عدد الرخص المنتهية دون تجديد خلال عشر سنوات: {value}",
        "fr": "Titres expirés sans renouvellement en dix ans : {value}",
        "en": "Permits ended without renewal in ten years: {value}",
    },
)

refusals_last_3_years = window(
    count,
    of=permits.where(state="refused"),
    per="traveller",
    last=days(1096),
    doc="How often a permit was refused to the traveller in the three years before.",
    unit="refusals",
    texts={
        "ar": "عدد مرات الرفض خلال ثلاث سنوات: {value}",
        "fr": "Refus en trois ans : {value}",
        "en": "Refusals in three years: {value}",
    },
)

incomplete_files_last_10_years = window(
    count,
    of=permits.where(documents_complete=False),
    per="traveller",
    last=days(3653),
    doc="How often the traveller handed in an incomplete file in the ten years before.",
    unit="files",
    texts={
        "ar": "عدد الملفات غير الكاملة خلال عشر سنوات: {value}",
        "fr": "Dossiers incomplets en dix ans : {value}",
        "en": "Incomplete files in ten years: {value}",
    },
)

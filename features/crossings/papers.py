"""The travel document and how it is used."""

from features.declaration import alerts, count, crossings, days, derived, distinct, in_force, own, time_since, window
from features.formulas import days_after, days_before, length_in_days, negative, zero

GROUP = "papers"

document_age_days = derived(
    days_after,
    own("as_of"),
    own("document_issued_on"),
    doc="How many days ago the travel document was issued.",
    unit="days",
    texts={
        "ar": "منذ إصدار وثيقة السفر: {value}",
        "fr": "Document délivré il y a {value}",
        "en": "Document issued {value} before",
    },
)

days_to_document_expiry = derived(
    days_before,
    own("expected_at"),
    own("document_expires_on"),
    doc="How many days the travel document is still valid at the crossing; negative where it has expired.",
    unit="days",
    showable=True,
    texts={
        "ar": "المتبقي من صلاحية وثيقة السفر (تحت الصفر: انتهت): {value}",
        "fr": "Validité restante du document (sous 0 : expiré) : {value}",
        "en": "Validity left on the document (below 0: ended): {value}",
    },
)

document_validity_days = derived(
    length_in_days,
    own("document_issued_on"),
    own("document_expires_on"),
    doc="For how many days the travel document was issued; short for emergency papers.",
    unit="days",
    texts={
        "ar": "مدة صلاحية وثيقة السفر: {value}",
        "fr": "Document délivré pour {value}",
        "en": "Document issued for {value}",
    },
)

document_type_shown = own(
    "document_type",
    doc="Type of the travel document.",
    unit="type",
    texts={
        "ar": "نوع وثيقة السفر: {value}",
        "fr": "Type de document : {value}",
        "en": "Type of document: {value}",
    },
)

document_crossings_last_5_years = window(
    count,
    of=crossings,
    per="document",
    last=days(1826),
    doc="How often this document was used to cross in the five years before, by anyone.",
    unit="crossings",
    texts={
        "ar": "عدد مرات استعمال الوثيقة خلال السنوات الخمس السابقة: {value}",
        "fr": "Utilisations du document dans les cinq années précédentes : {value}",
        "en": "Uses of the document in the five years before: {value}",
    },
)

first_use_of_document = derived(
    zero,
    "document_crossings_last_5_years",
    returns="boolean",
    doc="Whether the document has not been used to cross in the five years before.",
    unit="yes or no",
    texts={
        "ar": "أول استعمال لهذه الوثيقة: {value}",
        "fr": "Première utilisation de ce document : {value}",
        "en": "First use of this document: {value}",
    },
)

days_since_traveller_used_document = window(
    time_since,
    of=crossings,
    per=("traveller", "document"),
    last=days(1826),
    doc="How many days ago the traveller last used this document.",
    unit="days",
    texts={
        "ar": "منذ آخر استعمال لهذه الوثيقة من طرف المسافر: {value}",
        "fr": "Document utilisé par ce voyageur il y a {value}",
        "en": "Traveller last used this document {value} before",
    },
)

document_travellers_last_5_years = window(
    distinct("subject"),
    of=crossings,
    per="document",
    last=days(1826),
    doc="How many different travellers, as the records know them, crossed with this document in the five years before.",
    unit="travellers",
    texts={
        "ar": "عدد المسافرين الذين استعملوا هذه الوثيقة خلال السنوات الخمس السابقة: {value}",
        "fr": "Voyageurs différents avec ce document en cinq ans : {value}",
        "en": "Different travellers with this document in five years: {value}",
    },
)

documents_used_last_5_years = window(
    distinct("document"),
    of=crossings,
    per="traveller",
    last=days(1826),
    doc="How many different documents the traveller crossed with in the five years before.",
    unit="documents",
    texts={
        "ar": "عدد الوثائق المستعملة خلال السنوات الخمس السابقة: {value}",
        "fr": "Documents différents utilisés en cinq ans : {value}",
        "en": "Different documents used in five years: {value}",
    },
)

documents_used_last_90_days = window(
    distinct("document"),
    of=crossings,
    per="traveller",
    last=days(90),
    doc="How many different documents the traveller crossed with in the 90 days before.",
    unit="documents",
    texts={
        "ar": "عدد الوثائق المستعملة خلال التسعين يوما السابقة: {value}",
        "fr": "Documents différents utilisés en 90 jours : {value}",
        "en": "Different documents used in 90 days: {value}",
    },
)

document_expired = derived(
    negative,
    "days_to_document_expiry",
    returns="boolean",
    role="fact",
    doc="Whether the travel document has expired on the day of the crossing.",
    unit="yes or no",
    texts={
        "ar": "وثيقة السفر منتهية الصلاحية: {value}",
        "fr": "Document expiré : {value}",
        "en": "Document expired: {value}",
    },
)

document_reported_lost = in_force(
    of=alerts.where(kind="document_lost"),
    per="document",
    doc="Whether an authority has entered this very document as lost, and the entry is in force.",
    texts={
        "ar": "وثيقة مبلغ عن ضياعها: {value}",
        "fr": "Document déclaré perdu : {value}",
        "en": "Document reported lost: {value}",
    },
)

document_reported_stolen = in_force(
    of=alerts.where(kind="document_stolen"),
    per="document",
    doc="Whether an authority has entered this very document as stolen, and the entry is in force.",
    texts={
        "ar": "وثيقة مبلغ عن سرقتها: {value}",
        "fr": "Document déclaré volé : {value}",
        "en": "Document reported stolen: {value}",
    },
)

entry_ban_in_force = in_force(
    of=alerts.where(kind="entry_ban"),
    per="traveller",
    doc="Whether an authority has entered a ban on entry for this very traveller, and it is in force.",
    texts={
        "ar": "منع دخول ساري المفعول: {value}",
        "fr": "Interdiction d'entrée en vigueur : {value}",
        "en": "Ban on entry in force: {value}",
    },
)

court_order_in_force = in_force(
    of=alerts.where(kind="court_order"),
    per="traveller",
    doc="Whether an authority has entered a court order about this very traveller, and it is in force.",
    texts={
        "ar": "أمر قضائي ساري المفعول: {value}",
        "fr": "Décision de justice en vigueur : {value}",
        "en": "Court order in force: {value}",
    },
)

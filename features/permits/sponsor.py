"""The sponsor's record."""

from features.declaration import count, days, derived, distinct, own, permits, share, window
from features.formulas import present, ratio

GROUP = "sponsor"

has_sponsor = derived(
    present,
    own("sponsor"),
    returns="boolean",
    doc="Whether the permit has a sponsor.",
    unit="yes or no",
    texts={"ar": "للرخصة كفيل: {value}", "fr": "Titre avec répondant : {value}", "en": "Permit has a sponsor: {value}"},
)

permits_sponsored_last_2_years = window(
    distinct("file"),
    of=permits.where(state=("granted", "renewed")),
    per="sponsor",
    last=days(730),
    doc="For how many different files the sponsor's permits were granted or renewed in the two years before.",
    unit="files",
    texts={
        "ar": "عدد الرخص المكفولة خلال سنتين: {value}",
        "fr": "Titres soutenus par ce répondant en deux ans : {value}",
        "en": "Permits of this sponsor in two years: {value}",
    },
)

persons_sponsored_last_2_years = window(
    distinct("subject"),
    of=permits.where(state=("granted", "renewed")),
    per="sponsor",
    last=days(730),
    doc="How many different persons the sponsor stood for in the two years before.",
    unit="persons",
    texts={
        "ar": "عدد الأشخاص المكفولين خلال سنتين: {value}",
        "fr": "Personnes soutenues par ce répondant en deux ans : {value}",
        "en": "Persons of this sponsor in two years: {value}",
    },
)

sponsor_lapses_last_2_years = window(
    count,
    of=permits.where(state="expired"),
    per="sponsor",
    last=days(730),
    doc="How many permits of this sponsor ended without renewal in the two years before.",
    unit="permits",
    texts={
        "ar": "عدد رخص الكفيل المنتهية دون تجديد خلال سنتين: {value}",
        "fr": "Titres de ce répondant expirés en deux ans : {value}",
        "en": "Permits of this sponsor lapsed in two years: {value}",
    },
)

share_of_sponsor_permits_lapsed_last_2_years = window(
    share(state="expired"),
    of=permits.where(state=("renewed", "expired", "withdrawn")),
    per="sponsor",
    last=days(730),
    doc="Of the sponsor's permits that came to an end in the two years before, which share ended without renewal.",
    unit="share",
    texts={
        "ar": "نسبة رخص الكفيل المنتهية دون تجديد خلال سنتين: {value}",
        "fr": "Part des titres de ce répondant expirés en deux ans : {value}",
        "en": "Share of this sponsor's permits lapsed in two years: {value}",
    },
)

share_of_sponsor_permits_of_last_90_days = derived(
    ratio,
    window(count, of=permits.where(state=("granted", "renewed")), per="sponsor", last=days(90)),
    window(count, of=permits.where(state=("granted", "renewed")), per="sponsor", last=days(730)),
    doc="Which share of the sponsor's permits of two years fell in the 90 days before; high where sponsoring surged.",
    unit="share",
    texts={
        "ar": "نسبة رخص الكفيل خلال التسعين يوما السابقة من مجموع سنتين: {value}",
        "fr": "Part des titres de ce répondant délivrés dans les 90 derniers jours : {value}",
        "en": "Share of this sponsor's permits given in the last 90 days: {value}",
    },
)
